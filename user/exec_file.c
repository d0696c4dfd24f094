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
#define PAGE         4096ull
#define PAGES_MAX    16 /* of them in one system call */

size_t thread_bytes(pid_t tid, uint64_t addr, void *out, size_t n)
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

bool thread_text(pid_t tid, uint64_t addr, char *out, size_t room)
{
	size_t n = 0;
	char *end;

	while (n < room) {
		size_t want = PAGE - ((addr + n) & (PAGE - 1)), got;

		if (want > room - n)
			want = room - n;
		got = thread_bytes(tid, addr + n, out + n, want);
		end = memchr(out + n, 0, got);
		if (end) {
			/* What lies behind it may be anything. */
			explicit_bzero(end, out + n + got - end);
			return true;
		}
		if (got < want)
			return false;
		n += got;
	}
	return false;
}

/* Copies the n pages at page[]; zeroes for what cannot be read. */
static void pages_read(pid_t tid, const uint64_t *page, unsigned n, char (*out)[PAGE])
{
	struct iovec from[PAGES_MAX];
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++)
		from[i] = (struct iovec){ (void *)(uintptr_t)page[i], PAGE };
	while (done < n) {
		struct iovec to = { out[done], (size_t)(n - done) * PAGE };
		ssize_t got = process_vm_readv(tid, &to, 1, from + done, n - done, 0);

		/* It stops at the first that cannot be read. */
		done += got > 0 ? got / PAGE : 0;
		if (done < n)
			memset(out[done++], 0, PAGE);
	}
}

/*
 * The first eight bytes of each of n texts; zeroes for what has not so many. Texts that follow each
 * other mostly share a page: a page costs as much as eight bytes of it.
 */
static void heads_read(pid_t tid, const uint64_t *at, unsigned n, uint64_t *head)
{
	static char room[PAGES_MAX][PAGE];
	uint64_t page[PAGES_MAX];

	for (unsigned i = 0; i < n;) {
		unsigned end = i, pages = 0;

		for (; end < n; end++) {
			uint64_t p = at[end] & ~(PAGE - 1);

			if (pages && page[pages - 1] == p)
				continue;
			if (pages == PAGES_MAX)
				break;
			page[pages++] = p;
		}
		pages_read(tid, page, pages, room);
		for (unsigned k = 0; i < end; i++) {
			uint64_t in = at[i] & (PAGE - 1);

			k += page[k] != (at[i] & ~(PAGE - 1));
			if (in <= PAGE - sizeof(*head))
				memcpy(&head[i], room[k] + in, sizeof(*head));
			else if (thread_bytes(tid, at[i], &head[i], sizeof(*head)) != sizeof(*head))
				head[i] = 0;
		}
		explicit_bzero(room, pages * PAGE); /* the values */
	}
}

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

	heads_read(tid, at, n, head);
	for (unsigned i = 0; i < n; i++)
		for (size_t v = 0; v < ARRAY_SIZE(variables); v++) {
			size_t len = strlen(variables[v].name);

			if (!memcmp(&head[i], variables[v].name, sizeof(head[i])) &&
			    thread_text(tid, at[i], variables[v].text, PATH_MAX) &&
			    !strncmp(variables[v].text, variables[v].name, len))
				*variables[v].value = variables[v].text + len;
		}
}

/* How many pointers there are before the NULL; n when none of n is NULL. */
static unsigned pointers_count(const uint64_t *at, unsigned n)
{
	unsigned used = 0;

	while (used < n && at[used])
		used++;
	return used;
}

static size_t to_page_end(uint64_t addr, size_t most)
{
	size_t n = PAGE - (addr & (PAGE - 1));

	return n < most ? n : most;
}

/*
 * Path and environment of the call. Mostly neither goes over the end of a page, and one system call gets both.
 * False: it has no path.
 */
static bool call_read(pid_t tid, uint64_t text, uint64_t envp, char path[PATH_MAX],
		      struct linker *l)
{
	uint64_t at[POINTERS_MAX];
	size_t text_room = to_page_end(text, PATH_MAX), at_room = to_page_end(envp, sizeof(at));
	struct iovec to[] = { { path, text_room }, { at, at_room } };
	struct iovec from[] = { { (void *)(uintptr_t)text, text_room },
				{ (void *)(uintptr_t)envp, at_room } };
	ssize_t got = process_vm_readv(tid, to, 2, from, 2, 0);
	size_t in_text = got < 0 ? 0 : (size_t)got < text_room ? (size_t)got : text_room;
	unsigned have = got > 0 ? (got - in_text) / sizeof(at[0]) : 0, n = pointers_count(at, have);
	size_t len = strnlen(path, in_text);

	/* What lies behind the path is none of ours. */
	explicit_bzero(path + len, in_text - len);
	if (len == in_text && !thread_text(tid, text, path, PATH_MAX))
		return false;
	if (n == have) {
		have = thread_bytes(tid, envp, at, sizeof(at)) / sizeof(at[0]);
		n = pointers_count(at, have);
	}
	explicit_bzero(at + n, sizeof(at) - n * sizeof(at[0])); /* likewise */
	linker_read(tid, at, n, l);
	return true;
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

	if (call->nr == __NR_mmap) {
		snprintf(mapped, sizeof(mapped), "fd/%d", (int)call->args[4]);
		fn(ctx, proc_open(call->tid, mapped), &linker.place, path);
		return 0;
	}
	if (!call_read(call->tid, call->args[at], call->args[2 + at], path, &linker))
		return 0;
	linker.place.root = root_open(call->tid);
	for (int i = 0; i < CHAIN_MAX; i++) {
		int fd = path_open(call->tid, linker.place.root, dir, path);

		err = fd < 0 ? errno : 0;
		if ((err && err != EACCES) || !fn(ctx, fd, &linker.place, path))
			break;
		dir = AT_FDCWD;
	}
	if (linker.place.root >= 0)
		close(linker.place.root);
	/* Out of our own reach is not out of the caller's; and without a root the caller is gone. */
	return err == EACCES || linker.place.root < 0 ? 0 : err;
}
