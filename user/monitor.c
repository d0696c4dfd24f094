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
#include "begin.h"
#include "build_table.h"
#include "container_late.h"
#include "coverage.h"
#include "engine_socket.h"
#include "hash_look.h"
#include "kernel_btf.h"
#include "link_look.h"
#include "lives.h"
#include "made.h"
#include "monitor_state.h"
#include "privilege.h"
#include "probe.h"
#include "setup.h"
#include "startup_look.h"

static bool word_send(int fd, int say, int value)
{
	struct word w = { say, value };

	return send(fd, &w, sizeof(w), MSG_NOSIGNAL) == sizeof(w);
}

void monitor_record(struct monitor *m, unsigned type, const void *body, size_t n, const void *tail,
		    size_t tail_len)
{
	made_record(m->pipeline, RUN_ID, boot_now(), type, body, n, tail, tail_len);
}

static void on_engine(void *ctx, const char *path, uint64_t ino, uint32_t dev)
{
	struct monitor *m = ctx;
	struct ev_engine e = { .ino = ino, .dev = dev };

	loader_engine(m->loader, ino, dev);
	if (m->command)
		monitor_record(m, EV_ENGINE, &e, sizeof(e), path, strlen(path) + 1);
}

void gap_record(void *ctx, const char *hook, const char *reason, const char *effect, bool required)
{
	struct monitor *m = ctx;

	made_gap(m->pipeline, RUN_ID, boot_now(), hook, reason, effect, required);
}

static void on_loss(void *ctx, uint32_t type, uint64_t count)
{
	struct monitor *m = ctx;
	struct ev_lost e = { .count = count - m->lost[type], .type = type };

	if (!e.count)
		return;
	m->lost[type] = count;
	monitor_record(m, EV_LOST, &e, sizeof(e), NULL, 0);
}

/* Of each type the first, before what came later: from there on nobody knows whose an object is. */
static void on_first_loss(void *ctx, uint32_t type, uint64_t count)
{
	struct monitor *m = ctx;

	if (!m->lost[type])
		on_loss(m, type, count);
}

/*
 * All that the attacher has said up to now: before the first record, which it may be about. It wakes nobody: what it
 * says can wait as long as records do.
 */
static void peers_hear(struct monitor *m)
{
	m->heard = true;
	while (m->command && monitor_probes_hear(m))
		;
}

static void on_record(void *ctx, void *bytes, size_t n)
{
	struct monitor *m = ctx;
	uint64_t now;
	struct ev_hdr h;

	m->records++;
	memcpy(&h, bytes, n < sizeof(h) ? n : sizeof(h));
	/* What its process could not execute was told before it, by another way. */
	if (!m->heard || (m->gated && (h.type == EV_EXEC || h.type == EV_EXIT)))
		peers_hear(m);
	if (m->n_failures)
		failures_take(m, h.time);
	if (m->command)
		loader_losses(m->loader, on_first_loss, m);
	pipeline_take(m->pipeline, bytes, n);
	now = boot_now();
	link_look(m->pipeline, RUN_ID, now);
	startup_look(m->pipeline, RUN_ID, now);
	hash_look(m->pipeline, RUN_ID, now);
	/* Its file may hold functions that read the environment. */
	if (n >= sizeof(h) && h.type == EV_EXEC)
		attacher_ask(&m->attacher, &h,
			     n < sizeof(h) + sizeof(struct ev_exec)
				     ? NULL
				     : (struct ev_exec *)((struct ev_hdr *)bytes + 1));
	if (n >= sizeof(h) && h.type == EV_FILE)
		attacher_ask_file(&m->attacher, &h, (void *)((struct ev_hdr *)bytes + 1),
				  n - sizeof(h));
	if (n >= sizeof(h) && h.type == EV_EXEC && (pid_t)h.pid == m->command && !m->command_start)
		m->command_start = h.start;
	if (n >= sizeof(h) && h.type == EV_EXIT && (pid_t)h.pid == m->command && m->front_gone) {
		/* Nobody else will tell. */
		m->status = ((struct ev_exit *)((struct ev_hdr *)bytes + 1))->status;
		m->ended = true;
	}
}

static void ring_drain(struct monitor *m)
{
	m->heard = false;
	loader_drain(m->loader, on_record, m);
	if (!m->heard)
		peers_hear(m);
	failures_take(m, UINT64_MAX);
}

/* The engine starts it later than it answers: its processes will be members from their first exec on. */
static void on_container(void *ctx, const char id[EV_CONTAINER_LEN], uint64_t time)
{
	struct monitor *m = ctx;

	container_begin(m->loader, id, RUN_ID, time, gap_record, m);
}

static void on_shared(void *ctx, uint32_t run)
{
	(void)run;
	gap_record(ctx, "container processes", BUILD_SHARED, BUILD_SHARED_EFFECT, false);
}

