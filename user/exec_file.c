/* exec_file.c: finds by path, as the waiting process would, the program and its chain of interpreters. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "exec_file.h"
#include "interpreter.h"

#define CHAIN_MAX 6 /* the kernel follows four #! lines, then an ELF interpreter */

/* A path in another process's memory; false when it has none. */
static bool path_read(pid_t tid, uint64_t addr, char out[PATH_MAX])
{
	size_t n = 0;

	while (n < PATH_MAX) {
		/* To the end of a page each time: the next one may not be there. */
		size_t want = 4096 - ((addr + n) & 4095);
		struct iovec to = { out + n, want > PATH_MAX - n ? PATH_MAX - n : want };
		struct iovec from = { (void *)(uintptr_t)(addr + n), to.iov_len };
		ssize_t got = process_vm_readv(tid, &to, 1, &from, 1, 0);

		if (got <= 0)
			return false;
		if (memchr(out + n, 0, got))
			return true;
		n += got;
	}
	return false;
}

static int proc_open(pid_t tid, const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, what);
	return open(path, O_PATH | O_CLOEXEC);
}

/* Magic links lead to where they lead for the process itself, not for us. */
static int own_link_open(pid_t tid, const char *path)
{
	static const struct {
		const char *prefix, *dir;
	} links[] = { { "/proc/self/", "" }, { "/proc/thread-self/", "" }, { "/dev/fd/", "fd/" } };
	char what[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		size_t n = strlen(links[i].prefix);

		if (strncmp(path, links[i].prefix, n))
			continue;
		snprintf(what, sizeof(what), "/proc/%d/%s%s", tid, links[i].dir, path + n);
		return open(what, O_PATH | O_CLOEXEC);
	}
	return -1;
}

/* dir: as for openat. Nothing but a name is touched yet: no driver, no server of the file itself. */
static int path_open(pid_t tid, int dir, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	int base, fd;

	if (*path != '/') {
		char at[16];

		snprintf(at, sizeof(at), "fd/%d", dir);
		base = proc_open(tid, dir == AT_FDCWD ? "cwd" : at);
		if (base < 0)
			return -1;
		fd = *path ? openat(base, path, O_PATH | O_CLOEXEC) : dup(base);
		close(base);
		return fd;
	}
	fd = own_link_open(tid, path);
	if (fd >= 0 || (base = proc_open(tid, "root")) < 0)
		return fd;
	fd = syscall(SYS_openat2, base, path, &how, sizeof(how));
	close(base);
	/* Through a link of /proc, or before 5.6. */
	return fd < 0 && errno != ENOENT ? open(path, O_PATH | O_CLOEXEC) : fd;
}

int regular_open(int path_fd)
{
	char name[32];
	struct stat st;
	int fd = -1;

	if (path_fd < 0)
		return -1;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", path_fd);
	if (!fstat(path_fd, &st) && S_ISREG(st.st_mode))
		fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	close(path_fd);
	return fd;
}

void exec_files(const struct gate_call *call, void (*fn)(void *ctx, int fd), void *ctx)
{
	bool at = call->nr == __NR_execveat;
	char path[PATH_MAX], head[INTERPRETER_HEAD], mapped[16];
	int dir = at ? (int)call->args[0] : AT_FDCWD, fd;

	if (call->nr == __NR_mmap) {
		snprintf(mapped, sizeof(mapped), "fd/%d", (int)call->args[4]);
		fd = regular_open(proc_open(call->tid, mapped));
		if (fd >= 0) {
			fn(ctx, fd);
			close(fd);
		}
		return;
	}
	if (!path_read(call->tid, call->args[at], path))
		return;
	for (int i = 0; i < CHAIN_MAX; i++) {
		ssize_t n;

		fd = regular_open(path_open(call->tid, dir, path));
		if (fd < 0)
			return;
		fn(ctx, fd);
		n = pread(fd, head, sizeof(head), 0);
		close(fd);
		if (n <= 0 || !interpreter_of((struct span){ head, n }, path))
			return;
		dir = AT_FDCWD;
	}
}
