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
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "attacher.h"
#include "event.h"
#include "exec_file.h"
#include "host.h"
#include "loader.h"
#include "privilege.h"
#include "probe.h"

#define STUCK_NS 30000000000ull /* a probe may wait long for RCU */
#define IDLE_MS  30             /* so long nobody asked: there is time for what may come */

struct attacher_self {
	struct loader *loader;
	int monitor, guardian; /* guardian -1: gone */
	struct attacher_shared *shared;
};

struct call {
	struct loader *loader;
	struct attacher_answer *answer;
	int error; /* errno that a file of it will bring; 0: none */
};

static struct attacher_answer *answer_of(struct attacher_shared *shared, pid_t tid)
{
	return &shared->answers[(unsigned)tid % ATTACHER_ANSWERS];
}

/* The file that was executed is one that the gate's answer to this very process was about: by then it is written. */
static bool is_answered(struct attacher_shared *shared, const struct attacher_call *call)
{
	const struct attacher_answer *a = answer_of(shared, call->pid);

	for (unsigned i = 0; i < a->n && i < ARRAY_SIZE(a->file) && a->tid == call->pid; i++)
		if (a->file[i].ino == call->ino && a->file[i].dev == call->dev)
			return true;
	return false;
}

static bool fd_attach(void *ctx, int path_fd, const struct env_place *place,
		      char next[INTERPRETER_MAX])
{
	struct call *c = ctx;
	struct env_file f;

	loader_attach_env(c->loader, path_fd, place, &f);
	if (f.ino && c->answer->n < ARRAY_SIZE(c->answer->file)) {
		c->answer->file[c->answer->n].ino = f.ino;
		c->answer->file[c->answer->n++].dev = f.dev;
	}
	if (!c->error && path_fd >= 0)
		c->error = exec_refused(place->pid, &f);
	if (f.interpreter)
		snprintf(next, INTERPRETER_MAX, "%s", f.interpreter);
	return f.interpreter;
}

static void unseen_send(struct loader *l, int monitor)
{
	struct attacher_word w = { .say = ATTACHER_UNSEEN };
	struct env_unseen u;

	while (loader_env_unseen(l, &u)) {
		w.ino = u.ino;
		w.dev = u.dev;
		snprintf(w.why, sizeof(w.why), "%s", u.why);
		send(monitor, &w, ATTACHER_SHORT, MSG_NOSIGNAL);
	}
}

static void word_send(int monitor, int say, const struct attacher_call *call, const char *why)
{
	struct attacher_word w = { .say = say,
				   .pid = call ? call->pid : 0,
				   .run = call ? call->run : 0,
				   .start = call ? call->start : 0 };

	snprintf(w.why, sizeof(w.why), "%s", why ? why : "");
	send(monitor, &w, ATTACHER_SHORT, MSG_NOSIGNAL);
}

/* The caller waits: what it asks for is still there. */
static void failure_send(int monitor, const struct gate_call *call, int error)
{
	struct exec_attempt a;
	struct attacher_word w = { .say = ATTACHER_FAILS, .error = error, .start = boot_now() };

	if (!exec_attempt_read(call, &a))
		return;
	w.pid = a.pid;
	w.cut = a.cut;
	w.file_len = a.file_len;
	w.text_len = a.file_len + a.args_len;
	memcpy(w.text, a.file, a.file_len);
	memcpy(w.text + a.file_len, a.args, a.args_len);
	send(monitor, &w, offsetof(struct attacher_word, text) + w.text_len, MSG_NOSIGNAL);
}

