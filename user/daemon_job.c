/* daemon_job.c: a run that the daemon watches: its tickets, its first record, its end. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "begin.h"
#include "container_late.h"
#include "coverage.h"
#include "daemon_state.h"
#include "engine_socket.h"
#include "event.h"
#include "hash_look.h"
#include "host.h"
#include "lives.h"
#include "loader.h"
#include "made.h"
#include "process_table.h"

struct job *job_of(uint32_t ticket)
{
	for (unsigned i = 0; i < d.n_tickets; i++)
		if (d.tickets[i].id == ticket)
			return d.tickets[i].job;
	return NULL;
}

void ticket_add(uint32_t id, struct job *job)
{
	d.tickets = xrealloc(d.tickets, (d.n_tickets + 1) * sizeof(*d.tickets));
	d.tickets[d.n_tickets++] = (struct ticket){ id, job };
	loader_live(d.loader, id);
}

void ticket_drop(uint32_t id)
{
	int err = loader_drop(d.loader, id);

	if (err)
		fprintf(stderr, "invigil: a ticket that is of no run could not be dropped: %s\n",
			strerror(-err));
}

uint32_t ticket_new(void)
{
	uint32_t ticket = 0;

	while (getrandom(&ticket, sizeof(ticket), 0) != sizeof(ticket))
		;
	return ticket | TICKET;
}

/* ---- a run begins ---- */

static void on_engine(void *ctx, const char *path, uint64_t ino, uint32_t dev)
{
	struct job *job = ctx;
	struct ev_engine e = { .ino = ino, .dev = dev };

	loader_engine(d.loader, ino, dev);
	made_record(job->pipeline, job->run, boot_now(), EV_ENGINE, &e, sizeof(e), path,
		    strlen(path) + 1);
}

void on_gap(void *ctx, const char *hook, const char *reason, const char *effect, bool required)
{
	struct job *job = ctx;

	made_gap(job->pipeline, job->run, boot_now(), hook, reason, effect, required);
}

void on_container(void *ctx, const char id[EV_CONTAINER_LEN], uint64_t time)
{
	struct job *job = ctx;

	container_begin(d.loader, id, job->run, time, on_gap, job);
	if (job->state >= 0)
		state_container(job->state, id);
}

void on_shared(void *ctx, uint32_t run)
{
	struct job *job = job_of(run);

	(void)ctx;
	if (job)
		on_gap(job, "container processes", BUILD_SHARED, BUILD_SHARED_EFFECT, false);
}

static void on_build(void *ctx, const struct build_step *steps, unsigned n, bool on)
{
	struct job *job = ctx;
	int err = build_table_change(loader_builds(d.loader), steps, n, job->run, on, on_shared,
				     NULL);

	if (err)
		on_gap(job, "container processes", strerror(-err),
		       "what the RUN steps of a build execute", false);
}

/* Its ending did not tell, or the kernel would look at it already. */
static void on_log(void *ctx, uint64_t ino, uint32_t dev)
{
	struct job *job = ctx;

	loader_watch(d.loader, ino, dev, job->run);
}

char *user_name(uint32_t uid)
{
	struct buf b = { 0 };
	struct account a;
	bool known = account_named(uid, &a);

	if (known)
		buf_str(&b, a.name);
	else
		buf_fmt(&b, "%u", uid);
	free(a.name);
	free(a.home);
	return b.ptr;
}

/* The first record, body and tail: to the pipeline, and where the next daemon finds it. */
void job_first(struct job *job, const struct buf *begin, uint64_t root_start)
{
	size_t body = sizeof(struct ev_begin);
	struct state s = { .asked = job->asked,
			   .identity = job->identity,
			   .root = { .pid = job->root_pid, .start = root_start } };
	char text[24];

	made_record(job->pipeline, job->run, job->began, EV_BEGIN, begin->ptr, body,
		    begin->ptr + body, begin->len - body);
	memcpy(s.id, pipeline_run(job->pipeline)->id, sizeof(s.id));
	buf_add(&s.begin, begin->ptr + body, begin->len - body);
	snprintf(text, sizeof(text), "%llu",
		 (unsigned long long)pipeline_run(job->pipeline)->began);
	begin_add(&s.begin, "began", span_of(text));
	job->state = state_save(&s);
	if (job->state < 0)
		fprintf(stderr, "invigil: run %s: its state cannot be kept: %s\n", s.id,
			strerror(-job->state));
	buf_free(&s.begin);
}

