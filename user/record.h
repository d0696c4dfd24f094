/* record.h: one event record as bytes, checked: header, body, tail. Pure. */
#ifndef INVIGIL_RECORD_H
#define INVIGIL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include "event.h"

struct record {
	const struct ev_hdr *h;
	const void *body; /* struct ev_TYPE */
	char *tail;       /* h->len bytes; the scrubber writes into them */
};

/*
 * Points r into bytes (aligned to 8). False for anything that is not a whole record of a known type
 * with inner lengths that fit its tail. n may be larger than the record (ring size classes).
 */
bool record_decode(void *bytes, size_t n, struct record *r);
/* Bytes of header + body + tail. */
size_t record_size(const struct record *r);
/* Of the n bytes that a record takes in the ring: those up to its tail's end, behind which lies old memory. */
size_t record_used(const void *bytes, size_t n);
const char *record_type_name(unsigned type);
/*
 * What a count of losses is about, as lines, metrics and reports name it: records of a type; EV_UNKNOWN: memberships of
 * processes; EV_LOST: calls of hooks (loader_misses()).
 */
const char *lost_name(unsigned type);
/* Parts of an exec record's tail. */
struct exec_parts {
	const struct ev_comp *exe, *cwd;
	char *file, *args, *env;
};
void exec_parts(const struct record *r, struct exec_parts *p);

#endif
