/* engine.bpf.c: connects of stream sockets, and the bytes on the client side of engine connections. */
#include "python.bpf.h"
#include "watch.bpf.h"

#define AF_UNIX     1
#define AF_INET     2
#define AF_INET6    10
#define SOCK_STREAM 1
#define MSG_PEEK    2

/* Bytes that one message may send before the other side speaks again; beyond it only lengths. */
const volatile __u32 request_budget = 128 << 10;
const volatile __u32 response_budget = 64 << 10;
#define WATCH_BUDGET (16 << 10) /* sent bytes of a connection to no engine */
#define UPGRADE_BUDGET                                                                             \
	1024 /* of the answer 101, which may come in several reads; then the raw stream */

struct engine_key {
	u64 ino;
	u32 dev;
	u32 pad;
};

/* Listening sockets of container engines, by device and inode; filled by the loader. Full: sniffed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct engine_key);
	__type(value, u32);
} engines SEC(".maps");

enum conn_state {
	CONN_NEW,
	CONN_ENGINE,
	CONN_OTHER,
	CONN_RAW,
	CONN_WATCH, /* to something else on the network: what is sent is looked at for secrets */
};

/* Whose bytes they are, where another process is current. */
struct sender {
	u64 start;
	u32 run, pid, tid;
	u32 pad;
};

struct conn {
	u32 state;   /* enum conn_state */
	u32 last;    /* DATA_SEND or DATA_RECV, the direction of the last bytes */
	u32 left[2]; /* budget by direction */
	/* Transfers whose user buffer cannot be found are read where the kernel keeps them: */
	u32 dark;   /* there was one; what is received is read so, too */
	u32 copied; /* bytes of this transfer that will be read so */
	u64 queued; /* the last sk_buff sent so */
	u64 stack;  /* ev_data.stack of the next record */
	struct sender by;
};

/* Goes with the socket: nothing to clean up, nothing that others could flush. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct conn);
} conns SEC(".maps");

static __always_inline u64 sock_ino(struct sock *sk)
{
	struct socket *s = BPF_CORE_READ(sk, sk_socket);
	struct socket_alloc *sa;

	if (!s)
		return 0;
	sa = (void *)s - bpf_core_field_offset(struct socket_alloc, socket);
	return BPF_CORE_READ(sa, vfs_inode.i_ino);
}

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

static __always_inline void sender_fill(struct sender *by, u32 run)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 id = bpf_get_current_pid_tgid();

	by->start = BPF_CORE_READ(task, group_leader, start_boottime);
	by->run = run;
	by->pid = id >> 32;
	by->tid = (u32)id;
	by->pad = 0;
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

#define WORD(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

static __always_inline bool is_request(u32 w)
{
	return w == WORD('G', 'E', 'T', ' ') || w == WORD('P', 'O', 'S', 'T') ||
	       w == WORD('H', 'E', 'A', 'D') || w == WORD('P', 'U', 'T', ' ') ||
	       w == WORD('D', 'E', 'L', 'E') || w == WORD('P', 'R', 'I', ' ');
}

#define SEGMENT_EMIT(size)                                                                         \
	do {                                                                                       \
		struct {                                                                           \
			struct ev_hdr h;                                                           \
			struct ev_data e;                                                          \
			u8 bytes[size];                                                            \
		} *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);                                  \
		u64 take = n;                                                                      \
		if (!r) {                                                                          \
			count_lost(EV_DATA);                                                       \
			break;                                                                     \
		}                                                                                  \
		hdr_fill(&r->h, EV_DATA, run);                                                     \
		r->e.sk = sk;                                                                      \
		r->e.sockino = ino;                                                                \
		r->e.dir = dir;                                                                    \
		r->e.flags = flags;                                                                \
		r->e.stack = stack;                                                                \
		CLAMP(take, size);                                                                 \
		if (take && bpf_probe_read_user(r->bytes, take, (void *)base)) {                   \
			take = 0;                                                                  \
			r->e.flags |= DATA_NODATA;                                                 \
		}                                                                                  \
		r->h.len = take;                                                                   \
		r->h.want = want;                                                                  \
		bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);                                           \
	} while (0)

#define SEGMENT_WATCH 0x80 /* of no engine: looked at for secrets, never sent up as DATA */

/*
 * One record of n captured bytes out of want. Global with scalars: verified once, not once for each
 * caller and path. meta: run << 32 | flags << 8 | dir.
 */
