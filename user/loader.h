/* loader.h: loads the BPF side, attaches what the probe table chose, hands out the ring. */
#ifndef INVIGIL_LOADER_H
#define INVIGIL_LOADER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "buf.h"
#include "event.h"

struct env_file;
struct build_table;
struct env_place;
struct env_unseen;
struct loader;

/* fn gets each record (writable, aligned to 8; n may exceed the record). */
typedef void loader_fn(void *ctx, void *bytes, size_t n);

/*
 * NULL after printing why to standard error. env_reads: "off", "c", "all". The daemon's begins idle: only
 * what finds runs is attached. any_file: every file's changes are told, not only those of files that look
 * like logs.
 */
struct loader *loader_open(const char *env_reads, bool daemon, bool any_file);
/* Daemon: a first run begins, and the last one ended. False: something required could not be attached. */
bool loader_activate(struct loader *l);
void loader_idle(struct loader *l);
/*
 * Daemon: fn gets each process that is there. Those that were taken in, and what they forked since, become members
 * of their run as they are passed. 0 or -errno.
 */
struct found_task;
int loader_found(struct loader *l, void (*fn)(void *ctx, const struct found_task *t), void *ctx);
int loader_take_in(struct loader *l, uint32_t pid, uint64_t start, uint32_t run);
/*
 * In a child that was forked: what is attached is its parent's alone. Else a program could not be attached again
 * before the child has ended (EBUSY).
 */
void loader_links_leave(struct loader *l);
/* Daemon: what begins a ticket, one that is of a run, and one that counts no more. 0 or -errno. */
int loader_marker(struct loader *l, const char *variable);
int loader_program(struct loader *l, const char *comm);
int loader_user(struct loader *l, uid_t uid);
void loader_every_exec(struct loader *l); /* each program of the machine begins one */
int loader_live(struct loader *l, uint32_t run);
int loader_drop(struct loader *l, uint32_t run);
/* Its containers and files are not looked for any more: whatever a daemon of weeks has watched leaves nothing there. */
void loader_forget(struct loader *l, uint32_t run);
/* Each library is told again, once. */
void loader_libraries_forget(struct loader *l);
void loader_close(struct loader *l);
bool loader_missed(const struct loader *l, const char *hook); /* it could not be attached */
/* What is not covered: fn is called for each (hook, reason, effect, required). */
void loader_gaps(const struct loader *l,
		 void (*fn)(void *ctx, const char *hook, const char *reason, const char *effect,
			    bool required),
		 void *ctx);
/* Each hook: how it is covered here (NULL: in no way), why it is not though it should be (NULL), its programs now. */
struct need;
struct loader_hook {
	const struct need *need;
	const char *how, *why;
	unsigned programs; /* that the loader attached */
	bool in_files;     /* they are another process's: attacher.h */
};
void loader_hooks(const struct loader *l, void (*fn)(void *ctx, const struct loader_hook *h),
		  void *ctx);
/* Calls fn for each loaded program with how many instructions the verifier walked; 0: the kernel does not tell. */
void loader_programs(const struct loader *l,
		     void (*fn)(void *ctx, const char *name, uint32_t verified), void *ctx);
uint64_t loader_load_time(const struct loader *l); /* CPU time of loading all of them, ns */
int loader_member(struct loader *l, pid_t pid, uint32_t run);    /* 0 or -errno; by pidfd */
int loader_member_fd(struct loader *l, int pidfd, uint32_t run); /* its first thread; 0 or -errno */
/* In a container; waits: until it executes something it is not told. -EEXIST: it is a member already. */
int loader_member_inside(struct loader *l, pid_t pid, uint32_t run,
			 const char container[EV_CONTAINER_LEN], bool waits);
int loader_engine(struct loader *l, uint64_t ino, uint32_t dev); /* 0 or -errno */
/* id of a container that the run created, or its first 12 digits and zeroes. 0 or -errno. */
int loader_container(struct loader *l, const char id[EV_CONTAINER_LEN], uint32_t run);
/* Builds under way: what their steps execute tells the containers that nobody told. */
struct build_table *loader_builds(struct loader *l);
/* pid is one of ours, in the role of enum attack_target: what the run does to it is told. */
void loader_guard(struct loader *l, unsigned role, pid_t pid);
/* What a run writes to this file is looked at for secrets; dev in the kernel's encoding. 0 or -errno. */
int loader_watch(struct loader *l, uint64_t ino, uint32_t dev, uint32_t run);
int loader_ring_fd(const struct loader *l); /* readable when records wait */
/*
 * How long to wait for it at most, ms, when so often in a row nothing was there. hurry: something is under way that
 * wants an answer of ours soon, and that no record of its own wakes us for.
 */
int loader_wait_ms(unsigned empty, bool hurry);
int loader_drain(struct loader *l, loader_fn *fn, void *ctx); /* 0 or -errno */
/* No new record from here on; what is in the ring can still be drained. Detaching itself takes a second. */
void loader_stop(struct loader *l);
void loader_detach(struct loader *l);
/*
 * How often a program of ours did not run because it was running on that processor already, since they were loaded. A
 * process that is put to sleep in the middle of a trampoline's program keeps it from others there, an interrupt a
 * tracepoint's: of whatever process, so it is the most that a run can have lost. What programs at the end of system
 * calls leave out while a map is written to is counted from 6.7 on (dd8657894c11), not before.
 */
uint64_t loader_misses(const struct loader *l);
/* Calls fn(type, count) for each event type that lost records; EV_UNKNOWN for memberships. */
void loader_losses(const struct loader *l, void (*fn)(void *ctx, uint32_t type, uint64_t count),
		   void *ctx);

/* As env_attach_file(). */
void loader_attach_env(struct loader *l, int path_fd, const struct env_place *place,
		       struct env_file *file);
bool loader_env_unseen(struct loader *l, struct env_unseen *out); /* as env_attach_unseen() */
unsigned loader_env_probes(const struct loader *l); /* that are attached, of this process */
/* What went wrong in attaching since the last call; NULL nothing. */
const char *loader_env_trouble(struct loader *l);
/* Finds the C libraries and interpreters that a run with this PATH is likely to use. */
void loader_prescan(struct loader *l, const char *path_variable);
/* The same for large programs, a step at a time, while nobody waits. False after the last. */
bool loader_idle_scan(struct loader *l, const char *path_variable, unsigned step);

#endif
