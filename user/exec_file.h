/* exec_file.h: the files that a process which waits in execve or mmap is about to map. */
#ifndef INVIGIL_EXEC_FILE_H
#define INVIGIL_EXEC_FILE_H

#include "env_attach.h"
#include "guardian.h"

/*
 * fn: fd is a regular file, open for reading; closed afterwards; place: as its program will run. May
 * block on a file or page that the caller serves.
 */
typedef void exec_file_fn(void *ctx, int fd, const struct env_place *place);
void exec_files(const struct gate_call *call, exec_file_fn *fn, void *ctx);

/*
 * A path as that thread would open it, with O_PATH, dir as for openat; -1: it cannot. Nothing but names
 * is touched: no driver, no server of the file itself.
 */
int path_open(pid_t tid, int dir, const char *path);
/*
 * Takes path_fd, opened with O_PATH, and gives one for reading, or -1 when it is no regular file:
 * root must open no device or pipe because the run names it.
 */
int regular_open(int path_fd);

#endif
