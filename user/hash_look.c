/* hash_look.c: SHA-256 of executed files, each by a process of its own. */
/*
 * A file may be served by the run itself (FUSE): who opens or reads it can be made to wait for ever.
 * So a child does, which holds no descriptor that anybody waits for, and nobody waits for the child.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/magic.h>
#include "event.h"
#include "exec_file.h"
#include "hash_look.h"
#include "made.h"
#include "privilege.h"
#include "sha256.h"

#define CHILDREN  4
#define BYTES_MAX (256ull << 20)
#define FINISH_MS 500

struct child {
	struct pipeline *pipeline; /* NULL: free */
	struct hash_asked asked;
	pid_t pid;
	int fd; /* its answer: struct ev_hash; -1: given up */
};

static struct child children[CHILDREN];

/* ---- the child ---- */

/* Layers have numbers of their own for devices. */
static bool is_same(const struct hash_asked *a, const struct stat *st, int fd)
{
	struct statfs fs;

	if (st->st_ino != a->ino)
		return false;
	if ((major(st->st_dev) << 20 | minor(st->st_dev)) == a->dev)
		return true;
	return !fstatfs(fd, &fs) &&
	       (fs.f_type == OVERLAYFS_SUPER_MAGIC || fs.f_type == BTRFS_SUPER_MAGIC);
}

static int file_open(const struct hash_asked *a)
{
	char exe[32];
	int fd = -1, regular;

	snprintf(exe, sizeof(exe), "/proc/%u/exe", a->pid);
	if (a->script && a->path)
		fd = path_open(a->pid, -1, AT_FDCWD, a->path);
	else if (!a->script)
		fd = open(exe, O_PATH | O_CLOEXEC);
	/* It has ended already; the inode tells whether another one is there now. */
	if (fd < 0 && a->path)
		fd = path_open(getpid(), -1, AT_FDCWD, a->path);
	if (fd < 0)
		return fd;
	regular = regular_open(fd);
	close(fd);
	return regular;
}

static bool bytes_hash(int fd, struct ev_hash *e)
{
	static char bytes[1 << 16];
	struct sha256 h;
	ssize_t n;

	sha256_begin(&h);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		sha256_add(&h, bytes, n);
	sha256_end(&h, e->sha256);
	return !n;
}

/* The name under which each module of Cython's registers (Cython/Utility/ModuleSetupCode.c, since 0.21). */
#define CYTHON_MARK "cython_runtime"

static bool is_cython(int fd)
{
	static char bytes[sizeof(CYTHON_MARK) - 1 + (1 << 16)];
	size_t keep = 0;
	ssize_t n;

	while ((n = read(fd, bytes + keep, sizeof(bytes) - keep)) > 0) {
		n += keep;
		if (memmem(bytes, n, CYTHON_MARK, sizeof(CYTHON_MARK) - 1))
			return true;
		keep = (size_t)n < sizeof(CYTHON_MARK) - 2 ? (size_t)n : sizeof(CYTHON_MARK) - 2;
		memmove(bytes, bytes + n - keep, keep);
	}
	return false;
}

static void file_hash(const struct hash_asked *a, struct ev_hash *e)
{
	struct stat before, after;
	int fd = file_open(a);

	e->status = HASH_GONE;
	if (fd < 0 || fstat(fd, &before) || !is_same(a, &before, fd))
		return;
	e->size = before.st_size;
	e->status = HASH_LARGE;
	if (e->size > BYTES_MAX)
		return;
	e->status = HASH_GONE;
	if (a->module) {
		e->cython = is_cython(fd);
		e->status = HASH_DONE;
		return;
	}
	if (!bytes_hash(fd, e) || fstat(fd, &after))
		return;
	/* Written to since it was executed, or while it was read. */
	e->status = HASH_DONE;
	if (before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
	    before.st_mtim.tv_nsec != after.st_mtim.tv_nsec || before.st_size != after.st_size ||
	    (uint64_t)before.st_mtim.tv_sec * 1000000000u + before.st_mtim.tv_nsec > a->executed)
		e->status = HASH_CHANGED;
}

