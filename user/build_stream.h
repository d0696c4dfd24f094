/* build_stream.h: what the classic builder says of its steps, as its answer comes. Pure. */
#ifndef INVIGIL_BUILD_STREAM_H
#define INVIGIL_BUILD_STREAM_H

#include <stdbool.h>
#include "buf.h"

/*
 * What a step prints stands in the same stream, and may look like the builder's own lines: of a step's
 * containers the first counts, of its images the last. A step that forges the beginning of another one
 * can still lie.
 */
struct build_stream {
	size_t at;            /* bytes of the body that were read */
	size_t looked;        /* bytes behind them that hold no line's end */
	struct buf parent;    /* what the next step stands on: FROM's name, or an image's id */
	struct buf image;     /* the one told last */
	struct buf container; /* the one told last, as long as its removal may be */
	bool own;             /* the step makes something: it is none of FROM, nor of the cache */
	bool runs;            /* its container was told */
	bool made;            /* parent is its image */
};

/* Ids are as the builder gives them: their first 12 digits. One of them is set. */
struct build_said {
	struct span container; /* in which a step will run */
	struct span removed;   /* that container */
	struct span image;     /* that a step made */
};

/* The next of them in the body of the answer, of which more may come. */
bool build_stream_next(struct build_stream *b, struct span body, struct build_said *out);
void build_stream_free(struct build_stream *b);

#endif
