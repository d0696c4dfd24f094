/* shell_flow.h: command strings in which a download or decoded data becomes a program. Pure. */
#ifndef INVIGIL_SHELL_FLOW_H
#define INVIGIL_SHELL_FLOW_H

#include "shell.h"

enum flow_way {
	FLOW_PIPE,     /* an interpreter's standard input */
	FLOW_WORDS,    /* a command's words or here-string: by substitution or variable */
	FLOW_MODE,     /* a file that is made executable */
	FLOW_EXECUTED, /* a file that is executed */
	FLOW_SOURCED,  /* a file that the shell itself reads: . FILE */
};

struct shell_flow {
	unsigned origins; /* enum origin */
	enum flow_way way;
	bool told;        /* on the host the processes and files of the run tell of it, too */
	struct span text; /* from the source to the interpreter */
	struct span file; /* the word that names it; empty: none does */
};

typedef void shell_flow_fn(void *ctx, const struct shell_flow *flow);

void shell_flows(struct span string, shell_flow_fn *fn, void *ctx);

#endif