/* The run's first record: what replay could not look up for itself. */
static void job_record(struct job *job, const struct record *exec, const char *id,
		       char *const *envp)
{
	const struct ev_exec *e = exec->body;
	char *user = user_name(e->uid), **argv;
	struct begin_who who = {
		.id = id, .kind = "job", .uid = e->uid, .user = user, .root_pid = exec->h->pid
	};
	struct buf begin = { 0 };
	struct exec_parts parts;
	struct path cwd = { 0 };
	char *shown;

	exec_parts(exec, &parts);
	path_from_comps(&cwd, parts.cwd, e->cwd_comps, e->flags & EXEC_CUT_CWD);
	who.cwd = shown = begin_redacted(cwd.text, envp);
	begin_make(&job->config, &who, &begin);
	coverage_add(&begin, d.loader, true, job->config.env_reads, "off");
	free(shown);
	argv = strings_of(parts.args, e->args_len);
	begin_add_command(&begin, argv, envp);
	job_first(job, &begin, exec->h->start);
	buf_free(&begin);
	path_free(&cwd);
	free(argv);
	free(user);
}

/* A line of the stream: to the run's outputs, and to who asked for the run. */
static int job_line(void *ctx, const char *line, size_t len)
{
	struct job *job = ctx;

	if (job->caller)
		caller_lines(job->caller, (struct span){ line, len });
	return outputs_line(&job->out, line, len);
}

struct job *job_new(uint32_t run, const char *id, uint64_t time, pid_t root_pid)
{
	struct job *job = xcalloc(1, sizeof(*job));

	if (!setup_outputs(d.setup, id, &job->out)) {
		free(job);
		return NULL;
	}
	job->setup = d.setup;
	job->setup->holders++;
	job->run = run;
	job->root_pid = root_pid;
	job->status = job->state = -1;
	job->began = job->checked = time;
	job->config = d.setup->config;
	job->pipeline = pipeline_new(&job->config, job_line, job);
	pipeline_watch(job->pipeline,
		       &(struct pipeline_live){ on_container, on_build, on_log, job });
	return job;
}

/* What costs something was attached for this run, which does not wait for it. */
static void woken_gap(struct job *job)
{
	struct buf reason = { 0 };

	buf_fmt(&reason, "its hooks were attached %llu ms after the run had begun",
		(unsigned long long)(d.attached - job->began) / 1000000);
	on_gap(job, "engine bytes", reason.ptr,
	       "calls of engines, files and looks into processes until then", false);
	buf_free(&reason);
}

/* Its first record is there: what it does is watched from here on. */
void job_watch(struct job *job)
{
	memcpy(job->lost, d.lost, sizeof(job->lost));
	job->lost[EV_LOST] = loader_misses(d.loader);
	d.jobs[d.n_jobs++] = job;
	d.stop |= !probes_begin();
	engine_sockets(on_engine, job);
	loader_gaps(d.loader, on_gap, job);
	probes_known(job);
	probes_gaps(job);
}

struct job *job_begin(const struct record *exec, const struct job_identity *identity,
		      char *const *envp)
{
	struct job *job;
	bool woken;
	char id[37];

	/* Nobody holds the program meanwhile: before anything else. */
	woken = !d.attached;
	d.stop |= !probes_begin();
	run_id_new(id);
	job = job_new(exec->h->run, id, exec->h->time, exec->h->pid);
	if (!job && !d.n_jobs)
		probes_end();
	if (!job)
		return NULL;
	job->identity = *identity;
	job_record(job, exec, id, envp);
	job_watch(job);
	for (int i = 1; i < 3; i++) {
		const struct ev_fd *fd = &((const struct ev_exec *)exec->body)->fd[i];

		if (fd->kind == FD_FILE || fd->kind == FD_PIPE || fd->kind == FD_TTY)
			loader_watch(d.loader, fd->ino, fd->dev, job->run);
	}
	if (((const struct ev_exec *)exec->body)->flags & EXEC_FOUND)
		on_gap(job, "processes", "the run began before the daemon", "what it did until now",
		       true);
	else if (woken)
		woken_gap(job);
	on_gap(job, "exec gate", "the run began by itself",
	       "variables that a program reads before probes are attached to its files", false);
	fprintf(stderr, "invigil: run %s begins: %s, pid %u, user %s\n", id,
		identity->ci ? identity->ci->name : "selected", job->root_pid,
		pipeline_run(job->pipeline)->user);
	return job;
}

void job_flush(struct job *job)
{
	uint64_t told = pipeline_sequence(job->pipeline);

	outputs_flush(&job->out);
	if (job->state >= 0 && told != job->told)
		state_sequence(job->state, told);
	job->told = told;
}

/* ---- a run ends ---- */

static void on_loss(void *ctx, uint32_t type, uint64_t count)
{
	struct job *job = ctx;
	struct ev_lost e = { .count = count - job->lost[type], .type = type };

	if (!e.count)
		return;
	job->lost[type] = count;
	made_record(job->pipeline, job->run, boot_now(), EV_LOST, &e, sizeof(e), NULL, 0);
}

static void on_first_loss(void *ctx, uint32_t type, uint64_t count)
{
	const struct job *job = ctx;

	if (!pipeline_run(job->pipeline)->lost[type])
		on_loss(ctx, type, count);
}

void first_losses_tell(struct job *job)
{
	loader_losses(d.loader, on_first_loss, job);
}

