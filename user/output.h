/* output.h: the event stream's file: safe creation as root, whole lines only. */
#ifndef INVIGIL_OUTPUT_H
#define INVIGIL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "buf.h"

struct output {
	int fd;
	struct buf pending;
	off_t whole; /* bytes of whole lines in the file */
	bool regular;
	int error; /* first -errno */
};

/*
 * "-" is standard output. A regular file is replaced, never followed through a link, created with the
 * rights of uid and then given to root:gid, mode. 0 or -errno; *why says more.
 */
int output_open(struct output *o, const char *path, uid_t uid, gid_t gid, mode_t mode,
		const char **why);
int output_line(void *output, const char *line, size_t len); /* a stream_sink */
int output_flush(struct output *o);                          /* 0 or the first -errno */
void output_close(struct output *o);

#endif
