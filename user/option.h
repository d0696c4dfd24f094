/* option.h: one table of options: parser, --help and configuration file from the same rows. */
#ifndef INVIGIL_OPTION_H
#define INVIGIL_OPTION_H

#include <stdbool.h>
#include <stdint.h>
#include "catalogue.h"
#include "gate.h"
#include "run.h"

/* A file that the stream goes to besides -o. */
struct output_config {
	char *path; /* {run} in it becomes the run's id */
	bool typed, alerts_only;
	uint64_t rotate_size;  /* bytes; 0: none */
	unsigned rotate_every; /* s; 0: none */
	unsigned keep;         /* rotated files */
};

struct command;

/* What begins a run besides a CI job: all that is given must hold. */
struct run_selector {
	char *program;   /* absolute path: of the file, or of the script asked for */
	char *argument;  /* glob: one of its arguments */
	char *user;      /* name or number */
	char *cgroup;    /* glob: path in the unified hierarchy */
	char *directory; /* absolute path: it works there or below */
	char *parent;    /* absolute path: of its parent's program */
	uint32_t uid;    /* of user; by the daemon */
};

struct config {
	const char *output;      /* -o */
	const char *record;      /* --record */
	const char *markdown;    /* --markdown */
	const char *config_file; /* -c */
	const char *user;        /* -u */
	const char *format;      /* -f: "ecs" (run) ; text|json|markdown (risks, check) */
	const char *socket;      /* daemon, status */
	bool alerts_only, quiet, verbose, require_complete, check_config;
	bool failed_execs;        /* with the kernel's own answer */
	int fail_on;              /* enum severity, or -1 never */
	const char *env_reads;    /* "off", "c", "all" */
	const char *btf;          /* a copy of the kernel's types; NULL: its own */
	const char *engine_bytes; /* a tier's word of probe.c; NULL: the best that works */
	const char *gate;         /* "exec", "mmap", "off" */
	struct selector *own;
	unsigned n_own;
	char **secret_names;       /* globs, NULL ended */
	char **log_patterns;       /* globs, NULL ended; NULL: the defaults only */
	struct run_selector *runs; /* daemon */
	unsigned n_runs;
	struct output_config *outputs;
	unsigned n_outputs;
	const char *metrics;       /* daemon: unix:PATH or HOST:PORT of the loopback; NULL none */
	unsigned char *severities; /* as rules[]: the severity + 1, or 0; NULL: each rule's own */
	char **callers; /* daemon: users who may ask for runs besides the group invigil; NULL ended */
	char **owned;   /* what texts of the file point to, NULL ended */
	const struct command
		*command; /* and the words behind it, as options_parse() was given them */
	char **line;
	int n_line;
	char **argv; /* COMMAND and its arguments, or operands; NULL ended */
	int argc;
};

/* Before anything is read. */
extern const struct config config_defaults;

/* The gate serves the reads of the environment alone. */
enum gate config_gate(const struct config *c);

struct command {
	const char *name;
	const char *usage;             /* "run [OPTIONS] [--] COMMAND [ARG...]" */
	const char *purpose;           /* one line */
	int (*main)(struct config *c); /* returns the exit status */
};
extern const struct command commands[]; /* main.c; ended by a NULL name */

/*
 * Parses argv (behind the command's name) for the command. On an error prints "invigil: …" naming the
 * word to standard error and returns 125; --help prints the synopsis and returns -1; otherwise 0.
 * Precedence: command line, INVIGIL_* environment (run only; under sudo not for files), configuration file.
 */
int options_parse(const struct command *cmd, int argc, char **argv, struct config *c);
void command_help(const struct command *cmd); /* to standard output */
/* The same words once more; files may say something else by now. */
int options_again(const struct config *old, struct config *c);
/* From here on its severities hold. */
void config_use(const struct config *c);
void config_free(struct config *c);
/*
 * config.c: reads a YAML file into c, or a folder: its invigil.yaml, then its conf.d/ *.yaml by name. root_only: the
 * caller may not be their owner. 0, or -1 after printing "FILE:LINE: ...word...". Without libyaml says so and fails.
 */
int config_read(const char *path, bool root_only, struct config *c);

#endif
