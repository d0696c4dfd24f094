/* peek.bpf.c: reads of another process's environment or memory. */
#include "peek.bpf.h"

struct peek {
	u64 target;
	u32 how;
	u32 pad;
};

/* The last look of each thread: a debugger looks a thousand times at the same process. */
#ifdef PLAIN

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct peek);
} peeks SEC(".maps");

static __always_inline struct peek *peek_last(void)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct peek none = {};

	bpf_map_update_elem(&peeks, &tid, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&peeks, &tid);
}

#else

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct peek);
} peeks SEC(".maps");

static __always_inline struct peek *peek_last(void)
{
	return bpf_task_storage_get(&peeks, bpf_get_current_task_btf(), 0,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
}

#endif

/* target: a thread's task_struct. */
__attribute__((noinline)) int peek_emit(u64 target, u32 run, u32 how)
{
	struct task_struct *leader = BPF_CORE_READ((struct task_struct *)target, group_leader);
	struct peek *last = peek_last();
	struct {
		struct ev_hdr h;
		struct ev_peek e;
	} * r;

	if (!target)
		return 0;
	if (last && last->target == number_of(leader) && last->how == how)
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_lost(EV_PEEK);
		return 0;
	}
	hdr_fill(&r->h, EV_PEEK, run);
	r->e.target_start = BPF_CORE_READ(leader, start_boottime);
	r->e.target_pid = BPF_CORE_READ(leader, tgid);
	r->e.how = how;
	BPF_CORE_READ_INTO(&r->e.target_comm, leader, comm);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	if (last) {
		last->target = number_of(leader);
		last->how = how;
	}
	return 0;
}

#define PTRACE_MODE_ATTACH 2u /* include/linux/ptrace.h */

/* Asked for every process that is attached to or read from; one's own is not asked for. */
SEC("fexit/security_ptrace_access_check")
int BPF_PROG(on_ptrace_access, struct task_struct *child, unsigned int mode, int ret)
{
	u32 run = run_of_current();
	bool compat;
	u64 nr;

	if (!run || ret || !(mode & PTRACE_MODE_ATTACH))
		return 0;
	nr = REGS_NR(regs_current());
	compat = TASK_COMPAT(task_current());
	if (nr == (compat ? SYSCALL_COMPAT_PTRACE : SYSCALL_PTRACE))
		peek_emit(number_of(child), run, PEEK_PTRACE);
	else if (nr == (compat ? SYSCALL_COMPAT_VM_READ : SYSCALL_VM_READ))
		peek_emit(number_of(child), run, PEEK_VM_READ);
	return 0;
}

extern struct task_struct *bpf_task_from_vpid(s32 vpid) __ksym __weak;
extern void bpf_task_release(struct task_struct *p) __ksym __weak;

/* vpid: as the caller names it. */
static __always_inline int peeked(s32 vpid, u32 run, u32 how)
{
	struct task_struct *task = bpf_task_from_vpid(vpid);

	if (!task)
		return 0;
	peek_emit(number_of(task), run, how);
	bpf_task_release(task);
	return 0;
}

SEC("tp/syscalls/sys_exit_process_vm_readv")
int on_sys_vm_readv(struct trace_event_raw_sys_exit *ctx)
{
	struct task_struct *task = task_current();
	struct pt_regs *regs = regs_current();
	u32 run = run_of_thread();

	if (!run || ctx->ret < 0)
		return 0;
	return peeked(TASK_COMPAT(task) ? REGS_COMPAT_ARG1(regs) : REGS_ARG1(regs), run,
		      PEEK_VM_READ);
}

/* include/uapi/linux/ptrace.h */
#define PTRACE_PEEKTEXT 1
#define PTRACE_PEEKDATA 2
#define PTRACE_ATTACH   16
#define PTRACE_SEIZE    0x4206

SEC("tp/syscalls/sys_exit_ptrace")
int on_sys_ptrace(struct trace_event_raw_sys_exit *ctx)
{
	struct task_struct *task = task_current();
	struct pt_regs *regs = regs_current();
	u32 run = run_of_thread();
	u64 request;

	if (!run || ctx->ret < 0)
		return 0;
	request = TASK_COMPAT(task) ? REGS_COMPAT_ARG1(regs) : REGS_ARG1(regs);
	if (request != PTRACE_PEEKTEXT && request != PTRACE_PEEKDATA && request != PTRACE_ATTACH &&
	    request != PTRACE_SEIZE)
		return 0;
	return peeked(TASK_COMPAT(task) ? REGS_COMPAT_ARG2(regs) : REGS_ARG2(regs), run,
		      PEEK_PTRACE);
}
