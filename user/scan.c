/* scan.c: looks at processes that were there before the daemon, and makes the records that were missed. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>
#include "buf.h"
#include "host.h"
#include "privilege.h"
#include "scan.h"

#define PATIENCE_NS 2000000000ull /* for one process */
#define ARGS_MAX    32768u
#define MESSAGE_MAX (180u << 10)

struct scan {
	struct found_task *rows;
	unsigned n, done, skipped;
	int fd;
	pid_t pid;
	uint64_t heard; /* boot ns: something came */
	char room[MESSAGE_MAX];
};

/* ---- in the process that looks ---- */

static int proc_open(const struct found_task *t, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/%s", t->pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* At most max bytes; *more: there were others. */
static void proc_slurp(const struct found_task *t, const char *name, size_t max, struct buf *out,
		       bool *more)
{
	int fd = proc_open(t, name);
	char block[4096];
	ssize_t n;

	*more = false;
	while (fd >= 0 && (n = read(fd, block, sizeof(block))) > 0) {
		size_t room = max - out->len;

		*more |= (size_t)n > room;
		buf_add(out, block, (size_t)n < room ? (size_t)n : room);
		if (*more)
			break;
	}
	if (fd >= 0)
		close(fd);
}

static bool proc_link(uint32_t pid, const char *name, char target[PATH_MAX])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	n = readlink(path, target, PATH_MAX - 1);
	target[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* The steps of an absolute path, leaf first, as the process sees it. Returns how many. */
static unsigned steps_add(uint32_t pid, const char *path, struct buf *out, uint32_t *flags,
			  uint32_t cut)
{
	size_t end = strlen(path);
	unsigned n = 0;

	while (end && n < EV_COMPS) {
		const char *slash = memrchr(path, '/', end);
		size_t start = slash ? (size_t)(slash - path) + 1 : 0;
		struct ev_comp c = { .len = (uint32_t)(end - start) };
		char at[PATH_MAX + 32];
		struct stat st;

		if (c.len && c.len < EV_NAME_MAX) {
			memcpy(c.name, path + start, c.len);
			snprintf(at, sizeof(at), "/proc/%u/root%.*s", pid, (int)end, path);
			if (!lstat(at, &st)) {
				c.mode = st.st_mode;
				c.uid = st.st_uid;
				c.gid = st.st_gid;
			}
			buf_add(out, &c, sizeof(c));
			n++;
		}
		end = slash ? (size_t)(slash - path) : 0;
	}
	if (end)
		*flags |= cut;
	return n;
}

static uint32_t device_of(dev_t dev)
{
	return major(dev) << 20 | minor(dev);
}

static void fd_look(const struct found_task *t, unsigned i, struct ev_fd *fd)
{
	char name[16], target[PATH_MAX], path[64];
	struct stat st;

	snprintf(name, sizeof(name), "fd/%u", i);
	if (!proc_link(t->pid, name, target))
		return;
	snprintf(path, sizeof(path), "/proc/%u/%s", t->pid, name);
	fd->kind = !strcmp(target, "/dev/null")       ? FD_NULL
		   : !strncmp(target, "pipe:", 5)     ? FD_PIPE
		   : !strncmp(target, "socket:", 7)   ? FD_SOCKET
		   : !strncmp(target, "/dev/pts/", 9) ? FD_TTY
		   : !strncmp(target, "/dev/tty", 8)  ? FD_TTY
						      : FD_OTHER;
	if (stat(path, &st))
		return;
	if (fd->kind == FD_OTHER && S_ISREG(st.st_mode))
		fd->kind = FD_FILE;
	fd->ino = st.st_ino;
	fd->dev = device_of(st.st_dev);
}

static void record_send(int to, const struct found_task *t, uint32_t type, const void *body,
			size_t body_len, const struct buf *tail, size_t lost)
{
	struct ev_hdr h = { .time = boot_now(),
			    .start = t->start,
			    .type = type,
			    .pid = t->pid,
			    .tid = t->pid,
			    .len = tail->len,
			    .want = tail->len + lost };
	struct buf b = { 0 };

	buf_add(&b, &h, sizeof(h));
	buf_add(&b, body, body_len);
	if (tail->len)
		buf_add(&b, tail->ptr, tail->len);
	send(to, b.ptr, b.len, MSG_NOSIGNAL);
	buf_free(&b);
}

static const struct found_task *row_of(const struct scan *s, uint32_t pid, uint64_t start)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->rows[i].pid == pid && s->rows[i].start == start)
			return &s->rows[i];
	return NULL;
}

/* "0::/a/b": the unified hierarchy's. */
static void groups_look(const struct found_task *t, struct ev_lineage *e)
{
	struct buf text = { 0 };
	char *line, *end, *slash;
	bool more;

	proc_slurp(t, "cgroup", 16384, &text, &more);
	buf_byte(&text, '\n');
	line = strncmp(text.ptr, "0::", 3) ? strstr(text.ptr, "\n0::") : text.ptr - 1;
	if (line) {
		line += 4;
		end = strchr(line, '\n');
		*end = 0;
		while (e->groups < EV_GROUPS && (slash = strrchr(line, '/')) && slash[1]) {
			snprintf(e->group[e->groups++], EV_GROUP_MAX, "%s", slash + 1);
			*slash = 0;
		}
	}
	buf_free(&text);
}

