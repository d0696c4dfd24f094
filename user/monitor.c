/* monitor.c: the process that loads, drains, drives the pipeline and writes everything. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "attacher.h"
#include "begin.h"
#include "coverage.h"
#include "engine_socket.h"
#include "event.h"
#include "guardian.h"
#include "hash_look.h"
#include "kernel_btf.h"
#include "link_look.h"
#include "loader.h"
#include "made.h"
#include "monitor.h"
#include "outputs.h"
#include "pipeline.h"
#include "privilege.h"
#include "probe.h"
#include "recording.h"
#include "report_file.h"
#include "setup.h"
#include "startup_look.h"

#define RUN_ID        1u /* one run at a time in `run` */
#define DRAIN_MS      10 /* records are submitted without wake-up */
#define ATTACHERS_MAX 4
#define PEER_MS       30000 /* first word of guardian and attacher: a probe may wait long for RCU */

/* A failed exec that the attacher told of. */
struct failure {
	struct ev_hdr h;
	struct ev_attempt e;
	char *text;
};

struct monitor {
	const struct config *config;
	const struct account *account;
	int front;
	int guardian; /* its words; -1: gone */
	struct attacher attacher;
	struct failure *failures;
	unsigned n_failures;
	unsigned attachers; /* that were started, one after another died */
	char *path;         /* PATH, as the run has it */
	bool gated;         /* programs are held until the attacher has seen them */
	unsigned let_go;    /* by the guardian, without an answer */
	struct loader *loader;
	struct pipeline *pipeline;
	struct output out, record;
	struct report_file markdown;
	struct outputs outputs;   /* out and those of the configuration */
	struct config each_whole; /* the pipeline's: each output reduces what it gets */
	char id[37];              /* of the run */
	FILE *recording;
	pid_t command;
	int status;
	uint64_t end_time; /* boot ns at which COMMAND ended */
	bool ended, front_gone;
};

static bool word_send(int fd, int say, int value)
{
	struct word w = { say, value };

	return send(fd, &w, sizeof(w), MSG_NOSIGNAL) == sizeof(w);
}

static void loader_record(struct monitor *m, unsigned type, const void *body, size_t n,
			  const void *tail, size_t tail_len)
{
	made_record(m->pipeline, RUN_ID, boot_now(), type, body, n, tail, tail_len);
}

static void on_engine(void *ctx, const char *path, uint64_t ino, uint32_t dev)
{
	struct monitor *m = ctx;
	struct ev_engine e = { .ino = ino, .dev = dev };

	loader_engine(m->loader, ino, dev);
	if (m->command)
		loader_record(m, EV_ENGINE, &e, sizeof(e), path, strlen(path) + 1);
}

static void gap_record(void *ctx, const char *hook, const char *reason, const char *effect,
		       bool required)
{
	struct monitor *m = ctx;

	made_gap(m->pipeline, RUN_ID, boot_now(), hook, reason, effect, required);
}

static void on_loss(void *ctx, uint32_t type, uint64_t count)
{
	struct ev_lost e = { .count = count, .type = type };

	loader_record(ctx, EV_LOST, &e, sizeof(e), NULL, 0);
}

/* Its probes went with it; calls: its end of a socket to the guardian, or -1. Closes it. */
static bool attacher_make(struct monitor *m, int calls)
{
	const int leave[] = { m->front, m->guardian, m->out.fd, m->record.fd, m->markdown.out.fd };
	bool made =
		attacher_start(&m->attacher, m->loader, m->path, calls, leave, ARRAY_SIZE(leave));

	loader_guard(m->loader, ATTACK_ATTACHER, made ? m->attacher.pid : 0);
	/* The guardian must hear when the attacher ends. */
	if (calls >= 0)
		close(calls);
	return made;
}

static bool attacher_again(struct monitor *m)
{
	int pair[2] = { -1, -1 };

	if (m->attachers == ATTACHERS_MAX)
		return false;
	m->attachers++;
	if (m->guardian >= 0 && !socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		guardian_attacher(m->guardian, pair[0]);
		close(pair[0]);
	}
	return attacher_make(m, pair[1]);
}

/* It waits for what the kernel told before. */
static void failure_keep(struct monitor *m, const struct attacher_word *w)
{
	struct failure *f;

	m->failures = xrealloc(m->failures, (m->n_failures + 1) * sizeof(*m->failures));
	f = &m->failures[m->n_failures++];
	f->h = (struct ev_hdr){
		.time = w->start, .type = EV_ATTEMPT, .run = RUN_ID, .pid = w->pid, .want = w->cut
	};
	f->e = (struct ev_attempt){ .error = w->error,
				    .flags = ATTEMPT_LOOK,
				    .file_len = w->file_len,
				    .args_len = w->text_len - w->file_len };
	f->text = xstrndup(w->text, w->text_len);
}

