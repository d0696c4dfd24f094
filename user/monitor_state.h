/* monitor_state.h: what the files behind monitor.h share. */
#ifndef INVIGIL_MONITOR_STATE_H
#define INVIGIL_MONITOR_STATE_H

#include "attacher.h"
#include "event.h"
#include "loader.h"
#include "monitor.h"
#include "pipeline.h"
#include "run_files.h"

#define RUN_ID 1u /* one run at a time in `run` */

/* A failed exec that the attacher told of. */
struct failure {
	struct ev_hdr h;
	struct ev_attempt e;
	char *text;
};

struct monitor {
	const struct config *config;
	const struct account *account;
	int front;
	int guardian; /* its words; -1: gone */
	struct attacher attacher;
	struct failure *failures;
	unsigned n_failures;
	unsigned attachers; /* that were started, one after another died */
	char *path;         /* PATH, as the run has it; our own variables are wiped */
	bool no_color;
	bool gated;      /* programs are held until the attacher has seen them */
	unsigned let_go; /* by the guardian, without an answer */
	struct loader *loader;
	struct pipeline *pipeline;
	struct run_files files;
	struct config each_whole; /* the pipeline's: each output reduces what it gets */
	char id[37];              /* of the run */
	pid_t command;
	uint64_t command_start; /* boot ns; 0: it has executed nothing yet */
	int status;
	uint64_t lost[EV_TYPES]; /* that were told */
	uint64_t end_time;       /* boot ns at which COMMAND ended */
	uint64_t records;        /* of the ring */
	bool heard;              /* all that the attacher said before this drain */
	bool ended, front_gone;
};

void gap_record(void *ctx, const char *hook, const char *reason, const char *effect, bool required);
void monitor_record(struct monitor *m, unsigned type, const void *body, size_t n, const void *tail,
		    size_t tail_len);

/* monitor_peers.c */
/* Returns when the attacher has attached what is known beforehand; calls: its end of a socket to the guardian. */
bool monitor_probes_start(struct monitor *m, int calls);
/* False: nothing more now. */
bool monitor_probes_hear(struct monitor *m);
/* Replaces an attacher that does not get on: on a file that the run serves it may wait for ever. */
void monitor_probes_look(struct monitor *m);
/* Failed execs that the attacher told, of before that time. */
void failures_take(struct monitor *m, uint64_t time);
void guardian_hear(struct monitor *m);
/* Waits for the guardian's first word. Why there is no gate, or NULL. */
const char *gate_state(struct monitor *m);
void gate_gap(struct monitor *m, const char *reason);
/* At the end of the run. */
void gate_close(struct monitor *m);

#endif
