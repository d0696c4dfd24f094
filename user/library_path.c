/* library_path.c: looks for a library where the dynamic linker does: LD_LIBRARY_PATH, run path, usual directories. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "exec_file.h"
#include "library_path.h"

const char *const library_dirs[] = { "/lib/x86_64-linux-gnu",
				     "/usr/lib/x86_64-linux-gnu",
				     "/lib/aarch64-linux-gnu",
				     "/usr/lib/aarch64-linux-gnu",
				     "/lib64",
				     "/usr/lib64",
				     "/usr/local/lib",
				     "/lib",
				     "/usr/lib",
				     NULL };

bool path_make(char out[PATH_MAX], const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, PATH_MAX, fmt, ap);
	va_end(ap);
	return n < PATH_MAX;
}

static int found(const struct library_search *s, const char *path)
{
	return s->pid ? path_open(s->pid, s->root, AT_FDCWD, path) : open(path, O_PATH | O_CLOEXEC);
}

/* The first of a list of directories that has it, or -1. */
static int list_find(const struct library_search *s, const char *list, const char *name)
{
	static const char *const origins[] = { "$ORIGIN", "${ORIGIN}" };

	for (const char *p = list; p && *p;) {
		int n = strcspn(p, ":;"), skip = 0, fd;
		char path[PATH_MAX];

		for (unsigned i = 0; i < 2 && s->dir; i++)
			if (!strncmp(p, origins[i], strlen(origins[i])))
				skip = strlen(origins[i]);
		/* What is relative is so to a directory that we do not know. */
		if (n && (skip || *p == '/') &&
		    path_make(path, "%s%.*s/%s", skip ? s->dir : "", n - skip, p + skip, name) &&
		    (fd = found(s, path)) >= 0)
			return fd;
		p += n + (p[n] != 0);
	}
	return -1;
}

/* With a slash it is a path. */
static int path_find(const struct library_search *s, const char *name)
{
	char path[PATH_MAX];

	if (*name == '/')
		return found(s, name);
	return s->dir && path_make(path, "%s/%s", s->dir, name) ? found(s, path) : -1;
}

static int usual_find(const struct library_search *s, const char *name)
{
	char path[PATH_MAX];
	int fd = -1;

	for (const char *const *d = library_dirs; *d && fd < 0; d++)
		if (path_make(path, "%s/%s", *d, name))
			fd = found(s, path);
	return fd;
}

void library_find(const struct library_search *s, const char *name, library_fn *fn, void *ctx)
{
	bool path = strchr(name, '/');
	int by_path = path ? -1 : list_find(s, s->library_path, name), fd = -1;

	if (by_path >= 0)
		fn(ctx, by_path);
	if (s->library_path_only)
		return;
	fd = path ? path_find(s, name) : list_find(s, s->run_path, name);
	if (fd < 0 && !path && by_path < 0)
		fd = usual_find(s, name);
	if (fd >= 0)
		fn(ctx, fd);
}