static void on_build(void *ctx, const struct build_step *steps, unsigned n, bool on)
{
	struct monitor *m = ctx;
	int err = build_table_change(loader_builds(m->loader), steps, n, RUN_ID, on, on_shared, m);

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

/* Of what COMMAND writes there; nobody reads what goes to the null device (devices.txt: character 1, 3). */
static bool is_read_by_others(const struct stat *st)
{
	if (S_ISCHR(st->st_mode))
		return st->st_rdev != makedev(1, 3);
	return S_ISREG(st->st_mode) || S_ISFIFO(st->st_mode);
}

/* COMMAND writes to the same files as we; with the stream on standard output to standard error alone. */
static void output_watch(struct monitor *m)
{
	struct stat st;

	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		int err = fstat(fd, &st) ? -errno : 0;

		if (!err && !is_read_by_others(&st))
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
	environment_wipe();
	no_gate = gate_state(m);
	gate = m->gated ? m->config->gate : "off";
	begin_add(&begin, "exec_gate", span_of(gate));
	coverage_add(&begin, m->loader, false, m->config->env_reads, gate);
	monitor_record(m, EV_BEGIN, begin.ptr, sizeof(struct ev_begin),
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
		return m->command && process_lives(m->command, m->command_start);
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

/* Probes are to be attached to what runs already, or containers of a build come that no answer names before. */
static bool hurries(const struct monitor *m)
{
	return (!m->gated && strcmp(m->config->env_reads, "off")) || pipeline_building(m->pipeline);
}

static void run_drive(struct monitor *m)
{
	unsigned empty = 0;

	while (!m->ended) {
		struct pollfd fds[] = { { m->front_gone ? -1 : m->front, POLLIN, 0 },
					{ loader_ring_fd(m->loader), POLLIN, 0 },
					{ m->command ? m->guardian : -1, POLLIN, 0 } };
		uint64_t before = m->records;

		poll(fds, ARRAY_SIZE(fds), loader_wait_ms(empty, hurries(m)));
		if (fds[2].revents)
			guardian_hear(m);
		if (fds[0].revents && !front_hear(m))
			break;
		if (m->command)
			monitor_probes_look(m);
		ring_drain(m);
		build_table_look(loader_builds(m->loader), on_shared, m);
		empty = m->records == before ? empty + 1 : 0;
		if (m->front_gone && m->command && !process_lives(m->command, m->command_start))
			break;
		outputs_flush(&m->files.outputs);
	}
}

/* 0 or -errno, which is said. */
static int markdown_write_out(struct monitor *m)
{
	struct buf text = { 0 };
	int err;

	pipeline_markdown(m->pipeline, &text);
	err = report_commit(&m->files.markdown, (struct span){ text.ptr, text.len });
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
	int verdict = VERDICT_OK;
	bool whole;

	ring_drain(m);
	loader_stop(m->loader);
	ring_drain(m);
	loader_losses(m->loader, on_loss, m);
	on_loss(m, EV_LOST, loader_misses(m->loader));
	gate_close(m);
	made_secrets_gap(m->pipeline, RUN_ID, boot_now());
	hash_finish(m->pipeline, RUN_ID, boot_now());
	made_record(m->pipeline, RUN_ID, m->end_time ? m->end_time : boot_now(), EV_END, &end,
		    sizeof(end), NULL, 0);
	pipeline_finish(m->pipeline);
	v = pipeline_verdict(m->pipeline);
	whole = run_files_flush(&m->files, m->config, v.recording_error, files, &n);
	if (m->config->markdown) {
		bool failed = markdown_write_out(m);

		if (!failed)
			files[n++] = m->config->markdown;
		whole &= !failed;
	}
	if (!m->config->quiet) {
		pipeline_summary(m->pipeline, files, n, isatty(2) && !m->no_color,
				 m->config->verbose, &text);
		fwrite(text.ptr, 1, text.len, stderr);
		buf_free(&text);
	}
	if (v.tripped)
		verdict |= VERDICT_TRIPPED;
	if (!run_files_whole(&m->files, m->config, m->account) || !whole)
		verdict |= VERDICT_OUTPUT;
	return verdict;
}

static int monitor_work(struct monitor *m, int calls)
{
	const struct config *c = m->config;
	const char *path = getenv("PATH");
	int verdict;

	m->path = xstrdup(path ? path : "");
	m->no_color = getenv("NO_COLOR");
	run_id_new(m->id);
	harden();
	engine_bytes_ask(c->engine_bytes);
	failed_execs_ask(c->failed_execs);
	if (!run_files_open(&m->files, c, m->account, m->id) || !kernel_btf_use(c->btf) ||
	    !(m->loader = loader_open(c->env_reads, false, c->log_patterns != NULL))) {
		word_send(m->front, SAY_FAILED, 0);
		return 125;
	}
	if (!monitor_probes_start(m, calls)) {
		fprintf(stderr,
			"invigil: the process that attaches probes could not be started: %s\n",
			strerror(errno));
		word_send(m->front, SAY_FAILED, 0);
		return 125;
	}
	m->each_whole = *c;
	m->each_whole.alerts_only = false;
	m->pipeline = pipeline_new(&m->each_whole, m->files.outputs.n ? outputs_line : NULL,
				   &m->files.outputs);
	pipeline_record_to(m->pipeline, m->files.recording);
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
	/* Before invigil ends for whoever called it: detaching takes a second, and holds no file or folder of theirs. */
	run_files_close(&m->files);
	if (chdir("/"))
		fprintf(stderr, "invigil: chdir: %s\n", strerror(errno));
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

	report_close(&m.files.markdown);
	return status;
}
