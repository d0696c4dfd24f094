/* link_look.c: finds the symbolic link on the way to a log, and whose directory it lies in. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "event.h"
#include "link_look.h"
#include "made.h"

/*
 * From the cache of names alone: they were used a moment ago, and a file system that the run serves
 * itself (FUSE) could keep the monitor waiting for ever.
 */
static int path_stat(int root, const char *path, bool follow, struct stat *st)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
				.resolve = RESOLVE_IN_ROOT | RESOLVE_CACHED };
	int fd = -1, err;

	/* EAGAIN, too, where something was mounted or renamed meanwhile (fs/namei.c, legitimize_links()). */
	for (int i = 0; i < 3 && fd < 0; i++)
		if ((fd = syscall(SYS_openat2, root, path, &how, sizeof(how))) < 0 &&
		    errno != EAGAIN)
			return -1;
	if (fd < 0)
		return -1;
	err = fstat(fd, st);
	close(fd);
	return err;
}

/* The whole path that was asked for; false: nobody knows any more what it was relative to. */
static bool path_whole(const struct link_asked *l, struct buf *out)
{
	char at[64], base[PATH_MAX];
	ssize_t n;

	if (l->path[0] == '/') {
		buf_str(out, l->path);
		return true;
	}
	if (l->dirfd == AT_FDCWD)
		snprintf(at, sizeof(at), "/proc/%u/cwd", l->pid);
	else
		snprintf(at, sizeof(at), "/proc/%u/fd/%d", l->pid, l->dirfd);
	n = readlink(at, base, sizeof(base));
	if (n <= 0 && l->dirfd == AT_FDCWD && l->base)
		buf_str(out, l->base);
	else if (n > 0 && base[0] == '/')
		buf_add(out, base, n);
	else
		return false;
	buf_byte(out, '/');
	buf_str(out, l->path + (strncmp(l->path, "./", 2) ? 0 : 2));
	return true;
}

static void link_tell(struct pipeline *p, uint32_t run, uint64_t now, const struct link_asked *l,
		      const struct stat *link, const struct stat *dir, const char *path)
{
	struct ev_link e = { .start = l->start, .pid = l->pid, .uid = link->st_uid };

	e.dir_mode = dir->st_mode;
	e.dir_uid = dir->st_uid;
	e.dir_gid = dir->st_gid;
	made_record(p, run, now, EV_LINK, &e, sizeof(e), path, strlen(path));
}

/* Each step that is a link is told. path is written to and restored. */
static void path_search(struct pipeline *p, uint32_t run, uint64_t now, const struct link_asked *l,
			int root, char *path)
{
	struct stat st, dir;

	/*
	 * EAGAIN: a link whose last use is of the same tick as its making cannot be followed without an update
	 * of its time of access (fs/namei.c, pick_link()); the open itself has followed it.
	 */
	if (path_stat(root, path, true, &st) ? errno != EAGAIN : st.st_ino != l->ino)
		return; /* not that file any more */
	if (path_stat(root, "/", true, &dir))
		return;
	for (char *at = path + strspn(path, "/"); *at;) {
		char *end = at + strcspn(at, "/"), keep = *end;

		*end = 0;
		if (path_stat(root, path, false, &st))
			return;
		if (S_ISLNK(st.st_mode)) {
			link_tell(p, run, now, l, &st, &dir, path);
			if (path_stat(root, path, true, &dir))
				return;
		} else {
			dir = st;
		}
		*end = keep;
		at = end + strspn(end, "/");
	}
}

void link_look(struct pipeline *p, uint32_t run, uint64_t now)
{
	struct buf path = { 0 };
	struct link_asked l;
	char at[64];
	int root;

	if (!pipeline_link_asked(p, &l))
		return;
	snprintf(at, sizeof(at), "/proc/%u/root", l.pid);
	root = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* It has ended already: the inode says whether it was our root, too. */
	if (root < 0)
		root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0 && path_whole(&l, &path))
		path_search(p, run, now, &l, root, path.ptr);
	if (root >= 0)
		close(root);
	buf_free(&path);
	free(l.path);
	free(l.base);
}
