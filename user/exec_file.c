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

#define POINTERS_MAX 512 /* variables that are looked at */

/* Up to n bytes of another process's memory; how many there are. */
static size_t memory_read(pid_t tid, uint64_t addr, void *out, size_t n)
{
	size_t have = 0;

	while (have < n) {
		/* To the end of a page each time: the next one may not be there. */
		size_t want = 4096 - ((addr + have) & 4095);
		struct iovec to = { (char *)out + have, want > n - have ? n - have : want };
		struct iovec from = { (void *)(uintptr_t)(addr + have), to.iov_len };
		ssize_t got = process_vm_readv(tid, &to, 1, &from, 1, 0);

		if (got <= 0)
			break;
		have += got;
	}
	return have;
}

/* A text in another process's memory; false when it has none. */
static bool text_read(pid_t tid, uint64_t addr, char out[PATH_MAX])
{
	size_t n = 0;

	while (n < PATH_MAX) {
		size_t want = 4096 - ((addr + n) & 4095), got;

		if (want > PATH_MAX - n)
			want = PATH_MAX - n;
		got = memory_read(tid, addr + n, out + n, want);
		if (memchr(out + n, 0, got))
			return true;
		if (got < want)
			return false;
		n += got;
	}
	return false;
}

/* The first eight bytes of each of n texts, by as few calls as their pages allow; zeroes for what has not so many. */
static void heads_read(pid_t tid, const uint64_t *at, unsigned n, uint64_t *head)
{
	struct iovec to[POINTERS_MAX], from[POINTERS_MAX];
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++) {
		head[i] = 0;
		to[i] = (struct iovec){ &head[i], sizeof(head[i]) };
		from[i] = (struct iovec){ (void *)(uintptr_t)at[i], sizeof(head[i]) };
	}
	while (done < n) {
		ssize_t got = process_vm_readv(tid, to + done, n - done, from + done, n - done, 0);

		/* It stops at the first that cannot be read. */
		done += (got > 0 ? got / sizeof(*head) : 0) + 1;
	}
}

/* What of the new program's environment steers its dynamic linker. */
struct linker {
	struct env_place place;
	char library_path[PATH_MAX], preload[PATH_MAX];
};

static void linker_read(pid_t tid, uint64_t envp, struct linker *l)
{
	struct {
		const char *name;
		char *text;
		const char **value;
	} variables[] = {
		{ "LD_LIBRARY_PATH=", l->library_path, &l->place.library_path },
		{ "LD_PRELOAD=", l->preload, &l->place.preload },
	};
	uint64_t at[POINTERS_MAX], head[POINTERS_MAX];
	unsigned n = memory_read(tid, envp, at, sizeof(at)) / sizeof(at[0]), used = 0;

	l->place = (struct env_place){ .pid = tid };
	while (used < n && at[used])
		used++;
	heads_read(tid, at, used, head);
	for (unsigned i = 0; i < used; i++)
		for (size_t v = 0; v < ARRAY_SIZE(variables); v++) {
			size_t len = strlen(variables[v].name);

			if (!memcmp(&head[i], variables[v].name, sizeof(head[i])) &&
			    text_read(tid, at[i], variables[v].text) &&
			    !strncmp(variables[v].text, variables[v].name, len))
				*variables[v].value = variables[v].text + len;
		}
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

int path_open(pid_t tid, int dir, const char *path)
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

void exec_files(const struct gate_call *call, exec_file_fn *fn, void *ctx)
{
	bool at = call->nr == __NR_execveat;
	char path[PATH_MAX], head[INTERPRETER_HEAD], mapped[16];
	struct linker linker = { .place.pid = call->tid };
	int dir = at ? (int)call->args[0] : AT_FDCWD, fd;

	if (call->nr == __NR_mmap) {
		snprintf(mapped, sizeof(mapped), "fd/%d", (int)call->args[4]);
		fd = regular_open(proc_open(call->tid, mapped));
		if (fd >= 0) {
			fn(ctx, fd, &linker.place);
			close(fd);
		}
		return;
	}
	if (!text_read(call->tid, call->args[at], path))
		return;
	linker_read(call->tid, call->args[2 + at], &linker);
	for (int i = 0; i < CHAIN_MAX; i++) {
		ssize_t n;

		fd = regular_open(path_open(call->tid, dir, path));
		if (fd < 0)
			return;
		fn(ctx, fd, &linker.place);
		n = pread(fd, head, sizeof(head), 0);
		close(fd);
		if (n <= 0 || !interpreter_of((struct span){ head, n }, path))
			return;
		dir = AT_FDCWD;
	}
}
