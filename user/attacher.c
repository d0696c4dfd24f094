/* attacher.c: attaches probes in the files that the run executes, in a process of its own. */
/*
 * A file may be served by the run itself (FUSE, a page of userfaultfd): whoever opens or reads it can
 * be made to wait for ever, and not even SIGKILL ends the wait. So neither the monitor nor the guardian
 * does, and nobody waits for this process: guardian and monitor go on without its answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "attacher.h"
#include "event.h"
#include "exec_file.h"
#include "loader.h"

#define IDLE_MS 30 /* so long nobody asked: there is time for what may come */

static void fd_attach(void *ctx, int fd, const struct env_place *place)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	loader_attach_env(ctx, path, place);
}

static void unseen_send(struct loader *l, int monitor)
{
	struct attacher_word w = { .say = ATTACHER_UNSEEN };
	struct env_unseen u;

	while (loader_env_unseen(l, &u)) {
		w.ino = u.ino;
		w.dev = u.dev;
		snprintf(w.why, sizeof(w.why), "%s", u.why);
		send(monitor, &w, sizeof(w), MSG_NOSIGNAL);
	}
}

static void word_send(int monitor, int say, const struct attacher_call *call, const char *why)
{
	struct attacher_word w = { .say = say,
				   .pid = call ? call->pid : 0,
				   .run = call ? call->run : 0,
				   .start = call ? call->start : 0 };

	snprintf(w.why, sizeof(w.why), "%s", why ? why : "");
	send(monitor, &w, sizeof(w), MSG_NOSIGNAL);
}

/* False at its end. */
static bool guardian_serve(struct loader *l, int guardian, int monitor)
{
	struct gate_call call;
	ssize_t n = recv(guardian, &call, sizeof(call), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n != sizeof(call))
		return false;
	exec_files(&call, fd_attach, l);
	unseen_send(l, monitor); /* before its exec is told */
	return send(guardian, &call.id, sizeof(call.id), MSG_NOSIGNAL) == sizeof(call.id);
}

struct late {
	int monitor;
	const struct attacher_call *call;
};

static void on_late(void *ctx)
{
	const struct late *l = ctx;

	word_send(l->monitor, ATTACHER_LATE, l->call, NULL);
}

/* What was executed in spite of the gate, or without one. */
static bool monitor_serve(struct loader *l, int monitor)
{
	char path[32];
	struct attacher_call call;
	struct late late = { monitor, &call };
	struct env_place place = { .attaching = on_late, .ctx = &late };
	ssize_t n = recv(monitor, &call, sizeof(call), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n != sizeof(call))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/exe", call.pid);
	place.pid = call.pid;
	loader_attach_env(l, path, &place);
	return true;
}

static void serve(struct loader *l, const char *path_variable, int monitor, int guardian)
{
	unsigned step = 0;
	bool idle = true;

	loader_prescan(l, path_variable);
	word_send(monitor, ATTACHER_READY, NULL, NULL);
	for (;;) {
		struct pollfd fds[] = { { monitor, POLLIN, 0 }, { guardian, POLLIN, 0 } };
		const char *why;
		int n = poll(fds, 2, idle ? IDLE_MS : -1);

		if (n < 0)
			continue;
		if (!n)
			idle = loader_idle_scan(l, path_variable, step++);
		/* Somebody waits for this one. */
		if (fds[1].revents && !guardian_serve(l, guardian, monitor))
			guardian = -1;
		else if (fds[0].revents && !monitor_serve(l, monitor))
			return;
		unseen_send(l, monitor);
		while ((why = loader_env_trouble(l)))
			word_send(monitor, ATTACHER_TROUBLE, NULL, why);
	}
}

/* ---- of its parent ---- */

/* It keeps the loader alone: no output, no socket whose end somebody waits for. */
static void become(const int *leave, unsigned n, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, "invigil-attach");
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	for (unsigned i = 0; i < n; i++)
		if (leave[i] >= 0)
			close(leave[i]);
}

bool attacher_start(struct attacher *a, struct loader *l, const char *path_variable, int guardian,
		    const int *leave, unsigned n)
{
	pid_t parent = getpid();
	int pair[2];

	attacher_reap(a);
	free(a->unseen);
	*a = (struct attacher){ .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return false;
	a->pid = fork();
	if (a->pid < 0) {
		close(pair[0]);
		close(pair[1]);
		return false;
	}
	if (!a->pid) {
		close(pair[0]);
		become(leave, n, parent);
		loader_links_leave(l);
		serve(l, path_variable, pair[1], guardian);
		_exit(0);
	}
	close(pair[1]);
	a->fd = pair[0];
	return true;
}

void attacher_ask(struct attacher *a, const struct ev_hdr *exec)
{
	struct attacher_call call = { .start = exec->start, .pid = exec->pid, .run = exec->run };

	if (a->fd >= 0 &&
	    send(a->fd, &call, sizeof(call), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(call))
		a->not_asked++;
}

static void unseen_keep(struct attacher *a, const struct attacher_word *w)
{
	if (!(a->n_unseen & (a->n_unseen - 1)))
		a->unseen = xrealloc(a->unseen, (a->n_unseen * 2 + 1) * sizeof(*w));
	a->unseen[a->n_unseen++] = *w;
}

int attacher_hear(struct attacher *a, struct attacher_word *w)
{
	ssize_t n = a->fd < 0 ? 0 : recv(a->fd, w, sizeof(*w), MSG_DONTWAIT);

	if (a->fd < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return 0;
	w->why[sizeof(w->why) - 1] = 0;
	if (n == sizeof(*w) && w->say == ATTACHER_UNSEEN)
		unseen_keep(a, w);
	if (n == sizeof(*w))
		return 1;
	close(a->fd);
	a->fd = -1;
	return -1;
}

void attacher_reap(struct attacher *a)
{
	if (a->pid > 0 && waitpid(a->pid, NULL, WNOHANG))
		a->pid = 0;
}

void attacher_stop(struct attacher *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	free(a->unseen);
	a->unseen = NULL;
	a->n_unseen = 0;
	if (a->pid > 0)
		kill(a->pid, SIGKILL); /* not reaped yet: the number is still its own */
	attacher_reap(a);
}
