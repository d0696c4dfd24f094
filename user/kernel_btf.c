/* kernel_btf.c: walks the kernel's BTF once (Documentation/bpf/btf.rst) for the few names that are asked for. */
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "buf.h"
#include "kernel_btf.h"

#define KIND_ENUM64 19 /* of 6.0; older headers do not name it */

/* Bytes behind a struct btf_type, by its kind. */
static size_t more_bytes(const struct btf_type *t)
{
	size_t n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sizeof(uint32_t);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n * sizeof(struct btf_enum);
	case BTF_KIND_FUNC_PROTO:
		return n * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return n * sizeof(struct btf_var_secinfo);
	case KIND_ENUM64:
		return n * 3 * sizeof(uint32_t);
	}
	return 0;
}

static char *slurp(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *bytes = NULL;
	ssize_t got = 0;

	if (fd >= 0 && !fstat(fd, &st) && st.st_size > 0) {
		bytes = xcalloc(st.st_size, 1);
		for (*size = 0; *size < (size_t)st.st_size; *size += got) {
			got = read(fd, bytes + *size, st.st_size - *size);
			if (got <= 0)
				break;
		}
	}
	if (fd >= 0)
		close(fd);
	return bytes;
}

/* Parameters of the function prototype with that id. */
static unsigned params_of(const char *at, const char *end, uint32_t id)
{
	for (uint32_t i = 1; at + sizeof(struct btf_type) <= end; i++) {
		const struct btf_type *t = (void *)at;

		if (i == id)
			return BTF_INFO_KIND(t->info) == BTF_KIND_FUNC_PROTO
				       ? BTF_INFO_VLEN(t->info)
				       : 0;
		at += sizeof(*t) + more_bytes(t);
	}
	return 0;
}

void kernel_types_find(const struct kernel_type *types, unsigned n, int *ids, unsigned *params)
{
	size_t size = 0;
	char *bytes = slurp(KERNEL_BTF, &size);
	const struct btf_header *h = (void *)bytes;
	bool sound = bytes && size > sizeof(*h) && h->magic == BTF_MAGIC &&
		     h->hdr_len + (size_t)h->type_off + h->type_len <= size &&
		     h->hdr_len + (size_t)h->str_off + h->str_len == size && !bytes[size - 1];
	const char *strings = sound ? bytes + h->hdr_len + h->str_off : NULL;
	const char *first = sound ? bytes + h->hdr_len + h->type_off : NULL;
	size_t at = 0;
	int id = 1;

	for (unsigned i = 0; i < n; i++) {
		ids[i] = sound ? -ENOENT : -EINVAL;
		params[i] = 0;
	}
	for (; sound && at + sizeof(struct btf_type) <= h->type_len; id++) {
		const struct btf_type *t = (void *)(first + at);

		for (unsigned i = 0; i < n && t->name_off < h->str_len; i++)
			if (ids[i] < 0 && BTF_INFO_KIND(t->info) == types[i].kind &&
			    !strcmp(strings + t->name_off, types[i].name)) {
				ids[i] = id;
				params[i] = t->type; /* the prototype, until all are known */
			}
		at += sizeof(*t) + more_bytes(t);
	}
	for (unsigned i = 0; i < n; i++)
		params[i] = ids[i] > 0 && types[i].kind == BTF_KIND_FUNC
				    ? params_of(first, first + h->type_len, params[i])
				    : 0;
	free(bytes);
}

static bool is_btf(int fd)
{
	struct btf_header h;

	return pread(fd, &h, sizeof(h), 0) == sizeof(h) && h.magic == BTF_MAGIC;
}

/* Mounts that nobody else sees; what was opened before could not be mounted in there. */
static bool mounts_leave(void)
{
	return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
}

/* The folder is sysfs's own, where nothing can be made. */
static bool stand_in(int fd)
{
	char from[64];
	int to;

	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	if (mount("tmpfs", KERNEL_BTF_DIR, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755"))
		return false;
	to = open(KERNEL_BTF, O_CREAT | O_WRONLY | O_CLOEXEC, 0444);
	if (to < 0)
		return false;
	close(to);
	return !mount(from, KERNEL_BTF, NULL, MS_BIND, NULL);
}

bool kernel_btf_use(const char *file)
{
	const char *why = NULL;
	int fd;

	if (!file)
		return true;
	fd = mounts_leave() ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		why = strerror(errno);
	else if (!is_btf(fd))
		why = "it is no BTF";
	else if (access(KERNEL_BTF_DIR, F_OK))
		why = "this kernel has no types at all (CONFIG_DEBUG_INFO_BTF), or no sysfs is mounted";
	else if (!stand_in(fd))
		why = strerror(errno);
	if (fd >= 0)
		close(fd);
	if (why)
		fprintf(stderr, "invigil: --btf %s: %s\n", file, why);
	return !why;
}
