/* container_late.h: processes of a container that were there before its id was known. */
#ifndef INVIGIL_CONTAINER_LATE_H
#define INVIGIL_CONTAINER_LATE_H

#include <stdbool.h>
#include <stdint.h>
#include "event.h"

struct loader;

/*
 * Engines were seen to take 30 ms and more from their answer to the first process in the container's cgroup:
 * who knows the id sooner has missed nobody.
 */
#define CONTAINER_LATE_NS 20000000ull

#define CONTAINER_BEFORE 0 /* as a time: the container is older than the run */

typedef void container_gap_fn(void *ctx, const char *hook, const char *reason, const char *effect,
			      bool required);

/*
 * What is executed in the container is the run's from here on. id: 64 digits, or the first 12 and zeroes; time: when
 * its id was told, boot ns, or CONTAINER_BEFORE. What of it cannot be seen is said by gap.
 */
void container_begin(struct loader *l, const char id[EV_CONTAINER_LEN], uint32_t run, uint64_t time,
		     container_gap_fn *gap, void *ctx);

#endif
