/* append.c: files that the daemon appends to: taken over from before, rotated, opened again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "append.h"

static uint64_t slot_of(const struct output *o, time_t when)
{
	return o->rotation.every ? (uint64_t)when / o->rotation.every : 0;
}

/* Where the last whole line ends: what a write that never ended left behind it is cut off. */
static int tail_cut(int fd, off_t size, off_t *whole)
{
	char block[4096];
	off_t at = size;

	while (at > 0) {
		size_t n = at < (off_t)sizeof(block) ? (size_t)at : sizeof(block);
		const char *end;

		if (pread(fd, block, n, at - n) != (ssize_t)n)
			return -EIO;
		end = memrchr(block, '\n', n);
		if (end) {
			at -= n - (end - block) - 1;
			break;
		}
		at -= n;
	}
	*whole = at;
	return at == size || !ftruncate(fd, at) ? 0 : -errno;
}

/* Nobody else may have prepared it. */
static const char *append_distrust(int fd, struct stat *st)
{
	if (fstat(fd, st))
		return "cannot look at it";
	errno = EINVAL;
	if (!S_ISREG(st->st_mode) && !S_ISCHR(st->st_mode))
		return "not a regular file";
	errno = EPERM;
	if (st->st_uid && st->st_uid != geteuid())
		return "it belongs to another user";
	if (S_ISREG(st->st_mode) && st->st_nlink != 1)
		return "it has another name";
	if (S_ISREG(st->st_mode) && flock(fd, LOCK_EX | LOCK_NB)) {
		errno = EBUSY;
		return "another invigil writes to it";
	}
	return NULL;
}

static int append_open(struct output *o, const char **why)
{
	bool standard = !strcmp(o->path, "-");
	int fd = standard ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
			  : open(o->path,
				 O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
				 0640);
	struct stat st;
	int err = 0;

	*why = "cannot open it";
	if (fd < 0)
		return -errno;
	if (standard) {
		o->fd = fd;
		return 0;
	}
	*why = append_distrust(fd, &st);
	if (*why)
		err = -errno;
	if (!err && S_ISREG(st.st_mode)) {
		*why = "cannot make it its own";
		if (fchown(fd, -1, o->gid) || fchmod(fd, 0640))
			err = -errno;
		else
			err = tail_cut(fd, st.st_size, &o->whole);
	}
	if (err) {
		close(fd);
		return err;
	}
	if (o->fd >= 0)
		close(o->fd);
	o->fd = fd;
	o->regular = S_ISREG(st.st_mode);
	o->slot = slot_of(o, st.st_size ? st.st_mtime : time(NULL));
	return 0;
}

int output_append(struct output *o, const char *path, gid_t gid, const struct rotation *r,
		  const char **why)
{
	int err;

	*o = (struct output){ .fd = -1, .appends = true, .gid = gid };
	o->path = xstrdup(path);
	if (r)
		o->rotation = *r;
	err = append_open(o, why);
	if (err)
		output_close(o);
	return err;
}

static void append_again(struct output *o)
{
	const char *why;
	int err = append_open(o, &why);

	if (err)
		fprintf(stderr, "invigil: output %s: goes on in the old file: %s: %s\n", o->path,
			why, strerror(-err));
}

/* The oldest is overwritten. */
static void rotate(struct output *o)
{
	struct buf from = { 0 }, to = { 0 };
	int err = 0;

	for (unsigned i = o->rotation.keep; i > 0 && !err; i--) {
		buf_reset(&from);
		buf_reset(&to);
		buf_str(&from, o->path);
		if (i > 1)
			buf_fmt(&from, ".%u", i - 1);
		buf_fmt(&to, "%s.%u", o->path, i);
		if (rename(from.ptr, to.ptr) && errno != ENOENT)
			err = errno;
	}
	buf_free(&from);
	buf_free(&to);
	if (!err) {
		append_again(o);
		return;
	}
	fprintf(stderr, "invigil: output %s: is not rotated any more: %s\n", o->path,
		strerror(err));
	o->rotation = (struct rotation){ 0 };
}

void output_reopen(struct output *o)
{
	struct stat open_one, named;

	output_flush(o);
	if (!strcmp(o->path, "-"))
		return;
	if (!fstat(o->fd, &open_one) && !stat(o->path, &named) && open_one.st_ino == named.st_ino &&
	    open_one.st_dev == named.st_dev)
		return;
	append_again(o);
}

void append_make_room(struct output *o)
{
	const struct rotation *r = &o->rotation;
	uint64_t slot;

	if (!o->pending.len || !o->regular)
		return;
	slot = slot_of(o, time(NULL));
	if (o->whole &&
	    ((r->size && (uint64_t)o->whole + o->pending.len > r->size) || slot != o->slot))
		rotate(o);
	o->slot = slot;
}
