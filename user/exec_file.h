/* exec_file.h: the files that a process which waits in execve or mmap is about to map. */
#ifndef INVIGIL_EXEC_FILE_H
#define INVIGIL_EXEC_FILE_H

#include "guardian.h"

/* fn: fd is a regular file, open for reading; closed afterwards. May block on a file or page that the caller serves. */
void exec_files(const struct gate_call *call, void (*fn)(void *ctx, int fd), void *ctx);

/*
 * Takes path_fd, opened with O_PATH, and gives one for reading, or -1 when it is no regular file:
 * root must open no device or pipe because the run names it.
 */
int regular_open(int path_fd);

#endif
