/* write.bpf.c: bytes that a run writes to its logs, its standard output and error and into pipes, up to a budget. */
#include "watch.bpf.h"

#define VECTOR_MAX 8 /* segments of one vector that are looked at */

const volatile __u64 watch_file_budget = 4 << 20;
const volatile __u64 watch_pipe_budget = 16 << 10;

/*
 * What is left of each pipe's budget. The least recently used goes when it is full: a pipe that comes
 * back is looked at again, so that nobody gains by flushing it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct watch_key);
	__type(value, struct watch);
} pipes SEC(".maps");

#define WRITE_EMIT(size)                                                                           \
	do {                                                                                       \
		struct {                                                                           \
			struct ev_hdr h;                                                           \
			struct ev_write e;                                                         \
			u8 bytes[size];                                                            \
		} *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);                                  \
		u64 take = n;                                                                      \
		if (!r) {                                                                          \
			count_lost(EV_WRITE);                                                      \
			break;                                                                     \
		}                                                                                  \
		hdr_fill(&r->h, EV_WRITE, run);                                                    \
		r->e.ino = ino;                                                                    \
		r->e.dev = dev_kind >> 32;                                                         \
		r->e.kind = (u32)dev_kind;                                                         \
		CLAMP(take, size);                                                                 \
		if (take && bpf_probe_read_user(r->bytes, take, (void *)base))                     \
			take = 0;                                                                  \
		r->h.len = take;                                                                   \
		r->h.want = want;                                                                  \
		bpf_ringbuf_submit(r, ring_flags());                                               \
	} while (0)

/* One record of n bytes out of want. Global with scalars: verified once. */
__attribute__((noinline)) int write_emit(u64 run_wide, u64 ino, u64 dev_kind, u64 base, u64 n_want)
{
	u32 n = n_want >> 32, want = (u32)n_want, run = run_wide;

	if (ring_is_high())
		count_lost(EV_WRITE);
	else if (n <= 512)
		WRITE_EMIT(512);
	else if (n <= 4096)
		WRITE_EMIT(4096);
	else if (n <= 16384)
		WRITE_EMIT(16384);
	else
		WRITE_EMIT(65536);
	return 0;
}

static __always_inline struct watch *watch_of(struct watch_key *key, bool pipe)
{
	struct watch *w = bpf_map_lookup_elem(&watched, key), fresh = { .left = watch_pipe_budget };

	if (w || !pipe)
		return w;
	w = bpf_map_lookup_elem(&pipes, key);
	if (w)
		return w;
	bpf_map_update_elem(&pipes, key, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(&pipes, key);
}

static __always_inline u32 kind_of(u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return FD_FILE;
	case S_IFIFO:
		return FD_PIPE;
	case S_IFCHR:
		return FD_TTY;
	}
	return FD_OTHER; /* sockets have hooks of their own */
}

/* A write of n bytes at base (user memory) to a struct file. Global: verified once, not for each segment. */
__attribute__((noinline)) int write_look(u64 run, u64 file, u64 base, u64 n)
{
	struct inode *inode = BPF_CORE_READ((struct file *)file, f_inode);
	u32 kind = kind_of(BPF_CORE_READ(inode, i_mode));
	struct watch_key key = { .run = run };
	struct watch *w;
	u64 take = n;

	if (kind == FD_OTHER)
		return 0;
	key.ino = BPF_CORE_READ(inode, i_ino);
	key.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	w = watch_of(&key, kind == FD_PIPE);
	if (!w || !w->left)
		return 0;
	if (take > w->left)
		take = w->left;
	if (take > EV_DATA_MAX)
		take = EV_DATA_MAX;
	/* Used up: the record that says so is the last of this file. */
	w->left = n > w->left ? 0 : w->left - n;
	return write_emit(run, key.ino, (u64)key.dev << 32 | kind, base, take << 32 | (u32)n);
}

/* pwrite64 has the same first arguments. */
SEC("tp/syscalls/sys_exit_write")
int on_sys_write(struct trace_event_raw_sys_exit *ctx)
{
	u32 run = ctx->ret > 0 ? run_of_thread() : 0;
	struct pt_regs *regs;
	struct file *file;

	if (!run)
		return 0;
	regs = regs_current();
	if (REGS_COMPAT(regs))
		return 0;
	file = file_of_fd((void *)bpf_get_current_task(), REGS_ARG1(regs));
	if (file)
		write_look(run, number_of(file), REGS_ARG2(regs), ctx->ret);
	return 0;
}

SEC("tp/syscalls/sys_exit_writev")
int on_sys_writev(struct trace_event_raw_sys_exit *ctx)
{
	u32 run = ctx->ret > 0 ? run_of_thread() : 0;
	struct user_iovec v;
	struct pt_regs *regs;
	struct file *file;
	u64 left;

	if (!run)
		return 0;
	regs = regs_current();
	if (REGS_COMPAT(regs))
		return 0;
	file = file_of_fd((void *)bpf_get_current_task(), REGS_ARG1(regs));
	left = ctx->ret;
	for (u32 i = 0; file && i < VECTOR_MAX; i++) {
		if (!left || i >= REGS_ARG3(regs) ||
		    bpf_probe_read_user(&v, sizeof(v), (void *)(REGS_ARG2(regs) + i * sizeof(v))))
			break;
		if (v.len > left)
			v.len = left;
		if (v.len)
			write_look(run, number_of(file), v.base, v.len);
		left -= v.len;
	}
	return 0;
}

/* Trampolines: write(2) and pwrite(2), from any thread and number. */
SEC("fexit/vfs_write")
int BPF_PROG(on_vfs_write, struct file *file, const char *buf, size_t count, void *pos, long ret)
{
	u32 run = ret > 0 ? run_of_current() : 0;

	if (run)
		write_look(run, number_of(file), (u64)buf, ret);
	return 0;
}
