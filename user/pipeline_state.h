/* pipeline_state.h: what the files behind pipeline.h share: the state of one run, and how facts leave it. */
#ifndef INVIGIL_PIPELINE_STATE_H
#define INVIGIL_PIPELINE_STATE_H

#include <stdio.h>
#include "dialogue.h"
#include "file_table.h"
#include "held.h"
#include "leak.h"
#include "pipeline.h"
#include "process_table.h"
#include "record.h"
#include "source.h"

struct socket_file {
	uint64_t ino;
	uint32_t dev;
	char path[EV_SUN_MAX + 1]; /* as it was bound */
};

/* Whose request, begun when, was sent by which line. */
struct sent {
	uint32_t pid;
	uint64_t start, time;
	struct source *source;
};

/* A secret that was written into a pipe: whoever comes to read it may send it away. */
struct pipe_leak {
	uint64_t ino;
	uint32_t dev, secret;
};

/* Secrets in what was sent on a connection: told after the bytes themselves. */
struct found {
	struct ev_hdr h;
	struct ev_leak e;
	uint16_t secret[16];
	unsigned n;
};

/* A stack whose record comes later from that thread. */
struct waiting {
	uint64_t time;
	uint32_t tid;
	struct source *source;
};

/* An engine behind a program's standard input and output. */
struct stdio_link {
	uint64_t in, out; /* pipes */
	uint32_t dev;
};

/* Files that are to be hashed: asked[told..n) wait, as a ring. */
struct hashes {
	struct {
		uint64_t ino;
		uint32_t dev;
	} seen[1024];
	unsigned n_seen;
	struct hash_asked asked[64];
	unsigned n, told;
	unsigned dropped; /* wishes for which there was no room */
};

/* Shared objects that Pythons of the run loaded, and who waits to hear what each is (take_module.c). */
struct modules {
	struct module {
		uint64_t ino;
		uint32_t dev;
		enum { MODULE_ASKED, MODULE_OTHER, MODULE_UNKNOWN, MODULE_CYTHON } is;
	} known[256];
	unsigned n;
	/* The last, as a ring. */
	struct {
		const struct module *module; /* NULL: nobody waits here */
		struct process *process;     /* held */
	} waits[64];
	unsigned n_waits;
};

/* Paths of start-up variables: asked[told..n) wait, as a ring; known: "VARIABLE=path", the last. */
struct startups {
	struct startup_asked asked[16];
	unsigned n, told, n_known;
	unsigned dropped;
	char *known[64];
};

/* What the name of a variable alone says of a read of it (take_env.c). */
struct env_said {
	char name[56]; /* not NUL ended; longer ones are few */
	uint16_t len;
	uint16_t mechanism; /* enum ev_env_mechanism */
	bool sensitive, startup, librarys, usual;
};

struct pipeline {
	const struct config *config;
	struct run run;
	struct stream stream;
	struct alerts alerts;
	struct report report;
	struct process_table *table;
	struct plumbing *plumbing;
	struct provenance *provenance;
	struct leaks *leaks; /* live only */
	struct pipe_leak pipe_leaks[64];
	unsigned n_pipe_leaks;
	struct ledger *ledger;
	unsigned ledger_known; /* masker.learned when its names were masked last */
	struct dialogue *dialogue;
	FILE *recording;
	struct held *held; /* records on their way into it */
	struct buf raw;    /* the tail of the record at hand, before it was scrubbed */
	bool record_own;   /* pipeline_record_own() */
	uid_t record_uid;
	uint64_t unrecorded;
	int recording_error;
	bool begun, finished, replay;
	struct secret *recorded; /* rows as they stand in the recording */
	unsigned n_recorded;
	struct {
		uint64_t start;
		uint32_t pid;
	} ended[256]; /* the last processes that ended */
	unsigned n_ended;
	uint64_t now;                /* boot ns of the record at hand */
	void *links;                 /* tsearch tree of struct link */
	struct stdio_link stdio[64]; /* the last */
	unsigned n_stdio;
	struct source_codes *codes;
	struct waiting waiting[64]; /* the last */
	unsigned n_waiting;
	struct sent sent[256]; /* of the last requests */
	unsigned n_sent;
	void *containers; /* tsearch tree: container to what asked for it (take_source.c) */
	uint64_t
		stranger; /* when a container that nobody told executed something during a build; boot ns */
	struct file_table files;
	struct file_last last_file;
	struct link_asked link;
	struct hashes hashes;
	struct modules modules;
	struct startups startups;
	struct socket_file engines[256];
	unsigned n_engines;
	struct unseen *unseen; /* files whose programs read unseen, sorted by nothing */
	unsigned n_unseen;
	unsigned walks;                 /* processes with reads that wait */
	struct env_said env_said[1024]; /* of the last names, by their hash */
	char **gaps;
	unsigned n_gaps;
	struct span *left;
	unsigned n_left;
	bool tripped;
	struct pipeline_live live;
};

/* Unix ns of a boot time. */
static inline uint64_t wall(const struct pipeline *p, uint64_t boot)
{
	return boot + p->run.wall_offset;
}

/* Every fact goes this way: detectors, event line, alert lines. */
void fact_emit(struct pipeline *p, struct fact *f);
/* Something was lost, cut or is not seen: a fact, a line of the summary, and the end of completeness. */
void health_emit(struct pipeline *p, enum health_kind what, const struct process *process,
		 struct span hook, struct span reason, struct span effect, uint64_t count,
		 const char *type, bool incomplete);