/* Those from before that time. */
static void failures_take(struct monitor *m, uint64_t time)
{
	unsigned n = 0;

	for (; n < m->n_failures && m->failures[n].h.time <= time; n++) {
		struct failure *f = &m->failures[n];

		made_take(m->pipeline, f->h, &f->e, sizeof(f->e), f->text,
			  f->e.file_len + f->e.args_len);
		free(f->text);
	}
	m->n_failures -= n;
	memmove(m->failures, m->failures + n, m->n_failures * sizeof(*m->failures));
}

/* False: nothing more now. */
static bool probes_hear(struct monitor *m)
{
	struct attacher_word w;
	int heard = attacher_hear(&m->attacher, &w);

	if (heard < 0) {
		bool again = attacher_again(m);

		gap_record(m, "environment reads", "the process that attaches probes ended",
			   again ? "variables read by name until another one has attached them anew"
				 : "variables read by name from here on",
			   true);
	} else if (heard && w.say == ATTACHER_LATE) {
		struct ev_late late = { .start = w.start, .pid = w.pid };

		loader_record(m, EV_LATE, &late, sizeof(late), NULL, 0);
		gap_record(m, "environment reads",
			   "probes were attached after the program had started",
			   "reads made before that", false);
	} else if (heard && w.say == ATTACHER_FAILS) {
		failure_keep(m, &w);
	} else if (heard && w.say == ATTACHER_UNSEEN) {
		made_unseen(m->pipeline, RUN_ID, boot_now(), w.ino, w.dev, w.why);
	} else if (heard && w.say == ATTACHER_TROUBLE) {
		gap_record(m, "environment reads", w.why, "variables read by name", false);
	}
	return heard > 0;
}

static void gate_gap(struct monitor *m, const char *reason)
{
	gap_record(m, "exec gate", reason,
		   "variables that a program reads before probes are attached to its files", false);
}

static void guardian_hear(struct monitor *m)
{
	struct guardian_word w;
	ssize_t n = recv(m->guardian, &w, sizeof(w), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == sizeof(w)) {
		m->let_go += w.say == GUARDIAN_LATE;
		m->gated &= w.say != GUARDIAN_DONE;
		return;
	}
	close(m->guardian);
	m->guardian = -1;
	loader_guard(m->loader, ATTACK_GUARDIAN, 0);
	if (m->gated)
		gap_record(m, "exec gate", "its guardian is gone: the kernel refuses every exec",
			   "COMMAND's own behaviour changes", true);
}

/* Waits for the guardian's first word. Why there is no gate, or NULL. */
static const char *gate_state(struct monitor *m)
{
	struct pollfd p = { m->guardian, POLLIN, 0 };
	struct guardian_word w;

	if (!config_gate(m->config))
		return strcmp(m->config->env_reads, "off") ? "switched off" : NULL;
	if (poll(&p, 1, PEER_MS) != 1 ||
	    recv(m->guardian, &w, sizeof(w), MSG_DONTWAIT) != sizeof(w))
		return "its guardian could not be started";
	m->gated = !w.err;
	if (m->gated)
		loader_guard(m->loader, ATTACK_GUARDIAN, w.pid);
	return w.err ? strerror(-w.err) : NULL;
}

static void on_record(void *ctx, void *bytes, size_t n)
{
	struct monitor *m = ctx;
	struct ev_hdr h;

	memcpy(&h, bytes, n < sizeof(h) ? n : sizeof(h));
	/* What its process could not execute was told before it, by another way. */
	if (m->gated && m->command && (h.type == EV_EXEC || h.type == EV_EXIT))
		while (probes_hear(m))
			;
	if (m->n_failures)
		failures_take(m, h.time);
	pipeline_take(m->pipeline, bytes, n);
	link_look(m->pipeline, RUN_ID, boot_now());
	startup_look(m->pipeline, RUN_ID, boot_now());
	hash_look(m->pipeline, RUN_ID, boot_now());
	/* Its file may hold functions that read the environment; passed by the gate, it is known already. */
	if (n >= sizeof(h) && h.type == EV_EXEC)
		attacher_ask(&m->attacher, &h,
			     n < sizeof(h) + sizeof(struct ev_exec)
				     ? NULL
				     : (struct ev_exec *)((struct ev_hdr *)bytes + 1));
	if (n >= sizeof(h) && h.type == EV_EXIT && (pid_t)h.pid == m->command && m->front_gone) {
		/* Nobody else will tell. */
		m->status = ((struct ev_exit *)((struct ev_hdr *)bytes + 1))->status;
		m->ended = true;
	}
}

