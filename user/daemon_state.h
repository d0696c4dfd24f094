/* daemon_state.h: what the files of the daemon share: its state, and what one calls of another. */
#ifndef INVIGIL_DAEMON_STATE_H
#define INVIGIL_DAEMON_STATE_H

#include "attacher.h"
#include "build_table.h"
#include "daemon.h"
#include "found.h"
#include "metrics.h"
#include "scan.h"
#include "scrape.h"
#include "state.h"
#include "status.h"

#define CHECK_NS 5000000000ull /* how often it is asked whether a run's processes still live */
#define RUNS_MAX 256

struct ticket {
	uint32_t id;
	struct job *job;
};

extern struct daemon {
	struct setup *setup; /* in force for runs that begin */
	struct loader *loader;
	struct attacher attacher; /* while a run is active */
	unsigned attachers;       /* that were started */
	uint64_t attacher_due;    /* boot ns: another one is to be started; 0: none is */
	uint64_t attacher_ready;  /* boot ns: what it attaches unasked was heard to be attached */
	uint64_t attached;        /* boot ns: what costs something; 0: it is not */
	struct job *jobs[RUNS_MAX];
	unsigned n_jobs;
	struct ticket *tickets;
	unsigned n_tickets;
	struct coming { /* lineages whose exec comes next */
		uint32_t run;
		struct lineage lineage;
	} coming[16];
	unsigned n_coming;
	struct scan *scan; /* while what was there before is looked at */
	struct found_task *found;
	unsigned n_found;
	struct lineage before; /* of the next of them */
	bool taken_in;         /* since memberships were last made */
	struct state *states;  /* what another daemon left behind */
	unsigned n_states;
	uint64_t key[2];         /* of identities */
	uint64_t lost[EV_TYPES]; /* before any record that was not taken yet */
	uint64_t began, records, ended_runs, refused_runs;
	struct totals_then { /* one each ten seconds, the oldest first */
		uint64_t time;
		struct status_totals totals;
	} then[7];
	unsigned n_then;
	unsigned skipped; /* processes from before that did not answer */
	struct control *control;
	struct scrape *scrape;
	struct metrics totals; /* of runs that ended, and of the daemon itself */
	bool stop, leave;      /* leave: what is active is not ended with it */
} d;                           /* one a process */

/* daemon_job.c */
struct job *job_of(uint32_t ticket); /* NULL: of none */
uint32_t ticket_new(void);           /* for a run that no program began */
void ticket_add(uint32_t id, struct job *job);
void ticket_drop(uint32_t id); /* what has it is of no run */
char *user_name(uint32_t uid); /* its number when it has none; the caller frees it */
/* A run with its outputs open, that nobody knows of yet. time: boot ns. NULL after printing why. */
struct job *job_new(uint32_t run, const char *id, uint64_t time, pid_t root_pid);
/* The first record, body and tail: to the pipeline, and where the next daemon finds it. */
void job_first(struct job *job, const struct buf *begin, uint64_t root_start);
/* Its first record is there: what it does is watched from here on. */
void job_watch(struct job *job);
/* All of it, by the program that begins it. NULL after printing why. */
struct job *job_begin(const struct record *exec, const struct job_identity *identity,
		      char *const *envp);
void on_gap(void *job, const char *hook, const char *reason, const char *effect, bool required);
/* As pipeline_live.container. */
void on_container(void *job, const char id[EV_CONTAINER_LEN], uint64_t time);
void on_shared(void *ctx, uint32_t run); /* a build_shared_fn */
void job_flush(struct job *job);
void job_count(const struct job *job, struct metrics *m); /* adds */
void job_end(struct job *job);                            /* frees it */
void job_free(struct job *job); /* one that nobody watches (yet, or any more) */
/* The first loss of each type while the run was active: nobody knows whose records they were. */
void first_losses_tell(struct job *job);
/* What is lost by now, was lost before a run that begins with a record to come. */
void losses_before(void);
void jobs_check(void); /* ends those that are over */
void jobs_leave(void); /* for the next daemon: all that is known is written */

/* daemon_record.c */
void on_record(void *ctx, void *bytes, size_t n); /* a loader_fn */

/* daemon_caller.c: see control.h */
const char *on_caller_run(struct caller *c, struct span text, int pidfd);
void on_caller_end(struct caller *c, int status);
void on_caller_gone(struct caller *c);
void callers_let_go(void);
void caller_close(struct job *job); /* tells who asked for the run how it ended */

/* daemon_found.c */
bool found_begin(void);
void found_hear(void);
/* The run that a process is of by what another daemon left behind, taken up; NULL: none. */
struct job *state_take(const struct record *r, const struct job_identity *identity, bool named,
		       const struct lineage *l);

/* daemon_probes.c */
/* What costs something is attached, unless it is already: what a run does until then is not seen. */
bool probes_begin(void);
/* What a run that begins now does not see for want of them. */
void probes_gaps(struct job *job);
/* A program was executed: are there functions in it that read the environment? */
void probes_ask(struct job *job, const struct ev_hdr *exec);
/* What the attacher has said up to now. */
void probes_words(void);
/* That, and whether it gets on. */
void probes_hear(void);
void probes_known(struct job *job);
/* No run is active. */
void probes_end(void);

/* daemon_status.c */
/* Root is told of every run, everybody else of their own. */
void status_write(uid_t uid, bool json, struct buf *out);
void rates_look(uint64_t now); /* boot ns; now and then */
void metrics_make(struct buf *out);

#endif
