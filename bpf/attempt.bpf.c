/* attempt.bpf.c: programs that the run tried to execute and could not, with the kernel's answer; only when asked for. */
#include "event.bpf.h"

#define FILE_ROOM 1024u
#define ARG_ROOM  256u
#define ARGS_ROOM 3072u
#define ARGS_SEEN 24

#define ERESTARTSYS 512 /* include/linux/errno.h: from here on no answer to the caller */

struct attempt_record {
	struct ev_hdr h;
	struct ev_attempt e;
	char tail[FILE_ROOM + ARGS_ROOM +
		  ARG_ROOM]; /* the last one may begin where ARGS_ROOM ends */
};

/* At the end of execve and execveat: the caller's memory is still its own. */
SEC("tp/syscalls/sys_exit_execve")
int on_sys_exec(struct trace_event_raw_sys_exit *ctx)
{
	u32 run = ctx->ret < 0 && ctx->ret > -ERESTARTSYS ? run_of_thread() : 0, cut = 0;
	struct attempt_record *r;
	struct pt_regs *regs;
	u64 argv, off;
	long n;

	if (!run)
		return 0;
	r = ring_is_high() ? NULL : bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_lost(EV_ATTEMPT);
		return 0;
	}
	regs = regs_current();
	argv = EXIT_NR(ctx) == SYSCALL_EXECVEAT ? REGS_ARG3(regs) : REGS_ARG2(regs);
	n = bpf_probe_read_user_str(
		r->tail, FILE_ROOM,
		(void *)(EXIT_NR(ctx) == SYSCALL_EXECVEAT ? REGS_ARG2(regs) : REGS_ARG1(regs)));
	if (n <= 0) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		count_lost(EV_ATTEMPT);
		return 0;
	}
	hdr_fill(&r->h, EV_ATTEMPT, run);
	cut = n == FILE_ROOM;
	r->e.error = -ctx->ret;
	r->e.flags = 0;
	r->e.file_len = n;
	off = n;
	for (u32 i = 0; i < ARGS_SEEN; i++) {
		u64 at = 0;

		if (bpf_probe_read_user(&at, sizeof(at), (void *)(argv + i * sizeof(at))) || !at)
			break;
		if (off > FILE_ROOM + ARGS_ROOM || i == ARGS_SEEN - 1) {
			cut = 1;
			break;
		}
		CLAMP(off, FILE_ROOM + ARGS_ROOM);
		n = bpf_probe_read_user_str(r->tail + off, ARG_ROOM, (void *)at);
		if (n <= 0)
			break;
		cut |= n == ARG_ROOM;
		off += n;
	}
	r->e.args_len = off - r->e.file_len;
	r->h.len = off;
	r->h.want = off + cut;
	bpf_ringbuf_submit(r, ring_flags());
	return 0;
}