static void ring_drain(struct monitor *m)
{
	loader_drain(m->loader, on_record, m);
	failures_take(m, UINT64_MAX);
}

/* The engine starts it later than it answers: its processes will be members from their first exec on. */
static void on_container(void *ctx, const char id[EV_CONTAINER_LEN])
{
	struct monitor *m = ctx;
	int err = loader_container(m->loader, id, RUN_ID);

	if (err)
		gap_record(m, "container processes", strerror(-err),
			   "what one container of the run executes", true);
}

static void on_build(void *ctx, const struct build_step *steps, unsigned n, bool on)
{
	struct monitor *m = ctx;
	int err = loader_build(m->loader, steps, n, RUN_ID, on);

	if (err)
		gap_record(m, "container processes", strerror(-err),
			   "what the RUN steps of a build execute", false);
}

/* Its ending did not tell, or the kernel would look at it already. */
static void on_log(void *ctx, uint64_t ino, uint32_t dev)
{
	struct monitor *m = ctx;

	loader_watch(m->loader, ino, dev, RUN_ID);
}

static bool outputs_open(struct monitor *m)
{
	const struct config *c = m->config;
	const char *why;
	int err;

	m->out.fd = m->record.fd = m->markdown.out.fd = -1;
	if (c->output) {
		err = output_open(&m->out, c->output, m->account->invoker, m->account->invoker_gid,
				  0640, &why);
		if (err) {
			fprintf(stderr, "invigil: output %s: %s: %s\n", c->output, why,
				strerror(-err));
			return false;
		}
	}
	if (c->output)
		outputs_add(&m->outputs, &m->out, true, c->alerts_only);
	for (unsigned i = 0; i < c->n_outputs; i++) {
		struct output *o = output_configured(&c->outputs[i], m->id);

		if (!o)
			return false;
		outputs_add(&m->outputs, o, false, c->alerts_only || c->outputs[i].alerts_only);
	}
	if (c->record) {
		err = output_open(&m->record, c->record, m->account->invoker,
				  m->account->invoker_gid, 0600, &why);
		if (!err && !(m->recording = fdopen(m->record.fd, "w")))
			err = -errno;
		if (!err)
			err = recording_begin(m->recording);
		if (err) {
			fprintf(stderr, "invigil: recording %s: %s: %s\n", c->record, why,
				strerror(-err));
			return false;
		}
	}
	if (c->markdown) {
		err = report_open(&m->markdown, c->markdown, m->account->invoker,
				  m->account->invoker_gid, &why);
		if (err)
			fprintf(stderr, "invigil: report %s: %s: %s\n", c->markdown, why,
				strerror(-err));
		return !err;
	}
	return true;
}

/* What root inherits from a user's environment must not steer it; COMMAND's own is not touched. */
static void harden(void)
{
	static const char *const names[] = { "GCONV_PATH",      "TMPDIR",   "LD_PRELOAD",
					     "LD_LIBRARY_PATH", "LD_AUDIT", "LIBBPF_LOG_LEVEL",
					     "NLSPATH",         "LOCPATH" };
	struct rlimit none = { 0, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
	prctl(PR_SET_DUMPABLE, 0); /* ring memory holds plaintext */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_NAME, "invigil-monitor");
	setsid(); /* the terminal's signals are for COMMAND */
	signal(SIGCHLD,
	       SIG_DFL); /* ignored, the kernel would give our child's number to somebody else */
	for (int s = SIGHUP; s <= SIGTERM; s++)
		if (s != SIGKILL && s != SIGABRT && s != SIGSEGV && s != SIGBUS && s != SIGFPE &&
		    s != SIGILL)
			signal(s, SIG_IGN);
}

/* COMMAND writes to the same files as we; with the stream on standard output to standard error alone. */
static void output_watch(struct monitor *m)
{
	struct stat st;

	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		int err = fstat(fd, &st) ? -errno : 0;

		if (!err && !S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
			continue;
		if (!err)
			err = loader_watch(m->loader, st.st_ino,
					   major(st.st_dev) << 20 | minor(st.st_dev), RUN_ID);
		if (err && err != -EBADF)
			gap_record(m, "bytes written", strerror(-err),
				   "secrets in the run's output", false);
	}
}

