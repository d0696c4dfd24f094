/* daemon_status.c: what the daemon says of itself: `invigil status` and /metrics. */
#include <stdlib.h>
#include <string.h>
#include "daemon_state.h"
#include "event.h"
#include "host.h"
#include "loader.h"
#include "probe.h"
#include "usage.h"

#define RATE_NS 10000000000ull /* between two looks */

static void on_lost_now(void *metrics, uint32_t type, uint64_t count)
{
	((struct metrics *)metrics)->lost[type] = count;
}

static void outputs_count(const struct job *job, struct line_counts *lines)
{
	for (unsigned k = 0; k < job->out.n; k++)
		if (!job->out.to[k].shared)
			lines_add(lines, output_lines(job->out.to[k].output));
}

/* All of it as it is now. */
static struct metrics metrics_now(void (*fn)(void *ctx, const struct output *o), void *ctx)
{
	struct metrics m = d.totals;

	m.runs_active = d.n_jobs;
	m.runs_ended = d.ended_runs;
	m.runs_refused = d.refused_runs;
	m.records = d.records;
	loader_losses(d.loader, on_lost_now, &m);
	on_lost_now(&m, EV_LOST, loader_misses(d.loader));
	m.lines = setup_lines(fn, ctx);
	m.scrapes_refused = scrape_refused(d.scrape);
	for (unsigned i = 0; i < d.n_jobs; i++) {
		job_count(d.jobs[i], &m);
		outputs_count(d.jobs[i], &m.lines);
	}
	return m;
}

static struct status_totals totals_of(const struct metrics *m)
{
	return (struct status_totals){ .records = m->records,
				       .programs = m->execs,
				       .engine_calls = m->engine_calls,
				       .lines = m->lines.seen };
}

void rates_look(uint64_t now)
{
	struct metrics m;

	if (d.n_then && now - d.then[d.n_then - 1].time < RATE_NS)
		return;
	m = metrics_now(NULL, NULL);
	if (d.n_then == ARRAY_SIZE(d.then))
		memmove(d.then, d.then + 1, --d.n_then * sizeof(d.then[0]));
	d.then[d.n_then++] = (struct totals_then){ now, totals_of(&m) };
}

/* ---- status ---- */

static void on_output(void *ctx, const struct output *o)
{
	struct status *s = ctx;

	s->outputs = xrealloc(s->outputs, (s->n_outputs + 1) * sizeof(*s->outputs));
	s->outputs[s->n_outputs++] = (struct status_output){ o->path, output_lines(o), o->error };
}

static void on_hook(void *ctx, const struct loader_hook *h)
{
	static const char *const when[] = { [WHEN_RUN] = "while a run is active",
					    [WHEN_ALWAYS] = "always",
					    [WHEN_DAEMON] = "always" };
	struct status *s = ctx;
	struct status_hook row = { .name = h->need->name,
				   .how = h->how,
				   .why = h->why,
				   .when = when[need_when(h->need)],
				   .programs = h->programs };

	if (h->in_files) {
		/* All of them: who of both needs a probe is not kept apart. */
		row.when = "in files of runs, while one is active";
		row.programs = attacher_probes(&d.attacher);
	}
	s->hooks = xrealloc(s->hooks, (s->n_hooks + 1) * sizeof(*s->hooks));
	s->hooks[s->n_hooks++] = row;
}

static void on_run(struct status *s, const struct job *job, uint64_t now)
{
	const struct run *r = pipeline_run(job->pipeline);
	struct status_run row = { .id = r->id,
				  .user = r->user,
				  .ci = job->asked         ? "asked for"
					: job->identity.ci ? job->identity.ci->name
							   : "selected",
				  .age_ns = now - job->began,
				  .programs = r->execs,
				  .engine_calls = r->engine_calls,
				  .lines = pipeline_sequence(job->pipeline),
				  .not_looked_at = job->not_asked };
	uint64_t dropped = 0;

	pipeline_findings(job->pipeline, row.findings, &dropped);
	s->runs = xrealloc(s->runs, (s->n_runs + 1) * sizeof(*s->runs));
	s->runs[s->n_runs++] = row;
	for (unsigned k = 0; k < job->out.n; k++)
		if (!job->out.to[k].shared)
			on_output(s, job->out.to[k].output);
}

void status_write(uid_t uid, bool json, struct buf *out)
{
	struct status s = { 0 };
	struct metrics m = metrics_now(uid ? NULL : on_output, &s);
	uint64_t now = boot_now();

	s.up_ns = now - d.began;
	s.active = d.n_jobs;
	s.ended = d.ended_runs;
	s.refused = d.refused_runs;
	s.now = totals_of(&m);
	s.before = d.n_then ? d.then[0].totals : (struct status_totals){ 0 };
	s.window_ns = now - (d.n_then ? d.then[0].time : d.began);
	memcpy(s.lost, m.lost, sizeof(s.lost));
	s.rejected = m.rejected;
	s.not_looked_at = m.not_asked;
	s.alerts_dropped = m.alerts_dropped;
	s.scrapes_refused = m.scrapes_refused;
	s.skipped = d.skipped;
	s.attachers = d.attachers;
	s.sum = m.lines;
	for (unsigned i = 0; i < d.n_jobs; i++)
		if (!uid || uid == d.jobs[i]->identity.uid)
			on_run(&s, d.jobs[i], now);
	loader_hooks(d.loader, on_hook, &s);
	(json ? status_json : status_text)(&s, out);
	free(s.runs);
	free(s.hooks);
	free(s.outputs);
}

/* ---- /metrics ---- */

void metrics_make(struct buf *out)
{
	struct metrics m = metrics_now(NULL, NULL);

	usage_now(&m.cpu_ns, &m.resident, &m.fds);
	metrics_write(&m, out);
}
