/* python.bpf.c: the Python stack of a thread, and the variables that Python reads, from the interpreter's own memory. */
#include "environment.bpf.h"
#include "python.bpf.h"

/* As far as a thread state is looked for before it is said that there is none. */
#define THREADS_MAX  2048
#define WALKS_MAX    64
#define SEARCHED_MAX 4096 /* threads, in all walks: one that is none of Python's is never found */
/* Frames looked at for EV_FRAMES of them: some are of the interpreter itself. */
#define FRAMES_SEEN (EV_FRAMES + 16)

/* enum _frameowner (pycore_frame.h) */
#define OWNED_BY_GENERATOR 1
#define OWNED_BY_C_STACK   3

#define FRAME_HEAD     72  /* reaches frame_at and frame_owner; never beyond a data stack chunk */
#define FRAME_HEAD_OLD 128 /* reaches f_lasti of a PyFrameObject */
#define CODE_HEAD      192
#define THREAD_HEAD    184 /* reaches thread_id: one read for each of hundreds of threads */
#define TABLE_ENDS     256 /* of both ends of a line table: tells code objects apart */

/* Fields at variable offsets of a head that was read: the mask is for the verifier. */
#define WORD_AT(head, offset) (*(u64 *)((head) + ((offset)&0xf8)))
#define HALF_AT(head, offset) (*(s32 *)((head) + ((offset)&0xfc)))

/* Addresses are used again, so what was sent is known by everything that a different line needs. */
struct code_key {
	u64 image, code, table, table_len, hash, file, title;
	s64 line;
};

/* Value: ev_code.id. One that was pushed out is sent again under another id. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct code_key);
	__type(value, u64);
} codes SEC(".maps");

struct table_ends {
	u64 word[TABLE_ENDS / 8];
};

/* Of the thread, since probes can be preempted: a per-CPU scratch would be another thread's. */
struct python_walk {
	u64 frame;                   /* to be read next */
	u64 searched;                /* threads */
	u64 interp, thread, pointer; /* of the search */
	u64 code_type, str_type, code_id;
	u32 layout, run;
	u32 frames, flags;
	u32 in_system; /* on its way through libc's system() */
	u32 status;    /* enum stack_status of the last walk */
	struct ev_frame at[EV_FRAMES];
	struct code_key key;
	u8 head[256 + 8], code[256 + 8];
	struct table_ends ends;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct python_walk);
} python_walks SEC(".maps");

/* No two of a CPU in one nanosecond. (clang 14 has no atomic that returns, below -mcpu=v3.) */
static __always_inline u64 number_new(void)
{
	return bpf_ktime_get_boot_ns() << 10 | (bpf_get_smp_processor_id() & 0x3ff);
}

static __always_inline struct python_walk *walk_of_thread(void)
{
	return bpf_task_storage_get(&python_walks, bpf_get_current_task_btf(), 0,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* A str object's characters: returns bytes, *kind their size; kind 0: no str, nothing read. */
static __always_inline u64 str_read(void *dst, u64 str, const struct python_layout *l, u64 str_type,
				    u8 *kind, u32 *flags, u32 cut)
{
	struct {
		u64 refs, type, length, hash, state;
	} head;
	u64 n, at, size, room = EV_TEXT_ROOM;

	*kind = 0;
	if (bpf_probe_read_user(&head, sizeof(head), (void *)str) || head.type != str_type ||
	    !(head.state & 0x20))
		return 0;
	size = head.state >> 2 & 7;
	at = str + l->ascii;
	if (!(head.state & 0x40)) {
		/* sizeof(PyCompactUnicodeObject); as UTF-8 they need up to twice the bytes */
		at += l->ascii == 48 ? 24 : 16;
		room /= 2;
	}
	if ((size != 1 && size != 2 && size != 4) || head.length > 1 << 20)
		return 0;
	n = head.length * size;
	if (n > room) {
		at += n - room;
		n = room;
		*flags |= cut;
	}
	CLAMP(n, EV_TEXT_ROOM);
	if (n && bpf_probe_read_user(dst, n, (void *)at))
		return 0;
	*kind = size;
	return n;
}

#define CODE_EMIT(size)                                                                            \
	do {                                                                                       \
		struct {                                                                           \
			struct ev_hdr h;                                                           \
			struct ev_code e;                                                          \
			u8 file[EV_TEXT_ROOM];                                                     \
			u8 name[EV_TEXT_ROOM];                                                     \
			u8 table[size];                                                            \
		} *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);                                  \
		u64 take = want;                                                                   \
		if (!r)                                                                            \
			return -1;                                                                 \
		hdr_fill(&r->h, EV_CODE, w->run);                                                  \
		r->e.id = w->code_id;                                                              \
		r->e.version = l->version;                                                         \
		r->e.first_line = w->key.line;                                                     \
		r->e.flags = 0;                                                                    \
		__builtin_memset(r->e.pad, 0, sizeof(r->e.pad));                                   \
		r->e.file_room = sizeof(r->file);                                                  \
		r->e.name_room = sizeof(r->name);                                                  \
		r->e.file_len = str_read(r->file, w->key.file, l, w->str_type, &r->e.file_kind,    \
					 &r->e.flags, CODE_CUT_FILE);                              \
		r->e.name_len = str_read(r->name, w->key.title, l, w->str_type, &r->e.name_kind,   \
					 &r->e.flags, CODE_CUT_NAME);                              \
		CLAMP(take, size);                                                                 \
		if (take && bpf_probe_read_user(r->table, take, (void *)w->key.table + 32))        \
			take = 0;                                                                  \
		r->e.table_len = take;                                                             \
		r->h.len = sizeof(r->file) + sizeof(r->name) + take;                               \
		r->h.want = sizeof(r->file) + sizeof(r->name) + want;                              \
		bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);                                           \
		return 0;                                                                          \
	} while (0)

