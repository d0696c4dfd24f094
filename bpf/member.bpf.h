/* member.bpf.h: which run a task belongs to, and what stands in for the helpers that kernels before 5.17 do not have. */
#ifndef INVIGIL_MEMBER_BPF_H
#define INVIGIL_MEMBER_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "event.h"

enum {                   /* struct member.flags */
       MEMBER_WAITS = 1, /* put into a container's cgroup, still the runtime's own program */
       MEMBER_STEP = 2
}; /* the first program of a build's step */

#define SCRIPTS 4 /* first arguments that may be the script */

struct member {
	u32 run;
	u32 flags;
	u32 script[SCRIPTS]; /* hashes of names that this interpreter's script may have; 0: none */
	char container[EV_CONTAINER_LEN];
};

/*
 * PLAIN: the object for kernels where tracing programs have no task storage (5.12), no loops by callback
 * (5.17), no typed current task (5.11) and no global functions that take memory (5.12; the loader makes
 * them static ones). The loader takes it when a trial fails.
 */
#ifdef PLAIN

#define MEMBERS_MAX 16384

/* By process. Full: counted in lost_members. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MEMBERS_MAX);
	__type(key, u32);
	__type(value, struct member);
} members SEC(".maps") __weak;

static __always_inline struct member *member_get(struct task_struct *task)
{
	u32 pid = BPF_CORE_READ(task, tgid);

	return bpf_map_lookup_elem(&members, &pid);
}

/* What is there, or a copy of fresh. NULL: no room. */
static __always_inline struct member *member_put(struct task_struct *task, struct member *fresh)
{
	u32 pid = BPF_CORE_READ(task, tgid);

	bpf_map_update_elem(&members, &pid, fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&members, &pid);
}

static __always_inline void member_end(struct task_struct *task)
{
	u32 pid = BPF_CORE_READ(task, tgid);

	bpf_map_delete_elem(&members, &pid);
}

/* No typed pointer: for BPF_CORE_READ alone. */
static __always_inline struct task_struct *task_current(void)
{
	return (void *)bpf_get_current_task();
}

/* As task_pt_regs() of the kernel has it: at the end of the stack. */
static __always_inline struct pt_regs *regs_current(void)
{
	return BPF_CORE_READ(task_current(), stack) + STACK_BYTES -
	       bpf_core_type_size(struct pt_regs);
}

/* A step is walked by the verifier for each path; what is cut is said. */
#define STEPS_MAX 16

#define bpf_loop(n, step, context, flags)                                                          \
	({                                                                                         \
		u32 turn;                                                                          \
		for (turn = 0; turn < (n); turn++)                                                 \
			if (step(turn, context))                                                   \
				break;                                                             \
		turn;                                                                              \
	})

#else

#define STEPS_MAX EV_COMPS

#define LAST_WORDS 4 /* of 8 bytes: a longer name is not kept */

/* The name that this thread read last: a loop over one name needs neither its hash nor the process's table. */
struct last_read {
	u64 epoch; /* env_epoch when it was stored */
	u64 reads; /* since then: not yet among those of the process */
	u64 n;
	u64 word[LAST_WORDS];
};

struct membership {
	struct member is;
	struct last_read last;
};

static __always_inline struct last_read *last_of(struct member *m)
{
	return &((struct membership *)m)->last;
}

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct membership);
} members SEC(".maps") __weak;

/*
 * By the loader: before 6.2 a processor finds no storage as long as a program that was interrupted there while it looked
 * for some has not gone on (bpf_task_storage_busy in kernel/bpf/bpf_task_storage.c).
 */
extern const volatile bool storage_hides;
extern __u64 lost_members;

/* process.bpf.c: is there one all the same? storage: address of a task's. Global: verified once, not at each look-up. */
extern u32 member_hidden(u64 storage);

/* Who is in no run has no storage at all, as a rule: that is one load, the helper is a call. */
static __always_inline struct member *member_get(struct task_struct *task)
{
	struct member *m;

	if (!task->bpf_storage)
		return NULL;
	m = (void *)bpf_task_storage_get(&members, task, 0, 0);
	if (storage_hides && !m && member_hidden((u64)BPF_CORE_READ(task, bpf_storage)))
		__sync_fetch_and_add(&lost_members, 1);
	return m;
}

/* What is there, or a copy of fresh. NULL: no room. */
static __always_inline struct member *member_put(struct task_struct *task, struct member *fresh)
{
	struct member *m =
		(void *)bpf_task_storage_get(&members, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (m && !m->run)
		*m = *fresh;
	return m;
}

/* It goes with the task. */
static __always_inline void member_end(struct task_struct *task)
{
}

static __always_inline struct task_struct *task_current(void)
{
	return bpf_get_current_task_btf();
}

static __always_inline struct pt_regs *regs_current(void)
{
	return (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

#endif
#endif
