/* connect.bpf.c: connects of stream sockets, and whom they lead to. */
#include "engine.bpf.h"

struct connect_record {
	struct ev_hdr h;
	struct ev_connect e;
	char tail[2 * EV_SUN_MAX];
};

/* The name of the process, when it still lives. */
static __always_inline void comm_fill(char comm[EV_COMM_MAX], struct pid *pid)
{
	struct hlist_node *node = BPF_CORE_READ(pid, tasks[PIDTYPE_TGID].first);
	struct task_struct *task;

	if (!node)
		return;
	task = (void *)node - bpf_core_field_offset(struct task_struct, pid_links[PIDTYPE_TGID]);
	BPF_CORE_READ_STR_INTO((char(*)[EV_COMM_MAX])comm, task, comm);
}

/* The kernel's own idea of the peer: the bound name, the socket file's inode, who listens. */
static __always_inline void peer_fill(struct connect_record *r, struct sock *sk)
{
	struct unix_sock *peer = (void *)BPF_CORE_READ((struct unix_sock *)sk, peer);
	struct pid *pid = BPF_CORE_READ(sk, sk_peer_pid);
	struct unix_address *addr;
	struct dentry *d;
	u64 n;

	if (pid) {
		r->e.listener_pid = BPF_CORE_READ(pid, numbers[0].nr);
		comm_fill(r->e.listener_comm, pid);
	}
	if (!peer)
		return;
	addr = BPF_CORE_READ(peer, addr);
	if (addr) {
		r->e.flags |= CONN_NAMED;
		n = (u32)BPF_CORE_READ(addr, len);
		if (n > 2) {
			n -= 2;
			CLAMP(n, EV_SUN_MAX);
			/* name[] is a flexible array: its offset by CO-RE */
			if (!bpf_probe_read_kernel(
				    r->tail, n,
				    (void *)addr +
					    bpf_core_field_offset(struct unix_address, name) + 2))
				r->e.name_len = n;
		}
	}
	d = BPF_CORE_READ(peer, path.dentry);
	if (d) {
		r->e.peer_ino = BPF_CORE_READ(d, d_inode, i_ino);
		r->e.peer_dev = BPF_CORE_READ(d, d_sb, s_dev);
	}
}

static __always_inline void inet_fill(struct ev_connect *e, struct sock *sk)
{
	u32 v4;

	e->port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (e->family == AF_INET6) {
		BPF_CORE_READ_INTO(&e->addr, sk, __sk_common.skc_v6_daddr);
	} else {
		v4 = BPF_CORE_READ(sk, __sk_common.skc_daddr);
		__builtin_memcpy(e->addr, &v4, sizeof(v4));
	}
}

const char no_bytes[sizeof(
	struct connect_record)] = {}; /* clang 14 refuses a large __builtin_memset */

/* asked: the address as the caller gave it, in kernel (1) or user memory (0). */
static __always_inline void connect_emit(struct sock *sk, u32 run, s32 ret, u32 flags, void *asked,
					 u64 asked_len, bool kernel)
{
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	struct connect_record *r;
	u64 stack;

	if ((family != AF_UNIX && family != AF_INET && family != AF_INET6) ||
	    BPF_CORE_READ(sk, sk_type) != SOCK_STREAM)
		return;
	stack = python_stack_before(run, STACK_CONNECT);
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_lost(EV_CONNECT);
		return;
	}
	bpf_probe_read_kernel(r, sizeof(*r), no_bytes);
	hdr_fill(&r->h, EV_CONNECT, run);
	r->e.sk = (u64)sk;
	r->e.sockino = sock_ino(sk);
	r->e.ret = ret;
	r->e.stack = stack;
	r->e.family = family;
	r->e.flags = flags;
	if (family == AF_UNIX)
		peer_fill(r, sk);
	else
		inet_fill(&r->e, sk);
	if (family == AF_UNIX && asked && asked_len > 2) {
		asked_len -= 2;
		CLAMP(asked_len, EV_SUN_MAX);
		if (!(kernel ? bpf_probe_read_kernel(r->tail + EV_SUN_MAX, asked_len, asked + 2)
			     : bpf_probe_read_user(r->tail + EV_SUN_MAX, asked_len, asked + 2)))
			r->e.asked_len = asked_len;
	}
	/* Both names in slots of fixed size: user space takes name_len and asked_len of them. */
	r->h.len = r->h.want = sizeof(r->tail);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

/* Seen at its first bytes. Global: verified once, not at each byte that may be the first. */
__attribute__((noinline)) int connect_late(u64 sk, u32 run)
{
	connect_emit((struct sock *)sk, run, 0, CONN_FIRST_IO, NULL, 0, false);
	return 0;
}

SEC("tp/syscalls/sys_exit_connect")
int on_sys_connect(struct trace_event_raw_sys_exit *ctx)
{
	u32 run = run_of_thread();
	struct pt_regs *regs;
	struct socket *s;
	struct file *file;

	if (!run)
		return 0;
	regs = regs_current();
	if (REGS_COMPAT(regs))
		return 0; /* seen at its first bytes */
	file = file_of_fd((void *)bpf_get_current_task(), REGS_ARG1(regs));
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	s = BPF_CORE_READ(file, private_data);
	if (s)
		connect_emit(BPF_CORE_READ(s, sk), run, ctx->ret, 0, (void *)REGS_ARG2(regs),
			     (u32)REGS_ARG3(regs), false);
	return 0;
}

SEC("fexit/unix_stream_connect")
int BPF_PROG(on_unix_connect, struct socket *sock, void *uaddr, int len, int flags, int ret)
{
	u32 run = run_of_current();
	struct sock *sk = BPF_CORE_READ(sock, sk);

	if (run && sk)
		connect_emit(sk, run, ret, 0, uaddr, (u32)len, true);
	return 0;
}

SEC("fexit/inet_stream_connect")
int BPF_PROG(on_inet_connect, struct socket *sock, void *uaddr, int len, int flags, int ret)
{
	u32 run = run_of_current();
	struct sock *sk = BPF_CORE_READ(sock, sk);

	if (run && sk)
		connect_emit(sk, run, ret, 0, NULL, 0, true);
	return 0;
}
