/* guardian.c: lets every gated call of the run go: when the attacher has answered, after 200 ms, or at once without one. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "guardian.h"
#include "host.h"
#include "privilege.h"

#define WAIT_NS   200000000ll
#define WAITS_MAX 256

/* After 6.6 the caller is woken on our CPU, which we are about to leave. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

struct wait {
	uint64_t id;
	int64_t until;
	pid_t tid;
};

struct guardian {
	int listener, monitor;
	int attacher;                 /* -1: gone, nobody is asked any more */
	struct wait waits[WAITS_MAX]; /* oldest first */
	unsigned n;
	/*
	 * Asked, let go without an answer, and the answer has not come since: the attacher is stuck
	 * (on a file that the run itself serves, say), and nobody waits for it meanwhile.
	 */
	unsigned overdue;
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* The kernel copies as many bytes as its own structs have, which may grow. */
union notification {
	struct seccomp_notif n;
	char room[512];
};

static void call_continue(const struct guardian *g, uint64_t id)
{
	union {
		struct seccomp_notif_resp r;
		char room[512];
	} answer = { .r = { .id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE } };

	ioctl(g->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer); /* fails when the caller is dead */
}

static void say(const struct guardian *g, int what, int err, pid_t pid, bool killable)
{
	struct guardian_word w = { .say = what, .err = err, .pid = pid, .killable = killable };

	send(g->monitor, &w, sizeof(w), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void call_late(const struct guardian *g, uint64_t id, pid_t tid)
{
	call_continue(g, id);
	say(g, GUARDIAN_LATE, 0, tid, false);
}

static void call_take(struct guardian *g)
{
	union notification u = { 0 };
	struct gate_call call = { 0 };

	if (ioctl(g->listener, SECCOMP_IOCTL_NOTIF_RECV, &u))
		return; /* its caller was interrupted meanwhile */
	call.id = u.n.id;
	call.tid = u.n.pid;
	call.nr = u.n.data.nr;
	for (int i = 0; i < 6; i++)
		call.args[i] = u.n.data.args[i];
	if (g->attacher < 0 || g->overdue || g->n == WAITS_MAX ||
	    send(g->attacher, &call, sizeof(call), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(call)) {
		call_late(g, call.id, call.tid);
		return;
	}
	g->waits[g->n++] = (struct wait){ call.id, now() + WAIT_NS, call.tid };
}

static void wait_remove(struct guardian *g, unsigned i)
{
	memmove(&g->waits[i], &g->waits[i + 1], (--g->n - i) * sizeof(g->waits[0]));
}

static void attacher_lost(struct guardian *g)
{
	if (g->attacher < 0)
		return;
	while (g->n) {
		call_late(g, g->waits[0].id, g->waits[0].tid);
		wait_remove(g, 0);
	}
	close(g->attacher);
	g->attacher = -1;
}

static void attacher_hear(struct guardian *g)
{
	uint64_t id;
	ssize_t n = recv(g->attacher, &id, sizeof(id), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(id)) {
		attacher_lost(g);
		return;
	}
	for (unsigned i = 0; i < g->n; i++)
		if (g->waits[i].id == id) {
			call_continue(g, id);
			wait_remove(g, i);
			return;
		}
	g->overdue -= g->overdue > 0;
}

static void waits_expire(struct guardian *g)
{
	int64_t t = now();

	while (g->n && g->waits[0].until <= t) {
		call_late(g, g->waits[0].id, g->waits[0].tid);
		g->overdue++;
		wait_remove(g, 0);
	}
}

static int timeout_ms(const struct guardian *g)
{
	int64_t left;

	if (!g->n)
		return -1;
	left = g->waits[0].until - now();
	return left <= 0 ? 0 : (int)(left / 1000000) + 1;
}

union rights {
	struct cmsghdr h;
	char room[CMSG_SPACE(sizeof(int))];
};

/* One message with a descriptor, or without when fd is -1. */
static int fd_send(int to, struct iovec *io, int fd, int flags)
{
	union rights c = { .h = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct msghdr m = { .msg_iov = io, .msg_iovlen = 1 };

	if (fd >= 0) {
		memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
		m.msg_control = &c;
		m.msg_controllen = sizeof(c);
	}
	return sendmsg(to, &m, MSG_NOSIGNAL | flags) < 0 ? -errno : 0;
}

/* Length of the message; *fd: the descriptor that came with it, or -1. */
static ssize_t fd_receive(int from, struct iovec *io, int *fd, int flags)
{
	union rights c = { 0 };
	struct msghdr m = {
		.msg_iov = io, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c)
	};
	ssize_t n = recvmsg(from, &m, MSG_CMSG_CLOEXEC | flags);
	struct cmsghdr *h = n < 0 ? NULL : CMSG_FIRSTHDR(&m);

	*fd = -1;
	if (h && h->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(h), sizeof(*fd));
	return n;
}

int guardian_attacher(int monitor, int attacher)
{
	char what = 0;

	return fd_send(monitor, &(struct iovec){ &what, 1 }, attacher, MSG_DONTWAIT);
}

/* False: it is gone, and says nothing any more. */
static bool monitor_hear(struct guardian *g)
{
	char what;
	int fd;
	ssize_t n = fd_receive(g->monitor, &(struct iovec){ &what, 1 }, &fd, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (fd >= 0) {
		attacher_lost(g);
		g->attacher = fd;
		g->overdue = 0;
	}
	return n > 0;
}

static void guard(struct guardian *g)
{
	bool monitor = true;

	for (;;) {
		struct pollfd fds[] = { { g->listener, POLLIN, 0 },
					{ g->attacher, POLLIN, 0 },
					{ monitor ? g->monitor : -1, POLLIN, 0 } };

		if (poll(fds, 3, timeout_ms(g)) < 0)
			continue;
		if (fds[2].revents)
			monitor = monitor_hear(g);
		if (fds[1].revents)
			attacher_hear(g);
		/* Not on POLLERR, which is transient here. */
		if (fds[0].revents & POLLIN)
			call_take(g);
		else if (fds[0].revents & POLLHUP)
			return; /* the last filtered process is gone */
		waits_expire(g);
	}
}

struct given {
	int err;
	bool killable;
};

void guardian_give(int hand, enum gate g)
{
	struct given given = { 0 };
	char ready;
	int fd;

	/* A filter cannot be taken back: not without somebody who will answer. */
	if (recv(hand, &ready, 1, 0) != 1) {
		close(hand);
		return;
	}
	fd = gate_install(g, &given.killable);
	if (fd < 0)
		given.err = fd;
	fd_send(hand, &(struct iovec){ &given, sizeof(given) }, fd, 0);
	if (fd >= 0)
		close(fd);
	close(hand);
}

/* The listener, or -errno when there is none. */
static int listener_get(int hand, bool *killable)
{
	struct given given = { .err = -ECHILD };
	int fd;

	if (send(hand, "", 1, MSG_NOSIGNAL) != 1)
		return -ECHILD;
	if (fd_receive(hand, &(struct iovec){ &given, sizeof(given) }, &fd, 0) != sizeof(given) ||
	    given.err)
		return given.err ? given.err : -ECHILD;
	*killable = given.killable;
	return fd < 0 ? -EPROTO : fd;
}

/* Nothing of the caller stays: session, directory, descriptors, and the variables by which CI agents kill. */
static void detach(int keep[3])
{
	sigset_t all;
	int null, fd;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	environment_wipe();
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "-1000", 5) < 0)
		close(fd); /* without CAP_SYS_RESOURCE it dies like any other */
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NAME, "invigil-guard");
	if (chdir("/"))
		_exit(1);
	/* First above everything, then down to 3, 4, 5. */
	for (int i = 0; i < 3; i++)
		if ((keep[i] = fcntl(keep[i], F_DUPFD_CLOEXEC, 100)) < 0)
			_exit(1);
	for (int i = 0; i < 3; i++)
		keep[i] = dup3(keep[i], 3 + i, O_CLOEXEC);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	close_range(6, ~0u, 0);
}

static void guardian_main(int hand, int monitor, int attacher)
{
	int keep[3] = { hand, monitor, attacher };
	struct guardian g = { 0 };
	unsigned long sync = SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP;
	bool killable = false;

	detach(keep);
	g.monitor = keep[1];
	g.attacher = keep[2];
	g.listener = listener_get(keep[0], &killable);
	close(keep[0]);
	say(&g, GUARDIAN_STATE, g.listener < 0 ? g.listener : 0, getpid(), killable);
	if (g.listener < 0)
		return;
	ioctl(g.listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, sync);
	privilege_drop(PRIVILEGE_GUARDIAN); /* refused, it goes on: without it the run could not */
	guard(&g);
	say(&g, GUARDIAN_DONE, 0, 0, false);
}

int guardian_start(int monitor, int attacher)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (pid < 0) {
		int err = -errno;

		close(pair[0]);
		close(pair[1]);
		return err;
	}
	if (!pid) {
		close(pair[1]);
		pid = fork(); /* a grandchild: COMMAND's parent has no other child to wait for */
		if (!pid)
			guardian_main(pair[0], monitor, attacher);
		_exit(0);
	}
	close(pair[0]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return pair[1];
}
