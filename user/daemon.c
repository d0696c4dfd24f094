/* daemon.c: `invigil daemon`: finds the runs of a CI runner by itself and watches each to its end. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include "adopt.h"
#include "attacher.h"
#include "begin.h"
#include "command.h"
#include "control.h"
#include "daemon.h"
#include "engine_socket.h"
#include "event.h"
#include "host.h"
#include "hash_look.h"
#include "link_look.h"
#include "loader.h"
#include "made.h"
#include "metrics.h"
#include "monitor.h"
#include "notify.h"
#include "probe.h"
#include "process_table.h"
#include "request.h"
#include "scan.h"
#include "scrape.h"
#include "state.h"
#include "usage.h"

#define DRAIN_MS 10            /* while a run is active: records are submitted without wake-up */
#define IDLE_MS  200           /* otherwise */
#define CHECK_NS 5000000000ull /* how often it is asked whether a run's processes still live */
#define RUNS_MAX 256
#define TICKET   (1u << 31)     /* as bpf/job.bpf.c has it */
#define READY_NS 30000000000ull /* an attacher may wait so long for its first probes */

struct ticket {
	uint32_t id;
	struct job *job;
};

static struct daemon {
	struct setup *setup; /* in force for runs that begin */
	struct loader *loader;
	struct attacher attacher; /* while a run is active */
	bool attacher_ready;
	struct job *jobs[RUNS_MAX];
	unsigned n_jobs;
	struct ticket *tickets;
	unsigned n_tickets;
	struct coming { /* lineages whose exec comes next */
		uint32_t run;
		struct lineage lineage;
	} coming[16];
	unsigned n_coming;
	struct scan *scan; /* while what was there before is looked at */
	struct found_task *found;
	unsigned n_found;
	struct lineage before; /* of the next of them */
	bool taken_in;         /* since memberships were last made */
	struct state *states;  /* what another daemon left behind */
	unsigned n_states;
	uint64_t key[2];         /* of identities */
	uint64_t lost[EV_TYPES]; /* what the loader has counted so far */
	uint64_t began, records, ended_runs, refused_runs;
	struct control *control;
	struct scrape *scrape;
	struct metrics totals; /* of runs that ended, and of the daemon itself */
	bool stop;
} d;

static struct job *job_of(uint32_t ticket)
{
	for (unsigned i = 0; i < d.n_tickets; i++)
		if (d.tickets[i].id == ticket)
			return d.tickets[i].job;
	return NULL;
}

static void ticket_add(uint32_t id, struct job *job)
{
	d.tickets = xrealloc(d.tickets, (d.n_tickets + 1) * sizeof(*d.tickets));
	d.tickets[d.n_tickets++] = (struct ticket){ id, job };
	loader_live(d.loader, id);
}

static void ticket_drop(uint32_t id)
{
	int err = loader_drop(d.loader, id);

	if (err)
		fprintf(stderr, "invigil: a ticket that is of no run could not be dropped: %s\n",
			strerror(-err));
}

static uint32_t ticket_new(void)
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

static void on_gap(void *ctx, const char *hook, const char *reason, const char *effect,
		   bool required)
{
	struct job *job = ctx;

	made_gap(job->pipeline, job->run, boot_now(), hook, reason, effect, required);
}

static void attacher_gap(struct job *job)
{
	on_gap(job, "environment reads", "the process that attaches probes ended",
	       "variables read by name from here on", true);
}

static void on_container(void *ctx, const char id[EV_CONTAINER_LEN])
{
	struct job *job = ctx;
	int err = loader_container(d.loader, id, job->run);

	if (err)
		on_gap(job, "container processes", strerror(-err),
		       "what one container of the run executes", true);
	if (job->state >= 0)
		state_container(job->state, id);
}

/* Its ending did not tell, or the kernel would look at it already. */
static void on_log(void *ctx, uint64_t ino, uint32_t dev)
{
	struct job *job = ctx;

	loader_watch(d.loader, ino, dev, job->run);
}

static char *user_name(uint32_t uid)
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
static void job_first(struct job *job, const struct buf *begin, uint64_t root_start)
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
	free(shown);
	argv = strings_of(parts.args, e->args_len);
	begin_add_command(&begin, argv, envp);
	job_first(job, &begin, exec->h->start);
	buf_free(&begin);
	path_free(&cwd);
	free(argv);
	free(user);
}

