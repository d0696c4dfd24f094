/* build_table.h: the steps of image builds that are under way, as the kernel side compares them. */
#ifndef INVIGIL_BUILD_TABLE_H
#define INVIGIL_BUILD_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct build_step;
struct builder;

struct build_table {
	int steps;                /* the map: struct build_step to struct build_user */
	int claims;               /* claims_open(): what others look for; -errno: not known */
	struct builder *builders; /* BUILDERS of them */
	uint32_t *building;       /* how many there are */
};

/* A step of this run's builds is another invigil's, too. */
typedef void build_shared_fn(void *ctx, uint32_t run);

/* For the gap that is said then. */
#define BUILD_SHARED "another run builds the same step at this moment"
#define BUILD_SHARED_EFFECT                                                                        \
	"what that step executes is told by neither, unless the builder names its container"

/*
 * A build of the run begins (on), or is over: the same steps both times. A step that another process's run builds at
 * that moment is nobody's: that is told once. Of several runs of this process it is BUILD_STEP_ASK. 0 or -errno.
 */
int build_table_change(struct build_table *t, const struct build_step *steps, unsigned n,
		       uint32_t run, bool on, build_shared_fn *shared, void *ctx);
/* The same for steps that others have begun to build since. Cheap while nobody builds. */
void build_table_look(struct build_table *t, build_shared_fn *shared, void *ctx);

#endif
