/* process.h: what is known of each process of the run. */
#ifndef INVIGIL_PROCESS_H
#define INVIGIL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include "event.h"
#include "buf.h"

/* One step of a path as the kernel saw it, root side first here. */
struct path_step {
	uint32_t mode, uid, gid;
};

struct path {
	char *text;             /* absolute; NUL ended; NULL unknown */
	struct path_step *step; /* [0] first directory below / ... [steps-1] the file itself */
	unsigned steps;
	bool cut; /* deeper than EV_COMPS: text begins with ".../" */
};

enum process_role { /* bits, told from program and arguments; see role_of() */
		    ROLE_TEST =
			    1, /* COMMAND's own process, and interpreters and programs of the working tree */
		    ROLE_SHELL = 2,
		    ROLE_INTERPRETER = 4, /* python, perl, node, ruby, ... shells excluded */
		    ROLE_CONTAINER_CLIENT = 8,
		    ROLE_NETWORK_CLIENT = 16,
		    ROLE_BUILD_TOOL = 32, /* make, ninja, cc, git, task runners, package managers */
		    ROLE_RUNTIME = 64,    /* container runtimes */
		    ROLE_LISTING = 128,   /* ps, top, pgrep */
};

struct source;
struct test_case;
struct env_walk;
struct attempt;
/* Where the bytes that a process writes may come from; it is passed on through pipes. */
enum origin {
	ORIGIN_NETWORK = 1, /* a network client, or a process that connected to the network */
	ORIGIN_DECODER = 2,
};

/* Bits: Python packages of a process that read credential stores in their own right. */
enum library {
	LIBRARY_DOCKER = 1,
	LIBRARY_AWS = 2,
	LIBRARY_REQUESTS = 4,
	LIBRARY_SSH = 8,
	LIBRARY_KUBERNETES = 16,
};

/* What is told before and behind how a process ended. */
enum process_text { PROCESS_HEAD, PROCESS_TAIL, PROCESS_TEXTS };

struct process {
	uint32_t pid, vpid, ppid;
	uint64_t start;         /* CLOCK_BOOTTIME ns */
	char entity_id[48];     /* stable, never used again */
	struct process *parent; /* NULL outside the run */
	uint32_t uid, gid, euid, egid;
	bool executed; /* false: forked and not yet exec'd, fields below are the parent's image */
	bool missed;   /* its start was not seen (R0.4) */
	bool interactive;   /* controlling terminal */
	unsigned roles;     /* enum process_role */
	unsigned libraries; /* enum library, as they are imported */
	struct path exe, cwd;
	char *name;   /* base name of exe */
	char *file;   /* what was asked to be executed (a script's own path) */
	char *script; /* for an interpreter: the script's base name, or NULL */
	char *args;   /* NUL separated */
	size_t args_len, args_want;
	unsigned argc;
	struct ev_fd fd[3];
	uint32_t flags; /* EXEC_* */
	uint64_t exe_ino;
	uint32_t exe_dev;
	uint32_t path_entry;     /* as in struct ev_exec */
	uint64_t exec_time;      /* boot ns of its own last exec; 0: none yet */
	unsigned origins;        /* enum origin */
	unsigned fed;            /* origins that its program was said to come from */
	bool inet;               /* it, or who forked it, connected to the network itself */
	bool script_seen;        /* its script's open was seen */
	unsigned tried;          /* files of its name that could not be executed, before this one */
	struct attempt *attempt; /* what it tried to execute since, and could not; or NULL */
	char *before; /* the program it was when it executed this one by itself; NULL: just forked */
	char *env; /* names as scrub_environment() leaves them: "NAME\0" or "NAME!\0" when sensitive and set */
	size_t env_len;
	bool env_cut;
	uint64_t ended; /* 0 alive */
	uint32_t status;
	uint64_t env_reads;       /* by-name reads, each of them */
	uint64_t env_shell_reads; /* of these a shell's, each name once */
	unsigned env_startup;     /* names that the runtime read by itself, not listed */
	bool env_late;            /* probes came after its program had started */
	const char *env_unseen;   /* why its reads by name are not seen; NULL: they are */
	struct env_walk *walk;    /* reads that wait; or NULL */
	uint32_t copy_place[16];  /* where all of the environment was read; the last ones */
	unsigned copies;
	char *container_id;     /* 64 hex, or NULL */
	struct source *source;  /* line of the script that led to it; inherited; or NULL */
	struct test_case *test; /* it runs inside; inherited; or NULL */
	bool source_said;       /* that its own lines are not known, or not all */
	bool has_lines;         /* a stack of its Python was read */
	enum { CYTHON_NONE, CYTHON_MAYBE, CYTHON_LOADED } cython; /* modules it loaded */
	struct buf *
		json; /* for who writes it, [PROCESS_TEXTS]: what it is in the stream; NULL: not kept */
	void *seen;      /* process.c: names of variables already reported */
	unsigned n_seen; /* of them */
	unsigned refs;   /* process_table.c */
};

/* i-th argument; empty span beyond the end. */
struct span process_arg(const struct process *p, unsigned i);
/* One variable of the environment at exec, as scrub_environment() leaves it. */
struct env_entry {
	struct span name;
	struct span value; /* of a public variable; otherwise empty */
	bool sensitive;    /* by its name, and set */
};
/* *at begins at 0. False at the end. */
bool process_env_next(const struct process *p, size_t *at, struct env_entry *e);
/* Value of a public variable; empty when it is not there or not known. */
struct span process_env_value(const struct process *p, const char *name);
/* Was NAME in the environment at exec? 0 no, 1 yes, -1 not known (cut). */
int process_env_has(const struct process *p, struct span name);
/* Is p the process of, or one of those it made? */
bool process_descends(const struct process *p, const struct process *of);
/* Is the process p, or an ancestor of it within the run, a holder of role? */
const struct process *process_with_role(const struct process *p, unsigned role);

/* role.c */
/* Appends path (from cwd when relative) with "." and ".." resolved as text; nothing when that cannot be. */
void path_resolve(struct span path, const char *cwd, struct buf *out);
/* Is it strictly inside dir? */
bool lies_in(struct span path, const char *cwd, const char *dir);
/* Does the interpreter or shell, or xargs for one, take its program from standard input? */
bool reads_program(const struct process *p);
/* The text of an interpreter's program in its arguments, and what follows it; empty: it is no such one. */
struct span program_code(const struct process *p);
/* Is it, or does it act for, a package manager? */
bool installs_packages(const struct process *p);

#endif
