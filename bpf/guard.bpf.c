/* guard.bpf.c: signals of the run to the monitor's own processes, and attempts to trace them. */
#include "event.bpf.h"

/* Of the processes in enum attack_target's order, by the loader; 0: not there. */
__u32 ours[ATTACK_TARGETS];

/* SEND_SIG_PRIV of include/linux/sched/signal.h: the kernel's own signal, with no siginfo behind it. */
#define FROM_KERNEL 1
#define SIGSTOP     19

SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal, int sig, struct kernel_siginfo *info, struct task_struct *task)
{
	u32 tgid = task->tgid, target = ATTACK_TARGETS, run, how = ATTACK_SIGNAL;
	u64 from = number_of(info);
	struct {
		struct ev_hdr h;
		struct ev_attack e;
	} * r;

#pragma unroll
	for (u32 i = 0; i < ATTACK_TARGETS; i++)
		if (tgid == ours[i])
			target = i;
	if (target == ATTACK_TARGETS)
		return 0;
	run = run_of_thread(); /* no io_uring worker sends signals */
	if (!run)
		return 0;
	if (from == FROM_KERNEL) {
		/* PTRACE_ATTACH stops what it attaches to; the rest is the OOM killer's and its like. */
		if (sig != SIGSTOP)
			return 0;
		how = ATTACK_TRACE;
	} else if (from && BPF_CORE_READ(info, si_code) > 0) {
		return 0; /* timers, pipes, children: no process sent it */
	}
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_lost(EV_ATTACK);
		return 0;
	}
	hdr_fill(&r->h, EV_ATTACK, run);
	r->e.target = target;
	r->e.target_pid = tgid;
	r->e.how = how;
	r->e.signal = sig;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}
