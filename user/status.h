/* status.h: what `invigil status` says of the daemon, as text or JSON. Pure. */
#ifndef INVIGIL_STATUS_H
#define INVIGIL_STATUS_H

#include "buf.h"
#include "catalogue.h"
#include "event.h"
#include "output.h"

/* All texts are borrowed. */
struct status_run {
	const char *id, *user;
	const char *ci; /* the provider of its CI job, "asked for" or "selected" */
	uint64_t age_ns;
	uint64_t programs, engine_calls, lines, not_looked_at;
	uint64_t findings[SEVERITIES];
};

struct status_hook {
	const char *name;
	const char *how; /* the tier in force; NULL: none works on this kernel */
	const char *why; /* not attached though it should be; NULL: no trouble */
	const char *when;
	unsigned programs; /* attached now */
};

struct status_output {
	const char *path;
	struct line_counts lines;
	int error; /* -errno of the first failure; 0 none */
};

/* Of all runs. */
struct status_totals {
	uint64_t records, programs, engine_calls, lines;
};

struct status {
	uint64_t up_ns;
	unsigned active; /* also those that are not listed */
	uint64_t ended, refused;
	struct status_totals now, before; /* before: window_ns ago */
	uint64_t window_ns;
	uint64_t lost[EV_TYPES]; /* records by type; EV_UNKNOWN: memberships */
	uint64_t rejected, not_looked_at, alerts_dropped, scrapes_refused;
	unsigned skipped;       /* processes from before the daemon that did not answer */
	unsigned attachers;     /* processes that attach probes: were started */
	struct line_counts sum; /* of all outputs, closed ones too */
	struct status_run *runs;
	unsigned n_runs;
	struct status_hook *hooks;
	unsigned n_hooks;
	struct status_output *outputs;
	unsigned n_outputs;
};

void status_text(const struct status *s, struct buf *out);
void status_json(const struct status *s, struct buf *out); /* one line */

#endif
