/* outputs.h: all files that the stream of a run goes to. */
#ifndef INVIGIL_OUTPUTS_H
#define INVIGIL_OUTPUTS_H

#include "option.h"
#include "output.h"

struct output_to {
	struct output *output;
	bool shared;       /* with other runs; somebody else closes it */
	bool alerts_only;  /* it gets a reduced stream */
	uint64_t sequence; /* of that */
	uint64_t dropped;  /* lines the file had lost before */
};

struct outputs {
	struct output_to *to;
	unsigned n;
	int error; /* first -errno of any of them */
};

/* Of a path that holds {run} each run has a file of its own. */
bool output_is_shared(const char *path);
/* The path with the run's id for {run}; the caller frees it. */
char *output_path(const char *path, const char *run);
void outputs_add(struct outputs *s, struct output *o, bool shared, bool alerts_only);
int outputs_line(void *outputs, const char *line,
		 size_t len);         /* a stream_sink; of the full stream */
int outputs_flush(struct outputs *s); /* 0 or the first -errno */
void outputs_close(struct outputs *s);

#endif
