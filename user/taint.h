/* taint.h: variables and files of a command string, and where their bytes come from. Pure; bounded. */
#ifndef INVIGIL_TAINT_H
#define INVIGIL_TAINT_H

#include <stdbool.h>
#include "buf.h"

#define TAINTS    16  /* that are followed at once; the oldest is forgotten */
#define TAINT_MAX 256 /* bytes of a name */

#define UNTOLD                                                                                     \
	0x100 /* beside enum origin: made by the shell itself, or by way of a pipe with a name */

struct taint {
	unsigned origins; /* enum origin, UNTOLD */
	bool fifo;
	char name[TAINT_MAX]; /* "=NAME" of a variable, or a path without quotes */
};

struct taints {
	struct taint at[TAINTS];
	unsigned n;
};

/* Words as a shell has them, quotes and all. 0 origins: it carries none any more. */
void taint_file(struct taints *t, struct span word, unsigned origins);
/* What is written to this file is read by whoever waits for it. */
void taint_fifo(struct taints *t, struct span word);
unsigned taint_of_file(const struct taints *t, struct span word);
void taint_variable(struct taints *t, struct span name, unsigned origins);
unsigned taint_of_variable(const struct taints *t, struct span name);
/* Bytes of a variable's name at the beginning of s. */
size_t variable_length(struct span s);

#endif
