/* startup_look.c: the steps of the path that a start-up variable points at, as they are when it is used. */
/*
 * From the cache of names alone: a file system that the run serves itself (FUSE) could keep the
 * monitor waiting for ever. What the program has not used yet is not there: it is asked for again.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "event.h"
#include "made.h"
#include "startup_look.h"

#define PATIENCE_NS 200000000ull

/* flags: 0 or O_NOFOLLOW */
static int path_look(const char *path, int flags, struct stat *st)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | flags, .resolve = RESOLVE_CACHED };
	int fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	if (fd < 0)
		return -errno;
	if (fstat(fd, st)) {
		close(fd);
		return -errno;
	}
	return fd;
}

static int path_stat(const char *path, int flags, struct stat *st)
{
	int fd = path_look(path, flags, st);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* Its steps as the kernel sends them, leaf first; path is written to. 0 or -errno. */
static int steps_fill(char *path, struct ev_file *e, struct ev_comp *comp)
{
	char *slash;

	while ((slash = strrchr(path, '/')) && slash[1]) {
		struct ev_comp *c = &comp[e->comps];
		size_t len = strlen(slash + 1);
		struct stat st;
		int err;

		if (e->comps == EV_COMPS) {
			e->flags |= FILE_CUT_PATH;
			return 0;
		}
		if (len >= sizeof(c->name))
			return -ENAMETOOLONG;
		err = path_stat(path, 0, &st);
		if (err)
			return err;
		*c = (struct ev_comp){ st.st_mode, st.st_uid, st.st_gid, len, "" };
		memcpy(c->name, slash + 1, len);
		e->comps++;
		*slash = 0;
	}
	return 0;
}

/* Where links lead to, by the kernel's own word. 0 or -errno. */
static int whole_path(const char *path, struct stat *st, char whole[PATH_MAX])
{
	char at[32];
	int fd = path_look(path, 0, st);
	ssize_t n;

	if (fd < 0)
		return fd;
	snprintf(at, sizeof(at), "/proc/self/fd/%d", fd);
	n = readlink(at, whole, PATH_MAX - 1);
	close(fd);
	if (n <= 0 || whole[0] != '/')
		return -ENOENT;
	whole[n] = 0;
	return 0;
}

/* path with its links followed; below it, leaf: a link, or NULL. 0 or -errno. */
static int path_tell(struct pipeline *p, uint32_t run, uint64_t now, const struct startup_asked *a,
		     const char *path, const struct ev_comp *leaf)
{
	struct ev_hdr h = { .time = now,
			    .start = a->start,
			    .type = EV_FILE,
			    .run = run,
			    .pid = a->pid,
			    .tid = a->pid };
	struct ev_file e = { .action = FILE_STARTUP };
	struct ev_comp comp[EV_COMPS] = { 0 };
	char whole[PATH_MAX];
	struct stat st;
	int err = whole_path(path, &st, whole);

	if (err)
		return err;
	e.ino = st.st_ino;
	e.size = st.st_size;
	e.dev = major(st.st_dev) << 20 | minor(st.st_dev);
	e.nlink = st.st_nlink;
	strncpy(e.asked, a->variable, sizeof(e.asked) - 1);
	e.asked_len = strlen(e.asked);
	if (leaf)
		comp[e.comps++] = *leaf;
	err = steps_fill(whole, &e, comp);
	if (!err && e.comps)
		made_take(p, h, &e, sizeof(e), comp, e.comps * sizeof(*comp));
	return err;
}

/* Who can put another link in its place counts, too. A link's own mode says nothing: 0755. */
static int link_tell(struct pipeline *p, uint32_t run, uint64_t now, const struct startup_asked *a)
{
	const char *slash = strrchr(a->path, '/');
	struct ev_comp link = { .len = strlen(slash + 1) };
	struct stat st;
	char *dir;
	int err = path_stat(a->path, O_NOFOLLOW, &st);

	if (err || !S_ISLNK(st.st_mode) || link.len >= sizeof(link.name))
		return err;
	link.mode = S_IFLNK | 0755;
	link.uid = st.st_uid;
	link.gid = st.st_gid;
	memcpy(link.name, slash + 1, link.len);
	dir = slash > a->path ? xstrndup(a->path, (size_t)(slash - a->path)) : xstrdup("/");
	err = path_tell(p, run, now, a, dir, &link);
	free(dir);
	return err;
}

/* Once; -EAGAIN: not in the cache. Another root than ours, or nothing there: nothing is told. */
static int startup_tell(struct pipeline *p, uint32_t run, uint64_t now,
			const struct startup_asked *a)
{
	struct stat exe;
	int err = path_stat(a->exe, 0, &exe);

	if (err || exe.st_ino != a->exe_ino)
		return err;
	err = path_tell(p, run, now, a, a->path, NULL);
	return err ? err : link_tell(p, run, now, a);
}

static void unseen(struct pipeline *p, uint32_t run, uint64_t now, const char *why)
{
	made_gap(p, run, now, "start-up variables", why,
		 "who can change the file that one points at", false);
}

void startup_look(struct pipeline *p, uint32_t run, uint64_t now)
{
	const struct startup_asked *a;

	while ((a = pipeline_startup_asked(p))) {
		if (startup_tell(p, run, now, a) == -EAGAIN) {
			if (now < a->time + PATIENCE_NS)
				break;
			unseen(p, run, now, "nobody has used it");
		}
		pipeline_startup_told(p);
	}
	if (pipeline_startup_dropped(p))
		unseen(p, run, now, "too many at once");
}
