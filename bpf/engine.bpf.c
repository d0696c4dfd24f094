/* engine.bpf.c: the bytes on the client side of engine connections, where they are sent and received. */
#include "engine.bpf.h"

#define MSG_PEEK 2

#define SEGMENTS 16 /* of one vector; more is said by DATA_NODATA */

/* Walks user's iovec[] from byte `skip` of its first element on. The vector may lie in kernel memory. */
static __always_inline void vector(struct conn *c, struct sock *sk, u32 run, u32 dir, u64 vec,
				   u64 count, u64 skip, u64 n, bool kernel)
{
	u64 meta = (u64)run << 32 | SEGMENT_FIRST | dir;

	for (u32 i = 0; i < SEGMENTS; i++) {
		struct user_iovec v = {};

		if (i >= count || !n)
			break;
		if (kernel ? bpf_probe_read_kernel(&v, sizeof(v), (void *)(vec + i * sizeof(v)))
			   : bpf_probe_read_user(&v, sizeof(v), (void *)(vec + i * sizeof(v))))
			break;
		if (skip >= v.len) {
			skip -= v.len;
			continue;
		}
		v.base += skip;
		v.len -= skip;
		skip = 0;
		if (v.len > n)
			v.len = n;
		if (!segment(c, number_of(sk), v.base, v.len, meta))
			return;
		meta &= ~SEGMENT_FIRST;
		n -= v.len;
	}
	if (n && c->state != CONN_OTHER)
		nodata(c, sk, run, dir, n);
}

/* The connection on which n bytes went; NULL when none of them is wanted. */
static __always_inline struct conn *conn_moving(struct sock *sk, u32 run, int n, u32 dir)
{
	struct conn *c = n > 0 && run ? conn_of(sk, run, dir) : NULL;

	return c && !conn_over(c, dir) ? c : NULL;
}

/* ---- tracepoints (6.3 and later): the buffer is still in the system call's registers ---- */

/* True when the kernel's copy is read instead; what of it could not be is said. */
static __always_inline bool copied(struct conn *c, struct sock *sk, u32 run, u32 n, u32 dir)
{
	u32 got = c->copied;

	if (dir == DATA_RECV)
		return c->dark;
	if (!got)
		return false;
	c->copied = 0;
	if (got < n)
		nodata(c, sk, run, dir, n - got);
	return true;
}

/* The buffer of the system call in progress. */
static __always_inline void buffer(struct conn *c, struct sock *sk, u32 run, u32 dir, int ret)
{
	struct pt_regs *regs = regs_current();
	struct {
		u64 iov, n; /* as user_msghdr has them behind each other */
	} vec = {};

	if (!regs_name_buffer(regs)) {
		nodata(c, sk, run, dir, ret);
		return;
	}
	switch (REGS_NR(regs)) {
	case SYSCALL_READV:
	case SYSCALL_WRITEV:
		vec.iov = REGS_ARG2(regs);
		vec.n = REGS_ARG3(regs);
		break;
	case SYSCALL_SENDMSG:
	case SYSCALL_RECVMSG:
		bpf_probe_read_user(&vec, sizeof(vec),
				    (void *)REGS_ARG2(regs) +
					    bpf_core_field_offset(struct user_msghdr, msg_iov));
		break;
	default:
		segment(c, number_of(sk), REGS_ARG2(regs), (u32)ret,
			(u64)run << 32 | SEGMENT_FIRST | dir);
		return;
	}
	vector(c, sk, run, dir, vec.iov, vec.n, 0, (u32)ret, false);
}

static __always_inline void transfer_regs(struct sock *sk, int ret, u32 dir)
{
	u32 run = run_of_current();
	struct conn *c = conn_moving(sk, run, ret, dir);

	if (c && !copied(c, sk, run, ret, dir))
		buffer(c, sk, run, dir, ret);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_sock_send, struct sock *sk, int ret, int flags)
{
	transfer_regs(sk, ret, DATA_SEND);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_sock_recv, struct sock *sk, int ret, int flags)
{
	if (!(flags & MSG_PEEK))
		transfer_regs(sk, ret, DATA_RECV);
	return 0;
}

/* ---- before those: at the end of system calls; sendfile and splice name no buffer: counted ---- */

