/* leak.c: keeps the end of what was last written to each place, so that a secret cut in two is found. */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "leak.h"
#include "scrub_state.h"

#define PLACES_MAX   256  /* the one written longest ago is forgotten */
#define CARRY_MAX    1024 /* a longer secret is known piece by piece (masker.c) */
#define SECRETS_SEEN 32   /* of one place; more are told again */

struct place {
	struct leak_place at;
	uint64_t used;
	char carry[CARRY_MAX];
	size_t n;
	uint16_t seen[SECRETS_SEEN];
	unsigned n_seen;
	bool cut;
};

struct leaks {
	struct place *places;
	unsigned known; /* secrets, when what is kept was looked at last */
	unsigned n;
	uint64_t clock;
	struct buf room;
};

struct leaks *leaks_new(void)
{
	return xcalloc(1, sizeof(struct leaks));
}

void leaks_free(struct leaks *l)
{
	if (!l)
		return;
	if (l->places)
		explicit_bzero(l->places, PLACES_MAX * sizeof(*l->places));
	if (l->room.ptr)
		explicit_bzero(l->room.ptr, l->room.cap);
	buf_free(&l->room);
	free(l->places);
	free(l);
}

static struct place *place_of(struct leaks *l, const struct leak_place *at)
{
	struct place *oldest = NULL, *p;

	if (!l->places)
		l->places =
			xcalloc(PLACES_MAX, sizeof(*l->places)); /* untouched pages cost nothing */
	for (p = l->places; p < l->places + l->n; p++) {
		if (p->at.ino == at->ino && p->at.dev == at->dev && p->at.kind == at->kind)
			break;
		if (!oldest || p->used < oldest->used)
			oldest = p;
	}
	if (p == l->places + l->n) {
		if (l->n < PLACES_MAX)
			l->n++;
		else
			p = oldest;
		explicit_bzero(p, sizeof(*p));
		p->at = *at;
	}
	p->used = ++l->clock;
	return p;
}

static bool first_time(struct place *p, unsigned secret)
{
	for (unsigned i = 0; i < p->n_seen; i++)
		if (p->seen[i] == secret)
			return false;
	if (p->n_seen < SECRETS_SEEN)
		p->seen[p->n_seen++] = secret;
	return true;
}

/* What became known since: it is not kept either. */
static void carries_mask(struct leaks *l, struct masker *m)
{
	if (l->known == m->count)
		return;
	for (struct place *p = l->places; p < l->places + l->n; p++)
		scrub_known(m, p->carry, p->n);
	l->known = m->count;
}

void leaks_look(struct leaks *l, struct masker *m, const struct leak_place *place,
		const char *bytes, size_t n, void (*fn)(void *ctx, unsigned secret), void *ctx)
{
	struct place *p = place_of(l, place);
	struct buf *b = &l->room;
	size_t before = p->n, keep;

	carries_mask(l, m);
	buf_reset(b);
	buf_add(b, p->carry, p->n);
	buf_add(b, bytes, n);
	if (scrub_leaks(m, b->ptr, b->len))
		for (size_t i = 0; i < b->len;) {
			const struct secret *which;
			size_t len = masker_at(m, (struct span){ b->ptr + i, b->len - i }, &which);

			/* What ends in the carry was masked there, and told. */
			if (len && i + len > before && which && first_time(p, which - m->secrets))
				fn(ctx, which - m->secrets);
			i += len ? len : 1;
		}
	/* What was found is not kept. */
	keep = b->len < CARRY_MAX ? b->len : CARRY_MAX;
	memcpy(p->carry, b->ptr + b->len - keep, keep);
	p->n = keep;
	explicit_bzero(b->ptr, b->len);
}

bool leaks_cut(struct leaks *l, const struct leak_place *place)
{
	struct place *p = place_of(l, place);
	bool first = !p->cut;

	explicit_bzero(p->carry, p->n);
	p->n = 0;
	p->cut = true;
	return first;
}
