/* copy.bpf.c: bytes read from the kernel's own copy (6.11 and later), for what has no buffer in the registers. */
#include "engine.bpf.h"

/*
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
		bool named = regs_name_buffer(regs_current());

		c = named ? conn_get(other->peer) : conn_of(other->peer, run, DATA_SEND);
		if (c && !conn_over(c, DATA_SEND) &&
		    (!named || c->copied ||
		     (c->queued && bpf_map_lookup_elem(&marks, &c->queued)))) {
			sender_fill(&c->by, run);
			mark_last(c, other->peer, queue, run, DATA_SEND);
			return 0;
		}
	}
	/* The answer to such a client. */
	c = conn_get((void *)queue);
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
		bpf_ringbuf_submit(r, wakes(r->bytes, m->dir, take));                              \
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