static __always_inline struct sock *sock_of_fd(u32 fd)
{
	struct file *file = file_of_fd((void *)bpf_get_current_task(), fd);
	struct socket *s;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	s = BPF_CORE_READ(file, private_data);
	return s ? BPF_CORE_READ(s, sk) : NULL;
}

/* One program for all of them: the verifier walks it once. */
SEC("tp/syscalls/sys_exit_read")
int on_sys_transfer(struct trace_event_raw_sys_exit *ctx)
{
	u32 run = ctx->ret > 0 ? run_of_thread() : 0, dir = DATA_RECV, flags = 0;
	struct pt_regs *regs;
	struct sock *sk;
	struct conn *c;

	if (!run)
		return 0;
	regs = regs_current();
	if (REGS_COMPAT(regs))
		return 0;
	sk = sock_of_fd(REGS_ARG1(regs));
	if (!sk && EXIT_NR(ctx) == SYSCALL_SPLICE) { /* to the third: the other end is a pipe */
		sk = sock_of_fd(REGS_ARG3(regs));
		dir = DATA_SEND;
	}
	if (!sk)
		return 0;
	switch (EXIT_NR(ctx)) {
	case SYSCALL_WRITE:
	case SYSCALL_WRITEV:
	case SYSCALL_SENDFILE:
	case SYSCALL_SENDTO:
	case SYSCALL_SENDMSG:
		dir = DATA_SEND;
		break;
	case SYSCALL_RECVFROM:
		flags = REGS_ARG4(regs);
		break;
	case SYSCALL_RECVMSG:
		flags = REGS_ARG3(regs);
		break;
	}
	if (dir == DATA_RECV && flags & MSG_PEEK)
		return 0;
	c = numbered_get(sk);
	if (!c)
		c = conn_begin(numbered_make(sk), sk, run, dir);
	if (c && !conn_over(c, dir))
		buffer(c, sk, run, dir, ctx->ret);
	return 0;
}

/* ---- trampolines: fexit alone; it needs no system call numbers ---- */

struct iter {
	u64 vec; /* iovec[] in kernel memory, or the buffer itself */
	u64 off, count, segs;
	bool ubuf;
};

/* The one place that knows the history of iov_iter. False: not user memory. */
static __always_inline bool iter_read(struct msghdr *m, struct iter *it)
{
	struct iov_iter *i = &m->msg_iter;
	u32 type = bpf_core_field_exists(struct iov_iter, iter_type)
			   ? BPF_CORE_READ(i, iter_type)
			   : BPF_CORE_READ((struct iov_iter___type *)i, type) & ~1; /* direction */

	it->off = BPF_CORE_READ(i, iov_offset);
	it->count = BPF_CORE_READ(i, count);
	it->segs = BPF_CORE_READ(i, nr_segs);
	it->ubuf = false;
	/* ITER_UBUF: 6.0 (fcb14cb1bdac) */
	if (bpf_core_enum_value_exists(enum iter_type, ITER_UBUF) &&
	    type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
		it->vec = (u64)BPF_CORE_READ(i, ubuf);
		it->ubuf = true;
		return true;
	}
	if (type != bpf_core_enum_value(enum iter_type, ITER_IOVEC))
		return false;
	if (bpf_core_field_exists(struct iov_iter, __iov))
		it->vec = (u64)BPF_CORE_READ(i, __iov);
	else
		it->vec = (u64)BPF_CORE_READ((struct iov_iter___iov *)i, iov);
	return true;
}

/*
 * At fexit the iterator has advanced by n - count; walk that far back from where it stands to find
 * the transfer's first byte. Reading at fentry would meet pages that were never touched.
 */
static __always_inline bool iter_rewind(struct iter *it, u64 n)
{
	u64 back = n - it->count;

	if (it->ubuf) {
		it->off -= back;
		return true;
	}
	for (int i = 0; i < SEGMENTS; i++) {
		struct user_iovec v = {};

		if (back <= it->off) {
			it->off -= back;
			return true;
		}
		back -= it->off;
		it->vec -= sizeof(v);
		it->segs++;
		if (bpf_probe_read_kernel(&v, sizeof(v), (void *)it->vec))
			return false;
		it->off = v.len;
	}
	return false;
}

