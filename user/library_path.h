/* library_path.h: where the dynamic linker would find a library, for a program in any root. */
#ifndef INVIGIL_LIBRARY_PATH_H
#define INVIGIL_LIBRARY_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct library_search {
	pid_t pid;                /* in whose root; 0 ours */
	int root;                 /* its root_open(), or -1 */
	const char *dir;          /* of the file that needs it, inside that root; NULL not known */
	const char *run_path;     /* that file's; NULL none */
	const char *library_path; /* LD_LIBRARY_PATH; NULL none */
	bool library_path_only;
};

/* path_fd: opened with O_PATH; to be closed. */
typedef void library_fn(void *ctx, int path_fd);
/*
 * Calls fn with where it is. Twice, when a run path and LD_LIBRARY_PATH both have it: which one wins
 * depends on how the file was linked, and a probe too many does no harm.
 */
void library_find(const struct library_search *s, const char *name, library_fn *fn, void *ctx);
/* The usual directories, NULL ended. */
extern const char *const library_dirs[];
/* False: too long for a path. */
bool path_make(char out[PATH_MAX], const char *fmt, ...);

#endif
