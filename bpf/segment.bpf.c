/* segment.bpf.c: records of bytes that lie in the memory of whoever sent or received them. */
#include "engine.bpf.h"

const volatile __u32 request_budget = 128 << 10;
const volatile __u32 response_budget = 64 << 10;

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
		bpf_ringbuf_submit(r, wakes(r->bytes, dir, take));                                 \
	} while (0)

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
