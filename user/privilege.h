/* privilege.h: what a process of ours may still do once it has what it needs. */
#ifndef INVIGIL_PRIVILEGE_H
#define INVIGIL_PRIVILEGE_H

#include <linux/filter.h>
#include <stdint.h>
#include <sys/types.h>

enum privilege {
	PRIVILEGE_DAEMON,   /* everything is loaded and open */
	PRIVILEGE_MONITOR,  /* of `run` */
	PRIVILEGE_GUARDIAN, /* has its listener */
	/* made by daemon or monitor, also after these have given theirs up: */
	PRIVILEGE_ATTACHER,
	PRIVILEGE_SCAN,
	PRIVILEGE_HASH,
};

/*
 * Gives up for good what the tables of privilege.c and syscall_table.c do not name for this process:
 * capabilities, new privileges by exec, system calls. Attacher, scan and hash also give up user and
 * groups: they become "invigil" of the user database, where it has none "nobody". To be called with one
 * thread. The parent-death signal is cleared. 0 or -errno, which is said: the process must then end. Where
 * seccomp(2) itself is refused, that is said, and the rest is done.
 */
int privilege_drop(enum privilege p);
/* In a child of parent: that, and it ends with its parent; name: as ps shows it. Does not return on failure. */
void privilege_helper(enum privilege p, pid_t parent, const char *name);

#define GROUP_NONE         65534u /* the children's group: owns no file (kernel.overflowgid) */
#define SYSCALL_FILTER_MAX 1024

/*
 * The filter of p and all that it makes; uid: of its children. Whatever is not named fails with ENOSYS, as
 * on a kernel that does not have it (libc then takes an older call), and is written to the kernel's log.
 */
unsigned syscall_filter(enum privilege p, uint32_t uid, struct sock_filter out[SYSCALL_FILTER_MAX]);

#endif