static bool command_start(struct monitor *m, pid_t pid)
{
	struct buf begin = { 0 };
	const char *no_gate, *gate;
	char here[PATH_MAX];
	char *cwd = begin_redacted(getcwd(here, sizeof(here)) ? here : "/", environ);
	struct begin_who who = { .id = m->id,
				 .kind = "run",
				 .uid = m->account->uid,
				 .user = m->account->name,
				 .root_pid = pid,
				 .cwd = cwd };
	int err;

	m->command = pid;
	begin_make(m->config, &who, &begin);
	free(cwd);
	begin_add_command(&begin, m->config->argv, environ);
	no_gate = gate_state(m);
	gate = m->gated ? m->config->gate : "off";
	begin_add(&begin, "exec_gate", span_of(gate));
	coverage_add(&begin, m->loader, false, m->config->env_reads, gate);
	loader_record(m, EV_BEGIN, begin.ptr, sizeof(struct ev_begin),
		      begin.ptr + sizeof(struct ev_begin), begin.len - sizeof(struct ev_begin));
	buf_free(&begin);
	engine_sockets(on_engine, m);
	loader_gaps(m->loader, gap_record, m);
	if (no_gate)
		gate_gap(m, no_gate);
	output_watch(m);
	err = loader_member(m->loader, pid, RUN_ID);
	if (err)
		fprintf(stderr, "invigil: cannot make COMMAND a member of the run: %s\n",
			strerror(-err));
	return !err && word_send(m->front, SAY_MEMBER, 0);
}

/* False when the run is over. */
static bool front_hear(struct monitor *m)
{
	struct word w;
	ssize_t n = recv(m->front, &w, sizeof(w), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n != sizeof(w)) {
		m->front_gone = true;
		return m->command && !kill(m->command, 0);
	}
	if (w.say == SAY_COMMAND)
		return command_start(m, w.value);
	if (w.say == SAY_ENDED) {
		m->status = w.value;
		m->end_time = boot_now();
		m->ended = true;
	}
	return true;
}

static void run_drive(struct monitor *m)
{
	while (!m->ended) {
		struct pollfd fds[] = { { m->front_gone ? -1 : m->front, POLLIN, 0 },
					{ loader_ring_fd(m->loader), POLLIN, 0 },
					{ m->command ? m->guardian : -1, POLLIN, 0 },
					{ m->command ? m->attacher.fd : -1, POLLIN, 0 } };

		poll(fds, ARRAY_SIZE(fds), DRAIN_MS);
		if (fds[2].revents)
			guardian_hear(m);
		if (fds[0].revents && !front_hear(m))
			break;
		/* Before the reads that it is about. */
		while (m->command && probes_hear(m))
			;
		ring_drain(m);
		if (m->front_gone && m->command && kill(m->command, 0) && errno == ESRCH)
			break;
		outputs_flush(&m->outputs);
	}
}

/* What the gate did not hold is said once, with its number. */
static void gate_close(struct monitor *m)
{
	struct buf b = { 0 };

	attacher_stop(&m->attacher);
	if (m->let_go) {
		buf_fmt(&b, "%u calls were let go without an answer", m->let_go);
		gate_gap(m, b.ptr);
		buf_reset(&b);
	}
	if (m->attacher.not_asked) {
		buf_fmt(&b, "%u programs were not looked at", m->attacher.not_asked);
		gap_record(m, "environment reads", b.ptr, "what they read", true);
	}
	buf_free(&b);
}

/* COMMAND may remove what lies in a folder of its own, and cut what lies there when it is root. */
static bool outputs_whole(struct monitor *m)
{
	const struct config *c = m->config;
	const char *stream = c->output ? output_harm(&m->out, c->output, m->out.whole) : NULL;
	const char *record =
		m->recording ? output_harm(&m->record, c->record, ftello(m->recording)) : NULL;

	if (stream)
		fprintf(stderr, "invigil: output %s: %s\n", c->output, stream);
	if (record)
		fprintf(stderr, "invigil: recording %s: %s\n", c->record, record);
	/* The user who is to replay it may read it, once COMMAND cannot write to it any more. */
	if (m->recording && !geteuid() &&
	    fchown(m->record.fd, m->account->invoker, m->account->invoker_gid))
		fprintf(stderr, "invigil: recording %s: %s\n", c->record, strerror(errno));
	return !stream && !record;
}

/* 0 or -errno, which is said. */
static int markdown_write_out(struct monitor *m)
{
	struct buf text = { 0 };
	int err;

	pipeline_markdown(m->pipeline, &text);
	err = report_commit(&m->markdown, (struct span){ text.ptr, text.len });
	if (err)
		fprintf(stderr, "invigil: report %s: %s\n", m->config->markdown, strerror(-err));
	buf_free(&text);
	return err;
}

