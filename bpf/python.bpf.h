/* python.bpf.h: CPython processes of the run, and the call that tells the stack of their threads. */
#ifndef INVIGIL_PYTHON_BPF_H
#define INVIGIL_PYTHON_BPF_H

#include "event.bpf.h"
#include "python.h"

/* Rows of user/python_layout.def; filled by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PYTHON_LAYOUTS);
	__type(key, u32);
	__type(value, struct python_layout);
} python_layouts SEC(".maps") __weak;

/* Filled when probes are put into a file. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PYTHON_BUILDS);
	__type(key, u32);
	__type(value, struct python_build);
} python_builds SEC(".maps") __weak;

struct python {
	u64 runtime; /* address of _PyRuntime; 0: not known */
	u64 image;   /* one number for each start of an interpreter; forked children keep it */
	u32 build;
	u32 pad;
};

/* By process; copied at fork, dropped at exec and exit. Full: those processes give no line. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct python);
} pythons SEC(".maps") __weak;

static __always_inline struct python *python_of_current(void)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;

	return bpf_map_lookup_elem(&pythons, &pid);
}

static __always_inline u64 user_u64(u64 addr)
{
	u64 v = 0;

	bpf_probe_read_user(&v, sizeof(v), (void *)addr);
	return v;
}

static __always_inline u64 thread_frame(const struct python_layout *l, u64 thread)
{
	if (l->cframe >= 0)
		thread = user_u64(thread + l->cframe);
	return thread ? user_u64(thread + l->frame) : 0;
}

/* Its thread_id is what pthread_self() gave it: the thread pointer. */
static __always_inline bool thread_is_ours(const struct python_layout *l, u64 thread, u64 pointer)
{
	return thread && user_u64(thread + l->thread_id) == pointer;
}

static __always_inline u64 thread_pointer(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, thread.fsbase);
}

/* The thread state that holds the GIL of the main interpreter. */
static __always_inline u64 thread_with_gil(const struct python_layout *l, u64 runtime)
{
	u64 interp;

	if (l->gil_current >= 0)
		return user_u64(runtime + l->gil_current);
	interp = user_u64(runtime + l->interp_head);
	return user_u64(user_u64(interp + l->interp_gil) + l->gil_holder);
}

/*
 * Sends the stack of the calling thread, and before it the code objects that were not sent yet.
 * No process of CPython: nothing. reason_run: enum stack_reason << 32 | run; shared: the child of
 * a fork uses its parent's memory. Returns what the record it belongs to says of it.
 */
u64 python_stack(u64 reason_run, u64 child_pid, u64 child_start, u64 shared);
static __always_inline u64 python_stack_before(u32 run, enum stack_reason reason)
{
	return python_stack((u64)reason << 32 | run, 0, 0, 0);
}

/* A process of the run made another one. */
static __always_inline void python_fork(u32 run, struct task_struct *parent,
					struct task_struct *child)
{
	u32 pid = parent->tgid, child_pid = child->tgid;
	struct python *p = bpf_map_lookup_elem(&pythons, &pid), copy;

	if (!p)
		return;
	copy = *p;
	if (bpf_map_update_elem(&pythons, &child_pid, &copy, BPF_ANY))
		count_lost(EV_STACK);
	python_stack((u64)STACK_FORK << 32 | run, child_pid, BPF_CORE_READ(child, start_boottime),
		     BPF_CORE_READ(parent, mm) == BPF_CORE_READ(child, mm));
}

static __always_inline void python_forget(u32 pid)
{
	bpf_map_delete_elem(&pythons, &pid);
}

#endif
