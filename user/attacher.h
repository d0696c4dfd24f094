/* attacher.h: the monitor's helper that opens what the run executes and attaches probes there. */
#ifndef INVIGIL_ATTACHER_H
#define INVIGIL_ATTACHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "event.h"

struct loader;

/* From the monitor: a program was executed, or a library opened. */
struct attacher_call {
	uint64_t start; /* of the process; it comes back */
	uint64_t ino;   /* of the program, as ev_exec has it */
	uint32_t dev;
	pid_t pid;
	uint32_t run; /* comes back */
	int32_t dirfd;
	char file[EV_NAME_MAX]; /* the library, as asked for; empty: the program */
};

/* To the monitor. */
struct attacher_word {
	enum {
		ATTACHER_READY,
		ATTACHER_LATE,
		ATTACHER_TROUBLE,
		ATTACHER_UNSEEN,
		ATTACHER_FAILS
	} say;
	pid_t pid; /* LATE: it had started when its probes were attached; FAILS: it executes what will fail */
	uint32_t run;
	uint32_t dev;   /* UNSEEN: of programs of this file no probe sees what they read */
	uint64_t start; /* FAILS: boot ns of now */
	uint64_t ino;
	char why[64]; /* TROUBLE: a probe was not attached; UNSEEN */
	/* FAILS; otherwise what follows is not sent. */
	uint32_t error; /* errno */
	uint32_t cut;   /* there are more arguments */
	uint32_t file_len;
	uint32_t text_len;
	char text[EV_ATTEMPT_MAX]; /* as the tail of struct ev_attempt */
};
#define ATTACHER_SHORT offsetof(struct attacher_word, error)

struct attacher_unseen {
	uint64_t ino;
	uint32_t dev;
	char why[64];
};

/* The files of a call of the gate that was answered. */
struct attacher_answer {
	pid_t tid;
	unsigned n;
	struct {
		uint64_t ino; /* as in struct env_file */
		uint32_t dev;
	} file[4]; /* a script, its interpreter, the dynamic linker, and one more */
};
#define ATTACHER_ANSWERS 64 /* that are remembered, by thread */

#define ATTACHERS_LEFT 16

/* The helper as its parent has it. */
struct attacher {
	int fd; /* words come in; -1: it is gone */
	pid_t pid;
	bool ready, stuck;  /* ready: what is known beforehand has its probes */
	unsigned not_asked; /* programs that it took no more of, nor those before it */
	/* Those that were stopped and have not ended: what they attached stays as long. */
	struct {
		pid_t pid; /* 0: none */
		bool stuck;
	} left[ATTACHERS_LEFT];
	struct attacher_unseen *unseen; /* what it said, for runs that begin later */
	unsigned n_unseen;
	uint64_t asked; /* programs */
	/* Written by it, in memory that is shared; NULL: none was started. */
	struct attacher_shared {
		uint64_t served; /* programs */
		uint64_t probes; /* that are attached */
		struct attacher_answer answers[ATTACHER_ANSWERS];
	} * shared;
	uint64_t seen, since; /* served as it was last looked at, boot ns: not changed since */
};

/*
 * Starts the process, which owns all probes in files; EBUSY: too many are stuck. guardian: struct gate_call
 * comes in, its id goes back; -1 none. leave: descriptors that it is not to hold open.
 */
bool attacher_start(struct attacher *a, struct loader *l, const char *path_variable, int guardian,
		    const int *leave, unsigned n);
/* A program was executed: it is asked, unless the gate's answer was about it. exec: its body, or NULL: not known. */
void attacher_ask(struct attacher *a, const struct ev_hdr *h, const struct ev_exec *exec);
/* A process opened a library; records of other files are passed over. n: bytes at e. */
void attacher_ask_file(struct attacher *a, const struct ev_hdr *h, const struct ev_file *e,
		       size_t n);
/* 1: a word; 0: none now; -1: it has just ended. */
int attacher_hear(struct attacher *a, struct attacher_word *w);
/* Has it not got on for half a minute, though it was asked? now: boot ns. */
bool attacher_stuck(struct attacher *a, uint64_t now);
unsigned attacher_probes(const struct attacher *a); /* that are attached now */
/* Nobody waits for it: it may be stuck on a file that the run serves. */
void attacher_stop(struct attacher *a);
/* Asked now and then afterwards: it leaves no zombie. */
void attacher_reap(struct attacher *a);

#endif
