/* container_late.h: processes of a container that were there before its id was known. */
#ifndef INVIGIL_CONTAINER_LATE_H
#define INVIGIL_CONTAINER_LATE_H

#include <stdint.h>
#include "event.h"

struct loader;

/*
 * Engines were seen to take 30 ms and more from their answer to the first process in the container's cgroup:
 * who knows the id sooner has missed nobody.
 */
#define CONTAINER_LATE_NS 20000000ull

/* For the gap that is said then. */
#define CONTAINER_LATE        "programs ran in a container before its id was known here"
#define CONTAINER_LATE_EFFECT "that they were executed, and what they did until then"

/*
 * Makes them members of the run, once its id is with the loader: whoever comes later comes by himself. id: 64
 * digits, or the first 12 and zeroes. Returns how many have executed something already: that was not seen.
 */
unsigned container_late(struct loader *l, const char id[EV_CONTAINER_LEN], uint32_t run);

#endif