static void on_lost_before(void *ctx, uint32_t type, uint64_t count)
{
	(void)ctx;
	d.lost[type] = count;
}

void losses_before(void)
{
	loader_losses(d.loader, on_lost_before, NULL);
}

void job_count(const struct job *job, struct metrics *m)
{
	const struct run *r = pipeline_run(job->pipeline);

	m->rejected += r->rejected;
	m->execs += r->execs;
	m->engine_calls += r->engine_calls;
	m->not_asked += job->not_asked;
	pipeline_findings(job->pipeline, m->findings, &m->alerts_dropped);
}

void job_free(struct job *job)
{
	setup_outputs_close(&job->out);
	if (job->recording)
		fclose(job->recording);
	pipeline_free(job->pipeline);
	setup_drop(job->setup);
	for (unsigned i = 0; i < job->n_files; i++)
		free(job->files[i]);
	free(job);
}

void job_end(struct job *job)
{
	struct ev_end end = { .status = job->status };
	struct pipeline_verdict v;
	int err;

	loader_losses(d.loader, on_loss, job);
	on_loss(job, EV_LOST, loader_misses(d.loader));
	if (job->not_asked) {
		struct buf b = { 0 };

		buf_fmt(&b, "%u programs were not looked at", job->not_asked);
		on_gap(job, "environment reads", b.ptr, "what they read", true);
		buf_free(&b);
	}
	if (pipeline_unrecorded(job->pipeline)) {
		struct buf b = { 0 };

		buf_fmt(&b, "%llu records of programs with another user's rights are left out",
			(unsigned long long)pipeline_unrecorded(job->pipeline));
		on_gap(job, "recording", b.ptr, "what a replay shows of them", false);
		buf_free(&b);
	}
	made_secrets_gap(job->pipeline, job->run, boot_now());
	hash_finish(job->pipeline, job->run, boot_now());
	made_record(job->pipeline, job->run, boot_now(), EV_END, &end, sizeof(end), NULL, 0);
	pipeline_finish(job->pipeline);
	err = outputs_flush(&job->out);
	v = pipeline_verdict(job->pipeline);
	fprintf(stderr, "invigil: run %s ended: %llu programs, %llu engine calls%s%s%s\n",
		pipeline_run(job->pipeline)->id,
		(unsigned long long)pipeline_run(job->pipeline)->execs,
		(unsigned long long)pipeline_run(job->pipeline)->engine_calls,
		v.tripped ? ", gate tripped" : "", v.complete ? "" : ", incomplete",
		err || v.output_error ? ", its stream could not be written whole" : "");
	if (job->caller)
		caller_close(job);
	/* Containers that are left behind keep its tickets: they count no more. */
	for (unsigned i = 0; i < d.n_tickets;) {
		if (d.tickets[i].job != job) {
			i++;
			continue;
		}
		ticket_drop(d.tickets[i].id);
		loader_forget(d.loader, d.tickets[i].id);
		d.tickets[i] = d.tickets[--d.n_tickets];
	}
	for (unsigned i = 0; i < d.n_jobs; i++)
		if (d.jobs[i] == job)
			d.jobs[i] = d.jobs[--d.n_jobs];
	d.ended_runs++;
	if (job->state >= 0) {
		state_remove(pipeline_run(job->pipeline)->id);
		close(job->state);
	}
	d.totals.runs_incomplete += !v.complete;
	job_count(job, &d.totals);
	job_free(job);
	malloc_trim(0); /* pages between what others still hold */
	if (!d.n_jobs)
		probes_end();
}

void jobs_leave(void)
{
	for (unsigned i = 0; i < d.n_jobs; i++) {
		loader_losses(d.loader, on_loss, d.jobs[i]);
		job_flush(d.jobs[i]);
	}
}

/* One that was asked for ends with COMMAND; the caller usually says so itself. */
static bool asked_is_over(struct job *job, uint64_t now, bool look)
{
	if (!job->root_ended && look && !process_lives(job->root_pid, job->root_start))
		job->root_ended = now;
	return job->root_ended && (!job->caller || now - job->root_ended > CHECK_NS);
}

/* An exit that was lost must not hold a run open: asks the system, not often. */
void jobs_check(void)
{
	uint64_t now = boot_now();

	/* Until then nobody knows who else is of a run. */
	if (d.scan)
		return;
	for (unsigned i = 0; i < d.n_jobs;) {
		struct job *job = d.jobs[i];
		bool over = false, look = now - job->checked > CHECK_NS;

		if (look)
			job->checked = now;
		if (job->asked) {
			over = asked_is_over(job, now, look);
		} else if (look) {
			over = !pipeline_alive(job->pipeline, process_lives);
		} else if (job->maybe_over) {
			over = !pipeline_alive(job->pipeline, NULL);
		}
		job->maybe_over = false;
		if (over)
			job_end(job);
		else
			i++;
	}
}
