/* guardian.h: the process that alone holds the listener of the gate, and how it is asked and told. */
#ifndef INVIGIL_GUARDIAN_H
#define INVIGIL_GUARDIAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "gate.h"

/* To the attacher: a call waits. The attacher sends the id back when probes are in place. */
struct gate_call {
	uint64_t id;
	uint64_t args[6];
	int32_t nr;
	pid_t tid;
};

/* To the monitor. */
struct guardian_word {
	enum { GUARDIAN_STATE, GUARDIAN_LATE, GUARDIAN_DONE } say;
	int err;   /* STATE: 0 or the -errno for which there is no gate */
	pid_t pid; /* STATE: the guardian; LATE: whose call was let go without an answer */
	/* DONE: nobody is left to be held */
	bool killable; /* STATE */
};

/*
 * Starts it, as no child of the caller. monitor, attacher: its ends of the sockets to them, left open
 * here. Returns the socket for guardian_give, or -errno.
 */
int guardian_start(int monitor, int attacher);
/* To the guardian at the other end of monitor: another attacher answers from now on. 0 or -errno. */
int guardian_attacher(int monitor, int attacher);
/* In the process that will be COMMAND: installs the filter and gives the listener away; closes hand. */
void guardian_give(int hand, enum gate g);

#endif
