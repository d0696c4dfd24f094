/* attempt.h: a program that a process tried to execute and could not, or the files that it tried for one. Pure. */
#ifndef INVIGIL_ATTEMPT_H
#define INVIGIL_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"

struct attempt {
	uint64_t time;   /* boot ns, of the last one */
	unsigned error;  /* errno; of several the one that execvp(3) tells */
	bool look;       /* as of struct ev_attempt */
	unsigned tried;  /* how many files */
	char *file;      /* as asked, of the one with that error */
	char *args;      /* NUL separated */
	size_t args_len; /* what was seen of them */
	size_t args_want;
};

struct record;
struct attempt *attempt_new(const struct record *r);
void attempt_free(struct attempt *a);
/*
 * Another file for the same program, as a search through PATH tries them? Then it is counted. False: it is an
 * attempt of its own.
 */
bool attempt_joins(struct attempt *a, const struct record *r);
/* Have two paths the same last step? */
bool attempt_same(struct span a, struct span b);

#endif
