/* option.h: one table of options: parser, --help and configuration file from the same rows. */
#ifndef INVIGIL_OPTION_H
#define INVIGIL_OPTION_H

#include <stdbool.h>
#include "catalogue.h"
#include "gate.h"
#include "run.h"

struct config {
	const char *output;      /* -o */
	const char *record;      /* --record */
	const char *config_file; /* -c */
	const char *user;        /* -u */
	const char *format;      /* -f: "ecs" (run) ; text|json|markdown (risks, check) */
	const char *socket;      /* daemon, status */
	bool alerts_only, quiet, verbose, require_complete, check_config;
	int fail_on;           /* enum severity, or -1 never */
	const char *env_reads; /* "off", "c", "all" */
	const char *gate;      /* "exec", "mmap", "off" */
	struct selector *own;
	unsigned n_own;
	char **secret_names; /* globs, NULL ended */
	char **log_patterns; /* globs, NULL ended; NULL: the defaults only */
	char **run_programs; /* daemon: programs that begin a run, absolute paths, NULL ended; NULL none */
	char **argv;         /* COMMAND and its arguments, or operands; NULL ended */
	int argc;
};

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
void config_free(struct config *c);
/* config.c: reads a YAML file into c and the catalogue. 0, or -1 after printing "FILE:LINE: …word…". Without
 * libyaml says so and fails. */
int config_read(const char *file, struct config *c);

#endif
