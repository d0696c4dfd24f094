/* coverage.h: how each hook is covered here, as the first record of a run tells it. */
#ifndef INVIGIL_COVERAGE_H
#define INVIGIL_COVERAGE_H

#include "buf.h"
#include "loader.h"

/* Adds hook, tier, lacks and limit (begin.h) of each hook. env_reads and gate: what is in force, "off" too. */
void coverage_add(struct buf *begin, const struct loader *l, bool daemon, const char *env_reads,
		  const char *gate);

#endif
