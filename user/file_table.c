/* file_table.c: the files of one run by device and inode. */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "buf.h"
#include "file_table.h"

static int file_compare(const void *a, const void *b)
{
	const struct file_known *x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->dev == y->dev ? 0 : x->dev < y->dev ? -1 : 1;
}

struct file_known *file_find(const struct file_table *t, uint32_t dev, uint64_t ino)
{
	struct file_known key = { .ino = ino, .dev = dev }, **found;

	found = tfind(&key, &t->root, file_compare);
	return found ? *found : NULL;
}

struct file_known *file_note(struct file_table *t, uint32_t dev, uint64_t ino)
{
	struct file_known *f = file_find(t, dev, ino);

	if (f)
		return f;
	if (t->n == FILES_MAX) {
		t->full = true;
		return NULL;
	}
	f = xcalloc(1, sizeof(*f));
	f->ino = ino;
	f->dev = dev;
	if (!tsearch(f, &t->root, file_compare))
		abort(); /* tsearch's own malloc failed */
	t->n++;
	return f;
}

void file_forget(struct file_table *t, uint32_t dev, uint64_t ino)
{
	struct file_known *f = file_find(t, dev, ino);

	if (!f)
		return;
	tdelete(f, &t->root, file_compare);
	free(f);
	t->n--;
}

void file_table_free(struct file_table *t)
{
	tdestroy(t->root, free);
	memset(t, 0, sizeof(*t));
}
