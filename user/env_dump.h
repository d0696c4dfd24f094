/* env_dump.h: does a program print its whole environment? Pure. */
#ifndef INVIGIL_ENV_DUMP_H
#define INVIGIL_ENV_DUMP_H

#include "process.h"

/* env or printenv without an operand, or a shell's command string with one, set, export -p and the like. */
bool process_dumps(const struct process *p);

#endif
