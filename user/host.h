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
/* The tail of the run's first record (begin.h). root_pid: COMMAND's process. */
void begin_make(const struct config *c, const struct account *a, pid_t root_pid, struct buf *out);
/* CLOCK_BOOTTIME now, ns. */
uint64_t boot_now(void);

#endif