__attribute__((noinline)) int segment_emit(u64 sk, u64 base, u64 n_want, u64 meta, u64 stack)
{
	u32 n = n_want >> 32, want = (u32)n_want, run = meta >> 32, flags = meta >> 8 & 0xff;
	u32 dir = meta & 1;
	u64 ino = sock_ino((struct sock *)sk);

	if (flags & SEGMENT_WATCH)
		return write_emit(run, ino, FD_SOCKET, base, n_want);
	if (ring_is_high()) {
		count_lost(EV_DATA);
		return 0;
	}
	if (n <= 512)
		SEGMENT_EMIT(512);
	else if (n <= 4096)
		SEGMENT_EMIT(4096);
	else if (n <= 16384)
		SEGMENT_EMIT(16384);
	else
		SEGMENT_EMIT(65536);
	return 0;
}

/*
 * A segment in two records of at most EV_DATA_MAX, which is the largest budget; what is over it is only
 * counted in want. No loop: 6.1 refuses one that is entered in its middle, as clang lays it out.
 */
__attribute__((noinline)) int segment_split(u64 sk, u64 base, u64 n_want, u64 meta, u64 stack)
{
	u64 n = n_want >> 32, want = (u32)n_want;

	if (n <= EV_DATA_MAX)
		return segment_emit(sk, base, n_want, meta, stack);
	segment_emit(sk, base, (u64)EV_DATA_MAX << 32 | EV_DATA_MAX, meta, stack);
	n -= EV_DATA_MAX;
	if (n > EV_DATA_MAX)
		n = EV_DATA_MAX;
	return segment_emit(sk, base + EV_DATA_MAX, n << 32 | (u32)(want - EV_DATA_MAX), meta, 0);
}

/* Is this the client's side of a connection that may lead to an engine? */
static __always_inline u32 state_of(struct sock *sk)
{
	struct unix_sock *peer;
	struct engine_key key = {};
	struct dentry *d;

	if (BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX)
		return CONN_NEW;
	peer = (void *)BPF_CORE_READ((struct unix_sock *)sk, peer);
	if (!peer)
		return CONN_OTHER;
	d = BPF_CORE_READ(peer, path.dentry);
	if (d) {
		key.ino = BPF_CORE_READ(d, d_inode, i_ino);
		key.dev = BPF_CORE_READ(d, d_sb, s_dev);
		if (bpf_map_lookup_elem(&engines, &key))
			return CONN_ENGINE;
	}
	/* Accepted sockets carry the listener's name: only the nameless side is a client; a pair has none. */
	return BPF_CORE_READ(peer, addr) ? CONN_NEW : CONN_OTHER;
}

/* No engine. */
static __always_inline void other_begin(struct conn *c, struct sock *sk)
{
	c->state = BPF_CORE_READ(sk, __sk_common.skc_family) == AF_UNIX ? CONN_OTHER : CONN_WATCH;
	c->left[DATA_SEND] = WATCH_BUDGET;
}

/* The connection's state, made at the first bytes. */
static __always_inline struct conn *conn_of(struct sock *sk, u32 run, u32 dir)
{
	struct conn *c = bpf_sk_storage_get(&conns, sk, 0, 0);

	if (c)
		return c;
	c = bpf_sk_storage_get(&conns, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!c) {
		count_lost(EV_DATA);
		return NULL;
	}
	c->state = state_of(sk);
	if (c->state == CONN_NEW && dir == DATA_RECV)
		other_begin(c, sk); /* a client of HTTP speaks first */
	c->last = DATA_RECV;
	if (c->state == CONN_ENGINE)
		connect_late(number_of(sk), run);
	return c;
}

/* No engine, or its raw stream. */
static __always_inline bool conn_over(const struct conn *c, u32 dir)
{
	return c->state == CONN_OTHER ||
	       (c->state == CONN_WATCH && (dir == DATA_RECV || !c->left[DATA_SEND])) ||
	       (c->state == CONN_RAW && (dir == DATA_SEND || !c->left[DATA_RECV]));
}

#define TLS_HANDSHAKE   0x0316 /* RFC 8446, 5.1: type 22, major version 3 */
#define PORT_DOCKER     2375
#define PORT_DOCKER_TLS 2376

