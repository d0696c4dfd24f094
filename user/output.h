/* output.h: the event stream's file: safe creation as root, whole lines only. */
#ifndef INVIGIL_OUTPUT_H
#define INVIGIL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "buf.h"

/* When a file makes room for a new one: PATH becomes PATH.1, that PATH.2, up to PATH.keep. */
struct rotation {
	uint64_t size; /* it would grow beyond; 0: never */
	unsigned
		every; /* s, counted from 1970: its last line is of an earlier such time; 0: never */
	unsigned keep;
};

/* Lines of an output: seen = delivered + dropped + waiting. */
struct line_counts {
	uint64_t seen;      /* were to be written */
	uint64_t delivered; /* were taken whole by the file */
	uint64_t dropped;   /* were not */
	uint64_t waiting;   /* for the next write */
};

struct output {
	int fd;
	struct buf pending;
	off_t whole; /* bytes of whole lines in the file */
	bool regular;
	int error; /* first -errno */
	/* Of one that is appended to: it goes on after an error. */
	bool appends;
	char *path;
	gid_t gid;
	struct rotation rotation;
	uint64_t slot; /* of rotation.every: that of the last line */
	struct line_counts lines;
};

/*
 * "-" is standard output. A regular file is replaced, never followed through a link, created with the
 * rights of uid and then given to root:gid, mode. 0 or -errno; *why says more.
 */
int output_open(struct output *o, const char *path, uid_t uid, gid_t gid, mode_t mode,
		const char **why);
/*
 * "-" is standard output. Appends to a file that may be there from before, root:gid 0640, which no other invigil writes to; the rest
 * of a line that was never finished is cut off. 0 or -errno.
 */
int output_append(struct output *o, const char *path, gid_t gid, const struct rotation *r,
		  const char **why);
/* Somebody may have moved it: goes on in the file that is called so now, or says why it cannot. */
void output_reopen(struct output *o);
int output_line(void *output, const char *line, size_t len); /* a stream_sink */
/* What has become of the lines. */
struct line_counts output_lines(const struct output *o);
void lines_add(struct line_counts *to, struct line_counts l);
/* 0 or -errno: the first one, or of one that is appended to that of now. */
int output_flush(struct output *o);
void output_close(struct output *o);

/* Why the file at path is not the whole of what was written to o, `size` bytes; NULL: it is. */
const char *output_harm(const struct output *o, const char *path, uint64_t size);

#endif
