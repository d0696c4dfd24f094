/* made.h: records that are made here and not in the kernel; they go through the same door. */
#ifndef INVIGIL_MADE_H
#define INVIGIL_MADE_H

#include <stdbool.h>
#include "event.h"
#include "pipeline.h"

/* h: its lengths are filled in; want: how much was cut, usually 0. */
void made_take(struct pipeline *p, struct ev_hdr h, const void *body, size_t body_len,
	       const void *tail, size_t tail_len);
/* time: CLOCK_BOOTTIME ns. */
void made_record(struct pipeline *p, uint32_t run, uint64_t time, unsigned type, const void *body,
		 size_t body_len, const void *tail, size_t tail_len);
/* Of programs of this file nobody sees which variables they read. */
void made_unseen(struct pipeline *p, uint32_t run, uint64_t time, uint64_t ino, uint32_t dev,
		 const char *why);
/* Something is not seen in this run; required: which makes it incomplete. */
void made_gap(struct pipeline *p, uint32_t run, uint64_t time, const char *hook, const char *reason,
	      const char *effect, bool required);
/* At the run's end: secrets that were too many to be told from each other, or even to be known. */
void made_secrets_gap(struct pipeline *p, uint32_t run, uint64_t time);

#endif
