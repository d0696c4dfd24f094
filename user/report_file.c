/* report_file.c: a report that is there whole at the end of the run, or not at all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>
#include "report_file.h"

/* "DIR/.NAME.invigil" */
static char *part_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	int dir = slash ? slash + 1 - path : 0;
	struct buf b = { 0 };

	buf_fmt(&b, "%.*s.%s.invigil", dir, path, path + dir);
	return b.ptr;
}

int report_open(struct report_file *r, const char *path, uid_t uid, gid_t gid, const char **why)
{
	struct stat st;
	int err;

	*r = (struct report_file){ .out.fd = -1, .path = path, .uid = uid };
	if (strcmp(path, "-") && strcmp(path, "/dev/null")) {
		*why = "a link or something else than a file is in the way";
		if (!lstat(path, &st) && !S_ISREG(st.st_mode))
			return S_ISLNK(st.st_mode) ? -ELOOP : -EINVAL;
		*why = "it belongs to another user";
		if (!lstat(path, &st) && st.st_uid && st.st_uid != uid && st.st_uid != geteuid())
			return -EPERM;
		r->part = part_name(path);
	}
	err = output_open(&r->out, r->part ? r->part : path, uid, gid, 0640, why);
	if (err) {
		free(r->part);
		r->part = NULL;
	}
	return err;
}

int report_commit(struct report_file *r, struct span text)
{
	int err;

	buf_add(&r->out.pending, text.ptr, text.len);
	err = output_flush(&r->out);
	if (err || !r->part)
		return err;
	/* Somebody who may write to the folder may have changed what is called so. */
	if (output_harm(&r->out, r->part, r->out.whole))
		return -ESTALE;
	setfsuid(r->uid);
	err = rename(r->part, r->path) ? -errno : 0;
	setfsuid(geteuid());
	if (!err) {
		free(r->part);
		r->part = NULL;
	}
	return err;
}

void report_close(struct report_file *r)
{
	if (r->part) {
		setfsuid(r->uid);
		unlink(r->part);
		setfsuid(geteuid());
		free(r->part);
		r->part = NULL;
	}
	if (r->path)
		output_close(&r->out);
}
