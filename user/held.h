/* held.h: holds back an engine's bytes until their message is over, so that a secret over the border of two records is masked in both. Pure. */
#ifndef INVIGIL_HELD_H
#define INVIGIL_HELD_H

#include "record.h"
#include "scrub.h"

#define HELD_MAX  (1u << 20)    /* bytes that wait at most ... */
#define HELD_TIME 5000000000ull /* ... and how long, ns of the records' own time */

struct held;
/* Records come out in the order in which they were given. */
typedef void held_out_fn(void *ctx, const struct record *r);

/* m has to outlive it. */
struct held *held_new(struct masker *m, held_out_fn *out, void *ctx);
/* Wipes what still waits; nothing of it comes out. */
void held_free(struct held *h);
/*
 * A record that was scrubbed by itself. Of one of an engine's bytes: raw, its tail before that, and whether the
 * message that it belongs to goes on in a later one of its connection and direction. What waited too long, or is
 * too much, goes on its way: a part of a known secret at its end is masked as such, see scrub_cut_end().
 */
void held_add(struct held *h, const struct record *r, const char *raw, bool open);
/* Everything that waits comes out. */
void held_flush(struct held *h);

#endif
