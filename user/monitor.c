/* monitor.c: the process that loads, drains, drives the pipeline and writes everything. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "begin.h"
#include "engine_socket.h"
#include "event.h"
#include "loader.h"
#include "monitor.h"
#include "output.h"
#include "pipeline.h"
#include "recording.h"

#define RUN_ID   1u /* one run at a time in `run` */
#define DRAIN_MS 10 /* records are submitted without wake-up */

struct monitor {
	const struct config *config;
	const struct account *account;
	int front;
	struct loader *loader;
	struct pipeline *pipeline;
	struct output out, record;
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

/* A record made here: header, body and strings go through the same door as the kernel's. */
static void record_at(struct monitor *m, uint64_t time, unsigned type, const void *body, size_t n,
		      const void *tail, size_t tail_len)
{
	struct ev_hdr h = {
		.time = time, .type = type, .run = RUN_ID, .len = tail_len, .want = tail_len
	};
	struct buf b = { 0 };

	buf_add(&b, &h, sizeof(h));
	buf_add(&b, body, n);
	if (tail_len)
		buf_add(&b, tail, tail_len);
	pipeline_take(m->pipeline, b.ptr, b.len);
	buf_free(&b);
}

static void loader_record(struct monitor *m, unsigned type, const void *body, size_t n,
			  const void *tail, size_t tail_len)
{
	record_at(m, boot_now(), type, body, n, tail, tail_len);
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
	struct ev_gap e = { .required = required };
	struct buf b = { 0 };

	buf_add(&b, hook, strlen(hook) + 1);
	buf_add(&b, reason, strlen(reason) + 1);
	buf_add(&b, effect, strlen(effect) + 1);
	loader_record(ctx, EV_GAP, &e, sizeof(e), b.ptr, b.len);
	buf_free(&b);
}

static void on_loss(void *ctx, uint32_t type, uint64_t count)
{
	struct ev_lost e = { .count = count, .type = type };

	loader_record(ctx, EV_LOST, &e, sizeof(e), NULL, 0);
}

/* The file that was just executed may hold functions that read the environment. */
static void exec_attach(struct monitor *m, const struct ev_hdr *h)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/exe", h->pid);
	if (loader_attach_env(m->loader, path))
		gap_record(m, "environment reads",
			   "probes were attached after the program had started",
			   "reads made before that", false);
}

static void on_record(void *ctx, void *bytes, size_t n)
{
	struct monitor *m = ctx;
	struct ev_hdr h;

	memcpy(&h, bytes, n < sizeof(h) ? n : sizeof(h));
	pipeline_take(m->pipeline, bytes, n);
	if (n >= sizeof(h) && h.type == EV_EXEC)
		exec_attach(m, &h);
	if (n >= sizeof(h) && h.type == EV_EXIT && (pid_t)h.pid == m->command && m->front_gone) {
		/* Nobody else will tell. */
		m->status = ((struct ev_exit *)((struct ev_hdr *)bytes + 1))->status;
		m->ended = true;
	}
}

/* The engine starts it later than it answers: its processes will be members from their first exec on. */
static void on_container(void *ctx, const char *id)
{
	struct monitor *m = ctx;
	int err = loader_container(m->loader, id, RUN_ID);

	if (err)
		gap_record(m, "container processes", strerror(-err),
			   "what one container of the run executes", true);
}

static bool outputs_open(struct monitor *m)
{
	const struct config *c = m->config;
	const char *why;
	int err;

	m->out.fd = m->record.fd = -1;
	if (c->output) {
		err = output_open(&m->out, c->output, m->account->invoker, m->account->invoker_gid,
				  0640, &why);
		if (err) {
			fprintf(stderr, "invigil: output %s: %s: %s\n", c->output, why,
				strerror(-err));
			return false;
		}
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
		/* The user who is to replay it may read it. */
		if (!geteuid() &&
		    fchown(m->record.fd, m->account->invoker, m->account->invoker_gid))
			fprintf(stderr, "invigil: recording %s: %s\n", c->record, strerror(errno));
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
	for (int s = SIGHUP; s <= SIGTERM; s++)
		if (s != SIGKILL && s != SIGABRT && s != SIGSEGV && s != SIGBUS && s != SIGFPE &&
		    s != SIGILL)
			signal(s, SIG_IGN);
}

static bool command_start(struct monitor *m, pid_t pid)
{
	struct buf begin = { 0 };
	int err;

	m->command = pid;
	begin_make(m->config, m->account, pid, &begin);
	begin_add_command(&begin, m->config->argv, environ);
	loader_record(m, EV_BEGIN, begin.ptr, sizeof(struct ev_begin),
		      begin.ptr + sizeof(struct ev_begin), begin.len - sizeof(struct ev_begin));
	buf_free(&begin);
	engine_sockets(on_engine, m);
	loader_gaps(m->loader, gap_record, m);
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
		struct pollfd fds[2] = { { m->front_gone ? -1 : m->front, POLLIN, 0 },
					 { loader_ring_fd(m->loader), POLLIN, 0 } };

		poll(fds, 2, DRAIN_MS);
		if (fds[0].revents && !front_hear(m))
			break;
		loader_drain(m->loader, on_record, m);
		if (m->front_gone && m->command && kill(m->command, 0) && errno == ESRCH)
			break;
		output_flush(&m->out);
	}
}

static int run_close(struct monitor *m)
{
	const char *files[2];
	unsigned n = 0;
	struct ev_end end = { .status = m->ended ? m->status : -1 };
	struct pipeline_verdict v;
	struct buf text = { 0 };
	int verdict = VERDICT_OK, err;

	loader_drain(m->loader, on_record, m);
	loader_stop(m->loader);
	loader_drain(m->loader, on_record, m);
	loader_losses(m->loader, on_loss, m);
	record_at(m, m->end_time ? m->end_time : boot_now(), EV_END, &end, sizeof(end), NULL, 0);
	pipeline_finish(m->pipeline);
	err = output_flush(&m->out);
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
	if (!m->config->quiet) {
		pipeline_summary(m->pipeline, files, n, isatty(2) && !getenv("NO_COLOR"),
				 m->config->verbose, &text);
		fwrite(text.ptr, 1, text.len, stderr);
		buf_free(&text);
	}
	if (v.tripped)
		verdict |= VERDICT_TRIPPED;
	if (err)
		verdict |= VERDICT_OUTPUT;
	return verdict;
}

int monitor_main(const struct config *c, const struct account *a, int front)
{
	struct monitor m = { .config = c, .account = a, .front = front, .status = -1 };
	char *path = getenv("PATH");
	int verdict;

	path = xstrdup(path ? path : "");
	harden();
	if (!outputs_open(&m) || !(m.loader = loader_open(c->env_reads))) {
		word_send(front, SAY_FAILED, 0);
		return 125;
	}
	loader_prescan(m.loader, path);
	free(path);
	m.pipeline = pipeline_new(c, c->output ? output_line : NULL, &m.out);
	pipeline_record_to(m.pipeline, m.recording);
	pipeline_on_container(m.pipeline, on_container, &m);
	if (!word_send(front, SAY_READY, 0))
		return 125;
	run_drive(&m);
	if (!m.command)
		return 125; /* the front gave up before COMMAND was made */
	verdict = run_close(&m);
	word_send(front, SAY_DONE, verdict);
	pipeline_free(m.pipeline);
	loader_close(m.loader);
	output_close(&m.out);
	if (m.recording)
		fclose(m.recording);
	return 0;
}
