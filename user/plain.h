/* plain.h: what reports for people are made of: ASCII, so that a byte is a column and nothing steers a terminal. Pure. */
#ifndef INVIGIL_PLAIN_H
#define INVIGIL_PLAIN_H

#include "fact.h"

/* Untrusted bytes, as far as a line can need them; what the masker replaced as <redacted:KIND>. */
void plain_text(struct buf *out, const struct masker *m, struct span s);
void plain_status(struct buf *b, int status); /* of wait(2); -1: not known */
void plain_duration(struct buf *b, const struct run *r);
/* verdict: as of run_result; NULL: none. There is another gate, which holds programs: this one is told by its option. */
void plain_gate(struct buf *b, const char *verdict);

#endif