static __always_inline bool is_engine_port(struct sock *sk)
{
	u16 port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));

	return BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX &&
	       (port == PORT_DOCKER || port == PORT_DOCKER_TLS);
}

/* Before the first segment of a transfer: is it wanted at all? word: its first bytes. */
static __always_inline bool conn_wants(struct conn *c, struct sock *sk, u32 run, u32 dir,
				       const u32 word[3])
{
	if (conn_over(c, dir))
		return false;
	if (c->state == CONN_RAW || c->state == CONN_WATCH)
		return true;
	if (c->state == CONN_NEW) {
		if (!is_request(word[0])) {
			other_begin(c, sk);
			/* Of TLS on an engine's port the beginning goes up, for it to be said. */
			if (dir == DATA_SEND && (u16)word[0] == TLS_HANDSHAKE &&
			    is_engine_port(sk)) {
				c->state = CONN_OTHER;
				c->left[DATA_SEND] = 16;
				return true;
			}
			return c->state == CONN_WATCH && dir == DATA_SEND;
		}
		c->state = CONN_ENGINE;
		connect_late(number_of(sk), run);
	}
	if (dir != c->last || (dir == DATA_SEND && is_request(word[0])))
		c->left[dir] = dir == DATA_SEND ? request_budget : response_budget;
	c->last = dir;
	c->stack =
		dir == DATA_SEND && is_request(word[0]) ? python_stack_before(run, STACK_SEND) : 0;
	/* "HTTP/1.1 101": what follows its head is a raw stream. */
	if (dir == DATA_RECV && word[0] == WORD('H', 'T', 'T', 'P') &&
	    (word[2] >> 8) == WORD('1', '0', '1', 0)) {
		c->state = CONN_RAW;
		c->left[DATA_RECV] = UPGRADE_BUDGET;
	}
	return true;
}

static __always_inline bool conn_wants_user(struct conn *c, struct sock *sk, u32 run, u32 dir,
					    u64 base)
{
	u32 word[3] = {};

	bpf_probe_read_user(word, sizeof(word), (void *)base);
	return conn_wants(c, sk, run, dir, word);
}

/* What the budget leaves of n bytes. */
static __always_inline u64 budget_take(struct conn *c, u32 dir, u64 n, u32 *flags)
{
	u32 left = c->left[dir];
	u64 take = n;

	if (take > left) {
		take = left;
		*flags = DATA_OVER;
	}
	c->left[dir] = left - take;
	return take;
}

#define SEGMENT_FIRST 2 /* of a transfer: it is decided by its bytes whether any is wanted */

/* For one record. (Another thread's, in a race: then it is nobody's, for a stack is its thread's.) */
static __always_inline u64 stack_take(struct conn *c)
{
	u64 stack = c->stack;

	c->stack = 0;
	return stack;
}

/*
 * meta: run << 32 | SEGMENT_FIRST | dir. 0: nothing of the transfer is wanted. Global, so that it is
 * verified once and not in each turn of a vector's walk.
 */
__attribute__((noinline)) int segment(struct conn *c, u64 sk, u64 base, u64 n, u64 meta)
{
	u32 flags = 0, dir = meta & 1;
	u64 take, stack;

	if (!c ||
	    (meta & SEGMENT_FIRST && !conn_wants_user(c, (struct sock *)sk, meta >> 32, dir, base)))
		return 0;
	stack = stack_take(c);
	take = budget_take(c, dir, n, &flags);
	if (c->state == CONN_WATCH)
		flags = SEGMENT_WATCH;
	segment_split(sk, base, take << 32 | (u32)n, (meta & ~SEGMENT_FIRST) | flags << 8, stack);
	return 1;
}

#define SEGMENTS 16 /* of one vector; more is said by DATA_NODATA */

static __always_inline void nodata(const struct conn *c, struct sock *sk, u32 run, u32 dir, u64 n)
{
	if (c->state == CONN_WATCH)
		return;
	segment_emit(number_of(sk), 0, (u32)n, (u64)run << 32 | DATA_NODATA << 8 | dir, 0);
}

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

/* ---- tracepoints (6.3 and later): the buffer is still in the system call's registers ---- */

#define PF_IO_WORKER 0x10 /* include/linux/sched.h; its registers are stale */