/* False at its end. */
static bool guardian_serve(struct attacher_self *s)
{
	struct gate_call call;
	struct call c = { .loader = s->loader };
	int err;
	ssize_t n = recv(s->guardian, &call, sizeof(call), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n != sizeof(call))
		return false;
	c.answer = answer_of(s->shared, call.tid);
	c.answer->n = 0;
	c.answer->tid = call.tid;
	err = exec_files(&call, fd_attach, &c);
	if ((err || c.error) && call.nr != __NR_mmap && !failed_execs_asked())
		failure_send(s->monitor, &call, err ? err : c.error);
	unseen_send(s->loader, s->monitor); /* before its exec is told */
	return send(s->guardian, &call.id, sizeof(call.id), MSG_NOSIGNAL) == sizeof(call.id);
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

/* What was executed without a gate, or in spite of it: another file may lie at the path meanwhile. */
static bool monitor_serve(const struct attacher_self *s)
{
	char path[32];
	struct attacher_call call;
	struct late late = { s->monitor, &call };
	struct env_place place = { .attaching = on_late, .ctx = &late };
	struct env_file file;
	ssize_t n = recv(s->monitor, &call, sizeof(call), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n != sizeof(call))
		return false;
	call.file[sizeof(call.file) - 1] = 0;
	place.library = *call.file;
	if (!place.library && is_answered(s->shared, &call))
		return true;
	place.pid = call.pid;
	place.root = root_open(call.pid);
	if (place.root < 0)
		return true; /* it has ended */
	snprintf(path, sizeof(path), "/proc/%d/exe", call.pid);
	loader_attach_env(s->loader,
			  place.library ? path_open(call.pid, place.root, call.dirfd, call.file)
					: open(path, O_PATH | O_CLOEXEC),
			  &place, &file);
	close(place.root);
	return true;
}

static void serve(struct loader *l, const char *path_variable, int monitor, int guardian,
		  struct attacher_shared *shared)
{
	static struct attacher_self s;
	unsigned step = 0;
	bool idle = true;

	s = (struct attacher_self){
		.loader = l, .monitor = monitor, .guardian = guardian, .shared = shared
	};
	loader_prescan(l, path_variable);
	/* It may end after invigil has: nobody's folder stays busy. What PATH says below the folder is done. */
	if (chdir("/"))
		word_send(monitor, ATTACHER_TROUBLE, NULL, strerror(errno));
	__atomic_store_n(&shared->probes, loader_env_probes(l), __ATOMIC_RELAXED);
	word_send(monitor, ATTACHER_READY, NULL, NULL);
	for (;;) {
		struct pollfd fds[] = { { monitor, POLLIN, 0 }, { s.guardian, POLLIN, 0 } };
		const char *why;
		int n = poll(fds, 2, idle ? IDLE_MS : -1);

		if (n < 0)
			continue;
		if (!n)
			idle = loader_idle_scan(l, path_variable, step++);
		/* Somebody waits for this one. */
		if (fds[1].revents && !guardian_serve(&s))
			s.guardian = -1;
		else if (fds[0].revents && !monitor_serve(&s))
			return;
		else if (fds[0].revents)
			__atomic_fetch_add(&shared->served, 1, __ATOMIC_RELAXED);
		unseen_send(l, monitor);
		__atomic_store_n(&shared->probes, loader_env_probes(l), __ATOMIC_RELAXED);
		while ((why = loader_env_trouble(l)))
			word_send(monitor, ATTACHER_TROUBLE, NULL, why);
	}
}

/* ---- of its parent ---- */

/* It keeps the loader alone: no output, no socket whose end somebody waits for. */
static void become(const int *leave, unsigned n, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 3; i++)
		dup2(null, i);
	for (unsigned i = 0; i < n; i++)
		if (leave[i] >= 0)
			close(leave[i]);
	privilege_helper(PRIVILEGE_ATTACHER, parent, "invigil-attach");
}

/* False: too many cannot be ended. */
static bool put_aside(struct attacher *a)
{
	struct attacher fresh = { .fd = -1, .not_asked = a->not_asked, .since = boot_now() };
	unsigned i = 0;

	attacher_reap(a);
	memcpy(fresh.left, a->left, sizeof(fresh.left));
	while (a->pid && i < ATTACHERS_LEFT && fresh.left[i].pid)
		i++;
	if (i == ATTACHERS_LEFT) {
		errno = EBUSY;
		return false;
	}
	if (a->pid) {
		fresh.left[i].pid = a->pid;
		fresh.left[i].stuck = a->stuck;
	}
	free(a->unseen);
	if (a->shared)
		munmap(a->shared, sizeof(*a->shared));
	*a = fresh;
	return true;
}

