/* event.bpf.h: maps, membership and record helpers that every program shares. */
#ifndef INVIGIL_EVENT_BPF_H
#define INVIGIL_EVENT_BPF_H

#include "member.bpf.h"
#include <bpf/bpf_endian.h>

/*
 * clang 14 compares a shifted copy of a register and passes the unbounded one on: force the bound on
 * the very register, which must be u64.
 */
#ifdef PLAIN
/* On a path that cannot be, 5.10 keeps a negative minimum: the mask takes it away. */
#define CLAMP(var, max)                                                                            \
	asm volatile("if %0 <= %[limit] goto +1\n%0 = %[limit]\n%0 &= %[mask]\n"                   \
		     : "+r"(var)                                                                   \
		     : [limit] "i"(max), [mask] "i"((1ull << (64 - __builtin_clzll(max))) - 1))
#else
#define CLAMP(var, max)                                                                            \
	asm volatile("if %0 <= %[limit] goto +1\n%0 = %[limit]\n" : "+r"(var) : [limit] "i"(max))
#endif

/*
 * The i-th word of a program whose parameters differ by kernel. clang would choose the offset and then read, which the verifier refuses.
 */
#define CTX_WORD(ctx, i)                                                                           \
	({                                                                                         \
		u64 word;                                                                          \
		asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(word) : "r"(ctx), "i"((i)*8));        \
		word;                                                                              \
	})

/* Size is set by the loader; one ring, so that ring order is event order. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} ring SEC(".maps") __weak;

extern const volatile __u64 ring_high; /* bulk records give up above this fill */
extern __u64 lost[EV_TYPES];           /* dropped records by type */
extern __u32 stopped; /* set at the end of the run: detaching takes a second, this does not */
extern const volatile bool many_runs; /* daemon */
extern __u64 lost_members;            /* processes whose membership could not be stored */

/*
 * Tickets that turned out to be of no run, or of one that ended; filled by the daemon for as long as it
 * lives. One that falls out is asked for again at the next exec.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u32);
} dropped SEC(".maps") __weak;

/* Those that are of a run that lives; full: a program that may begin a run is asked for at each exec. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u32);
} living SEC(".maps") __weak;

static __always_inline bool is_dropped(u32 run)
{
	return many_runs && bpf_map_lookup_elem(&dropped, &run);
}

/* The task's membership while it counts. */
static __always_inline struct member *member_of(struct task_struct *task)
{
	struct member *m = stopped ? NULL : member_get(task);

	return m && !is_dropped(m->run) ? m : NULL;
}

static __always_inline struct member *member_running(struct task_struct *task)
{
	struct member *m = member_of(task);

	return m && !(m->flags & MEMBER_WAITS) ? m : NULL;
}

static __always_inline u32 run_of(struct task_struct *task)
{
	struct member *m = member_running(task);

	return m ? m->run : 0;
}

/*
 * For uprobes and at the end of system calls: no io_uring worker runs user code, and a sleepable program may
 * not follow group_leader. (Following it costs the verifier a search of all of the kernel's type names.)
 */
static __always_inline struct member *member_of_thread(void)
{
	return member_running(task_current());
}

static __always_inline u32 run_of_thread(void)
{
	return run_of(task_current());
}

/* Fork does not fire for io_uring workers: their storage is empty, their leader's is not. */
static __always_inline u32 run_of_current(void)
{
	struct task_struct *task = task_current();
	u32 run = run_of(task);

#ifndef PLAIN /* by process, whichever thread it is */
	struct task_struct *leader = task->group_leader;

	/* A second look-up costs as much as all else that a process of no run pays here. */
	if (!run && leader && leader != task)
		run = run_of(leader);
#endif
	return run;
}

static __always_inline void count_lost(u32 type)
{
	if (type < EV_TYPES)
		__sync_fetch_and_add(&lost[type], 1);
}

static __always_inline bool ring_is_high(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > ring_high;
}

/* For who fills the ring; other records are read when the reader looks again (loader_wait_ms()). */
static __always_inline u64 ring_flags(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > ring_high / 4 ? BPF_RB_FORCE_WAKEUP
									   : BPF_RB_NO_WAKEUP;
}

/* Timestamps are taken after the reserve, so that they follow ring order. */
static __always_inline void hdr_fill(struct ev_hdr *h, u32 type, u32 run)
{
	u64 id = bpf_get_current_pid_tgid();
	struct task_struct *task = (void *)bpf_get_current_task();

	h->time = bpf_ktime_get_boot_ns();
	h->start = BPF_CORE_READ(task, group_leader, start_boottime);
	h->type = type;
	h->run = run;
	h->pid = id >> 32;
	h->tid = (u32)id;
	h->len = 0;
	h->want = 0;
}

/* A typed pointer as a plain number: the verifier refuses to pass one where a global function takes a scalar. */
static __always_inline u64 number_of(const void *p)
{
	u64 v = 0;

	bpf_probe_read_kernel(&v, sizeof(v), &p);
	return v;
}