static void child_main(const struct hash_asked *a, int fd, pid_t parent)
{
	struct ev_hash e = { .ino = a->ino, .start = a->start, .dev = a->dev, .pid = a->pid };

	/* Whoever waits for the end of an output must not wait for this process. */
	dup2(fd, 0);
	close_range(1, ~0u, 0);
	privilege_helper(PRIVILEGE_HASH, parent, "invigil-hash");
	file_hash(a, &e);
	if (write(0, &e, sizeof(e)) != sizeof(e))
		_exit(1);
	_exit(0);
}

/* ---- the monitor ---- */

static void child_tell(struct child *c, uint32_t run, uint64_t now, const struct ev_hash *e)
{
	const char *path = c->asked.path ? c->asked.path : "";

	made_record(c->pipeline, run, now, EV_HASH, e, sizeof(*e), path, strlen(path));
}

static void child_end(struct child *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->asked.path);
	/* Killed it goes, unless a server keeps it: then it is left to whom it belongs. */
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, WNOHANG);
	*c = (struct child){ .fd = -1 };
}

static void child_hear(struct child *c, uint32_t run, uint64_t now)
{
	struct ev_hash e;
	ssize_t n = read(c->fd, &e, sizeof(e));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == sizeof(e)) {
		waitpid(c->pid, NULL, 0); /* its last act */
		child_tell(c, run, now, &e);
	}
	child_end(c);
}

static bool child_start(struct child *c, struct pipeline *p, const struct hash_asked *a)
{
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return false;
	*c = (struct child){ .pipeline = p, .asked = *a, .fd = ends[0], .pid = fork() };
	if (!c->pid)
		child_main(a, ends[1], parent);
	close(ends[1]);
	if (c->pid > 0)
		return true;
	close(ends[0]);
	*c = (struct child){ .fd = -1 };
	return false;
}

static struct child *child_free(void)
{
	for (struct child *c = children; c < children + CHILDREN; c++)
		if (!c->pipeline)
			return c;
	return NULL;
}

void hash_look(struct pipeline *p, uint32_t run, uint64_t now)
{
	struct hash_asked a;
	struct child *c;

	for (c = children; c < children + CHILDREN; c++)
		if (c->pipeline == p)
			child_hear(c, run, now);
	while ((c = child_free()) && pipeline_hash_asked(p, &a))
		if (!child_start(c, p, &a))
			free(a.path);
}

void hash_finish(struct pipeline *p, uint32_t run, uint64_t now)
{
	struct buf why = { 0 };
	struct hash_asked a;
	unsigned dropped;

	for (int waited = 0; waited < FINISH_MS; waited += 10) {
		struct pollfd fds[CHILDREN];
		unsigned n = 0;

		hash_look(p, run, now);
		for (struct child *c = children; c < children + CHILDREN; c++)
			if (c->pipeline == p)
				fds[n++] = (struct pollfd){ c->fd, POLLIN, 0 };
		if (!n)
			break;
		poll(fds, n, 10);
	}
	for (struct child *c = children; c < children + CHILDREN; c++) {
		struct ev_hash e = { .ino = c->asked.ino,
				     .start = c->asked.start,
				     .dev = c->asked.dev,
				     .pid = c->asked.pid,
				     .status = HASH_LATE };

		if (c->pipeline != p)
			continue;
		child_tell(c, run, now, &e);
		child_end(c);
	}
	dropped = pipeline_hash_dropped(p);
	for (; pipeline_hash_asked(p, &a); dropped++)
		free(a.path);
	if (!dropped)
		return;
	buf_fmt(&why, "%u times a file of a finding was one too many", dropped);
	made_gap(p, run, now, "program hashes", why.ptr, "its SHA-256", false);
	buf_free(&why);
}
