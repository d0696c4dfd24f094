/* python.bpf.h: CPython processes of the run, and the call that tells the stack of their threads. */
#ifndef INVIGIL_PYTHON_BPF_H
#define INVIGIL_PYTHON_BPF_H

#include "event.bpf.h"
#include "python.h"

/* Rows of user/python_layout.def; filled by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PYTHON_LAYOUTS);
	__type(key, u32);
	__type(value, struct python_layout);
} python_layouts SEC(".maps") __weak;

/* Filled when probes are put into a file. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PYTHON_BUILDS);
	__type(key, u32);
	__type(value, struct python_build);
} python_builds SEC(".maps") __weak;

struct python {
	u64 runtime; /* address of _PyRuntime; 0: not known */
	u64 image;   /* one number for each start of an interpreter; forked children keep it */
	u32 build;
	u32 pad;
};

/* By process; copied at fork, dropped at exec and exit. Full: those processes give no line. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct python);
} pythons SEC(".maps") __weak;

/* No two of a CPU in one nanosecond. (clang 14 has no atomic that returns, below -mcpu=v3.) */
static __always_inline u64 number_new(void)
{
	return bpf_ktime_get_boot_ns() << 10 | (bpf_get_smp_processor_id() & 0x3ff);
}

static __always_inline struct python *python_of_current(void)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;

	return bpf_map_lookup_elem(&pythons, &pid);
}

/* Addresses are used again, so what was sent is known by everything that a different line needs. */
struct code_key {
	u64 image, code, table, table_len, hash, file, title;
	s64 line;
};

#define FRAMES_ROOM 512 /* callers' frames are mostly right before their callees', from 3.11 on */
#define CODE_HEAD   192
#define THREAD_HEAD 184 /* reaches thread_id */
#define TABLE_ENDS  256 /* of both ends of a line table: tells code objects apart */

/* A bytes object: its length is head[2]. */
struct python_table {
	u64 head[4];
	u64 word[TABLE_ENDS / 8];
};

/*
 * What a thread was seen to read by: the text of errors and the code objects of os._Environ.__getitem__ and its encode(). They
 * live as long as the interpreter, unless somebody takes os apart: enough to count by, not to tell a name.
 */
struct python_known {
	u64 image; /* struct python */
	u64 errors, encode, getitem;
};

/* Of the thread, since probes can be preempted: a per-CPU scratch would be another thread's. */
struct python_walk {
	u64 pointer;                  /* the thread's, by which its state is known */
	u64 frame;                    /* to be read next */
	u64 room_at, room_n;          /* of room: the memory it is a copy of */
	u64 interp, thread, searched; /* of the search */
	u64 code_type, str_type, code_id;
	u32 layout, run;
	u32 frames, flags;
	u32 in_system; /* on its way through libc's system() */
	u32 status;    /* enum stack_status of the last walk */
	u32 version, pad;
	struct ev_frame at[EV_FRAMES];
	struct code_key key;
	struct python_known known;
	u8 room[FRAMES_ROOM + 8], code[256], head[256];
	u8 str[48 + EV_VAR_MAX]; /* the object of the name that is read */
	struct python_table table;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct python_walk);
} python_walks SEC(".maps") __weak;

