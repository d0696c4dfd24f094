/* witness.h: tells a signal that was sent to the whole process group from one that is for us alone. */
#ifndef INVIGIL_WITNESS_H
#define INVIGIL_WITNESS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * A process in our group that only holds signals. Make it before COMMAND: the kernel serves a
 * group from its youngest member to its oldest, so what we get by the group it has already.
 */
pid_t witness_start(void); /* with the signals blocked that are asked for; -1: none */
/* Was sig, which we just got, sent to the group? Takes a new witness when it was. */
bool witness_saw(pid_t *witness, int sig);
void witness_end(pid_t witness);

#endif
