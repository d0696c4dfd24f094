/* daemon_record.c: which run a record of the kernel belongs to, and whether it begins one. */
#include <stdlib.h>
#include <string.h>
#include "daemon_state.h"
#include "event.h"
#include "hash_look.h"
#include "host.h"
#include "link_look.h"
#include "loader.h"
#include "made.h"
#include "startup_look.h"

static void claim_tell(struct job *job, const struct job *other)
{
	struct ev_claim e = { .uid = other->identity.uid,
			      .other_user = other->identity.uid != job->identity.uid };
	const char *id = pipeline_run(other->pipeline)->id;

	made_record(job->pipeline, job->run, boot_now(), EV_CLAIM, &e, sizeof(e), id, strlen(id));
}

static void coming_add(const struct record *r)
{
	struct coming *c = &d.coming[d.n_coming++ % ARRAY_SIZE(d.coming)];

	lineage_free(&c->lineage);
	c->run = r->h->run;
	lineage_read(r, &c->lineage);
}

static struct lineage coming_take(uint32_t run)
{
	struct lineage found = { 0 };

	for (unsigned i = 0; i < ARRAY_SIZE(d.coming); i++)
		if (d.coming[i].run == run && d.coming[i].lineage.cgroup) {
			found = d.coming[i].lineage;
			d.coming[i].lineage = (struct lineage){ 0 };
		}
	return found;
}

/* A ticket's first record: an exec, with its environment as it is. */
static struct job *ticket_begin(const struct record *r)
{
	const struct ev_exec *e = r->body;
	struct job_identity identity;
	const struct job *other = NULL;
	struct job *job;
	struct lineage lineage = coming_take(r->h->run);
	struct exec_parts parts;
	char **envp;

	exec_parts(r, &parts);
	envp = strings_of(parts.env, e->env_len);
	/* What the process that made it is part of, it is, too. */
	job = lineage.was ? job_of(lineage.was) : NULL;
	if (!job && job_identify(r, envp, &lineage, &d.setup->config, d.key, &identity)) {
		for (unsigned i = 0; i < d.n_jobs && !job; i++) {
			enum job_kin kin = job_kin(&d.jobs[i]->identity, &identity, &lineage);

			if (kin == JOB_SAME)
				job = d.jobs[i];
			else if (kin == JOB_CLAIM)
				other = d.jobs[i];
		}
		if (!job)
			job = state_take(r, &identity, true, &lineage);
		if (!job && d.n_jobs < RUNS_MAX) {
			job = job_begin(r, &identity, envp);
			if (job && other)
				claim_tell(job, other);
		} else if (!job) {
			d.refused_runs++;
		}
	}
	free(envp);
	lineage_free(&lineage);
	if (job)
		ticket_add(r->h->run, job);
	else
		ticket_drop(r->h->run);
	return job;
}

/*
 * A step that several runs build at this moment, as far as the kernel's side compares: all of it, or a secret in it, may tell
 * whose it is. Otherwise it is nobody's, which those are told whose it may be.
 */
static struct job *step_begin(const struct record *r)
{
	const struct ev_exec *e = r->body;
	struct ev_stranger stranger;
	struct job *own = NULL, *maybe[RUNS_MAX];
	struct exec_parts parts;
	unsigned n = 0;

	exec_parts(r, &parts);
	for (unsigned i = 0; i < d.n_jobs; i++) {
		enum masked is = pipeline_builds(d.jobs[i]->pipeline,
						 (struct span){ parts.args, e->args_len });

		if (is == MASKED_SAME)
			own = d.jobs[i];
		if (is != MASKED_OTHER)
			maybe[n++] = d.jobs[i];
	}
	if (own && n == 1) {
		ticket_add(r->h->run, own);
		return own;
	}
	memcpy(stranger.container, e->container, sizeof(stranger.container));
	for (unsigned i = 0; i < d.n_jobs; i++)
		made_record(d.jobs[i]->pipeline, d.jobs[i]->run, r->h->time, EV_STRANGER, &stranger,
			    sizeof(stranger), NULL, 0);
	for (unsigned i = 0; i < n; i++)
		on_shared(NULL, maybe[i]->run);
	ticket_drop(r->h->run);
	loader_forget(d.loader, r->h->run);
	return NULL;
}

void on_record(void *ctx, void *bytes, size_t n)
{
	struct record r;
	struct job *job;
	struct ev_hdr h;

	(void)ctx;
	d.records++;
	if (!record_decode(bytes, n, &r))
		return;
	h = *r.h;
	if (h.type == EV_LINEAGE) {
		coming_add(&r);
		return;
	}
	job = job_of(h.run);
	if (!job && h.type == EV_EXEC)
		job = ((const struct ev_exec *)r.body)->flags & EXEC_STEP ? step_begin(&r)
									  : ticket_begin(&r);
	if (!job)
		return;
	if (h.type == EV_EXIT && h.pid == job->root_pid && !job->root_ended) {
		job->status = (int)((const struct ev_exit *)r.body)->status;
		job->root_ended = h.time;
	}
	job->maybe_over |= h.type == EV_EXIT;
	if (h.type == EV_EXEC && h.pid == job->root_pid && !job->root_start)
		job->root_start = h.start;
	if (h.type == EV_EXEC && h.pid == job->root_pid && job->state >= 0)
		state_root(job->state, (struct ev_ancestor){ .pid = h.pid, .start = h.start });
	first_losses_tell(job);
	if (h.type == EV_ENV)
		probes_words(); /* that its process was late was said before a probe told of it */
	pipeline_take(job->pipeline, bytes, n);
	link_look(job->pipeline, job->run, boot_now());
	startup_look(job->pipeline, job->run, boot_now());
	hash_look(job->pipeline, job->run, boot_now());
	if (h.type == EV_EXEC)
		probes_ask(job, &h);
	if (h.type == EV_FILE)
		attacher_ask_file(&d.attacher, &h, r.body, n - sizeof(h));
}