/* The code object of key, as a record with code_id. -1: there is no room. */
__attribute__((noinline)) int code_emit(u64 want)
{
	struct python_walk *w = walk_of_thread();
	const struct python_layout *l;
	u32 index;

	if (!w)
		return -1;
	index = w->layout;
	l = bpf_map_lookup_elem(&python_layouts, &index);
	if (!l || ring_is_high())
		return -1;
	if (want <= 512)
		CODE_EMIT(512);
	else if (want <= 4096)
		CODE_EMIT(4096);
	else
		CODE_EMIT(EV_TABLE_MAX);
	return 0;
}

/*
 * FNV over words, since the whole of most tables goes through it. Global: its many ends are verified
 * once, not with everything that follows them.
 */
__attribute__((noinline)) u64 ends_hash(const struct table_ends *ends, u64 n, u64 hash)
{
	u32 i;

	if (!ends)
		return 0;
	for (i = 0; i < TABLE_ENDS / 8 - 1 && i * 8 + 8 <= n; i++) {
		hash = (hash ^ ends->word[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	if (n & 7)
		hash ^= ends->word[i] & ((1ull << (n & 7) * 8) - 1);
	else if (n == TABLE_ENDS)
		hash ^= ends->word[i];
	hash *= 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

/*
 * Reads what names the code object at key.code. -1: it does not prove to be one. Not inlined: 6.1
 * has 512 bytes of stack for a chain of callers, and this one is at no end of the longest.
 */
__attribute__((noinline)) int code_read(void)
{
	struct python_walk *w = walk_of_thread();
	const struct python_layout *l;
	struct code_key *k;
	u32 index;
	u64 n;

	if (!w)
		return -1;
	index = w->layout;
	l = bpf_map_lookup_elem(&python_layouts, &index);
	if (!l)
		return -1;
	k = &w->key;
	if (bpf_probe_read_user(w->code, CODE_HEAD, (void *)k->code) ||
	    WORD_AT(w->code, 8) != w->code_type)
		return -1;
	k->file = WORD_AT(w->code, l->code_file);
	k->title = WORD_AT(w->code, l->code_title);
	k->table = WORD_AT(w->code, l->code_table);
	k->line = HALF_AT(w->code, l->code_line);
	/* A bytes object: length at 16, bytes at 32. */
	k->table_len = user_u64(k->table + 16);
	n = k->table_len;
	CLAMP(n, TABLE_ENDS);
	if (bpf_probe_read_user(&w->ends, n, (void *)k->table + 32))
		return -1;
	k->hash = ends_hash(&w->ends, n, 0);
	if (k->table_len > n) {
		if (bpf_probe_read_user(&w->ends, TABLE_ENDS,
					(void *)k->table + 32 + k->table_len - TABLE_ENDS))
			return -1;
		k->hash = ends_hash(&w->ends, TABLE_ENDS, k->hash);
	}
	return 0;
}

struct walk_step {
	struct python_walk *w;
	const struct python_layout *l;
};

static long frame_step(u32 i, struct walk_step *c)
{
	const struct python_layout *l = c->l;
	struct python_walk *w = c->w;
	u64 *known;
	u32 n = w->frames;
	u64 size = l->frame_owner < 0 ? FRAME_HEAD_OLD : FRAME_HEAD;
	s64 at;
	u8 owner = 0;

	if (!w->frame)
		return 1;
	CLAMP(size, FRAME_HEAD_OLD);
	if (bpf_probe_read_user(w->head, size, (void *)w->frame)) {
		w->flags |= STACK_BROKEN;
		return 1;
	}
	w->key.code = WORD_AT(w->head, l->frame_code) & ~7ull; /* 3.14 tags the pointer */
	w->frame = WORD_AT(w->head, l->frame_back);
	if (l->frame_owner >= 0)
		owner = w->head[l->frame_owner & 0x7f];
	if (owner == OWNED_BY_C_STACK)
		return 0;
	if (n >= EV_FRAMES) {
		w->flags |= STACK_DEEPER;
		return 1;
	}
	if (code_read()) {
		w->flags |= STACK_BROKEN;
		return 1;
	}
	if (l->code_text >= 0) {
		at = WORD_AT(w->head, l->frame_at) - w->key.code - l->code_text;
		/* Not yet a frame for the interpreter either: it is still being filled. */
		if (owner != OWNED_BY_GENERATOR && at < 2 * HALF_AT(w->code, l->code_started))
			return 0;
	} else {
		at = HALF_AT(w->head, l->frame_at);
	}
	known = bpf_map_lookup_elem(&codes, &w->key);
	w->code_id = known ? *known : number_new();
	if (!known && !code_emit(w->key.table_len)) {
		bpf_map_update_elem(&codes, &w->key, &w->code_id, BPF_ANY);
	} else if (!known) {
		count_lost(EV_CODE);
		w->code_id = 0;
	}
	w->at[n].code = w->code_id;
	w->at[n].at = at;
	w->at[n].pad = 0;
	w->frames = n + 1;
	return 0;
}

/* One OS thread may own an idle thread state in each interpreter: the one with a frame counts. */
static long thread_step(u32 i, struct walk_step *c)
{
	const struct python_layout *l = c->l;
	struct python_walk *w = c->w;

	if (!w->thread) {
		w->interp = user_u64(w->interp + l->interp_next);
		if (!w->interp)
			return 1;
		w->thread = user_u64(w->interp + l->threads);
		return 0;
	}
	if (bpf_probe_read_user(w->head, THREAD_HEAD, (void *)w->thread)) {
		w->thread = 0;
		return 1;
	}
	if (WORD_AT(w->head, l->thread_id) == w->pointer && thread_frame(l, w->thread))
		return 1;
	w->thread = WORD_AT(w->head, l->thread_next);
	return 0;
}

/* os.system and the vfork of some versions give up the GIL first: its holder is only tried first. */
static __always_inline u32 stack_walked(struct python_walk *w)
{
	struct python *p = python_of_current();
	struct walk_step c = {};
	struct python_build *b;
	u32 build, index;
	u64 runtime;

	if (!p)
		return STACK_NO_THREAD;
	runtime = p->runtime;
	build = p->build;
	w->frames = 0;
	w->flags = 0;
	w->key.image = p->image;
	b = bpf_map_lookup_elem(&python_builds, &build);
	if (!b)
		return STACK_NO_LAYOUT;
	index = w->layout = b->layout;
	w->code_type = runtime + b->code_type;
	w->str_type = runtime + b->str_type;
	c.w = w;
	c.l = bpf_map_lookup_elem(&python_layouts, &index);
	if (!c.l || !c.l->version)
		return STACK_NO_LAYOUT;
	w->pointer = thread_pointer();
	w->thread = thread_with_gil(c.l, runtime);
	if (!thread_is_ours(c.l, w->thread, w->pointer)) {
		if (c.l->interp_head < 0)
			return STACK_NO_THREAD;
		w->interp = user_u64(runtime + c.l->interp_head);
		w->thread = user_u64(w->interp + c.l->threads);
		w->searched += bpf_loop(THREADS_MAX, thread_step, &c, 0);
		if (!thread_is_ours(c.l, w->thread, w->pointer))
			return STACK_NO_THREAD;
	}
	w->frame = thread_frame(c.l, w->thread);
	bpf_loop(FRAMES_SEEN, frame_step, &c, 0);
	return STACK_PROVEN;
}

/* Sets w->status. False: worth another try. Global: verified once, not at each of its repetitions. */
__attribute__((noinline)) int walk_stack(void)
{
	struct python_walk *w = walk_of_thread();

	if (!w)
		return 1;
	w->status = stack_walked(w);
	return w->status == STACK_NO_LAYOUT ||
	       (w->status == STACK_PROVEN && w->frames && !(w->flags & STACK_BROKEN)) ||
	       (w->status == STACK_NO_THREAD && w->searched > SEARCHED_MAX);
}

__attribute__((noinline)) u64 python_stack(u64 reason_run, u64 child_pid, u64 child_start,
					   u64 shared)
{
	struct python *p = python_of_current();
	struct python_walk *w;
	struct python_build *b;
	struct {
		struct ev_hdr h;
		struct ev_stack e;
		struct ev_frame at[EV_FRAMES];
	} * r;
	u32 build;
	u64 n, time;

	if (!p)
		return 0;
	w = walk_of_thread();
	if (!w) {
		count_lost(EV_STACK);
		return EV_STACK_LOST;
	}
	w->run = reason_run;
	w->searched = 0;
	build = p->build;
	/*
	 * Other threads write to pages that the fork has just made copy-on-write, and while one is copied it
	 * cannot be read: once more, then.
	 */
	for (int i = 0; i < WALKS_MAX; i++)
		if (walk_stack())
			break;
	r = reason_run >> 32 != STACK_FORK && ring_is_high()
		    ? NULL
		    : bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_lost(EV_STACK);
		return EV_STACK_LOST;
	}
	hdr_fill(&r->h, EV_STACK, reason_run);
	time = r->h.time;
	r->e.child_start = child_start;
	r->e.child_pid = child_pid;
	r->e.reason = reason_run >> 32;
	r->e.status = w->status;
	b = bpf_map_lookup_elem(&python_builds, &build);
	r->e.version = b ? b->version : 0;
	r->e.flags = w->flags | (w->in_system ? STACK_SYSTEM : 0) | (shared ? STACK_SHARED : 0);
	r->e.pad = 0;
	n = w->status == STACK_PROVEN ? w->frames : 0;
	CLAMP(n, EV_FRAMES);
	n *= sizeof(struct ev_frame);
	bpf_probe_read_kernel(r->at, n, w->at);
	r->h.len = r->h.want = n;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	if (reason_run >> 32 == STACK_FORK)
		w->in_system = 0;
	return time;
}

/*
 * This process has an interpreter. Cookie: index of the build << 56 | distance from the probed
 * function to _PyRuntime (56 bits, signed).
 */
static __always_inline void python_note(struct pt_regs *ctx)
{
	u64 cookie = bpf_get_attach_cookie(ctx);
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct python p = {}, *before;

	p.runtime = PT_REGS_IP(ctx) + ((s64)(cookie << 8) >> 8);
	p.build = cookie >> 56;
	before = bpf_map_lookup_elem(&pythons, &pid);
	if (before && before->runtime == p.runtime)
		return;
	p.image = number_new();
	if (bpf_map_update_elem(&pythons, &pid, &p, BPF_ANY))
		count_lost(EV_STACK);
}

SEC("uprobe")
int on_python_start(struct pt_regs *ctx)
{
	if (run_of_thread())
		python_note(ctx);
	return 0;
}

/* libc's system(const char *): of the Python functions that make a process without a frame, this one. */
SEC("uprobe")
int on_system(struct pt_regs *ctx)
{
	struct python_walk *w;

	if (!run_of_thread() || !python_of_current())
		return 0;
	w = walk_of_thread();
	if (w)
		w->in_system = 1;
	return 0;
}

__u64 python_unproven; /* reads whose frames did not prove themselves: not reported by name */

/* Is the str object at addr compact ASCII, and does its text (with the NUL) equal the 8 to 16 bytes of two words? */
static __always_inline bool name_is(const struct python_layout *l, u64 str, u64 first, u64 second,
				    u64 n)
{
	u64 text[2] = {};

	if (user_u64(str + 16) != n)
		return false;
	if (bpf_probe_read_user(text, n + 1 < sizeof(text) ? n + 1 : sizeof(text),
				(void *)(str + l->ascii)))
		return false;
	return text[0] == first && text[1] == second;
}

#define TEXT8(a, b, c, d, e, f, g, h)                                                              \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 |             \
	 (u64)(f) << 40 | (u64)(g) << 48 | (u64)(h) << 56)

/*
 * The frame of the calling thread: 0 when the layout does not prove itself. Whoever runs this C
 * function holds the GIL, so its holder is the calling thread, and its thread_id must be ours.
 */
static __always_inline u64 python_frame(const struct python_layout *l, u64 runtime)
{
	u64 thread = thread_with_gil(l, runtime);

	return thread_is_ours(l, thread, thread_pointer()) ? thread_frame(l, thread) : 0;
}

/*
 * Who called __getitem__, as ev_env.place has it: a name that a copy of everything has read is told
 * again when it is read by itself, elsewhere. Until 3.10 the position is a number, not an address.
 */
static __always_inline u32 read_place(const struct python_layout *l, u64 frame)
{
	u64 at = user_u64(frame + l->frame_at), code = user_u64(frame + l->frame_code);

	if (l->code_text < 0)
		at = (u32)at * (EV_PLACE_NEAR * 2);
	frame = user_u64(frame + l->frame_back);
	code = code * 31 + user_u64(frame + l->frame_code);
	return (code * 0x9e3779b97f4a7c15 >> 48 | 1) << 16 | (at & 0xffff);
}

/*
 * PyUnicode_AsEncodedString(str, encoding, errors): every str-keyed access of os.environ ends here,
 * and libc sees none of it. Only the call from os._Environ.__getitem__ through its encode() is a
 * read; __setitem__ passes the value through the same function, which is never copied out.
 * Cookie: as of python_note().
 */
SEC("uprobe")
int on_python_encode(struct pt_regs *ctx)
{
	u32 run = run_of_thread(), index;
	struct python_build *b;
	struct {
		u64 refs, type, length, hash, state;
	} str;
	u64 cookie, text[2] = {}, frame, code, n, want, place, stack;
	const struct python_layout *l;
	struct python_walk *w;
	union env_name *name;

	if (!run)
		return 0;
	/* The probes came after it had started: subprocess and os.environ come by here. */
	if (!python_of_current())
		python_note(ctx);
	/* errors == "surrogateescape" */
	if (!PT_REGS_PARM3(ctx) ||
	    bpf_probe_read_user(text, sizeof(text), (void *)PT_REGS_PARM3(ctx)) ||
	    text[0] != TEXT8('s', 'u', 'r', 'r', 'o', 'g', 'a', 't') ||
	    text[1] != TEXT8('e', 'e', 's', 'c', 'a', 'p', 'e', 0))
		return 0;
	cookie = bpf_get_attach_cookie(ctx);
	index = cookie >> 56;
	b = bpf_map_lookup_elem(&python_builds, &index);
	if (!b)
		return 0;
	index = b->layout;
	l = bpf_map_lookup_elem(&python_layouts, &index);
	if (!l || !l->version)
		return 0;
	frame = python_frame(l, PT_REGS_IP(ctx) + ((s64)(cookie << 8) >> 8));
	if (!frame) {
		__sync_fetch_and_add(&python_unproven, 1);
		return 0;
	}
	code = user_u64(frame + l->frame_code) & ~7ull; /* 3.13 tags the pointer */
	if (!name_is(l, user_u64(code + l->code_name), TEXT8('e', 'n', 'c', 'o', 'd', 'e', 0, 0), 0,
		     6))
		return 0;
	frame = user_u64(frame + l->frame_back);
	code = user_u64(frame + l->frame_code) & ~7ull;
	if (!name_is(l, user_u64(code + l->code_name),
		     TEXT8('_', '_', 'g', 'e', 't', 'i', 't', 'e'),
		     TEXT8('m', '_', '_', 0, 0, 0, 0, 0), 11))
		return 0;
	place = read_place(l, user_u64(frame + l->frame_back));
	if (bpf_probe_read_user(&str, sizeof(str), (void *)PT_REGS_PARM1(ctx)))
		return 0;
	if ((str.state & 0x60) != 0x60) { /* compact, ascii */
		__sync_fetch_and_add(&python_unproven, 1);
		return 0;
	}
	n = want = str.length;
	CLAMP(n, EV_VAR_MAX);
	if (!n)
		return 0;
	w = walk_of_thread();
	if (!w) {
		count_lost(EV_ENV);
		return 0;
	}
	name = (union env_name *)w->head;
	__builtin_memset(name, 0, sizeof(*name));
	if (bpf_probe_read_user(name->text, n, (void *)(PT_REGS_PARM1(ctx) + l->ascii)) ||
	    !env_first(name, n, ENV_PYTHON, place))
		return 0;
	/* Without its stack a library's read would be taken for the script's. The walk uses the same room. */
	stack = python_stack_before(run, STACK_ENV);
	if (stack == EV_STACK_LOST ||
	    bpf_probe_read_user(name->text, n, (void *)(PT_REGS_PARM1(ctx) + l->ascii)))
		count_lost(EV_ENV);
	else
		env_emit(run, ENV_PYTHON, name, n, want, place, stack);
	return 0;
}