static int run_close(struct monitor *m)
{
	const char *files[3];
	unsigned n = 0;
	struct ev_end end = { .status = m->ended ? m->status : -1 };
	struct pipeline_verdict v;
	struct buf text = { 0 };
	int verdict = VERDICT_OK, err;

	ring_drain(m);
	loader_stop(m->loader);
	ring_drain(m);
	loader_losses(m->loader, on_loss, m);
	gate_close(m);
	hash_finish(m->pipeline, RUN_ID, boot_now());
	made_record(m->pipeline, RUN_ID, m->end_time ? m->end_time : boot_now(), EV_END, &end,
		    sizeof(end), NULL, 0);
	pipeline_finish(m->pipeline);
	err = outputs_flush(&m->outputs);
	if (m->recording && (fflush(m->recording) || ferror(m->recording)))
		err = err ? err : -EIO;
	v = pipeline_verdict(m->pipeline);
	if (v.output_error)
		err = err ? err : v.output_error;
	if (err)
		fprintf(stderr, "invigil: an output could not be written whole: %s\n",
			strerror(-err));
	if (m->config->output && strcmp(m->config->output, "-"))
		files[n++] = m->config->output;
	if (m->config->record)
		files[n++] = m->config->record;
	if (m->config->markdown) {
		int failed = markdown_write_out(m);

		if (!failed)
			files[n++] = m->config->markdown;
		err = err ? err : failed;
	}
	if (!m->config->quiet) {
		pipeline_summary(m->pipeline, files, n, isatty(2) && !getenv("NO_COLOR"),
				 m->config->verbose, &text);
		fwrite(text.ptr, 1, text.len, stderr);
		buf_free(&text);
	}
	if (v.tripped)
		verdict |= VERDICT_TRIPPED;
	if (!outputs_whole(m) || err)
		verdict |= VERDICT_OUTPUT;
	return verdict;
}

/* Returns when it has attached what is known beforehand. */
static bool probes_start(struct monitor *m, int calls)
{
	struct pollfd p = { .events = POLLIN };
	struct attacher_word w;

	m->attachers = 1;
	if (!attacher_make(m, calls))
		return false;
	loader_guard(m->loader, ATTACK_MONITOR, getpid());
	p.fd = m->attacher.fd;
	/* Not read in time, it is read and passed over later. */
	return poll(&p, 1, PEER_MS) >= 0 && (!p.revents || recv(p.fd, &w, sizeof(w), 0) > 0);
}

static int monitor_work(struct monitor *m, int calls)
{
	const struct config *c = m->config;
	const char *path = getenv("PATH");
	int verdict;

	m->path = xstrdup(path ? path : "");
	run_id_new(m->id);
	harden();
	engine_bytes_ask(c->engine_bytes);
	failed_execs_ask(c->failed_execs);
	if (!outputs_open(m) || !kernel_btf_use(c->btf) ||
	    !(m->loader = loader_open(c->env_reads, false, c->log_patterns != NULL))) {
		word_send(m->front, SAY_FAILED, 0);
		return 125;
	}
	if (!probes_start(m, calls)) {
		fprintf(stderr,
			"invigil: the process that attaches probes could not be started: %s\n",
			strerror(errno));
		word_send(m->front, SAY_FAILED, 0);
		return 125;
	}
	m->each_whole = *c;
	m->each_whole.alerts_only = false;
	m->pipeline = pipeline_new(&m->each_whole, m->outputs.n ? outputs_line : NULL, &m->outputs);
	pipeline_record_to(m->pipeline, m->recording);
	pipeline_watch(m->pipeline, &(struct pipeline_live){ on_container, on_build, on_log, m });
	if (privilege_drop(PRIVILEGE_MONITOR)) {
		word_send(m->front, SAY_FAILED, 0);
		return 125;
	}
	if (!word_send(m->front, SAY_READY, 0))
		return 125;
	run_drive(m);
	if (!m->command)
		return 125; /* the front gave up before COMMAND was made */
	verdict = run_close(m);
	/* Before invigil ends for whoever called it: detaching takes a second, and holds no file of theirs. */
	outputs_close(&m->outputs);
	output_close(&m->out);
	report_close(&m->markdown);
	if (m->recording)
		fclose(m->recording);
	word_send(m->front, SAY_DONE, verdict);
	pipeline_free(m->pipeline);
	loader_close(m->loader);
	free(m->path);
	return 0;
}

int monitor_main(const struct config *c, const struct account *a, int front, int guardian,
		 int calls)
{
	struct monitor m = {
		.config = c, .account = a, .front = front, .guardian = guardian, .status = -1
	};
	int status = monitor_work(&m, calls);

	report_close(&m.markdown);
	return status;
}
