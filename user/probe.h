/* probe.h: what must be covered, by which programs in order of preference, and what this kernel allows. */
#ifndef INVIGIL_PROBE_H
#define INVIGIL_PROBE_H

#include <stdbool.h>
#include <stddef.h>

struct invigil; /* the skeleton */
struct bpf_link;

enum feature {
	FEAT_NONE,
	FEAT_TYPES,
	FEAT_KERNEL_MEMORY,
	FEAT_TRAMPOLINE,
	FEAT_SENDPAGE, /* kernels before 6.5 have it */
	FEAT_REATTACH, /* without it the daemon's trampolines stay attached between runs */
	FEAT_FILP_OPEN,
	FEAT_FILE_OPEN,
	FEAT_SOCK_TRACEPOINT,
	FEAT_SKB_DYNPTR,
	FEAT_CTIME,
	FEAT_LOOP,          /* without it the plain object is loaded (bpf/member.bpf.h) */
	FEAT_STORAGE_FOUND, /* without it a member may look like none: counted (bpf/member.bpf.h) */
	FEAT_UPROBE_SLEEPABLE,
	FEAT_UPROBE_MULTI,
	FEAT_TRACEFS,
	FEAT_TASK_BY_PID,
	FEAT_GATE,
	FEAT_GATE_KILLABLE,
	FEATURES
};

struct tier {
	const char *name;     /* as `invigil check` prints it */
	enum feature feature; /* must work */
	const char *programs
		[12]; /* NULL ended; NAME@CALL: at the end of that system call, or that raw tracepoint; none: not the loader's */
	const char *lacks; /* what the first tier sees, and this one does not; NULL nothing */
};

enum when {
	WHEN_RUN,    /* while a run is active */
	WHEN_ALWAYS, /* in the daemon also between runs */
	WHEN_DAEMON, /* there alone */
};

struct need {
	const char *name;
	bool required;        /* without it a run is not started */
	const char *effect;   /* what cannot be seen without it */
	const char *limit;    /* what no tier sees; NULL nothing known */
	struct tier tiers[6]; /* ended by a NULL name */
};

extern const struct need needs[];
extern const size_t n_needs;

/* The smallest real thing, tried once: loaded and attached. */
bool feature_works(enum feature f);
const char *feature_name(enum feature f);
const char *feature_why(enum feature f); /* after a failure: what the kernel said */
/* When nothing can be traced: what the kernel withholds, and what to do. NULL: not known. */
const char *features_advice(void);
enum when need_when(const struct need *n);
bool need_is_env(const struct need *n); /* attached file by file, by env_attach.c */
/* How many parameters the kernel's tcp_recvmsg() and notify_change() have. */
unsigned probe_tcp_recv_params(void);
unsigned probe_setattr_params(void);
/* The engine's bytes are read so or not at all: "fexit", "copy", "tracepoint", "syscall"; NULL: as works best. */
void engine_bytes_ask(const char *how);
/* They cost each exec of the machine: only when asked for. */
void failed_execs_ask(bool ask);
bool failed_execs_asked(void);
/* Is it to be attached at all? */
bool need_asked(const struct need *n);
/* First tier whose feature works; NULL none. */
const struct tier *need_tier(const struct need *n);

#endif
