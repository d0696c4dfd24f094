/* env_walk.h: tells a walk over a whole environment from reads of single variables. Pure. */
#ifndef INVIGIL_ENV_WALK_H
#define INVIGIL_ENV_WALK_H

#include "process.h"
#include "source.h"

/*
 * dict(os.environ), .copy(), .items() and what is built on them read one name after the other, in
 * the order in which they came at exec, all from one place of the script. Reads that may be the begin of that wait here until it is
 * clear; any other event of the process ends it. Node's {...process.env}, and what starts its children, is
 * a getenv() of each name in that order, too: of one place, ENV_PLACE_NODE, as far as anybody can tell.
 */
#define ENV_PLACE_NODE (1u << 16)

struct env_walk {
	unsigned mechanism; /* enum ev_env_mechanism */
	unsigned variables; /* at exec, that were not read before */
	uint32_t place;     /* of all of them */
	unsigned next;      /* position in the environment behind the last one */
	unsigned n;
	struct env_wait {
		uint64_t time;    /* unix ns */
		struct span name; /* in the process's environment */
		struct source *source;
	} * read;
};

/* Does the name stand behind the last one of the walk that goes on? */
bool env_walk_follows(const struct process *p, struct span name, uint32_t place);
/* May the first read of a name be part of a walk? Then it waits, and the caller forgets about it. */
bool env_walk_take(struct process *p, struct span name, unsigned mechanism, uint32_t place,
		   uint64_t time, struct source *source);
/* Is that the place of a walk that was told? */
bool env_walk_known(const struct process *p, uint32_t place);
/* Was it one? */
bool env_walk_is_copy(const struct env_walk *w);
void env_walk_free(struct env_walk *w);

#endif