static __always_inline struct python_walk *walk_of_thread(void)
{
	return bpf_task_storage_get(&python_walks, bpf_get_current_task_btf(), 0,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* Fields at variable offsets of a head that was read: the mask is for the verifier. */
#define WORD_AT(head, offset) (*(u64 *)((head) + ((offset)&0xf8)))
#define HALF_AT(head, offset) (*(s32 *)((head) + ((offset)&0xfc)))

static __always_inline u64 user_u64(u64 addr)
{
	u64 v = 0;

	bpf_probe_read_user(&v, sizeof(v), (void *)addr);
	return v;
}

static __always_inline u64 thread_pointer(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return TASK_POINTER(task);
}

/*
 * Is it the calling thread's, and runs Python? Then w->frame is its innermost frame. A read costs the
 * same however much it reads: one for the whole head.
 */
static __always_inline bool thread_take(struct python_walk *w, const struct python_layout *l,
					u64 thread)
{
	/* Its thread_id is what pthread_self() gave it; two threads' are further apart than the slack. */
	if (!thread || bpf_probe_read_user(w->head, THREAD_HEAD, (void *)thread) ||
	    w->pointer - WORD_AT(w->head, l->thread_id) > POINTER_SLACK)
		return false;
	w->frame = l->cframe < 0 ? WORD_AT(w->head, l->frame)
				 : user_u64(WORD_AT(w->head, l->cframe) + l->frame);
	return w->frame;
}

/* The thread state that holds the GIL of the main interpreter. */
static __always_inline u64 thread_with_gil(const struct python_layout *l, u64 runtime)
{
	u64 interp;

	if (l->gil_current >= 0)
		return user_u64(runtime + l->gil_current);
	interp = user_u64(runtime + l->interp_head);
	return user_u64(user_u64(interp + l->interp_gil) + l->gil_holder);
}

#define FRAME_HEAD     72  /* reaches frame_at and frame_owner; never beyond a data stack chunk */
#define FRAME_HEAD_OLD 128 /* reaches f_lasti of a PyFrameObject */

/* Of a frame in w->room. */
#define FRAME_WORD(w, at, offset) (*(u64 *)((w)->room + (((at) + (offset)) & (FRAMES_ROOM - 8))))

/* Where in w->room the frame at w->frame is; FRAMES_ROOM: it cannot be read. */
static __always_inline u64 frame_read(struct python_walk *w, const struct python_layout *l)
{
	u64 size = l->frame_owner < 0 ? FRAME_HEAD_OLD : FRAME_HEAD;
	u64 from = w->frame, end = w->frame + size, n;

	if (from >= w->room_at && end <= w->room_at + w->room_n)
		return from - w->room_at;
	/* What is before it on its page is there. */
	if (l->frame_owner >= 0) {
		from &= ~4095ull;
		if (from + FRAMES_ROOM < end)
			from = end - FRAMES_ROOM;
	}
	n = end - from;
	CLAMP(n, FRAMES_ROOM);
	w->room_at = from;
	w->room_n = 0;
	if (bpf_probe_read_user(w->room, n, (void *)from))
		return FRAMES_ROOM;
	w->room_n = n;
	return w->frame - from;
}

/*
 * Sends the stack of the calling thread, and before it the code objects that were not sent yet.
 * No process of CPython: nothing. reason_run: enum stack_reason << 32 | run; shared: the child of
 * a fork uses its parent's memory. Returns what the record it belongs to says of it.
 */
u64 python_stack(u64 reason_run, u64 child_pid, u64 child_start, u64 shared);
#ifdef PLAIN

/* Its loops need callbacks: no lines. */
static __always_inline u64 python_stack_before(u32 run, enum stack_reason reason)
{
	return 0;
}

static __always_inline void python_fork(u32 run, struct task_struct *parent,
					struct task_struct *child)
{
}

#else

static __always_inline u64 python_stack_before(u32 run, enum stack_reason reason)
{
	return python_stack((u64)reason << 32 | run, 0, 0, 0);
}

/* A process of the run made another one. */
static __always_inline void python_fork(u32 run, struct task_struct *parent,
					struct task_struct *child)
{
	u32 pid = parent->tgid, child_pid = child->tgid;
	struct python *p = bpf_map_lookup_elem(&pythons, &pid), copy;

	if (!p)
		return;
	copy = *p;
	if (bpf_map_update_elem(&pythons, &child_pid, &copy, BPF_ANY))
		count_lost(EV_STACK);
	python_stack((u64)STACK_FORK << 32 | run, child_pid, child->start_boottime,
		     parent->mm == child->mm);
}

#endif

static __always_inline void python_forget(u32 pid)
{
	bpf_map_delete_elem(&pythons, &pid);
}

#endif
