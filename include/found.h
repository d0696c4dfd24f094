/* found.h: the processes that were there before the daemon, as the kernel side tells them. */
#ifndef INVIGIL_FOUND_H
#define INVIGIL_FOUND_H

#include "event.h"

struct found_task {
	__u64 start, parent_start; /* CLOCK_BOOTTIME, ns */
	__u32 pid, ppid, vpid;
	__u32 uid, gid, euid, egid;
	__u32 tty; /* has a controlling terminal */
	char comm[EV_COMM_MAX];
};

/* By pid: whom the loader takes into a run. */
struct found_taken {
	__u64 start;
	__u32 run;
	__u32 pad;
};

#endif