/* Are the registers those of a system call that names the buffer? */
static __always_inline bool regs_name_buffer(struct pt_regs *regs)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (BPF_CORE_READ(task, flags) & PF_IO_WORKER || REGS_COMPAT(regs))
		return false;
	switch (REGS_NR(regs)) {
	case SYSCALL_READ:
	case SYSCALL_WRITE:
	case SYSCALL_SENDTO:
	case SYSCALL_RECVFROM:
	case SYSCALL_READV:
	case SYSCALL_WRITEV:
	case SYSCALL_SENDMSG:
	case SYSCALL_RECVMSG:
		return true;
	}
	return false; /* sendfile, splice, sendmmsg, io_uring */
}

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

static __always_inline void transfer_regs(struct sock *sk, int ret, u32 dir)
{
	u32 run = run_of_current();
	struct user_msghdr m = {};
	struct pt_regs *regs;
	struct conn *c;

	if (ret <= 0 || !run)
		return;
	c = conn_of(sk, run, dir);
	if (!c || conn_over(c, dir) || copied(c, sk, run, ret, dir))
		return;
	regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	if (!regs_name_buffer(regs)) {
		nodata(c, sk, run, dir, ret);
		return;
	}
	switch (REGS_NR(regs)) {
	case SYSCALL_READV:
	case SYSCALL_WRITEV:
		m.msg_iov = (void *)REGS_ARG2(regs);
		m.msg_iovlen = REGS_ARG3(regs);
		break;
	case SYSCALL_SENDMSG:
	case SYSCALL_RECVMSG:
		bpf_probe_read_user(&m, sizeof(m), (void *)REGS_ARG2(regs));
		break;
	default:
		segment(c, number_of(sk), REGS_ARG2(regs), (u32)ret,
			(u64)run << 32 | SEGMENT_FIRST | dir);
		return;
	}
	vector(c, sk, run, dir, (u64)m.msg_iov, m.msg_iovlen, 0, (u32)ret, false);
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

/*
 * ---- the kernel's own copy (6.11 and later), for what has no buffer in the registers ----
 * When such bytes were queued their sk_buff is marked, when the other side has taken it whole it is
 * read. Whatever is sent while one waits is read so, too: the order holds.
 */
struct mark {
	struct sender by;
	u64 sk, ino;
	u64 owner; /* sk_buff.sk: together with len it tells a stale mark */
	u64 stack;
	u32 len, take;
	u32 dir, flags;
	u32 tentative; /* wanted only if it is a request */
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct mark);
} marks SEC(".maps"); /* full: said as bytes not readable */

__u32 marked; /* as good as always 0: what everybody else pays is one look at it */

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags,
			       struct bpf_dynptr *p) __ksym __weak;

/* Marks what was queued last for `queue`. What could not be is said when the transfer ends. */
static __always_inline void mark_last(struct conn *c, struct sock *sk, const struct sock *queue,
				      u32 run, u32 dir)
{
	void *head = (void *)queue + bpf_core_field_offset(struct sock, sk_receive_queue);
	struct sk_buff *skb = BPF_CORE_READ(queue, sk_receive_queue.prev);
	struct mark m = { .sk = number_of(sk), .ino = sock_ino(sk), .dir = dir };
	u64 key = (u64)skb;
	u32 word[3] = {};

	if (!skb || (void *)skb == head)
		return; /* the other side was faster */
	m.owner = (u64)BPF_CORE_READ(skb, sk);
	m.len = BPF_CORE_READ(skb, len);
	if (m.len > BPF_CORE_READ(skb, data_len)) {
		bpf_probe_read_kernel(word, sizeof(word), BPF_CORE_READ(skb, data));
	} else if (c->state == CONN_NEW) { /* in pages alone, of a file or pipe: looked at later */
		word[0] = WORD('G', 'E', 'T', ' ');
		m.tentative = 1;
	}
	if (!conn_wants(c, sk, run, dir, word))
		return;
	m.by = c->by;
	m.take = budget_take(c, dir, m.len, &m.flags);
	m.stack = stack_take(c);
	if (bpf_map_update_elem(&marks, &key, &m, BPF_NOEXIST))
		return;
	__sync_fetch_and_add(&marked, 1);
	/* Taken meanwhile: either its reader found the mark, or nobody will. */
	if (BPF_CORE_READ(queue, sk_receive_queue.prev) != skb &&
	    !bpf_map_delete_elem(&marks, &key)) {
		__sync_fetch_and_add(&marked, -1);
		return;
	}
	if (dir == DATA_RECV)
		return;
	c->dark = 1;
	c->queued = key;
	c->copied += m.len;
}