static __always_inline void comp_fill(struct ev_comp *c, struct dentry *d)
{
	struct inode *inode = BPF_CORE_READ(d, d_inode);
	long n = bpf_probe_read_kernel_str(c->name, sizeof(c->name), BPF_CORE_READ(d, d_name.name));

	c->mode = BPF_CORE_READ(inode, i_mode);
	c->uid = BPF_CORE_READ(inode, i_uid.val);
	c->gid = BPF_CORE_READ(inode, i_gid.val);
	c->len = n > 0 ? n - 1 : 0;
}

struct path_comps {
	struct ev_comp c[EV_COMPS];
};

#define PATH_CUT 0x100u

/* A place on the way up: addresses of a dentry and its struct mount. */
struct path_at {
	u64 dentry, mount;
};

/*
 * Writes the step (unless to is NULL) and goes up, across mount points. 0: at the root already. Global, like
 * all of the walk: verified once, not at each step of each path.
 */
__weak __attribute__((noinline)) int path_step(struct ev_comp *to, struct path_at *at)
{
	struct dentry *d, *parent;
	struct mount *m;

	if (!at)
		return 0;
	d = (void *)at->dentry;
	m = (void *)at->mount;
	if (d == BPF_CORE_READ(m, mnt.mnt_root)) {
		d = BPF_CORE_READ(m, mnt_mountpoint);
		m = BPF_CORE_READ(m, mnt_parent);
	}
	if (d == BPF_CORE_READ(m, mnt.mnt_root)) {
		d = BPF_CORE_READ(m, mnt_mountpoint);
		m = BPF_CORE_READ(m, mnt_parent);
	}
	parent = BPF_CORE_READ(d, d_parent);
	if (!d || d == parent)
		return 0;
	if (to)
		comp_fill(to, d);
	at->dentry = (u64)parent;
	at->mount = (u64)m;
	return 1;
}

/*
 * Writes the steps of a path from the leaf upward to at most max. Returns how many, | PATH_CUT when
 * there was more. Unrolled with constant indexes: a loop-carried second counter costs a hundred times
 * the verified instructions.
 */
static __always_inline u32 steps_walk(struct ev_comp *c, const int max, u64 dentry, u64 mount)
{
	struct path_at at = { dentry, mount };

#pragma unroll
	for (int i = 0; i < max; i++)
		if (!path_step(&c[i], &at))
			return i;
	return max | PATH_CUT;
}

static __always_inline struct mount *mount_of(struct vfsmount *vfs)
{
	return (void *)vfs - bpf_core_field_offset(struct mount, mnt);
}

/* Of a dentry and its struct mount. An inlined walk leaves a constant per exit to what follows. */
__weak __attribute__((noinline)) u32 path_walk(struct path_comps *to, u64 dentry, u64 mount)
{
	return to ? steps_walk(to->c, STEPS_MAX, dentry, mount) : 0;
}

static __always_inline void path_steps(struct ev_comp *c, struct path *path, u32 *count, u32 *flags,
				       u32 cut)
{
	u32 n = path_walk((void *)c, number_of(BPF_CORE_READ(path, dentry)),
			  number_of(mount_of(BPF_CORE_READ(path, mnt))));

	*count = n & ~PATH_CUT;
	if (n & PATH_CUT)
		*flags |= cut;
}

/* What is handed to us has an int there and nothing behind it (kernel/trace/trace_syscalls.c: syscall_tp_t). */
#define EXIT_NR(ctx) ((int)(ctx)->id)

static __always_inline struct file *file_of_fd(struct task_struct *task, u32 fd)
{
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **table, *file = NULL;

	if (fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	table = BPF_CORE_READ(fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), table + fd);
	return file;
}

#define NAME_INIT 2166136261u /* FNV-1a */

/* One more byte of a path: a hash of its last step. Global: verified once, not for each byte. */
__weak __attribute__((noinline)) u32 name_hash_step(u32 hash, u32 byte)
{
	return byte == '/' ? NAME_INIT : (hash ^ byte) * 16777619u;
}

/*
 * Of the string at addr, in user or kernel memory: its bytes with the NUL << 32 | hash of the last step
 * of the path that it is (none of an option). 0: it cannot be read or is too long. Global with scalars:
 * verified once.
 */
__weak __attribute__((noinline)) u64 name_hash(u64 addr, u32 user)
{
	char name[EV_NAME_MAX];
	long n = user ? bpf_probe_read_user_str(name, sizeof(name), (void *)addr)
		      : bpf_probe_read_kernel_str(name, sizeof(name), (void *)addr);
	u32 hash = NAME_INIT, i = 0;

	if (n <= 0 || n == sizeof(name))
		return 0;
	if (n == 1 || (user && name[0] == '-'))
		return (u64)n << 32;
	/* 6.1 refuses a loop that is entered in its middle: so the test stands at the end. */
	do {
		hash = name_hash_step(hash, (u8)name[i]);
	} while (++i < EV_NAME_MAX - 1 && name[i]);
	return (u64)n << 32 | hash;
}

#define PF_IO_WORKER 0x10u /* include/linux/sched.h: its registers are stale */

#define S_IFMT   00170000
#define S_IFSOCK 0140000
#define S_IFREG  0100000
#define S_IFCHR  0020000
#define S_IFIFO  0010000

#endif
