/* env_walk.c: reads in the order of the environment, from its beginning on. */
#include <stdlib.h>
#include "env_name.h"
#include "env_walk.h"
#include "process_table.h"

#define SMALL 3 /* so few variables are told one by one */
#define LARGE 8 /* of so many, one in four may be missing: they were removed since */

static bool place_same(uint32_t a, uint32_t b)
{
	return a >> 16 == b >> 16 && (uint16_t)(a - b + EV_PLACE_NEAR) <= 2 * EV_PLACE_NEAR;
}

/* Position of a name, and its own bytes there; false: it did not come at exec. */
static bool position(const struct process *p, struct span *name, unsigned *at)
{
	struct env_entry e;

	*at = 0;
	for (size_t i = 0; process_env_next(p, &i, &e); (*at)++)
		if (span_eq_span(e.name, *name)) {
			*name = e.name;
			return true;
		}
	return false;
}

/*
 * Begins at the first variable that was not read before, of those that are listed: of what is read by name
 * at start-up nobody knows which read it was.
 */
static struct env_walk *begin(struct process *p, unsigned at, unsigned mechanism)
{
	struct env_walk *w;
	struct env_entry e;
	unsigned i = 0, unread = 0;

	for (size_t k = 0; process_env_next(p, &k, &e); i++) {
		if (i != at && (process_has_read(p, e.name) ||
				(!e.sensitive && env_read_is_startup(e.name, mechanism))))
			continue;
		if (i < at)
			return NULL;
		unread++;
	}
	if (unread < SMALL)
		return NULL;
	w = xcalloc(1, sizeof(*w));
	w->variables = unread;
	w->read = xcalloc(unread, sizeof(*w->read));
	return w;
}

bool env_walk_follows(const struct process *p, struct span name, uint32_t place)
{
	unsigned at;

	return p->walk && place_same(p->walk->place, place) && position(p, &name, &at) &&
	       at >= p->walk->next;
}

bool env_walk_take(struct process *p, struct span name, unsigned mechanism, uint32_t place,
		   uint64_t time, struct source *source)
{
	struct env_walk *w = p->walk;
	unsigned at;

	if (!position(p, &name, &at) || (w && (at < w->next || w->n == w->variables)))
		return false;
	if (!w)
		w = p->walk = begin(p, at, mechanism);
	if (!w)
		return false;
	w->place = place;
	w->mechanism = mechanism;
	w->read[w->n++] = (struct env_wait){ time, name, source_hold(source) };
	w->next = at + 1;
	return true;
}

bool env_walk_known(const struct process *p, uint32_t place)
{
	for (unsigned i = 0; i < ARRAY_SIZE(p->copy_place); i++)
		if (p->copy_place[i] && place_same(p->copy_place[i], place))
			return true;
	return false;
}

bool env_walk_is_copy(const struct env_walk *w)
{
	return w->n >= SMALL &&
	       (w->n == w->variables || (w->n >= LARGE && w->n * 4 >= w->variables * 3));
}

void env_walk_free(struct env_walk *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->n; i++)
		source_drop(w->read[i].source);
	free(w->read);
	free(w);
}
