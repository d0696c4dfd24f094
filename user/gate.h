/* gate.h: the seccomp filter that holds execve (and mmap of code) until its listener lets the call go. */
#ifndef INVIGIL_GATE_H
#define INVIGIL_GATE_H

#include <stdbool.h>

enum gate { GATE_OFF, GATE_EXEC, GATE_MMAP };

/*
 * Puts the calling thread and all it will ever make under the filter. Returns the listener (CLOEXEC) or
 * -errno. *killable: a call that the listener has taken is interrupted by fatal signals only.
 */
int gate_install(enum gate g, bool *killable);
/* In a process of its own: 0 or -errno. */
int gate_try(bool want_killable);

#endif