static void lineage_send(const struct scan *s, int to, const struct found_task *t)
{
	struct ev_lineage e = { 0 };
	const struct found_task *up = t;
	struct buf tail = { 0 };
	char exe[PATH_MAX];
	uint32_t flags = 0;

	while (e.ancestors < EV_ANCESTORS && up && up->ppid) {
		e.ancestor[e.ancestors++] =
			(struct ev_ancestor){ .pid = up->ppid, .start = up->parent_start };
		up = row_of(s, up->ppid, up->parent_start);
	}
	groups_look(t, &e);
	if (proc_link(t->ppid, "exe", exe))
		e.steps = steps_add(t->ppid, exe, &tail, &flags, 0);
	record_send(to, t, EV_LINEAGE, &e, sizeof(e), &tail, 0);
	buf_free(&tail);
}

static void exec_send(int to, const struct found_task *t)
{
	static const char deleted[] = " (deleted)";
	struct ev_exec e = { .parent_start = t->parent_start,
			     .ppid = t->ppid,
			     .vpid = t->vpid,
			     .uid = t->uid,
			     .gid = t->gid,
			     .euid = t->euid,
			     .egid = t->egid,
			     .tty = t->tty,
			     .flags = EXEC_FOUND };
	struct buf tail = { 0 }, args = { 0 }, env = { 0 };
	char path[PATH_MAX], at[64];
	struct stat st;
	bool more_args, more_env;
	size_t n;

	memcpy(e.comm, t->comm, sizeof(e.comm));
	if (proc_link(t->pid, "exe", path)) {
		n = strlen(path);
		if (n > sizeof(deleted) && !strcmp(path + n - sizeof(deleted) + 1, deleted)) {
			path[n - sizeof(deleted) + 1] = 0;
			e.flags |= EXEC_DELETED;
		}
		e.exe_comps = steps_add(t->pid, path, &tail, &e.flags, EXEC_CUT_PATH);
		snprintf(at, sizeof(at), "/proc/%u/exe", t->pid);
		if (!stat(at, &st)) {
			e.exe_ino = st.st_ino;
			e.exe_dev = device_of(st.st_dev);
		}
	}
	if (proc_link(t->pid, "cwd", path))
		e.cwd_comps = steps_add(t->pid, path, &tail, &e.flags, EXEC_CUT_CWD);
	for (unsigned i = 0; i < 3; i++)
		fd_look(t, i, &e.fd[i]);
	proc_slurp(t, "cmdline", ARGS_MAX, &args, &more_args);
	proc_slurp(t, "environ", EV_ENV_MAX, &env, &more_env);
	e.args_len = args.len;
	e.args_want = args.len + more_args;
	e.env_len = env.len;
	e.env_want = env.len + more_env;
	if (args.len)
		buf_add(&tail, args.ptr, args.len);
	if (env.len)
		buf_add(&tail, env.ptr, env.len);
	record_send(to, t, EV_EXEC, &e, sizeof(e), &tail, more_args + more_env);
	if (env.ptr)
		explicit_bzero(env.ptr, env.cap);
	explicit_bzero(tail.ptr, tail.cap);
	buf_free(&tail);
	buf_free(&args);
	buf_free(&env);
}

static void look(const struct scan *s, int to, pid_t parent)
{
	/* Stuck, it outlives the daemon: the next one must find no socket and no output held. */
	dup2(to, 0);
	to = 0;
	close_range(1, ~0u, 0);
	privilege_helper(PRIVILEGE_SCAN, parent, "invigil-scan");
	for (unsigned i = s->done; i < s->n; i++) {
		lineage_send(s, to, &s->rows[i]);
		exec_send(to, &s->rows[i]);
	}
	_exit(0);
}

/* ---- of its parent ---- */

static bool process_start(struct scan *s)
{
	int pair[2], size = MESSAGE_MAX * 2;
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return false;
	/* Of any size that net.core.wmem_max (212992 unless set) lets through one message has room: the kernel doubles it. */
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	s->pid = fork();
	if (!s->pid) {
		close(pair[0]);
		look(s, pair[1], parent);
	}
	close(pair[1]);
	s->fd = pair[0];
	s->heard = boot_now();
	return s->pid > 0;
}

static int older_first(const void *a, const void *b)
{
	const struct found_task *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

struct scan *scan_start(struct found_task *rows, unsigned n)
{
	struct scan *s = xcalloc(1, sizeof(*s));

	qsort(rows, n, sizeof(*rows), older_first);
	s->rows = rows;
	s->n = n;
	if (process_start(s))
		return s;
	scan_free(s);
	return NULL;
}

int scan_fd(const struct scan *s)
{
	return s->fd;
}

static void process_stop(struct scan *s)
{
	close(s->fd);
	kill(s->pid, SIGKILL); /* not reaped yet: the number is still its own */
	/* Where it is stuck it cannot even be killed; else it has nothing left to do. */
	waitpid(s->pid, NULL, s->done < s->n ? WNOHANG : 0);
	s->pid = 0;
}

bool scan_hear(struct scan *s, void (*fn)(void *bytes, size_t n), uint64_t now)
{
	ssize_t n = 0;

	while (s->done < s->n && (n = recv(s->fd, s->room, sizeof(s->room), MSG_DONTWAIT)) > 0) {
		struct ev_hdr h;

		s->heard = now;
		memcpy(&h, s->room, sizeof(h));
		fn(s->room, n);
		s->done += h.type == EV_EXEC;
		explicit_bzero(s->room, n);
	}
	/* Stuck in one of them, or ended by it: the others are looked at all the same. */
	if (s->done < s->n && (now - s->heard > PATIENCE_NS || (n <= 0 && errno != EAGAIN))) {
		process_stop(s);
		s->skipped++;
		s->done++;
		return s->done < s->n && process_start(s);
	}
	return s->done < s->n;
}

unsigned scan_skipped(const struct scan *s)
{
	return s->skipped;
}

void scan_free(struct scan *s)
{
	if (s->pid > 0)
		process_stop(s);
	free(s->rows);
	free(s);
}
