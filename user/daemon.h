/* daemon.h: one run of the daemon. */
#ifndef INVIGIL_DAEMON_H
#define INVIGIL_DAEMON_H

#include <stdio.h>
#include "control.h"
#include "event.h"
#include "job.h"
#include "outputs.h"
#include "pipeline.h"
#include "setup.h"

struct job {
	uint32_t run; /* the ticket that began it */
	struct job_identity identity;
	struct pipeline *pipeline;
	struct setup *setup; /* it began under */
	struct outputs out;
	uint32_t root_pid;
	uint64_t root_start;     /* boot ns; 0: it has executed nothing yet */
	int status;              /* wait(2) status of its first process; -1 not ended */
	uint64_t checked;        /* boot ns: when its processes were last asked for */
	bool maybe_over;         /* a process ended since it was last looked at */
	unsigned not_asked;      /* programs that the attacher took no more of */
	struct config config;    /* the setup's, with what a caller may choose */
	uint64_t began;          /* boot ns */
	uint64_t root_ended;     /* boot ns, 0: its first process lives */
	int state;               /* its file; negative: none */
	uint64_t lost[EV_TYPES]; /* as told, and before it began */
	uint64_t told;           /* lines, as its file has it */
	bool late;               /* a program had started when its probes were attached: said */
	bool asked;              /* by a caller: it ends with its first process */
	/* Of a caller's: */
	struct caller *caller; /* NULL: it left */
	bool let_go;           /* it was told that COMMAND may begin */
	bool summary, verbose, colour, markdown;
	FILE *recording; /* its bytes go to the caller; NULL: none is asked for */
	char *files[3];
	unsigned n_files;
};

#endif
