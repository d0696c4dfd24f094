/* daemon_found.c: what was there before the daemon: processes, and runs of the daemon before it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "begin.h"
#include "daemon_state.h"
#include "event.h"
#include "host.h"
#include "loader.h"

/* ---- runs of another daemon ---- */

/* A run of the daemon before this one goes on in the same stream. */
static struct job *job_resume(struct state *s)
{
	struct job *job = job_new(ticket_new(), s->id, boot_now(), s->root.pid);
	struct buf begin = { 0 };
	struct ev_begin body = { .abi = EV_ABI };
	bool ended = false;
	char text[24];

	s->taken = true;
	if (!job)
		return NULL;
	for (unsigned i = 0; i < job->out.n; i++) {
		uint64_t last = stream_last(job->out.to[i].output->path, s->id, &ended);

		s->sequence = last > s->sequence ? last : s->sequence;
	}
	if (ended) {
		/* The daemon before died between this line and the removal. */
		state_remove(s->id);
		job_free(job);
		return NULL;
	}
	job->identity = s->identity;
	job->asked = s->asked;
	buf_add(&begin, &body, sizeof(body));
	buf_add(&begin, s->begin.ptr, s->begin.len);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)s->sequence);
	begin_add(&begin, "resumed", span_of(text));
	job_first(job, &begin, s->root.start);
	buf_free(&begin);
	fprintf(stderr, "invigil: run %s goes on\n", s->id);
	return job;
}

static void resumed_gap(struct job *job, const char *effect)
{
	on_gap(job, "daemon", "it ended, and was started again", effect, true);
}

static struct state *state_of(const struct record *r, const struct job_identity *identity,
			      bool named, const struct lineage *l)
{
	for (unsigned i = 0; i < d.n_states; i++) {
		struct state *s = &d.states[i];

		if (!s->taken &&
		    ((s->root.start && s->root.pid == r->h->pid && s->root.start == r->h->start) ||
		     (named && job_kin(&s->identity, identity, l) == JOB_SAME)))
			return s;
	}
	return NULL;
}

/* The run that a process is of by what another daemon left behind, taken up; NULL: none. */
struct job *state_take(const struct record *r, const struct job_identity *identity, bool named,
		       const struct lineage *l)
{
	struct state *s = d.n_jobs < RUNS_MAX ? state_of(r, identity, named, l) : NULL;
	struct job *job = s ? job_resume(s) : NULL;

	if (!job)
		return NULL;
	job_watch(job);
	ticket_add(job->run, job);
	/* It was said to the daemon before, whenever that was. */
	for (unsigned i = 0; i < s->n_containers; i++)
		on_container(job, s->containers + (size_t)i * EV_CONTAINER_LEN, 1);
	resumed_gap(job, "what the run did in between");
	return job;
}

/* ---- processes ---- */

static struct job *job_with(uint32_t pid, uint64_t start)
{
	for (unsigned i = 0; i < d.n_jobs; i++)
		if (pipeline_has(d.jobs[i]->pipeline, pid, start))
			return d.jobs[i];
	return NULL;
}

/* The run that a process from before is of; NULL: none. */
static struct job *found_place(const struct record *r)
{
	const struct ev_exec *e = r->body;
	const struct lineage *l = &d.before;
	struct job_identity identity;
	struct job *job = NULL;
	struct exec_parts parts;
	char **envp;
	bool named;

	exec_parts(r, &parts);
	envp = strings_of(parts.env, e->env_len);
	named = job_identify(r, envp, l, &d.setup->config, d.key, &identity);
	for (unsigned i = 0; i < l->ancestors && !job; i++)
		job = job_with(l->ancestor[i].pid, l->ancestor[i].start);
	for (unsigned i = 0; named && i < d.n_jobs && !job; i++)
		if (job_kin(&d.jobs[i]->identity, &identity, l) == JOB_SAME)
			job = d.jobs[i];
	/* What it made since has begun its run, and took it for the agent. */
	for (unsigned i = 0; named && i < d.n_jobs && !job; i++)
		if (job_is_agent(&d.jobs[i]->identity, &identity, r->h->pid, r->h->start)) {
			job = d.jobs[i];
			job->identity.agent = identity.agent;
		}
	if (!job)
		job = state_take(r, &identity, named, l);
	if (!job && named && d.n_jobs < RUNS_MAX) {
		job = job_begin(r, &identity, envp);
		if (job)
			ticket_add(job->run, job);
	}
	free(envp);
	return job;
}

static void on_found(void *bytes, size_t n)
{
	struct ev_hdr *h = bytes;
	struct record r;
	struct job *job;

	h->run = ticket_new(); /* of the run that it may begin */
	if (!record_decode(bytes, n, &r))
		return;
	if (h->type == EV_LINEAGE) {
		lineage_free(&d.before);
		lineage_read(&r, &d.before);
		return;
	}
	/* It may have begun something since, which is in the ring. */
	loader_drain(d.loader, on_record, NULL);
	if (job_with(h->pid, h->start))
		return;
	job = found_place(&r);
	if (!job)
		return;
	h->run = job->run;
	loader_take_in(d.loader, h->pid, h->start, job->run);
	d.taken_in = true;
	pipeline_take(job->pipeline, bytes, n);
	probes_ask(job, h);
}

static void on_task(void *ctx, const struct found_task *t)
{
	(void)ctx;
	if (t->pid == (uint32_t)getpid())
		return;
	d.found = xrealloc(d.found, (d.n_found + 1) * sizeof(*d.found));
	d.found[d.n_found++] = *t;
}

static void memberships_make(void)
{
	/* Twice: a child may be passed before its parent. */
	for (int i = 0; d.taken_in && i < 2; i++)
		loader_found(d.loader, NULL, NULL);
	d.taken_in = false;
}

/* Nobody of theirs was found: they ended while no daemon was there. */
static void states_end(void)
{
	for (unsigned i = 0; i < d.n_states; i++) {
		struct job *job = d.states[i].taken ? NULL : job_resume(&d.states[i]);

		if (job) {
			resumed_gap(job, "what the run did in between, and how it ended");
			job_end(job);
		}
		state_free(&d.states[i]);
	}
	free(d.states);
	d.states = NULL;
	d.n_states = 0;
}

void found_hear(void)
{
	bool more;

	if (!d.scan)
		return;
	more = scan_hear(d.scan, on_found, boot_now());
	memberships_make();
	if (more)
		return;
	if (scan_skipped(d.scan))
		fprintf(stderr, "invigil: %u processes from before could not be looked at\n",
			scan_skipped(d.scan));
	d.skipped = scan_skipped(d.scan);
	scan_free(d.scan);
	d.scan = NULL;
	lineage_free(&d.before);
	states_end();
}

bool found_begin(void)
{
	int err = loader_found(d.loader, on_task, NULL);

	d.states = state_load(&d.n_states);
	d.scan = scan_start(d.found, d.n_found);
	if (err || !d.scan)
		fprintf(stderr, "invigil: what was there before cannot be looked at: %s\n",
			strerror(err ? -err : errno));
	return d.scan;
}
