/* attacher.h: the monitor's helper that opens what the run executes and attaches probes there. */
#ifndef INVIGIL_ATTACHER_H
#define INVIGIL_ATTACHER_H

#include <stdint.h>
#include <sys/types.h>

struct loader;

/* From the monitor: a program was executed. */
struct attacher_call {
	uint64_t start; /* of the process; it comes back */
	pid_t pid;
	uint32_t pad;
};

/* To the monitor. */
struct attacher_word {
	enum { ATTACHER_READY, ATTACHER_LATE, ATTACHER_TROUBLE } say;
	pid_t pid; /* LATE: it had started when its probes were attached */
	uint64_t start;
	char why[64]; /* TROUBLE: a probe was not attached */
};

/*
 * Body of the process, which owns all probes in files. monitor: words go out; a call comes in for each
 * program that was executed. guardian: struct gate_call comes in, its id goes back; -1 none.
 */
void attacher_main(struct loader *l, const char *path_variable, int monitor, int guardian);

#endif
