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
#include <unistd.h>
#include "attacher.h"
#include "begin.h"
#include "command.h"
#include "control.h"
#include "daemon.h"
#include "engine_socket.h"
#include "event.h"
#include "host.h"
#include "link_look.h"
#include "loader.h"
#include "made.h"
#include "process_table.h"

#define DRAIN_MS 10            /* while a run is active: records are submitted without wake-up */
#define IDLE_MS  200           /* otherwise */
#define CHECK_NS 5000000000ull /* how often it is asked whether a run's processes still live */
#define OUTPUT   "/var/log/invigil/{run}.jsonl"
#define RUNS_MAX 256

struct ticket {
	uint32_t id;
	struct job *job;
};

static struct daemon {
	const struct config *config;
	struct loader *loader;
	struct attacher attacher; /* while a run is active */
	struct job *jobs[RUNS_MAX];
	unsigned n_jobs;
	struct ticket *tickets;
	unsigned n_tickets;
	uint64_t key[2];         /* of identities */
	uint64_t lost[EV_TYPES]; /* what the loader has counted so far */
	uint64_t began, records, ended_runs, refused_runs;
	struct control *control;
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
}

static void ticket_drop(uint32_t id)
{
	int err = loader_drop(d.loader, id);

	if (err)
		fprintf(stderr, "invigil: a ticket that is of no run could not be dropped: %s\n",
			strerror(-err));
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

static void on_container(void *ctx, const char *id)
{
	struct job *job = ctx;
	int err = loader_container(d.loader, id, job->run);

	if (err)
		on_gap(job, "container processes", strerror(-err),
		       "what one container of the run executes", true);
}

/* Its ending did not tell, or the kernel would look at it already. */
static void on_log(void *ctx, uint64_t ino, uint32_t dev)
{
	struct job *job = ctx;

	loader_watch(d.loader, ino, dev, job->run);
}

/* FILE with {run} replaced by the run's id. */
static char *output_path(const char *pattern, const char *id)
{
	const char *at = strstr(pattern, "{run}");
	struct buf b = { 0 };

	buf_add(&b, pattern, at ? (size_t)(at - pattern) : strlen(pattern));
	if (at) {
		buf_str(&b, id);
		buf_str(&b, at + 5);
	}
	return b.ptr;
}

static bool output_begin(struct job *job, const char *id)
{
	const char *why = "";
	char *path = output_path(d.config->output ? d.config->output : OUTPUT, id);
	int err = output_open(&job->out, path, 0, 0, 0640, &why);

	if (err)
		fprintf(stderr, "invigil: output %s: %s: %s\n", path, why, strerror(-err));
	free(path);
	return !err;
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

	exec_parts(exec, &parts);
	path_from_comps(&cwd, parts.cwd, e->cwd_comps, e->flags & EXEC_CUT_CWD);
	who.cwd = cwd.text;
	begin_make(d.config, &who, &begin);
	argv = strings_of(parts.args, e->args_len);
	begin_add_command(&begin, argv, envp);
	made_record(job->pipeline, job->run, exec->h->time, EV_BEGIN, begin.ptr,
		    sizeof(struct ev_begin), begin.ptr + sizeof(struct ev_begin),
		    begin.len - sizeof(struct ev_begin));
	buf_free(&begin);
	path_free(&cwd);
	free(argv);
	free(user);
}

/* The first run that is active: what costs something is attached. */
static bool watch_begin(const struct job *job)
{
	return loader_activate(d.loader) &&
	       attacher_start(&d.attacher, d.loader, getenv("PATH"), -1, &job->out.fd, 1);
}

static struct job *job_begin(const struct record *exec, const struct job_identity *identity,
			     char *const *envp)
{
	struct job *job = xcalloc(1, sizeof(*job));
	char id[37];

	run_id_new(id);
	if (!output_begin(job, id)) {
		free(job);
		return NULL;
	}
	job->run = exec->h->run;
	job->identity = *identity;
	job->root_pid = exec->h->pid;
	job->status = -1;
	job->checked = exec->h->time;
	job->pipeline = pipeline_new(d.config, output_line, &job->out);
	pipeline_watch(job->pipeline, &(struct pipeline_live){ on_container, on_log, job });
	job_record(job, exec, id, envp);
	if (!d.n_jobs && !watch_begin(job))
		d.stop = true;
	d.jobs[d.n_jobs++] = job;
	for (int i = 1; i < 3; i++) {
		const struct ev_fd *fd = &((const struct ev_exec *)exec->body)->fd[i];

		if (fd->kind == FD_FILE || fd->kind == FD_PIPE || fd->kind == FD_TTY)
			loader_watch(d.loader, fd->ino, fd->dev, job->run);
	}
	engine_sockets(on_engine, job);
	loader_gaps(d.loader, on_gap, job);
	if (d.attacher.fd < 0)
		attacher_gap(job);
	on_gap(job, "exec gate", "the run began by itself",
	       "variables that a program reads before probes are attached to its files", false);
	fprintf(stderr, "invigil: run %s begins: %s, pid %u, user %s\n", id,
		identity->ci ? identity->ci->name : "selected", job->root_pid,
		pipeline_run(job->pipeline)->user);
	return job;
}

/* A ticket's first record: an exec, with its environment as it is. */
static struct job *ticket_begin(const struct record *r)
{
	const struct ev_exec *e = r->body;
	struct job_identity identity;
	struct job *job = NULL;
	struct exec_parts parts;
	char **envp;

	exec_parts(r, &parts);
	envp = strings_of(parts.env, e->env_len);
	if (job_identify(r, envp, d.config, d.key, &identity)) {
		for (unsigned i = 0; i < d.n_jobs && !job; i++)
			if (job_same(&d.jobs[i]->identity, &identity))
				job = d.jobs[i];
		if (!job && d.n_jobs < RUNS_MAX)
			job = job_begin(r, &identity, envp);
		else if (!job)
			d.refused_runs++;
	}
	free(envp);
	if (job)
		ticket_add(r->h->run, job);
	else
		ticket_drop(r->h->run);
	return job;
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
	made_record(job->pipeline, job->run, boot_now(), EV_END, &end, sizeof(end), NULL, 0);
	pipeline_finish(job->pipeline);
	err = output_flush(&job->out);
	v = pipeline_verdict(job->pipeline);
	fprintf(stderr, "invigil: run %s ended: %llu programs, %llu engine calls%s%s%s\n",
		pipeline_run(job->pipeline)->id,
		(unsigned long long)pipeline_run(job->pipeline)->execs,
		(unsigned long long)pipeline_run(job->pipeline)->engine_calls,
		v.tripped ? ", gate tripped" : "", v.complete ? "" : ", incomplete",
		err || v.output_error ? ", its stream could not be written whole" : "");
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
	output_close(&job->out);
	pipeline_free(job->pipeline);
	free(job);
	if (!d.n_jobs) {
		attacher_stop(&d.attacher);
		loader_idle(d.loader);
	}
}

/* An exit that was lost must not hold a run open: asks the system, not often. */
static void jobs_check(void)
{
	uint64_t now = boot_now();

	for (unsigned i = 0; i < d.n_jobs;) {
		struct job *job = d.jobs[i];
		bool over = false;

		if (now - job->checked > CHECK_NS) {
			job->checked = now;
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
	job = job_of(h.run);
	if (!job && h.type == EV_EXEC)
		job = ticket_begin(&r);
	if (!job)
		return;
	if (h.type == EV_EXIT && h.pid == job->root_pid)
		job->status = (int)((const struct ev_exit *)r.body)->status;
	job->maybe_over |= h.type == EV_EXIT;
	pipeline_take(job->pipeline, bytes, n);
	link_look(job->pipeline, job->run, boot_now());
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

		if (w.say == ATTACHER_LATE && job) {
			struct ev_late late = { .start = w.start, .pid = w.pid };

			made_record(job->pipeline, job->run, boot_now(), EV_LATE, &late,
				    sizeof(late), NULL, 0);
		}
		for (unsigned i = 0; w.say == ATTACHER_TROUBLE && i < d.n_jobs; i++)
			on_gap(d.jobs[i], "environment reads", w.why, "variables read by name",
			       false);
	}
	for (unsigned i = 0; heard < 0 && i < d.n_jobs; i++)
		attacher_gap(d.jobs[i]);
}

/* ---- the process ---- */

static void status_write(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_fmt(out, "up %llu s, %u runs active, %llu ended, %llu refused, %llu records\n",
		(unsigned long long)((boot_now() - d.began) / 1000000000), d.n_jobs,
		(unsigned long long)d.ended_runs, (unsigned long long)d.refused_runs,
		(unsigned long long)d.records);
	for (unsigned i = 0; i < EV_TYPES; i++)
		if (d.lost[i])
			buf_fmt(out, "lost %s %llu\n", i ? record_type_name(i) : "membership",
				(unsigned long long)d.lost[i]);
	for (unsigned i = 0; i < d.n_jobs; i++) {
		const struct run *r = pipeline_run(d.jobs[i]->pipeline);

		buf_fmt(out, "run %s %s: user %s, %llu programs, %llu engine calls\n", r->id,
			d.jobs[i]->identity.ci ? d.jobs[i]->identity.ci->name : "selected", r->user,
			(unsigned long long)r->execs, (unsigned long long)r->engine_calls);
	}
}

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool daemon_open(const struct config *c)
{
	struct rlimit none = { 0, 0 };

	d.config = c;
	d.attacher.fd = -1;
	d.began = boot_now();
	prctl(PR_SET_DUMPABLE, 0); /* ring memory holds plaintext */
	setrlimit(RLIMIT_CORE, &none);
	if (getrandom(d.key, sizeof(d.key), 0) != sizeof(d.key))
		return false;
	d.loader = loader_open(c->env_reads, true, c->log_patterns != NULL);
	if (!d.loader)
		return false;
	for (unsigned i = 0; i < n_ci_providers; i++)
		loader_marker(d.loader, ci_providers[i].marker);
	for (char **p = c->run_programs; p && *p; p++) {
		const char *slash = strrchr(*p, '/');
		char comm[EV_COMM_MAX];

		snprintf(comm, sizeof(comm), "%s", slash + 1);
		loader_program(d.loader, comm);
	}
	d.control = control_open(c->socket, status_write, NULL);
	return d.control;
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
	control_ready();
	fprintf(stderr, "invigil: watching for runs\n");
	while (!d.stop) {
		struct pollfd fds[3] = { { signals, POLLIN, 0 },
					 { loader_ring_fd(d.loader), POLLIN, 0 },
					 { control_fd(d.control), POLLIN, 0 } };
		struct signalfd_siginfo info;

		poll(fds, 3, d.n_jobs ? DRAIN_MS : IDLE_MS);
		if (read(signals, &info, sizeof(info)) == sizeof(info))
			d.stop = true;
		loader_drain(d.loader, on_record, NULL);
		probes_hear();
		jobs_check();
		if (!d.n_jobs)
			attacher_reap(&d.attacher);
		for (unsigned i = 0; i < d.n_jobs; i++)
			output_flush(&d.jobs[i]->out);
		if (fds[2].revents)
			control_serve(d.control);
	}
	loader_stop(d.loader);
	loader_drain(d.loader, on_record, NULL);
	while (d.n_jobs)
		job_end(d.jobs[0]);
	control_close(d.control);
	loader_close(d.loader);
	free(d.tickets);
	return 0;
}
