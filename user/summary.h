/* summary.h: the human summary at the end of a run: at most 40 lines, 80 columns. Pure. */
#ifndef INVIGIL_SUMMARY_H
#define INVIGIL_SUMMARY_H

#include "alert.h"
#include "stream.h"

struct summary_input {
	const struct run *run;
	const struct alerts *alerts;
	const struct run_result *result;
	const char *const *gaps; /* sentences of what was not seen; n_gaps */
	unsigned n_gaps;
	const char *const *files; /* written files */
	unsigned n_files;
	bool colour;
	bool verbose;
};

void summary_write(const struct summary_input *in, struct buf *out);

#endif
