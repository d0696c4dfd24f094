/* shell_flow.h: command strings in which a download or decoded data becomes an interpreter's program. Pure. */
#ifndef INVIGIL_SHELL_FLOW_H
#define INVIGIL_SHELL_FLOW_H

#include "shell.h"

struct shell_flow {
	unsigned origins; /* enum origin */
	bool substituted; /* by $( ), ` ` or <( ): bash -c "$(curl ...)"; otherwise by a pipe */
	bool builtin;     /* the decoder is echo or printf, of which no exec may tell */
	struct span text; /* from the source to the interpreter */
};

typedef void shell_flow_fn(void *ctx, const struct shell_flow *flow);

void shell_flows(struct span string, shell_flow_fn *fn, void *ctx);

#endif