/* The first run that is active: what costs something is attached. */
static bool watch_begin(const struct job *job)
{
	int *leave = xcalloc(job->out.n + 1, sizeof(*leave));
	bool ok;

	for (unsigned i = 0; i < job->out.n; i++)
		leave[i] = job->out.to[i].output->fd;
	d.attacher_ready = false;
	ok = loader_activate(d.loader) &&
	     attacher_start(&d.attacher, d.loader, getenv("PATH"), -1, leave, job->out.n);
	free(leave);
	if (!ok)
		return false;
	loader_guard(d.loader, ATTACK_MONITOR, getpid());
	loader_guard(d.loader, ATTACK_ATTACHER, d.attacher.pid);
	return true;
}

/* A line of the stream: to the run's outputs, and to who asked for the run. */
static int job_line(void *ctx, const char *line, size_t len)
{
	struct job *job = ctx;

	if (job->caller)
		caller_lines(job->caller, (struct span){ line, len });
	return outputs_line(&job->out, line, len);
}

static struct job *job_new(uint32_t run, const char *id, uint64_t time, pid_t root_pid)
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
	pipeline_watch(job->pipeline, &(struct pipeline_live){ on_container, on_log, job });
	return job;
}

/* Its first record is there: what it does is watched from here on. */
static void job_watch(struct job *job)
{
	if (!d.n_jobs && !watch_begin(job))
		d.stop = true;
	d.jobs[d.n_jobs++] = job;
	engine_sockets(on_engine, job);
	loader_gaps(d.loader, on_gap, job);
	if (d.attacher.fd < 0)
		attacher_gap(job);
}

static struct job *job_begin(const struct record *exec, const struct job_identity *identity,
			     char *const *envp)
{
	struct job *job;
	char id[37];

	run_id_new(id);
	job = job_new(exec->h->run, id, exec->h->time, exec->h->pid);
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
	on_gap(job, "exec gate", "the run began by itself",
	       "variables that a program reads before probes are attached to its files", false);
	fprintf(stderr, "invigil: run %s begins: %s, pid %u, user %s\n", id,
		identity->ci ? identity->ci->name : "selected", job->root_pid,
		pipeline_run(job->pipeline)->user);
	return job;
}

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

/* ---- a run goes on ---- */

/* A run of the daemon before this one goes on in the same stream. */
static struct job *job_resume(struct state *s)
{
	struct job *job = job_new(ticket_new(), s->id, boot_now(), s->root.pid);
	struct buf begin = { 0 };
	struct ev_begin body = { .abi = EV_ABI };
	char text[24];

