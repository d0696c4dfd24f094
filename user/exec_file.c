/* exec_file.c: finds by path, as the waiting process would, the program and its chain of interpreters. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "exec_file.h"
#include "interpreter.h"
#include "thread_memory.h"

#define CHAIN_MAX 6 /* the kernel follows four #! lines, then an ELF interpreter */

#define POINTERS_MAX 512 /* variables that are looked at */

/* What of the new program's environment steers its dynamic linker. */
struct linker {
	struct env_place place;
	char library_path[PATH_MAX], preload[PATH_MAX];
};

/* at: the n pointers of envp. */
static void linker_read(pid_t tid, const uint64_t *at, unsigned n, struct linker *l)
{
	struct {
		const char *name;
		char *text;
		const char **value;
	} variables[] = {
		{ "LD_LIBRARY_PATH=", l->library_path, &l->place.library_path },
		{ "LD_PRELOAD=", l->preload, &l->place.preload },
	};
	uint64_t head[POINTERS_MAX];

	thread_heads(tid, at, n, head);
	for (unsigned i = 0; i < n; i++)
		for (size_t v = 0; v < ARRAY_SIZE(variables); v++) {
			size_t len = strlen(variables[v].name);

			if (!memcmp(&head[i], variables[v].name, sizeof(head[i])) &&
			    thread_text(tid, at[i], variables[v].text, PATH_MAX) &&
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

int root_open(pid_t tid)
{
	return proc_open(tid, "root");
}

/*
 * What openat2() refuses in a root: a link of /proc (ELOOP), or everything before 5.6 (ENOSYS). Our own root is
 * not that of a container: there a path may begin in it, but what an absolute link leads to is not looked for.
 */
static int path_open_otherwise(int root, const char *path)
{
	struct stat there, here;

	if (errno != ELOOP && errno != EXDEV && errno != ENOSYS)
		return -1;
	if (!fstat(root, &there) && !stat("/", &here) && there.st_dev == here.st_dev &&
	    there.st_ino == here.st_ino)
		return open(path, O_PATH | O_CLOEXEC);
	path += strspn(path, "/");
	return openat(root, *path ? path : ".", O_PATH | O_CLOEXEC | O_NOFOLLOW);
}

int path_open(pid_t tid, int root, int dir, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	int base, fd, err;

	if (*path != '/') {
		char at[16];

		snprintf(at, sizeof(at), "fd/%d", dir);
		base = proc_open(tid, dir == AT_FDCWD ? "cwd" : at);
		if (base < 0)
			return -1;
		fd = *path ? openat(base, path, O_PATH | O_CLOEXEC) : dup(base);
		err = errno;
		close(base);
		errno = err;
		return fd;
	}
	fd = own_link_open(tid, path);
	base = fd < 0 && root < 0 ? root_open(tid) : root;
	if (fd >= 0 || base < 0)
		return fd;
	fd = syscall(SYS_openat2, base, path, &how, sizeof(how));
	if (fd < 0)
		fd = path_open_otherwise(base, path);
	err = errno;
	if (base != root)
		close(base);
	errno = err;
	return fd;
}

int regular_open(int path_fd)
{
	char name[32];
	struct stat st;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", path_fd);
	return !fstat(path_fd, &st) && S_ISREG(st.st_mode)
		       ? open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
		       : -1;
}

int exec_files(const struct gate_call *call, exec_file_fn *fn, void *ctx)
{
	bool at = call->nr == __NR_execveat;
	char path[PATH_MAX], mapped[16];
	struct linker linker = { .place = { .pid = call->tid, .root = -1 } };
	int dir = at ? (int)call->args[0] : AT_FDCWD, err = 0;
	uint64_t variable[POINTERS_MAX];
	unsigned variables = POINTERS_MAX;

	if (call->nr == __NR_mmap) {
		snprintf(mapped, sizeof(mapped), "fd/%d", (int)call->args[4]);
		fn(ctx, proc_open(call->tid, mapped), &linker.place, path);
		return 0;
	}
	if (!thread_call(call->tid, call->args[at], call->args[2 + at], path, variable, &variables))
		return 0;
	linker.place.root = root_open(call->tid);
	for (int i = 0; i < CHAIN_MAX; i++) {
		int fd = path_open(call->tid, linker.place.root, dir, path);

		err = fd < 0 ? errno : 0;
		if (err && err != EACCES)
			break; /* as most of a search through PATH */
		if (!i)
			linker_read(call->tid, variable, variables, &linker);
		errno = err;
		if (!fn(ctx, fd, &linker.place, path))
			break;
		dir = AT_FDCWD;
	}
	if (linker.place.root >= 0)
		close(linker.place.root);
	/* Out of our own reach is not out of the caller's; and without a root the caller is gone. */
	return err == EACCES || linker.place.root < 0 ? 0 : err;
}
