/* metrics.h: the daemon's counters as Prometheus reads them. Pure. */
#ifndef INVIGIL_METRICS_H
#define INVIGIL_METRICS_H

#include "buf.h"
#include "catalogue.h"
#include "event.h"
#include "output.h"

/* All as they are now. What of it belongs to runs is the sum of those that ended and those that are active. */
struct metrics {
	uint64_t began_s;               /* unix */
	uint64_t cpu_ns, resident, fds; /* of the process */
	uint64_t runs_active, runs_ended, runs_refused, runs_incomplete;
	uint64_t callers;
	uint64_t records, lost[EV_TYPES];
	uint64_t reloads, reloads_refused;
	struct line_counts lines;
	uint64_t scrapes_refused;
	/* Of runs: */
	uint64_t rejected, execs, engine_calls, not_asked;
	uint64_t findings[SEVERITIES], alerts_dropped;
};

/* The text exposition format, version 0.0.4. */
void metrics_write(const struct metrics *m, struct buf *out);

#endif
