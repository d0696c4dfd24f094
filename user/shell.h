/* shell.h: reads a shell command string into simple commands, enough to judge it; runs nothing.
 * Pure. */
#ifndef INVIGIL_SHELL_H
#define INVIGIL_SHELL_H

#include <stdbool.h>
#include "process.h"

#define SHELL_WORDS 64 /* of one command; more are left out */
#define SHELL_SETS  8  /* assignments in front of one command, or alone */
#define SHELL_DEPTH 8  /* nested substitutions; deeper ones are left out */

enum shell_before {              /* what stands in front of a command */
		    SHELL_FIRST, /* nothing, ; newline & or a parenthesis */
		    SHELL_PIPE,
		    SHELL_CHAIN, /* && || */
};

/* Words are as written, quotes and all. Assignments in front and reserved words are not among them. */
struct shell_command {
	enum shell_before before;
	struct span text; /* the whole command */
	struct span word[SHELL_WORDS];
	unsigned words;
	struct span set[SHELL_SETS]; /* NAME=value; a command of these alone has no words */
	unsigned sets;
	struct span out;  /* target of the last > or >>; empty: none */
	struct span in;   /* source of the last < */
	struct span here; /* word behind the last <<< */
	unsigned depth;   /* of substitution */
};

typedef void shell_fn(void *ctx, const struct shell_command *c);

/* Calls fn for each simple command; those of $( ) and ` ` before the one that holds them. */
void shell_walk(struct span s, shell_fn *fn, void *ctx);
/* The word without quotes and backslashes, cut at max - 1 bytes and NUL ended; returns its length.
 */
size_t shell_unquote(struct span word, char *to, size_t max);
bool shell_word_is(struct span word, const char *text);

/* The command that a process was made by: its arguments, and for busybox those of the applet. */
void shell_command_of(const struct process *p, struct shell_command *c);
/*
 * The string behind -c of a shell's arguments (also -ec, -lc, and behind options with operands);
 * empty: there is none.
 */
struct span shell_command_string(const struct process *p);

#endif
