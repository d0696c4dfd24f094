/* place.c: paths as words: cleaned, and the place of the host that they mean. */
#include <string.h>
#include "place.h"

void path_clean(struct span in, struct buf *out)
{
	buf_reset(out);
	for (size_t i = 0; i < in.len;) {
		const char *slash = memchr(in.ptr + i, '/', in.len - i);
		size_t n = slash ? (size_t)(slash - in.ptr) - i : in.len - i;
		struct span step = { in.ptr + i, n };

		i += n + 1;
		if (!n || span_eq(step, "."))
			continue;
		if (span_eq(step, "..")) {
			while (out->len && out->ptr[--out->len] != '/')
				;
			continue;
		}
		buf_byte(out, '/');
		buf_add(out, step.ptr, step.len);
	}
	if (!out->len)
		buf_byte(out, '/');
	out->ptr[out->len] = 0;
}

const char *path_place(const char *path)
{
	while (!strncmp(path, "/proc/", 6)) {
		const char *root = strchr(path + 6, '/');

		if (!root || strncmp(root, "/root", 5) || (root[5] && root[5] != '/'))
			break;
		path = root[5] ? root + 5 : "/";
	}
	return strncmp(path, "/var/run", 8) || (path[8] && path[8] != '/') ? path : path + 4;
}
