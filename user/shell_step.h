/* shell_step.h: what the files behind shell_flow.h share: one command of a string, and what flows into it. */
#ifndef INVIGIL_SHELL_STEP_H
#define INVIGIL_SHELL_STEP_H

#include "decoder.h"
#include "shell_flow.h"
#include "taint.h"

struct level {
	unsigned origins; /* of what flows in this pipeline */
	unsigned below;   /* of what substitutions give to the command to come */
	size_t escapes;
	const char *from; /* where the source stands */
};

struct follow {
	shell_flow_fn *fn;
	void *ctx;
	struct level level[SHELL_DEPTH + 1];
	struct taints taints;
	unsigned fds; /* of what exec opened: exec 3< <(curl ...) */
};

/* One command, and what is known of the bytes around it. */
struct step {
	struct follow *f;
	struct level *l;
	const struct shell_command *c;
	unsigned interpreter; /* index of its word, behind sudo, env and their kin; or c->words */
	unsigned piped;       /* origins on its standard input: from a pipe, ... */
	unsigned given;       /* ... from a here-string or < <( ), ... */
	unsigned filed;       /* ... from a file */
};

#define WORD_IN(c, i, ...)                                                                         \
	decoder_word_in(c, i, (const char *const[]){ __VA_ARGS__ },                                \
			ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })))

bool step_is_option(struct span w);

/* ---- shell_origin.c: enum origin, UNTOLD ---- */

/* Of what the shell puts into this word. */
unsigned step_word(struct step *x, struct span w);
/* The same, only of what stands where a command begins: not of "make V=$VERSION". */
unsigned step_program(struct step *x, struct span w);
/* A first word that is nothing else: $x, "${x}", $(...), $'\x69\x64'; not $DIR/program. */
unsigned step_command(struct step *x, struct span w);
/* NAME=value, as an assignment or a word of export and its kin. */
void step_assign(struct step *x, struct span word);

/* ---- shell_program.c ---- */

/* Index of the interpreter of this command, behind sudo, env and their options; or words. */
unsigned step_interpreter(const struct shell_command *c);
bool step_is_source(const struct shell_command *c);
/* Does the command read its program from standard input? */
bool step_reads_input(const struct step *x);
/* Of what it takes among its words as a program: the first word itself, eval, sh -c, . <( ). */
unsigned step_words_run(struct step *x);
/* The operand of chmod and install that is made executable; empty: none is of a source. */
struct span step_made_executable(struct step *x);
/* The file that it executes, if that is of a source. */
struct span step_executed(struct step *x, enum flow_way *way);

#endif
