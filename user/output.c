/* output.c: opens and writes the event stream's file. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>
#include "append.h"

#define PENDING_MAX (64u << 10)

/* In a directory that is already open, so that nobody can swap it. */
static int create_in(int dir, const char *name, uid_t uid, mode_t mode, const char **why)
{
	struct stat st;

	if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (S_ISCHR(st.st_mode))
			return openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
		*why = S_ISLNK(st.st_mode) ? "a link is in the way" : "not a regular file";
		if (!S_ISREG(st.st_mode)) {
			errno = S_ISLNK(st.st_mode) ? ELOOP : EINVAL;
			return -1;
		}
		*why = "it belongs to another user";
		if (st.st_uid && st.st_uid != uid && st.st_uid != geteuid()) {
			errno = EPERM;
			return -1;
		}
		*why = "cannot replace it";
		if (unlinkat(dir, name, 0))
			return -1;
	}
	*why = "cannot create it";
	return openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		      mode);
}

int output_open(struct output *o, const char *path, uid_t uid, gid_t gid, mode_t mode,
		const char **why)
{
	char *copy = xstrdup(path), *copy2 = xstrdup(path);
	struct stat st;
	int dir, err = 0;

	memset(o, 0, sizeof(*o));
	*why = "cannot open its directory";
	if (!strcmp(path, "-")) {
		o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		err = o->fd < 0 ? -errno : 0;
		goto out;
	}
	o->fd = -1;
	setfsuid(uid);
	dir = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		o->fd = create_in(dir, basename(copy2), uid, mode, why);
		err = o->fd < 0 ? -errno : 0;
		close(dir);
	} else {
		err = -errno;
	}
	setfsuid(geteuid());
	if (err)
		goto out;
	if (!fstat(o->fd, &st) && S_ISREG(st.st_mode)) {
		o->regular = true;
		if (fchown(o->fd, geteuid() ? (uid_t)-1 : 0, gid) || fchmod(o->fd, mode))
			err = -errno;
	}
out:
	free(copy);
	free(copy2);
	return err;
}

static uint64_t lines_in(const char *p, size_t n)
{
	const char *end = n ? p + n : p;
	uint64_t lines = 0;

	while (p < end && (p = memchr(p, '\n', end - p))) {
		lines++;
		p++;
	}
	return lines;
}

/* Writes all pending bytes; a line that does not fit whole is taken back. */
int output_flush(struct output *o)
{
	int error = o->appends ? 0 : o->error;
	size_t done = 0;

	if (o->appends)
		append_make_room(o);
	while (!error && done < o->pending.len) {
		ssize_t n = write(o->fd, o->pending.ptr + done, o->pending.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			error = n ? -errno : -EIO;
		else
			done += n;
	}
	if (error && o->regular && done < o->pending.len) {
		/* Back to the last whole line. */
		while (done && o->pending.ptr[done - 1] != '\n')
			done--;
		if (ftruncate(o->fd, o->whole + done))
			o->appends = false; /* nothing whole can follow */
	}
	o->lines.delivered += lines_in(o->pending.ptr, done);
	o->lines.dropped += lines_in(o->pending.ptr + done, o->pending.len - done);
	if (!o->error)
		o->error = error;
	o->whole += done;
	buf_reset(&o->pending);
	return o->appends ? error : o->error;
}

int output_line(void *output, const char *line, size_t len)
{
	struct output *o = output;

	o->lines.seen++;
	if (o->error && !o->appends) {
		o->lines.dropped++;
		return o->error;
	}
	buf_add(&o->pending, line, len);
	return o->pending.len >= PENDING_MAX ? output_flush(o) : 0;
}

struct line_counts output_lines(const struct output *o)
{
	struct line_counts l = o->lines;

	l.waiting = lines_in(o->pending.ptr, o->pending.len);
	return l;
}

void lines_add(struct line_counts *to, struct line_counts l)
{
	to->seen += l.seen;
	to->delivered += l.delivered;
	to->dropped += l.dropped;
	to->waiting += l.waiting;
}

void output_close(struct output *o)
{
	output_flush(o);
	if (o->fd >= 0)
		close(o->fd);
	buf_free(&o->pending);
	free(o->path);
	o->path = NULL;
	o->fd = -1;
}

const char *output_harm(const struct output *o, const char *path, uint64_t size)
{
	struct stat own, there;

	if (!o->regular)
		return NULL;
	if (fstat(o->fd, &own) || lstat(path, &there) || own.st_dev != there.st_dev ||
	    own.st_ino != there.st_ino)
		return "it was removed, renamed or replaced meanwhile";
	return (uint64_t)own.st_size == size ? NULL : "somebody else wrote to it or cut it";
}