static __always_inline void transfer_iter(struct sock *sk, struct msghdr *m, u64 n, int ret,
					  u32 dir)
{
	u32 run = run_of_current(); /* io_uring's own thread (SQPOLL) sends, too */
	struct conn *c = conn_moving(sk, run, ret, dir);
	struct iter it;

	if (!c)
		return;
	if (!iter_read(m, &it) || !iter_rewind(&it, n)) {
		nodata(c, sk, run, dir, ret);
		return;
	}
	if (!it.ubuf)
		vector(c, sk, run, dir, it.vec, it.segs, it.off, (u32)ret, true);
	else
		segment(c, number_of(sk), it.vec + it.off, (u32)ret,
			(u64)run << 32 | SEGMENT_FIRST | dir);
}

SEC("fexit/unix_stream_sendmsg")
int BPF_PROG(on_unix_send, struct socket *sock, struct msghdr *m, size_t n, int ret)
{
	struct sock *sk = sock->sk;

	if (sk)
		transfer_iter(sk, m, n, ret, DATA_SEND);
	return 0;
}

SEC("fexit/unix_stream_recvmsg")
int BPF_PROG(on_unix_recv, struct socket *sock, struct msghdr *m, size_t n, int flags, int ret)
{
	struct sock *sk = sock->sk;

	if (sk && !(flags & MSG_PEEK))
		transfer_iter(sk, m, n, ret, DATA_RECV);
	return 0;
}

SEC("fexit/tcp_sendmsg")
int BPF_PROG(on_tcp_send, struct sock *sk, struct msghdr *m, size_t n, int ret)
{
	transfer_iter(sk, m, n, ret, DATA_SEND);
	return 0;
}

/*
 * (sk, msg, len, nonblock, flags, addr_len) before 5.19 (ec095263a965), then without nonblock, since 7.3
 * without addr_len: the result comes behind the last one. By the loader, from the kernel's BTF.
 */
const volatile __u32 tcp_recv_params = 5;

SEC("fexit/tcp_recvmsg")
int on_tcp_recv(u64 *ctx)
{
	int flags, ret;

	if (tcp_recv_params == 6) {
		flags = CTX_WORD(ctx, 4);
		ret = CTX_WORD(ctx, 6);
	} else {
		flags = CTX_WORD(ctx, 3);
		ret = tcp_recv_params == 5 ? CTX_WORD(ctx, 5) : CTX_WORD(ctx, 4);
	}
	if (!(flags & MSG_PEEK))
		transfer_iter((void *)ctx[0], (void *)ctx[1], ctx[2], ret, DATA_RECV);
	return 0;
}

/* Pages that go by no iterator have no address in the caller's memory: they are counted. */
static __always_inline void transfer_pages(struct sock *sk, int ret, u32 dir)
{
	u32 run = run_of_current();
	struct conn *c = conn_moving(sk, run, ret, dir);

	if (c)
		nodata(c, sk, run, dir, ret);
}

/* What sendfile and splice send, before 6.5 (dc97391e6610): by an iterator since. */
SEC("fexit/unix_stream_sendpage")
int BPF_PROG(on_unix_page, struct socket *sock, void *page, int at, size_t n, int flags, int ret)
{
	struct sock *sk = sock->sk;

	if (sk)
		transfer_pages(sk, ret, DATA_SEND);
	return 0;
}

SEC("fexit/tcp_sendpage")
int BPF_PROG(on_tcp_page, struct sock *sk, void *page, int at, size_t n, int flags, int ret)
{
	transfer_pages(sk, ret, DATA_SEND);
	return 0;
}

/* What splice takes out of a socket. */
SEC("fexit/unix_stream_splice_read")
int BPF_PROG(on_unix_splice, struct socket *sock, void *at, void *pipe, size_t n, u32 flags,
	     int ret)
{
	struct sock *sk = sock->sk;

	if (sk)
		transfer_pages(sk, ret, DATA_RECV);
	return 0;
}

SEC("fexit/tcp_splice_read")
int BPF_PROG(on_tcp_splice, struct socket *sock, void *at, void *pipe, size_t n, u32 flags, int ret)
{
	struct sock *sk = sock->sk;

	if (sk)
		transfer_pages(sk, ret, DATA_RECV);
	return 0;
}
