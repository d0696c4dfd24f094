/* provenance.c: a bounded table of written files by device and inode. */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "provenance.h"

struct provenance {
	void *tree;                          /* of struct written, by device and inode */
	struct written *age[PROVENANCE_MAX]; /* ring, in order of first write */
	unsigned n;
};

static int written_compare(const void *a, const void *b)
{
	const struct written *x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->dev == y->dev ? 0 : x->dev < y->dev ? -1 : 1;
}

static void written_free(void *node)
{
	struct written *w = node;

	free(w->path);
	free(w->writer);
	free(w);
}

struct provenance *provenance_new(void)
{
	return xcalloc(1, sizeof(struct provenance));
}

void provenance_free(struct provenance *v)
{
	if (!v)
		return;
	tdestroy(v->tree, written_free);
	free(v);
}

static struct written *find(const struct provenance *v, uint32_t dev, uint64_t ino)
{
	struct written key = { .ino = ino, .dev = dev }, **found;

	found = tfind(&key, &v->tree, written_compare);
	return found ? *found : NULL;
}

static struct written *add(struct provenance *v, uint32_t dev, uint64_t ino)
{
	struct written **old = &v->age[v->n++ % PROVENANCE_MAX], *w;

	if (*old) {
		tdelete(*old, &v->tree, written_compare);
		written_free(*old);
	}
	*old = w = xcalloc(1, sizeof(*w));
	w->ino = ino;
	w->dev = dev;
	if (!tsearch(w, &v->tree, written_compare))
		abort(); /* tsearch's own malloc failed */
	return w;
}

void provenance_write(struct provenance *v, const struct process *p, uint64_t time, uint32_t dev,
		      uint64_t ino, const char *path, bool fresh)
{
	struct written *w = find(v, dev, ino);

	if (!w)
		w = add(v, dev, ino);
	free(w->path);
	free(w->writer);
	w->path = path ? xstrdup(path) : NULL;
	w->writer = p->name ? xstrdup(p->name) : NULL;
	w->pid = p->pid;
	w->start = p->start;
	w->time = time;
	w->origins = (fresh ? 0 : w->origins) | p->origins;
}

void provenance_origin(struct provenance *v, struct process *p, unsigned origins)
{
	const struct ev_fd *out = &p->fd[1];
	struct written *w;

	if (!(origins & ~p->origins))
		return;
	p->origins |= origins;
	for (unsigned i = 0; i < PROVENANCE_MAX && v->age[i]; i++) {
		w = v->age[i];
		if (w->pid == p->pid && w->start == p->start && w->time >= p->exec_time)
			w->origins |= origins;
	}
	w = p->executed && out->kind == FD_FILE ? find(v, out->dev, out->ino) : NULL;
	if (!w)
		return;
	w->origins |= origins;
	free(w->writer);
	w->writer = p->name ? xstrdup(p->name) : NULL;
}

void provenance_rename(struct provenance *v, uint32_t dev, uint64_t ino, const char *path)
{
	struct written *w = find(v, dev, ino);

	if (!w || !path)
		return;
	free(w->path);
	w->path = xstrdup(path);
}

const struct written *provenance_find(const struct provenance *v, uint32_t dev, uint64_t ino)
{
	return find(v, dev, ino);
}

const struct written *provenance_at(const struct provenance *v, struct span path, bool directory)
{
	const struct written *last = NULL;

	while (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	for (unsigned i = 0; i < PROVENANCE_MAX && v->age[i]; i++) {
		const struct written *w = v->age[i];
		size_t n = w->path ? strlen(w->path) : 0;

		if (n < path.len || memcmp(w->path, path.ptr, path.len) ||
		    (directory ? w->path[path.len] != '/' : n != path.len))
			continue;
		if (!last || w->time > last->time)
			last = w;
	}
	return last;
}
