/* daemon_status.c: what the daemon says of itself: `invigil status` and /metrics. */
#include "daemon_state.h"
#include "event.h"
#include "host.h"
#include "loader.h"
#include "usage.h"

/* Root is told of every run, everybody else of their own. */
void status_write(uid_t uid, struct buf *out)
{
	buf_fmt(out, "up %llu s, %u runs active, %llu ended, %llu refused, %llu records\n",
		(unsigned long long)((boot_now() - d.began) / 1000000000), d.n_jobs,
		(unsigned long long)d.ended_runs, (unsigned long long)d.refused_runs,
		(unsigned long long)d.records);
	for (unsigned i = 0; i < EV_TYPES; i++)
		if (d.lost[i])
			buf_fmt(out, "lost %s %llu\n", i ? record_type_name(i) : "membership",
				(unsigned long long)d.lost[i]);
	for (unsigned i = 0; i < d.n_jobs; i++) {
		const struct job *job = d.jobs[i];
		const struct run *r = pipeline_run(job->pipeline);

		if (uid && uid != job->identity.uid)
			continue;
		buf_fmt(out, "run %s %s: user %s, %llu programs, %llu engine calls\n", r->id,
			job->asked         ? "asked for"
			: job->identity.ci ? job->identity.ci->name
					   : "selected",
			r->user, (unsigned long long)r->execs, (unsigned long long)r->engine_calls);
	}
}

static void on_lost_now(void *metrics, uint32_t type, uint64_t count)
{
	((struct metrics *)metrics)->lost[type] = count;
}

void metrics_make(struct buf *out)
{
	struct metrics m = d.totals;

	usage_now(&m.cpu_ns, &m.resident, &m.fds);
	m.runs_active = d.n_jobs;
	m.runs_ended = d.ended_runs;
	m.runs_refused = d.refused_runs;
	m.records = d.records;
	loader_losses(d.loader, on_lost_now, &m);
	m.lines_dropped = setup_dropped();
	m.scrapes_refused = scrape_refused(d.scrape);
	for (unsigned i = 0; i < d.n_jobs; i++) {
		job_count(d.jobs[i], &m);
		for (unsigned k = 0; k < d.jobs[i]->out.n; k++)
			if (!d.jobs[i]->out.to[k].shared)
				m.lines_dropped += d.jobs[i]->out.to[k].output->dropped;
	}
	metrics_write(&m, out);
}
