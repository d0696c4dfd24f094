/* exec_file.h: the files that a process which waits in execve or mmap is about to map. */
#ifndef INVIGIL_EXEC_FILE_H
#define INVIGIL_EXEC_FILE_H

#include "env_attach.h"
#include "guardian.h"
#include "interpreter.h"

#define EXEC_ATTEMPT_ARGS 4096u

/* A call that will fail, as far as its file tells. */
struct exec_attempt {
	pid_t pid;       /* of the process */
	size_t file_len; /* with the NUL */
	size_t args_len;
	bool cut;                     /* there were more arguments, or longer ones */
	char file[4096];              /* as asked (PATH_MAX) */
	char args[EXEC_ATTEMPT_ARGS]; /* NUL separated */
};
/* exec_attempt.c: false: the caller is gone, or it has no path. */
bool exec_attempt_read(const struct gate_call *call, struct exec_attempt *out);
/* errno that the kernel is expected to answer with for this file; 0: none. */
int exec_refused(pid_t tid, const struct env_file *file);

/*
 * path_fd: the file, opened with O_PATH, which fn closes; -1 with EACCES in errno: it is out of reach. place: as its program will run. next: gets the path
 * of the interpreter that the file asks for; false: it asks for none. May block on a file or page that
 * the caller serves.
 */
typedef bool exec_file_fn(void *ctx, int path_fd, const struct env_place *place,
			  char next[INTERPRETER_MAX]);
/* errno for which one of them cannot be opened; 0: all can, or it is not known. */
int exec_files(const struct gate_call *call, exec_file_fn *fn, void *ctx);

/* The root directory of that thread, with O_PATH, or -1. */
int root_open(pid_t tid);
/*
 * A path as that thread would open it, with O_PATH, dir as for openat; -1: it cannot. Nothing but names
 * is touched: no driver, no server of the file itself. root: its root_open(), or -1 to open it for this call.
 */
int path_open(pid_t tid, int root, int dir, const char *path);
/*
 * path_fd, opened with O_PATH, for reading; -1 when it is no regular file: root must open no device or
 * pipe because the run names it. path_fd stays open.
 */
int regular_open(int path_fd);

#endif