/* In the sender, after it has queued bytes and before it wakes the other side. */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(on_data_ready, const struct sock *queue)
{
	u32 run;
	struct unix_sock *other;
	struct conn *c;

	if (queue->__sk_common.skc_family != AF_UNIX)
		return 0;
	run = run_of_current();
	other = run ? bpf_skc_to_unix_sock((void *)queue) : NULL;
	if (other && other->peer) {
		bool named = regs_name_buffer((void *)bpf_task_pt_regs(bpf_get_current_task_btf()));

		c = named ? bpf_sk_storage_get(&conns, other->peer, 0, 0)
			  : conn_of(other->peer, run, DATA_SEND);
		if (c && !conn_over(c, DATA_SEND) &&
		    (!named || c->copied ||
		     (c->queued && bpf_map_lookup_elem(&marks, &c->queued)))) {
			sender_fill(&c->by, run);
			mark_last(c, other->peer, queue, run, DATA_SEND);
			return 0;
		}
	}
	/* The answer to such a client. */
	c = bpf_sk_storage_get(&conns, (void *)queue, 0, 0);
	if (c && c->dark && !conn_over(c, DATA_RECV))
		mark_last(c, (void *)queue, queue, c->by.run, DATA_RECV);
	return 0;
}

#define COPY_EMIT(size)                                                                            \
	do {                                                                                       \
		struct {                                                                           \
			struct ev_hdr h;                                                           \
			struct ev_data e;                                                          \
			u8 bytes[size];                                                            \
		} *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);                                  \
		if (!r) {                                                                          \
			count_lost(EV_DATA);                                                       \
			break;                                                                     \
		}                                                                                  \
		hdr_fill(&r->h, EV_DATA, m->by.run);                                               \
		r->h.start = m->by.start;                                                          \
		r->h.pid = m->by.pid;                                                              \
		r->h.tid = m->by.tid;                                                              \
		r->e.sk = m->sk;                                                                   \
		r->e.sockino = m->ino;                                                             \
		r->e.dir = m->dir;                                                                 \
		r->e.flags = m->flags;                                                             \
		r->e.stack = m->stack;                                                             \
		CLAMP(take, size);                                                                 \
		if (bpf_dynptr_read(r->bytes, take, p, 0, 0)) {                                    \
			take = 0;                                                                  \
			r->e.flags |= DATA_NODATA;                                                 \
		}                                                                                  \
		r->h.len = take;                                                                   \
		r->h.want = m->len;                                                                \
		bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);                                           \
	} while (0)

static __always_inline void copy_emit(const struct mark *m, struct bpf_dynptr *p)
{
	u64 take = m->take;
	u32 word = 0;

	if (m->tentative && (bpf_dynptr_read(&word, sizeof(word), p, 0, 0) || !is_request(word)))
		return;
	if (ring_is_high())
		count_lost(EV_DATA);
	else if (take <= 4096)
		COPY_EMIT(4096);
	else
		COPY_EMIT(65536);
}

/* In the other side, which has taken the last of its bytes. */
SEC("tp_btf/consume_skb")
int BPF_PROG(on_consume_skb, struct sk_buff *skb)
{
	struct mark *found, m;
	struct bpf_dynptr p;
	u64 key;

	if (!marked)
		return 0;
	key = (u64)skb;
	found = bpf_map_lookup_elem(&marks, &key);
	if (!found)
		return 0;
	m = *found;
	bpf_map_delete_elem(&marks, &key);
	__sync_fetch_and_add(&marked, -1);
	if ((u64)skb->sk == m.owner && skb->len == m.len &&
	    !bpf_dynptr_from_skb((struct __sk_buff *)skb, 0, &p))
		copy_emit(&m, &p);
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
	regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
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
	u32 type = BPF_CORE_READ(i, iter_type);

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
	u32 run = run_of_thread();
	struct iter it;
	struct conn *c;

	if (ret <= 0 || !run)
		return;
	c = conn_of(sk, run, dir);
	if (!c || conn_over(c, dir))
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

/* clang would choose the offset and then read, which the verifier refuses. */
#define CTX_WORD(ctx, i)                                                                           \
	({                                                                                         \
		u64 word;                                                                          \
		asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(word) : "r"(ctx), "i"((i)*8));        \
		word;                                                                              \
	})

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
