/* decoder.h: commands that turn encoded data into bytes: base64 -d, xxd -r, openssl enc -d, echo -e and their kin; and those that copy. Pure. */
#ifndef INVIGIL_DECODER_H
#define INVIGIL_DECODER_H

#include "shell.h"

/* escapes: how many stand in the pipeline so far; echo and printf decode only what has some. */
bool decoder_command(const struct shell_command *c, size_t escapes);
/* The same of a process, by its arguments. */
bool decoder_process(const struct process *p);
/* Does it write what it reads from the files it is given: cp, cat, tar, sed, gunzip and their kin? */
bool copier_command(const struct shell_command *c);
/* Word i as a file that it may read; empty: it is none. */
struct span copier_operand(const struct shell_command *c, unsigned i);
/* Is word i of the command, without quotes and directories, one of the n names? */
bool decoder_word_in(const struct shell_command *c, unsigned i, const char *const *names, size_t n);

#endif