bool attacher_start(struct attacher *a, struct loader *l, const char *path_variable, int guardian,
		    const int *leave, unsigned n)
{
	pid_t parent = getpid();
	char *path;
	int pair[2];

	if (!put_aside(a))
		return false;
	a->shared = mmap(NULL, sizeof(*a->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (a->shared == MAP_FAILED) {
		a->shared = NULL;
		return false;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return false;
	loader_libraries_forget(l); /* their probes went with whoever attached them */
	a->pid = fork();
	if (a->pid < 0) {
		close(pair[0]);
		close(pair[1]);
		return false;
	}
	if (!a->pid) {
		close(pair[0]);
		path = xstrdup(path_variable ? path_variable : ""); /* of ours nothing stays */
		become(leave, n, parent);
		loader_links_leave(l);
		serve(l, path, pair[1], guardian, a->shared);
		_exit(0);
	}
	close(pair[1]);
	a->fd = pair[0];
	return true;
}

static void call_send(struct attacher *a, const struct attacher_call *call)
{
	if (send(a->fd, call, sizeof(*call), MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(*call))
		a->asked++;
	else
		a->not_asked++;
}

void attacher_ask_file(struct attacher *a, const struct ev_hdr *h, const struct ev_file *e,
		       size_t n)
{
	struct attacher_call call = { .start = h->start, .pid = h->pid, .run = h->run };

	if (a->fd < 0 || n < sizeof(*e) || !(e->flags & FILE_LIBRARY))
		return;
	if (e->asked_len >= sizeof(e->asked) - 1) { /* cut: nobody knows where it lies */
		a->not_asked++;
		return;
	}
	call.dirfd = e->dirfd;
	memcpy(call.file, e->asked, sizeof(call.file) - 1);
	if (*call.file)
		call_send(a, &call);
}

void attacher_ask(struct attacher *a, const struct ev_hdr *h, const struct ev_exec *exec)
{
	struct attacher_call call = { .start = h->start, .pid = h->pid, .run = h->run };

	if (a->fd < 0)
		return;
	if (exec) {
		call.ino = exec->exe_ino;
		call.dev = exec->exe_dev;
		if (is_answered(a->shared, &call))
			return;
	}
	call_send(a, &call);
}

static void unseen_keep(struct attacher *a, const struct attacher_word *w)
{
	if (!(a->n_unseen & (a->n_unseen - 1)))
		a->unseen = xrealloc(a->unseen, (a->n_unseen * 2 + 1) * sizeof(*a->unseen));
	a->unseen[a->n_unseen] = (struct attacher_unseen){ w->ino, w->dev, { 0 } };
	memcpy(a->unseen[a->n_unseen++].why, w->why, sizeof(w->why));
}

bool attacher_stuck(struct attacher *a, uint64_t now)
{
	uint64_t served;

	if (a->fd < 0)
		return false; /* it stays what it was */
	served = __atomic_load_n(&a->shared->served, __ATOMIC_RELAXED);
	if (!a->ready || served == a->asked || served != a->seen) {
		a->seen = served;
		a->since = now;
	}
	a->stuck = now - a->since > STUCK_NS;
	return a->stuck;
}

int attacher_hear(struct attacher *a, struct attacher_word *w)
{
	ssize_t n = a->fd < 0 ? 0 : recv(a->fd, w, sizeof(*w), MSG_DONTWAIT);

	if (a->fd < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return 0;
	w->why[sizeof(w->why) - 1] = 0;
	if (n == ATTACHER_SHORT && w->say == ATTACHER_UNSEEN)
		unseen_keep(a, w);
	if (n == ATTACHER_SHORT || (n > (ssize_t)ATTACHER_SHORT && w->say == ATTACHER_FAILS)) {
		a->ready |= w->say == ATTACHER_READY;
		return 1;
	}
	close(a->fd);
	a->fd = -1;
	return -1;
}

unsigned attacher_probes(const struct attacher *a)
{
	return a->fd < 0 ? 0 : __atomic_load_n(&a->shared->probes, __ATOMIC_RELAXED);
}

void attacher_reap(struct attacher *a)
{
	if (a->pid > 0 && waitpid(a->pid, NULL, WNOHANG))
		a->pid = 0;
	for (unsigned i = 0; i < ATTACHERS_LEFT; i++)
		if (a->left[i].pid && waitpid(a->left[i].pid, NULL, WNOHANG))
			a->left[i].pid = 0;
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
