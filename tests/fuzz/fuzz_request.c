/* fuzz_request.c: any request of a caller, and what is taken of it as the first record of a run. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "begin.h"
#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	char *text = malloc(n);
	struct request r;
	const char *why = NULL;

	if (n && !text)
		abort();
	memcpy(text, in, n);
	if (request_read((struct span){ text, n }, &r, &why)) {
		struct run run = { 0 };

		/* What was taken is a part of a first record that adds nothing but its command and job. */
		if (begin_read((struct span){ r.begin.ptr, r.begin.len }, &run) || run.id[0] ||
		    run.user || run.uid || run.root_pid || run.own || run.users)
			abort();
		run_free(&run);
	} else if (!why) {
		abort();
	}
	buf_free(&r.begin);
	free(text);
	return 0;
}
