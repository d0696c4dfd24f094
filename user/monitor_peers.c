/* monitor_peers.c: what attacher and guardian do for the monitor, and what they tell it. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "guardian.h"
#include "made.h"
#include "monitor_state.h"
#include "probe.h"
#include "run.h"

#define ATTACHERS_MAX 4
#define PEER_MS       30000 /* first word of guardian and attacher: a probe may wait long for RCU */

/* Its probes went with it; calls: its end of a socket to the guardian, or -1. Closes it. */
static bool attacher_make(struct monitor *m, int calls)
{
	const struct outputs *o = &m->files.outputs;
	const int own[] = { m->front, m->guardian, m->files.out.fd, m->files.record.fd,
			    m->files.markdown.out.fd };
	int *leave = xcalloc(ARRAY_SIZE(own) + o->n, sizeof(*leave));
	unsigned n = ARRAY_SIZE(own);
	bool made;

	memcpy(leave, own, sizeof(own));
	for (unsigned k = 0; k < o->n; k++)
		leave[n++] = o->to[k].output->fd;
	made = attacher_start(&m->attacher, m->loader, m->path, calls, leave, n);
	free(leave);
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

void failures_take(struct monitor *m, uint64_t time)
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

static void process_ask(void *monitor, uint32_t pid, uint64_t start)
{
	struct monitor *m = monitor;
	struct ev_hdr h = { .pid = pid, .start = start, .run = RUN_ID };

	attacher_ask(&m->attacher, &h, NULL);
}

/* Another one attaches the probes anew, first of all in what runs now. */
static void attacher_lost(struct monitor *m, const char *reason)
{
	bool again = attacher_again(m);

	gap_record(m, "environment reads", reason,
		   again ? "variables read by name until another one has attached them anew"
			 : "variables read by name from here on",
		   true);
	if (again)
		pipeline_each(m->pipeline, process_ask, m);
}

void monitor_probes_look(struct monitor *m)
{
	if (!attacher_stuck(&m->attacher, boot_now()))
		return;
	attacher_stop(&m->attacher);
	attacher_lost(m, "the process that attaches probes does not get on with a file");
	gap_record(m, "environment reads",
		   "a process that attaches probes is stuck in a file that a run serves",
		   "how often a variable is read: its probes count, too", false);
}

bool monitor_probes_hear(struct monitor *m)
{
	struct attacher_word w;
	int heard = attacher_hear(&m->attacher, &w);

	if (heard < 0) {
		attacher_lost(m, "the process that attaches probes ended");
	} else if (heard && w.say == ATTACHER_LATE) {
		struct ev_late late = { .start = w.start, .pid = w.pid };

		monitor_record(m, EV_LATE, &late, sizeof(late), NULL, 0);
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

void gate_gap(struct monitor *m, const char *reason)
{
	gap_record(m, "exec gate", reason,
		   "variables that a program reads before probes are attached to its files", false);
}

void guardian_hear(struct monitor *m)
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

const char *gate_state(struct monitor *m)
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

/* What the gate did not hold is said once, with its number. */
void gate_close(struct monitor *m)
{
	struct buf b = { 0 };

	attacher_stop(&m->attacher);
	if (m->let_go) {
		buf_fmt(&b, "%u calls were let go without an answer", m->let_go);
		gate_gap(m, b.ptr);
		/* Those that could not be executed, which the kernel tells when it is asked to. */
		if (!failed_execs_asked())
			gap_record(m, "failed execs", b.ptr,
				   "which of them failed because of the file", false);
		buf_reset(&b);
	}
	if (m->attacher.not_asked) {
		buf_fmt(&b, "%u programs were not looked at", m->attacher.not_asked);
		gap_record(m, "environment reads", b.ptr, "what they read", true);
	}
	buf_free(&b);
}

bool monitor_probes_start(struct monitor *m, int calls)
{
	struct pollfd p = { .events = POLLIN };
	struct attacher_word w;

	m->attachers = 1;
	if (!attacher_make(m, calls))
		return false;
	loader_guard(m->loader, ATTACK_MONITOR, getpid());
	p.fd = m->attacher.fd;
	/* Not read in time, it is read and passed over later. */
	return poll(&p, 1, PEER_MS) >= 0 && (!p.revents || attacher_hear(&m->attacher, &w) > 0);
}