	s->taken = true;
	if (!job)
		return NULL;
	for (unsigned i = 0; i < job->out.n; i++) {
		uint64_t last = stream_last(job->out.to[i].output->path, s->id);

		s->sequence = last > s->sequence ? last : s->sequence;
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
static struct job *state_take(const struct record *r, const struct job_identity *identity,
			      bool named, const struct lineage *l)
{
	struct state *s = d.n_jobs < RUNS_MAX ? state_of(r, identity, named, l) : NULL;
	struct job *job = s ? job_resume(s) : NULL;

	if (!job)
		return NULL;
	job_watch(job);
	ticket_add(job->run, job);
	for (unsigned i = 0; i < s->n_containers; i++)
		on_container(job, s->containers + (size_t)i * EV_CONTAINER_LEN);
	resumed_gap(job, "what the run did in between");
	return job;
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

/* ---- runs of callers ---- */

static bool caller_may(const struct caller *c)
{
	gid_t group;
	char *user;
	bool may = !caller_uid(c) || (group_named("invigil", &group) && caller_in_group(c, group));

	user = user_name(caller_uid(c));
	for (char **p = d.setup->config.callers; p && *p; p++)
		may |= !strcmp(*p, user);
	free(user);
	return may;
}

/* As job_record() for a run that is asked for: COMMAND has not been executed yet. */
static void caller_record(struct job *job, const struct request *r, const char *id)
{
	char *user = user_name(job->identity.uid);
	struct begin_who who = { .id = id,
				 .kind = "run",
				 .uid = job->identity.uid,
				 .user = user,
				 .cwd = r->cwd,
				 .root_pid = job->root_pid };
	struct buf begin = { 0 };

	begin_make(&job->config, &who, &begin);
	begin_add(&begin, "exec_gate", SPAN("off"));
	buf_add(&begin, r->begin.ptr, r->begin.len);
	job_first(job, &begin, 0);
	buf_free(&begin);
	free(user);
}

/* A run that has it already goes on without it. */
static void process_move(const struct job *to)
{
	for (unsigned i = 0; i < d.n_jobs; i++) {
		struct ev_moved e = { .pid = to->root_pid };
		const char *id = pipeline_run(to->pipeline)->id;

		if (d.jobs[i] != to)
			made_record(d.jobs[i]->pipeline, d.jobs[i]->run, boot_now(), EV_MOVED, &e,
				    sizeof(e), id, strlen(id));
	}
}

static struct job *caller_begin(struct caller *c, const struct request *r, pid_t pid, int pidfd)
{
	struct job *job;
	char id[37];
	int err;

	run_id_new(id);
	job = job_new(ticket_new(), id, boot_now(), pid);
	if (!job)
		return NULL;
	job->asked = true;
	job->caller = c;
	job->identity.uid = caller_uid(c);
	job->config.fail_on = r->fail_on;
	job->config.require_complete = r->require_complete;
	job->summary = r->summary;
	job->verbose = r->verbose;
	job->colour = r->colour;
	for (unsigned i = 0; i < r->n_files; i++)
		job->files[job->n_files++] = xstrdup(r->files[i]);
	caller_record(job, r, id);
	job_watch(job);
	ticket_add(job->run, job);
	on_gap(job, "exec gate", "the daemon holds no program",
	       "variables that a program reads before probes are attached to its files", false);
	process_move(job);
	err = loader_member_fd(d.loader, pidfd, job->run);
	if (err)
		on_gap(job, "processes", strerror(-err), "COMMAND itself", true);
	fprintf(stderr, "invigil: run %s begins: asked for, pid %u, user %s\n", id, job->root_pid,
		pipeline_run(job->pipeline)->user);
	return job;
}

static const char *on_caller_run(struct caller *c, struct span text, int pidfd)
{
	const char *why = NULL;
	struct request r;
	struct job *job;
	pid_t pid;

	if (!caller_may(c))
		return "this user is neither of the group invigil nor among the configuration's callers";
	if (d.n_jobs >= RUNS_MAX) {
		d.refused_runs++;
		return "too many runs are active";
	}
	if (request_read(text, &r, &why) &&
	    (pid = adopt_pid(pidfd, caller_pid(c), caller_uid(c), &why))) {
		job = caller_begin(c, &r, pid, pidfd);
		why = job ? NULL : "the run could not be begun";
		caller_run_set(c, job);
	}
	buf_free(&r.begin);
	return why;
}

/* COMMAND may begin as soon as what is known beforehand has its probes. */
static void callers_let_go(void)
{
	for (unsigned i = 0; i < d.n_jobs; i++) {
		struct job *job = d.jobs[i];

		if (!job->caller || job->let_go ||
		    (!d.attacher_ready && d.attacher.fd >= 0 && boot_now() - job->began < READY_NS))
			continue;
		job->let_go = true;
		caller_tell(job->caller, MESSAGE_MEMBER, 0, (struct span){ 0 });
	}
}

static void caller_close(struct job *job)
{
	struct pipeline_verdict v = pipeline_verdict(job->pipeline);
	struct buf text = { 0 };

	if (job->summary)
		pipeline_summary(job->pipeline, (const char *const *)job->files, job->n_files,
				 job->colour, job->verbose, &text);
	caller_flush(job->caller);
	if (text.len)
		caller_tell(job->caller, MESSAGE_SUMMARY, 0, (struct span){ text.ptr, text.len });
	caller_tell(job->caller, MESSAGE_DONE, v.tripped ? VERDICT_TRIPPED : VERDICT_OK,
		    (struct span){ 0 });
	caller_finish(job->caller);
	buf_free(&text);
}

static void on_caller_gone(struct caller *c)
{
	struct job *job = caller_run(c);

	job->caller = NULL;
}

/* ---- a run ends ---- */

static void on_loss(void *ctx, uint32_t type, uint64_t count)
{
	(void)ctx;
	if (count <= d.lost[type])
		return;
	/* Nobody knows whose they were: every run that is active may miss them. */
	for (unsigned i = 0; i < d.n_jobs; i++) {
		struct ev_lost e = { .count = count - d.lost[type], .type = type };

		made_record(d.jobs[i]->pipeline, d.jobs[i]->run, boot_now(), EV_LOST, &e, sizeof(e),
			    NULL, 0);
	}
	d.lost[type] = count;
}

static void job_count(const struct job *job, struct metrics *m)
{
	const struct run *r = pipeline_run(job->pipeline);

	m->rejected += r->rejected;
	m->execs += r->execs;
	m->engine_calls += r->engine_calls;
	m->not_asked += job->not_asked;
	pipeline_findings(job->pipeline, m->findings, &m->alerts_dropped);
}

static void job_end(struct job *job)
{
	struct ev_end end = { .status = job->status };
	struct pipeline_verdict v;
	int err;

	loader_losses(d.loader, on_loss, NULL);
	if (job->not_asked) {
		struct buf b = { 0 };

		buf_fmt(&b, "%u programs were not looked at", job->not_asked);
		on_gap(job, "environment reads", b.ptr, "what they read", true);
		buf_free(&b);
	}
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
	setup_outputs_close(&job->out);
	pipeline_free(job->pipeline);
	setup_drop(job->setup);
	for (unsigned i = 0; i < job->n_files; i++)
		free(job->files[i]);
	free(job);
	if (!d.n_jobs) {
		attacher_stop(&d.attacher);
		loader_idle(d.loader);
	}
}

/* One that was asked for ends with COMMAND; the caller usually says so itself. */
static bool asked_is_over(struct job *job, uint64_t now, bool look)
{
	if (!job->root_ended && look && kill(job->root_pid, 0) && errno == ESRCH)
		job->root_ended = now;
	return job->root_ended && (!job->caller || now - job->root_ended > CHECK_NS);
}

/* An exit that was lost must not hold a run open: asks the system, not often. */
static void jobs_check(void)
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
			over = !pipeline_alive(job->pipeline, kill);
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

/* ---- records ---- */

static void on_record(void *ctx, void *bytes, size_t n)
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
		job = ticket_begin(&r);
	if (!job)
		return;
	if (h.type == EV_EXIT && h.pid == job->root_pid && !job->root_ended) {
		job->status = (int)((const struct ev_exit *)r.body)->status;
		job->root_ended = h.time;
	}
	job->maybe_over |= h.type == EV_EXIT;
	if (h.type == EV_EXEC && h.pid == job->root_pid && job->state >= 0)
		state_root(job->state, (struct ev_ancestor){ .pid = h.pid, .start = h.start });
	pipeline_take(job->pipeline, bytes, n);
	link_look(job->pipeline, job->run, boot_now());
	hash_look(job->pipeline, job->run, boot_now());
	if (h.type == EV_EXEC) {
		unsigned before = d.attacher.not_asked;

		attacher_ask(&d.attacher, &h);
		job->not_asked += d.attacher.not_asked - before;
	}
}

static void probes_hear(void)
{
	struct attacher_word w;
	int heard;

	while ((heard = attacher_hear(&d.attacher, &w)) > 0) {
		struct job *job = job_of(w.run);

		d.attacher_ready |= w.say == ATTACHER_READY;
		if (w.say == ATTACHER_LATE && job) {
			struct ev_late late = { .start = w.start, .pid = w.pid };

			made_record(job->pipeline, job->run, boot_now(), EV_LATE, &late,
				    sizeof(late), NULL, 0);
		}
		for (unsigned i = 0; w.say == ATTACHER_TROUBLE && i < d.n_jobs; i++)
			on_gap(d.jobs[i], "environment reads", w.why, "variables read by name",
			       false);
	}
	if (heard >= 0)
		return;
	loader_guard(d.loader, ATTACK_ATTACHER, 0);
	for (unsigned i = 0; i < d.n_jobs; i++)
		attacher_gap(d.jobs[i]);
}

/* ---- what was there before ---- */

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
	attacher_ask(&d.attacher, h);
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

static void found_hear(void)
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
	scan_free(d.scan);
	d.scan = NULL;
	lineage_free(&d.before);
	states_end();
}

static bool found_begin(void)
{
	int err = loader_found(d.loader, on_task, NULL);

	d.states = state_load(&d.n_states);
	d.scan = scan_start(d.found, d.n_found);
	if (err || !d.scan)
		fprintf(stderr, "invigil: what was there before cannot be looked at: %s\n",
			strerror(err ? -err : errno));
	return d.scan;
}

static void job_flush(struct job *job)
{
	uint64_t told = pipeline_sequence(job->pipeline);

	outputs_flush(&job->out);
	if (job->state >= 0 && told != job->told)
		state_sequence(job->state, told);
	job->told = told;
}

/* ---- the process ---- */

static void on_caller_end(struct caller *c, int status)
{
	struct job *job = caller_run(c);

	/* The record of its end was written before its parent could hear of it. */
	loader_drain(d.loader, on_record, NULL);
	job->status = status;
	job_end(job);
}

/* Root is told of every run, everybody else of their own. */
static void status_write(uid_t uid, struct buf *out)
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

static void metrics_make(struct buf *out)
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

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The kernel looks for what one word decides; the rest is looked at here. */
static bool selectors_arm(const struct config *c)
{
	bool all = true;

	for (unsigned i = 0; i < c->n_runs; i++) {
		struct run_selector *s = &c->runs[i];
		char comm[EV_COMM_MAX];

		if (s->user && !user_number(s->user, &s->uid)) {
			fprintf(stderr, "invigil: runs: unknown user \"%s\"\n", s->user);
			s->uid = (uint32_t)-1; /* of nobody */
			all = false;
		}
		if (s->program) {
			snprintf(comm, sizeof(comm), "%s", strrchr(s->program, '/') + 1);
			loader_program(d.loader, comm);
		} else if (s->user) {
			loader_user(d.loader, s->uid);
		} else {
			loader_every_exec(d.loader);
		}
	}
	return all;
}

/* Records wait in the ring meanwhile; a program's name that is no longer asked for costs a look at it. */
static void config_reload(void)
{
	struct setup *fresh = setup_again(d.setup);

	d.totals.reloads += fresh != NULL;
	d.totals.reloads_refused += !fresh;
	if (fresh) {
		setup_drop(d.setup);
		d.setup = fresh;
		config_use(&fresh->config);
		selectors_arm(&fresh->config);
	}
	setup_reopen();
	for (unsigned i = 0; i < d.n_jobs; i++)
		for (unsigned k = 0; k < d.jobs[i]->out.n; k++)
			if (!d.jobs[i]->out.to[k].shared)
				output_reopen(d.jobs[i]->out.to[k].output);
	fprintf(stderr, "invigil: %s; outputs are open anew\n",
		fresh ? "the configuration was read again"
		      : "the configuration stays as it was: what is said above is wrong with the new one");
}

static void signals_hear(int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			config_reload();
		else
			d.stop = true;
	}
}

