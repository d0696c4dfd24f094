/* request.h: what an unprivileged `invigil run` asks of the daemon. Pure. */
#ifndef INVIGIL_REQUEST_H
#define INVIGIL_REQUEST_H

#include <stdbool.h>
#include "option.h"

/*
 * The text is pairs "key NUL value NUL":
 *	cwd fail_on(severity's number) require_complete summary verbose colour
 *	markdown record: the caller writes them
 *	file: an output of the caller's, for the summary; at most three
 *	arg..., ci and the fields of the CI job: for the run's first record, as begin.h has them
 * What is given once may be left out; arguments come with their secrets replaced already.
 */
struct request {
	const char *cwd; /* in the text */
	int fail_on;     /* enum severity, -1: never */
	bool require_complete, summary, verbose, colour, markdown, record;
	const char *files[3];
	unsigned n_files;
	const struct ci_provider *ci;
	struct buf begin; /* the pairs for the first record */
};

/* Of an untrusted text. False: *why says what is wrong with it. The caller frees begin in both cases. */
bool request_read(struct span text, struct request *r, const char **why);
/* The other side. What does not fit into REQUEST_MAX of the arguments is left out, with an argument that says so. */
void request_make(const struct config *c, const char *cwd, bool colour, char *const *envp,
		  struct buf *out);

#endif
