/* engine.bpf.h: connections that may lead to a container engine: what is known of each, and what of its bytes is wanted. */
#ifndef INVIGIL_ENGINE_BPF_H
#define INVIGIL_ENGINE_BPF_H

#include "python.bpf.h"
#include "watch.bpf.h"

#define AF_UNIX     1
#define AF_INET     2
#define AF_INET6    10
#define SOCK_STREAM 1

/* Bytes that one message may send before the other side speaks again; beyond it only lengths. */
extern const volatile __u32 request_budget;
extern const volatile __u32 response_budget;
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
} engines SEC(".maps") __weak;

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
	u32 dark;    /* there was one; what is received is read so, too */
	u32 copied;  /* bytes of this transfer that will be read so */
	u64 queued;  /* the last sk_buff sent so */
	u64 stack;   /* ev_data.stack of the next record */
	u32 session; /* the last request asked for one of BuildKit */
	u32 pad;
	struct sender by;
};

/* Goes with the socket: nothing to clean up, nothing that others could flush. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct conn);
} conns SEC(".maps") __weak;

struct conn_key {
	u64 sk;
	u64 ino; /* a number is not given to two sockets */
};

/*
 * For programs that have no socket storage: tracing ones before 5.11, tracepoints of system calls. One
 * that was pushed out is looked at anew.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct conn_key);
	__type(value, struct conn);
} conns_numbered SEC(".maps") __weak;

static __always_inline u64 sock_ino(struct sock *sk)
{
	struct socket *s = BPF_CORE_READ(sk, sk_socket);
	struct socket_alloc *sa;

	if (!s)
		return 0;
	sa = (void *)s - bpf_core_field_offset(struct socket_alloc, socket);
	return BPF_CORE_READ(sa, vfs_inode.i_ino);
}

/* connect.bpf.c: seen at its first bytes. Global: verified once, not at each byte that may be the first. */
extern int connect_late(u64 sk, u32 run);

#define WORD(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

static __always_inline bool is_request(u32 w)
{
	return w == WORD('G', 'E', 'T', ' ') || w == WORD('P', 'O', 'S', 'T') ||
	       w == WORD('H', 'E', 'A', 'D') || w == WORD('P', 'U', 'T', ' ') ||
	       w == WORD('D', 'E', 'L', 'E') || w == WORD('P', 'R', 'I', ' ');
}

/*
 * The monitor must hear at once of what the engine starts next: it made a container ("HTTP/1.1 201"), or it is asked
 * to build ("POST /build", "POST /v1.41/build"). bytes: of a record, n of them are there.
 */
static __always_inline u64 wakes(const void *bytes, u32 dir, u64 n)
{
	const u32 *word = bytes;
	bool wake;

	if (n < 4 * sizeof(*word))
		return ring_flags();
	if (dir == DATA_RECV)
		wake = word[0] == WORD('H', 'T', 'T', 'P') && word[2] == WORD(' ', '2', '0', '1');
	else
		wake = word[0] == WORD('P', 'O', 'S', 'T') &&
		       (word[1] == WORD(' ', '/', 'b', 'u') || word[3] == WORD('b', 'u', 'i', 'l'));
	return wake ? BPF_RB_FORCE_WAKEUP : ring_flags();
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

static __always_inline struct conn *numbered_get(struct sock *sk)
{
	struct conn_key key = { (u64)sk, sock_ino(sk) };

	return bpf_map_lookup_elem(&conns_numbered, &key);
}

/* A function of its own: a struct conn is much for the stack, of which 6.1 gives all callers together 512 bytes. */
static __attribute__((noinline, unused)) struct conn *numbered_make(struct sock *sk)
{
	struct conn_key key = { (u64)sk, sock_ino(sk) };
	struct conn fresh = {};

	bpf_map_update_elem(&conns_numbered, &key, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(&conns_numbered, &key);
}

#ifdef PLAIN
#define conn_get  numbered_get
#define conn_make numbered_make
#else

static __always_inline struct conn *conn_get(struct sock *sk)
{
	return sk->sk_bpf_storage ? bpf_sk_storage_get(&conns, sk, 0, 0) : NULL;
}

static __always_inline struct conn *conn_make(struct sock *sk)
{
	return bpf_sk_storage_get(&conns, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

#endif

/* At its first bytes. c: NULL for want of room. */
static __always_inline struct conn *conn_begin(struct conn *c, struct sock *sk, u32 run, u32 dir)
{
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

static __always_inline struct conn *conn_of(struct sock *sk, u32 run, u32 dir)
{
	struct conn *c = conn_get(sk);

	return c ? c : conn_begin(conn_make(sk), sk, run, dir);
}

/* No engine, or its raw stream. */
static __always_inline bool conn_over(const struct conn *c, u32 dir)
{
	return c->state == CONN_OTHER ||
	       (c->state == CONN_WATCH && (dir == DATA_RECV || !c->left[DATA_SEND])) ||
	       (c->state == CONN_RAW && !c->left[dir]);
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
	if (dir == DATA_SEND && is_request(word[0]))
		c->session = word[0] == WORD('P', 'O', 'S', 'T') &&
			     word[1] == WORD(' ', '/', 's', 'e') &&
			     word[2] == WORD('s', 's', 'i', 'o');
	c->stack =
		dir == DATA_SEND && is_request(word[0]) ? python_stack_before(run, STACK_SEND) : 0;
	/* "HTTP/1.1 101": what follows its head is a raw stream. */
	if (dir == DATA_RECV && word[0] == WORD('H', 'T', 'T', 'P') &&
	    (word[2] >> 8) == WORD('1', '0', '1', 0)) {
		c->state = CONN_RAW;
		c->left[DATA_RECV] = UPGRADE_BUDGET;
		/* By a session its client sends the Dockerfile, among other files. */
		c->left[DATA_SEND] = c->session ? request_budget : 0;
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

#define SEGMENT_FIRST 2    /* of a transfer: it is decided by its bytes whether any is wanted */
#define SEGMENT_WATCH 0x80 /* of no engine: looked at for secrets, never sent up as DATA */

/* For one record. (Another thread's, in a race: then it is nobody's, for a stack is its thread's.) */
static __always_inline u64 stack_take(struct conn *c)
{
	u64 stack = c->stack;

	c->stack = 0;
	return stack;
}

/*
 * segment.bpf.c: one record of n captured bytes out of want. meta: run << 32 | flags << 8 | dir.
 */
extern int segment_emit(u64 sk, u64 base, u64 n_want, u64 meta, u64 stack);
/* Of a transfer. meta: run << 32 | SEGMENT_FIRST | dir. 0: nothing of the transfer is wanted. */
extern int segment(struct conn *c, u64 sk, u64 base, u64 n, u64 meta);

static __always_inline void nodata(const struct conn *c, struct sock *sk, u32 run, u32 dir, u64 n)
{
	if (c->state == CONN_WATCH)
		return;
	segment_emit(number_of(sk), 0, (u32)n, (u64)run << 32 | DATA_NODATA << 8 | dir, 0);
}

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

#endif