static bool daemon_open(struct config *given)
{
	static const struct control_ops ops = { status_write, on_caller_run, on_caller_end,
						on_caller_gone };
	struct rlimit none = { 0, 0 };
	const struct config *c;

	d.attacher.fd = -1;
	d.began = boot_now();
	d.totals.began_s = (uint64_t)time(NULL);
	prctl(PR_SET_DUMPABLE, 0); /* ring memory holds plaintext */
	setrlimit(RLIMIT_CORE, &none);
	d.setup = setup_new(given);
	if (!d.setup)
		return false;
	c = &d.setup->config;
	engine_bytes_ask(c->engine_bytes);
	d.loader = loader_open(c->env_reads, true, c->log_patterns != NULL);
	if (!d.loader)
		return false;
	for (unsigned i = 0; i < n_ci_providers; i++)
		loader_marker(d.loader, ci_providers[i].marker);
	if (!selectors_arm(c))
		return false;
	d.control = control_open(c->socket, &ops);
	if (!d.control || !state_open(c->socket, d.key) || !found_begin())
		return false;
	if (c->metrics)
		d.scrape = scrape_open(c->metrics, setup_group(), metrics_make);
	return !c->metrics || d.scrape;
}

int cmd_daemon(struct config *c)
{
	int signals;

	if (geteuid()) {
		fprintf(stderr, "invigil: daemon needs root\n");
		return 125;
	}
	if (c->check_config)
		return 0; /* it was read */
	signals = signals_open();
	if (signals < 0 || !daemon_open(c)) {
		loader_close(d.loader);
		return 125;
	}
	notify("READY=1");
	fprintf(stderr, "invigil: watching for runs\n");
	while (!d.stop) {
		struct pollfd fds[3 + SCRAPE_FDS + CONTROL_FDS] = {
			{ signals, POLLIN, 0 },
			{ loader_ring_fd(d.loader), POLLIN, 0 },
			{ d.scan ? scan_fd(d.scan) : -1, POLLIN, 0 },
		};
		unsigned n = 3 + scrape_fds(d.scrape, fds + 3);

		n += control_fds(d.control, fds + n);
		poll(fds, n, d.n_jobs ? DRAIN_MS : IDLE_MS);
		signals_hear(signals);
		loader_drain(d.loader, on_record, NULL);
		probes_hear();
		jobs_check();
		if (!d.n_jobs)
			attacher_reap(&d.attacher);
		found_hear();
		for (unsigned i = 0; i < d.n_jobs; i++)
			job_flush(d.jobs[i]);
		notify_alive(boot_now());
		callers_let_go();
		control_serve(d.control, boot_now());
		scrape_serve(d.scrape, boot_now());
	}
	loader_stop(d.loader);
	loader_drain(d.loader, on_record, NULL);
	while (d.n_jobs)
		job_end(d.jobs[0]);
	control_drain(d.control, DRAIN_MS * 100);
	control_close(d.control);
	scrape_close(d.scrape);
	loader_close(d.loader);
	setup_drop(d.setup);
	free(d.tickets);
	return 0;
}