void gap_note(struct pipeline *p, struct span what, struct span why);
/* The process a record is about; one whose start was missed is made up and said. */
struct process *process_of(struct pipeline *p, const struct record *r);

/* One row for each type of event: what it changes and which facts follow. Defined in take_*.c. */
typedef void take_fn(struct pipeline *p, const struct record *r);
take_fn take_begin, take_engine, take_gap, take_lost, take_secret, take_end;
take_fn take_late, take_test, take_fork, take_exec, take_exit, take_connect, take_attack, take_data,
	take_env, take_file;
take_fn take_code, take_stack, take_leak, take_moved, take_claim, take_stranger, take_dockerfile;

/* take_source.c: at a fork, for an interpreter whose stacks nobody sends. */
void source_none_say(struct pipeline *p, struct process *process);
/* The stack that the record names (its field `stack`), or NULL; hold it to keep it. */
struct source *source_of_record(struct pipeline *p, const struct record *r, uint64_t stack);
/* When its lines are read and it runs what Cython compiled: that such functions are missing among them. */
void source_cython_say(struct pipeline *p, struct process *process);
take_fn take_peek, take_link, take_hash, take_unseen, take_attempt;
/* take_attempt.c: what the process tried to execute is told. */
void attempt_settle(struct pipeline *p, struct process *process);
/* Before an exec changes its process: how many files were tried for that program before. */
unsigned attempt_executed(struct pipeline *p, const struct record *exec);
void attempts_finish(struct pipeline *p);
/* take_unseen.c: why nobody sees what this program reads by name; NULL: it is seen. Lives as long as p. */
const char *unseen_of(const struct pipeline *p, const struct process *process);
void unseen_free(struct pipeline *p);
/* take_link.c: asks for a look at how a log was reached, when it was not by its own names. */
void link_suspect(struct pipeline *p, const struct record *r, const struct fact *f);

/* take_hash.c: a finding from low upward is about f's process: its program is to be hashed. */
void hash_want(struct pipeline *p, const struct fact *f);
/* f: FACT_FILE of a module; asks whether Cython compiled it; without room nobody answers. */
void module_want(struct pipeline *p, const struct process *process, const struct fact *f);
void hashes_free(struct pipeline *p);

/* take_module.c: process, a Python, loads the module of f (FACT_FILE). */
void take_module(struct pipeline *p, struct process *process, const struct fact *f);
/* False: it was not asked for by take_module(). */
bool module_answered(struct pipeline *p, const struct ev_hash *e);
/* Who still waits is told that it is not known; at the end of the run. */
void modules_finish(struct pipeline *p);

/* take_startup.c: a program was executed: its start-up variables are to be looked at. */
void startup_want(struct pipeline *p, const struct process *process);
void startups_free(struct pipeline *p);

/* flow.c: what processes pass on to each other through pipes, files and the network. */
void flow_exec(struct pipeline *p, struct process *process, uint64_t time);
/* The file on its standard input, if the run wrote it; or NULL. */
const struct written *flow_input(struct pipeline *p, const struct process *process);
void flow_connect(struct pipeline *p, struct process *process, uint64_t time);
/* f: FACT_FILE of a file that may be its script. */
void flow_script(struct pipeline *p, struct process *process, struct fact *f);

/* The record of bytes sent may begin a request; later its call is asked for by process and time. */
void source_sent(struct pipeline *p, const struct record *r);
struct source *source_of_call(struct pipeline *p, const struct process *process, uint64_t time);
/* What the engine does in a container goes back to the line and the test case that made it or wanted the exec. */
void container_wanted(struct pipeline *p, struct span id, const struct source *s,
		      const struct test_case *test);
void container_enter(struct pipeline *p, struct process *process);
void sources_free(struct pipeline *p);
/* take_stdio.c: a program was executed; bytes were written, which may be a request or an answer. */
void stdio_exec(struct pipeline *p, struct process *process, uint64_t time);
void stdio_written(struct pipeline *p, const struct record *r);
/* take_engine.c: it is a connection to an engine on that host. time: boot ns */
void link_stdio(struct pipeline *p, const struct ev_connect *e, struct span host, uint64_t time);
/* take_leak.c, before anything is masked: secrets in written bytes become records of their own. */
void written_look(struct pipeline *p, const struct record *r);
void sent_look(struct pipeline *p, const struct record *r, struct found *found);
void sent_tell(struct pipeline *p, const struct found *found);
/* A program was executed: is it a network client that reads what a secret was written into? */
void leak_exec(struct pipeline *p, struct process *process, uint64_t time);
/* take_engine.c: is this a connection to the network, and to no engine? */
bool link_is_foreign(const struct pipeline *p, uint64_t sk, uint64_t ino);

/* keep.c: scrubs a record in place, before anything else sees it, and writes it to the recording. */
void record_scrub(struct pipeline *p, struct record *r);
void record_keep(struct pipeline *p, const struct record *r);
/* keep.c, before it is scrubbed: for what may go on in the next one. */
void record_note(struct pipeline *p, const struct record *r);
/* keep.c: at the end of the run. */
void recording_finish(struct pipeline *p);
/* take_env.c: reads that wait are told: nothing of this process may come before them. */
void env_settle(struct pipeline *p, struct process *process);
/* take_engine.c */
extern const struct dialogue_ops dialogue_to_facts;
void link_free(void *link);

#endif
