/* leak.h: secrets in what a run writes, however they are split over writes. Pure; the bytes stay in memory, bounded. */
#ifndef INVIGIL_LEAK_H
#define INVIGIL_LEAK_H

#include "event.h"
#include "scrub.h"

struct leaks;

/* One file that is written to, by device and inode. */
struct leak_place {
	uint64_t ino;
	uint32_t dev;
	uint32_t kind; /* enum ev_fd_kind */
};

struct leaks *leaks_new(void);
void leaks_free(struct leaks *l); /* wipes what it holds */
/*
 * The next bytes of a place. fn is told each secret of the table in them, once for each place; these
 * are values of sensitive variables and what has a credential's own form, not what merely stands behind a name.
 */
void leaks_look(struct leaks *l, struct masker *m, const struct leak_place *place,
		const char *bytes, size_t n, void (*fn)(void *ctx, unsigned secret), void *ctx);
/* Bytes of the place were not seen, and what is kept of it does not go on. True for the first time. */
bool leaks_cut(struct leaks *l, const struct leak_place *place);

#endif
