/* pipeline.h: the one driver: events in, facts, findings and stream lines out. Live run, replay, tests and fuzzers use it. */
#ifndef INVIGIL_PIPELINE_H
#define INVIGIL_PIPELINE_H

#include <stdio.h>
#include <sys/types.h>
#include "event.h"
#include "option.h"
#include "stream.h"

struct build_step;
struct pipeline;

/* config is borrowed. sink may be NULL. */
struct pipeline *pipeline_new(const struct config *config, stream_sink *sink, void *sink_ctx);
void pipeline_free(struct pipeline *p);
/* Scrubbed records go here too; the first write error stops it and is kept. May be NULL. */
void pipeline_record_to(struct pipeline *p, FILE *f);
/*
 * The same for somebody who has no more rights than uid: without what processes with other rights, in no
 * container, exchange with an engine, and without what strangers execute.
 */
void pipeline_record_own(struct pipeline *p, FILE *f, uid_t uid);
uint64_t pipeline_unrecorded(const struct pipeline *p); /* records that were left out */
/* What a live run tells those who watch for it, as soon as it is known. */
struct pipeline_live {
	/*
	 * A container of the run: its id, or of a build's the first 12 digits, zeroes behind them; time: when that
	 * was said (boot ns), or 0: it was there before, and is the run's by --own.
	 */
	void (*container)(void *ctx, const char id[EV_CONTAINER_LEN], uint64_t time);
	/* a build begins (on) or is over; its steps, as they will be executed */
	void (*build)(void *ctx, const struct build_step *steps, unsigned n, bool on);
	/* a log was opened for writing; dev in the kernel's encoding */
	void (*log)(void *ctx, uint64_t ino, uint32_t dev);
	void *ctx;
};
void pipeline_watch(struct pipeline *p, const struct pipeline_live *live);
/*
 * Takes one event as the ring or the loader made it: decodes, scrubs in place, records, then
 * engine_event(). n may be larger than the record. The bytes must be writable.
 */
void pipeline_take(struct pipeline *p, void *bytes, size_t n);
/* The same for a record that was scrubbed before: one of a recording. */
void pipeline_replay(struct pipeline *p, void *bytes, size_t n);
/* From here on everything is pure: the scrubbed record changes state and yields facts. */
struct record;
void engine_event(struct pipeline *p, const struct record *r);
/* After the last event: pending calls, repeats, run-end. Once. */
void pipeline_finish(struct pipeline *p);

struct pipeline_verdict {
	bool complete;
	bool tripped;     /* --fail-on or --require-complete */
	int output_error; /* -errno of sink or recording, 0 none */
	int recording_error;
	uint64_t rejected; /* malformed records */
};
/* Adds what was found so far, and how many alerts were too many. */
void pipeline_findings(const struct pipeline *p, uint64_t findings[SEVERITIES], uint64_t *dropped);
struct pipeline_verdict pipeline_verdict(const struct pipeline *p);
void pipeline_summary(const struct pipeline *p, const char *const *files, unsigned n_files,
		      bool colour, bool verbose, struct buf *out);
void pipeline_markdown(const struct pipeline *p, struct buf *out);
/*
 * Does a process of the run live that is in no container? lives: process_lives() (lives.h), asked whether those that
 * are not known to have ended are still there; NULL: what the records say.
 */
bool pipeline_alive(const struct pipeline *p, bool (*lives)(uint32_t pid, uint64_t start));
/* Each process that is not known to have ended. */
void pipeline_each(const struct pipeline *p, void (*fn)(void *ctx, uint32_t pid, uint64_t start),
		   void *ctx);
/* Live only: a log was reached by other names than it was asked for; whose, and by which. */
struct link_asked {
	uint32_t pid;
	int32_t dirfd; /* what a relative path began at */
	uint64_t start;
	uint64_t ino;      /* of the log */
	char *path, *base; /* base: where the process was when it began to execute, or NULL */
};
/* What the last event asks for; the caller frees both texts. */
bool pipeline_link_asked(struct pipeline *p, struct link_asked *out);
/* Is it a process of the run that has not ended? */
bool pipeline_has(const struct pipeline *p, uint32_t pid, uint64_t start);
/* Is an image built at this moment? */
bool pipeline_building(const struct pipeline *p);
/* Live only: is what a program was given (raw) a step of an image that the run builds at this moment? */
enum masked pipeline_builds(struct pipeline *p, struct span args);
uint64_t pipeline_sequence(const struct pipeline *p); /* of the last line */
/* Live only: a start-up variable of an executed program points at a path; who can change what is there? */
struct startup_asked {
	uint32_t pid;
	uint64_t start;
	uint64_t time;        /* boot ns of the exec */
	uint64_t exe_ino;     /* of the program, ... */
	char *exe;            /* ... at this path where the program has our root */
	char *path;           /* absolute */
	const char *variable; /* static */
};
/* The oldest question, or NULL; it stays until pipeline_startup_told(). */
const struct startup_asked *pipeline_startup_asked(const struct pipeline *p);
void pipeline_startup_told(struct pipeline *p);
/* How many had no room since the last call. */
unsigned pipeline_startup_dropped(struct pipeline *p);
/* A program that a finding is about: which file was executed, by whom, when (unix ns). */
struct hash_asked {
	uint64_t ino, start, executed;
	uint32_t dev, pid;
	bool script; /* of an interpreter: not the process's own program */
	bool module; /* script, too: not to be hashed, but is it Cython's? */
	char *path;  /* NULL: not known whole */
};
/* The next one to be hashed; the caller frees the path. */
bool pipeline_hash_asked(struct pipeline *p, struct hash_asked *out);
/* How often there was no room for another one. */
unsigned pipeline_hash_dropped(const struct pipeline *p);
const struct run *pipeline_run(const struct pipeline *p);

#endif
