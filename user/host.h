/* host.h: what a live run looks up once: host, users, the user to run as, COMMAND's file. */
#ifndef INVIGIL_HOST_H
#define INVIGIL_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "buf.h"
#include "option.h"

struct account {
	uid_t uid;
	gid_t gid;
	char *name, *home;
	gid_t *groups;
	int n_groups;
	uid_t invoker; /* who called, under sudo the user who called it: outputs are made with its rights */
	gid_t invoker_gid;
	bool change; /* ids, groups, HOME, USER and LOGNAME are set; false: everything stays as it came */
};

/*
 * -u USER, else under sudo the user who called it, else the caller. Without NSS (works in a static
 * build). False after printing why.
 */
bool account_find(const char *user, struct account *a);
/* Our own variables go, and their bytes with them; COMMAND has its own copy. */
void environment_wipe(void);
/* Under sudo, with nothing left of what the calling user had set. */
bool environment_stripped(void);
struct begin_who {
	const char *id;   /* run_id_new() */
	const char *kind; /* "run", "job", "daemon" */
	uid_t uid;        /* that it runs as */
	const char *user, *cwd;
	pid_t root_pid; /* its first process */
};
/* The run's first record, body and tail (begin.h). */
void begin_make(const struct config *c, const struct begin_who *who, struct buf *out);
/* A new UUIDv7. */
void run_id_new(char id[37]);
/* Of the user database; false: nobody there has this uid. name and home belong to the caller. */
bool account_named(uid_t uid, struct account *a);
/* "NAME" of the user database, or a number. False: neither. */
bool user_number(const char *text, uint32_t *uid);
/* Of the group database; false: there is no such group. */
bool group_named(const char *name, gid_t *gid);
/* CLOCK_BOOTTIME now, ns. */
uint64_t boot_now(void);

#endif
