/* take_link.c: logs that are opened through a symbolic link: which to look at, and what was found. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "pipeline_state.h"

/* Without "." and empty steps; false: it climbs, and text cannot say where to. */
static bool path_flatten(struct span path, struct buf *out)
{
	const char *end = path.ptr + path.len;

	for (const char *at = path.ptr; at < end;) {
		const char *slash = memchr(at, '/', end - at);
		size_t n = (slash ? slash : end) - at;

		if (n == 2 && at[0] == '.' && at[1] == '.')
			return false;
		if (n && !(n == 1 && at[0] == '.')) {
			buf_byte(out, '/');
			buf_add(out, at, n);
		}
		at += n + 1;
	}
	return true;
}

/* Asked for by this text, was the file reached by its own names alone? false: no, or who knows. */
static bool is_straight(const struct fact *f, struct span asked, int32_t dirfd)
{
	const struct path *cwd = &f->process->cwd;
	struct buf flat = { 0 };
	bool straight = !f->file.path.cut;

	if (asked.ptr[0] != '/') {
		straight &= dirfd == AT_FDCWD && cwd->text && !cwd->cut;
		if (straight && strcmp(cwd->text, "/"))
			buf_str(&flat, cwd->text);
	}
	straight = straight && path_flatten(asked, &flat) && flat.len &&
		   !strcmp(flat.ptr, f->file.path.text);
	buf_free(&flat);
	return straight;
}

void link_suspect(struct pipeline *p, const struct record *r, const struct fact *f)
{
	const struct ev_file *e = r->body;
	struct span asked = { e->asked, strnlen(e->asked, sizeof(e->asked)) };
	struct link_asked *l = &p->link;

	if (p->replay || !asked.len || e->asked_len >= sizeof(e->asked) - 1 ||
	    is_straight(f, asked, e->dirfd))
		return;
	free(l->path);
	free(l->base);
	*l = (struct link_asked){ .pid = r->h->pid, .start = r->h->start, .ino = e->ino };
	l->dirfd = e->dirfd;
	l->path = xstrndup(asked.ptr, asked.len);
	if (f->process->cwd.text && !f->process->cwd.cut)
		l->base = xstrdup(f->process->cwd.text);
}

bool pipeline_link_asked(struct pipeline *p, struct link_asked *out)
{
	*out = p->link;
	memset(&p->link, 0, sizeof(p->link));
	return out->path;
}

void take_link(struct pipeline *p, const struct record *r)
{
	const struct ev_link *e = r->body;
	struct fact f = { .kind = FACT_FILE, .time = wall(p, r->h->time) };

	f.process = table_known(p->table, e->pid, e->start);
	f.file.action = FILE_LINK;
	f.file.path.text = xstrndup(r->tail, strnlen(r->tail, r->h->len));
	f.file.mode = 0777;
	f.file.uid = e->uid;
	f.file.nlink = 1;
	f.file.dir_mode = e->dir_mode;
	f.file.dir_uid = e->dir_uid;
	f.file.dir_gid = e->dir_gid;
	f.file.is_log = true;
	if (f.process)
		fact_emit(p, &f);
	path_free(&f.file.path);
}
