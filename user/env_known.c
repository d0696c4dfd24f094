/* env_known.c: what programs and libraries hold, read once for each build id. */
#include <linux/magic.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include "env_attach_state.h"

#define IMAGES_MAX 4096 /* what is known by build id */
#define FILE_MAX   (512u << 20)

/* What files with this build id and size hold. */
struct known {
	char id[64];
	size_t len;
	off_t size;
	struct env_image image;
};

static int known_compare(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->id, y->id, x->len);
}

void env_known_free(void *node)
{
	env_image_free(&((struct known *)node)->image);
	free(node);
}

/*
 * A build id is a claim. Believed of a file that the run can make, it would put a probe into the
 * middle of an instruction of another one, a set-user-id program say, or hide its functions. What a
 * file system of a user (FUSE) says about owners is a claim too.
 */
bool env_id_believed(int fd, const struct stat *st)
{
	struct statfs fs;

	return !st->st_uid && !(st->st_mode & (S_IWGRP | S_IWOTH)) && !fstatfs(fd, &fs) &&
	       fs.f_type != FUSE_SUPER_MAGIC;
}

struct env_image *env_image_of(struct env_attach *a, const struct elf_file *e, const char *name,
			       bool believed, struct env_image *own)
{
	struct span id = believed ? elf_build_id(e) : (struct span){ 0 };
	struct known key = { .len = id.len, .size = e->bytes.len }, **found, *k;

	if (id.len && id.len <= sizeof(key.id)) {
		memcpy(key.id, id.ptr, id.len);
		found = tfind(&key, &a->images, known_compare);
		if (found)
			return &(*found)->image;
	}
	if (e->bytes.len > FILE_MAX) {
		env_trouble_add(a, "a program is too large to be read");
		return NULL;
	}
	env_image_read(e, name, a->c_only, own);
	if (!id.len || id.len > sizeof(key.id) || a->n_images == IMAGES_MAX)
		return own;
	k = xcalloc(1, sizeof(*k));
	*k = key;
	k->image = *own;
	memset(own, 0, sizeof(*own));
	tsearch(k, &a->images, known_compare);
	a->n_images++;
	return &k->image;
}
