/* run.h: one test run: who, where, what is known of its host and users, and its counters. */
#ifndef INVIGIL_RUN_H
#define INVIGIL_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"
#include "ci.h"
#include "event.h"
#include "scrub.h"

struct user {
	uint32_t uid;
	char *name;
	bool login; /* has a login shell and uid 0 or 1000..59999 */
};

/* --own SELECTOR */
struct selector {
	enum { OWN_ID, OWN_NAME, OWN_LABEL, OWN_PROJECT } kind;
	char *key;   /* id, glob, label key or project name */
	char *value; /* label value, or NULL */
};

/* How a hook is covered. */
struct coverage {
	char *hook;
	char *tier;  /* "none", "off" */
	char *lacks; /* what is therefore not seen; NULL nothing */
	char *limit; /* what no tier sees; NULL nothing known */
};

struct run {
	char id[37];           /* UUIDv7 */
	uint64_t wall_offset;  /* unix ns = boot ns + this */
	uint64_t began, ended; /* unix ns */
	struct span *command;  /* argv of COMMAND, scrubbed */
	unsigned commands;
	char *kind;   /* "run", "job" (of the daemon), "daemon" */
	char *cwd;    /* working tree */
	uint32_t uid; /* COMMAND runs as */
	char *user;
	struct coverage *coverage; /* NULL unknown */
	unsigned n_coverage;
	char *exec_gate; /* in force: "exec", "mmap", "off"; NULL unknown */
	char *host_name, *host_fqdn, *host_id, *host_arch, *host_kernel, *boot_id;
	char *domain; /* host's own DNS domain, "" when none */
	struct user *users;
	unsigned n_users;
	struct selector *own;
	unsigned n_own;
	struct masker masker;
	const struct ci_provider *ci; /* NULL: no CI job that is known */
	char *ci_values[CI_FIELDS];   /* of its fields; NULL: not told */
	struct ev_fd output[2];       /* COMMAND\'s standard output and error */
	bool root_seen;               /* COMMAND's own exec was seen */
	uint64_t resumed; /* lines told by a daemon that ended; 0: it was always this one */
	uint32_t root_pid;
	int status; /* wait(2) status of COMMAND; -1 while unknown */
	bool complete;
	uint64_t count[EV_TYPES]; /* records by type */
	uint64_t lost[EV_TYPES];
	uint64_t processes, execs, env_reads, engine_calls, connects, cut_records, rejected;
};

/* Name of a uid, or NULL. */
const char *run_user_name(const struct run *r, uint32_t uid);
/*
 * "Others" of RISKS.md: may users other than root and the run's own write to / read such an inode, enter such a
 * directory? What lies below one that they cannot enter is out of their reach, whatever its own mode.
 */
bool others_can_write(const struct run *r, uint32_t mode, uint32_t uid, uint32_t gid);
bool others_can_enter(const struct run *r, uint32_t mode, uint32_t uid, uint32_t gid);
bool others_can_read(const struct run *r, uint32_t mode, uint32_t uid, uint32_t gid);

#endif
