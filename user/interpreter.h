/* interpreter.h: which interpreter the first bytes of a file ask for. Pure. */
#ifndef INVIGIL_INTERPRETER_H
#define INVIGIL_INTERPRETER_H

#include <stdbool.h>
#include "buf.h"

#define INTERPRETER_HEAD 4096u /* bytes of the file that are looked at */
#define INTERPRETER_MAX  256u  /* BINPRM_BUF_SIZE: the kernel reads no longer #! line */

/*
 * The program of a #! line, or PT_INTERP of an ELF file. out gets the NUL ended path, INTERPRETER_MAX
 * bytes. False: none.
 */
bool interpreter_of(struct span head, char *out);

#endif
