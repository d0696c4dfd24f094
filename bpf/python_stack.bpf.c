/* python_stack.bpf.c: the Python stack of a thread, from the interpreter's own memory. */
#include "python.bpf.h"

/* As far as a thread state is looked for before it is said that there is none. */
#define THREADS_MAX  2048
#define WALKS_MAX    64
#define SEARCHED_MAX 4096 /* threads, in all walks: one that is none of Python's is never found */
#define WALK_SHARE   512  /* counts as so many, at least */
/* Frames looked at for EV_FRAMES of them: some are of the interpreter itself. */
#define FRAMES_SEEN (EV_FRAMES + 16)

/* enum _frameowner (pycore_frame.h) */
#define OWNED_BY_GENERATOR 1
#define OWNED_BY_C_STACK   3

/* Value: ev_code.id. One that was pushed out is sent again under another id. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct code_key);
	__type(value, u64);
} codes SEC(".maps");

/* A str object's characters: returns bytes, *kind their size; kind 0: no str, nothing read. */
static __always_inline u64 str_read(void *dst, u64 str, const struct python_layout *l,
				    struct python_walk *w, u8 *kind, u32 *flags, u32 cut)
{
	struct {
		u64 refs, type, length, hash, state;
	} *head = (void *)w->head;
	u64 n, at, size, room = EV_TEXT_ROOM;

	*kind = 0;
	if (bpf_probe_read_user(head, sizeof(*head), (void *)str) || head->type != w->str_type ||
	    !(head->state & 0x20))
		return 0;
	size = head->state >> 2 & 7;
	at = str + l->ascii;
	if (!(head->state & 0x40)) {
		/* sizeof(PyCompactUnicodeObject); as UTF-8 they need up to twice the bytes */
		at += l->ascii == 48 ? 24 : 16;
		room /= 2;
	}
	if ((size != 1 && size != 2 && size != 4) || head->length > 1 << 20)
		return 0;
	n = head->length * size;
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
		r->e.file_len = str_read(r->file, w->key.file, l, w, &r->e.file_kind, &r->e.flags, \
					 CODE_CUT_FILE);                                           \
		r->e.name_len = str_read(r->name, w->key.title, l, w, &r->e.name_kind,             \
					 &r->e.flags, CODE_CUT_NAME);                              \
		CLAMP(take, size);                                                                 \
		if (take && bpf_probe_read_user(r->table, take, (void *)w->key.table + 32))        \
			take = 0;                                                                  \
		r->e.table_len = take;                                                             \
		r->h.len = sizeof(r->file) + sizeof(r->name) + take;                               \
		r->h.want = sizeof(r->file) + sizeof(r->name) + want;                              \
		bpf_ringbuf_submit(r, ring_flags());                                               \
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
__attribute__((noinline)) u64 table_hash(const struct python_table *table, u64 n, u64 hash)
{
	u32 i;

	if (!table)
		return 0;
	for (i = 0; i < TABLE_ENDS / 8 - 1 && i * 8 + 8 <= n; i++) {
		hash = (hash ^ table->word[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	if (n & 7)
		hash ^= table->word[i] & ((1ull << (n & 7) * 8) - 1);
	else if (n == TABLE_ENDS)
		hash ^= table->word[i];
	hash *= 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

/* The line table at w->key.table: its length and hash. */
static __always_inline int table_read(struct python_walk *w)
{
	struct code_key *k = &w->key;
	u64 bytes = k->table + sizeof(w->table.head), n = TABLE_ENDS;

	/* At once, when there is memory behind it. */
	if (bpf_probe_read_user(&w->table, sizeof(w->table), (void *)k->table)) {
		if (bpf_probe_read_user(w->table.head, sizeof(w->table.head), (void *)k->table))
			return -1;
		n = w->table.head[2];
		CLAMP(n, TABLE_ENDS);
		if (bpf_probe_read_user(w->table.word, n, (void *)bytes))
			return -1;
	}
	k->table_len = n = w->table.head[2];
	CLAMP(n, TABLE_ENDS);
	k->hash = table_hash(&w->table, n, 0);
	if (k->table_len <= n)
		return 0;
	if (bpf_probe_read_user(w->table.word, TABLE_ENDS,
				(void *)bytes + k->table_len - TABLE_ENDS))
		return -1;
	k->hash = table_hash(&w->table, TABLE_ENDS, k->hash);
	return 0;
}

/*
 * Reads what names the code object at key.code. -1: it does not prove to be one. Not inlined: 6.1
 * has 512 bytes of stack for a chain of callers, and this one is at no end of the longest.
 */
__attribute__((noinline)) int code_read(struct python_walk *w)
{
	const struct python_layout *l;
	struct code_key *k;
	u32 index;

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
	return table_read(w);
}

struct walk_step {
	struct python_walk *w;
	const struct python_layout *l;
};

/* The id under which the code object of w->key was sent; 0: it could not be. */
static __always_inline u64 code_id(struct python_walk *w)
{
	u64 *known = bpf_map_lookup_elem(&codes, &w->key);

	if (known)
		return *known;
	w->code_id = number_new();
	if (code_emit(w->key.table_len)) {
		count_lost(EV_CODE);
		return 0;
	}
	bpf_map_update_elem(&codes, &w->key, &w->code_id, BPF_ANY);
	return w->code_id;
}

static long frame_step(u32 i, struct walk_step *c)
{
	const struct python_layout *l = c->l;
	struct python_walk *w = c->w;
	u64 n = w->frames, in_room, id;
	s64 at;
	u8 owner = 0;

	if (!w->frame)
		return 1;
	in_room = frame_read(w, l);
	if (in_room == FRAMES_ROOM) {
		w->flags |= STACK_BROKEN;
		return 1;
	}
	w->key.code = FRAME_WORD(w, in_room, l->frame_code) & ~7ull; /* 3.14 tags the pointer */
	w->frame = FRAME_WORD(w, in_room, l->frame_back);
	if (l->frame_owner >= 0)
		owner = w->room[(in_room + l->frame_owner) & (FRAMES_ROOM - 1)];
	if (owner == OWNED_BY_C_STACK)
		return 0;
	if (n >= EV_FRAMES) {
		w->flags |= STACK_DEEPER;
		return 1;
	}
	if (code_read(w)) {
		w->flags |= STACK_BROKEN;
		return 1;
	}
	at = FRAME_WORD(w, in_room, l->frame_at);
	if (l->code_text >= 0) {
		at -= w->key.code + l->code_text;
		/* Not yet a frame for the interpreter either: it is still being filled. */
		if (owner != OWNED_BY_GENERATOR && at < 2 * HALF_AT(w->code, l->code_started))
			return 0;
	}
	id = code_id(w);
	CLAMP(n, EV_FRAMES - 1); /* known, but forgotten by 6.1 */
	w->at[n].code = id;
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
	/* A head that cannot be read is all zeroes. */
	if (thread_take(w, l, w->thread))
		return 1;
	w->thread = WORD_AT(w->head, l->thread_next);
	return 0;
}

/* What the thread has put away under the first keys, each with a number before it. */
#define PTHREAD_KEYS 32

/*
 * The state that PyGILState_GetThisThreadState() would find, with no search, GIL or not. 0: it is not
 * there, or one of several interpreters may be meant. Another libc has something else there, which
 * does not prove to be a thread state.
 */
static __always_inline u64 thread_of_key(struct python_walk *w, const struct python_layout *l,
					 u64 runtime)
{
	struct {
		u32 made, key;
	} tss;

	if (!PTHREAD_SPECIFIC || l->thread_key < 0 || user_u64(w->interp + l->interp_next) ||
	    bpf_probe_read_user(&tss, sizeof(tss), (void *)(runtime + l->thread_key)) ||
	    !tss.made || tss.key >= PTHREAD_KEYS)
		return 0;
	return user_u64(w->pointer + PTHREAD_SPECIFIC + tss.key * 16 + 8);
}

/*
 * Sets w->frame. os.system and the vfork of some versions give up the GIL first: its holder is only
 * tried first. False: no thread state is this thread's.
 */
static __always_inline bool thread_find(struct walk_step *c, u64 runtime)
{
	const struct python_layout *l = c->l;
	struct python_walk *w = c->w;

	w->pointer = thread_pointer();
	if (thread_take(w, l, thread_with_gil(l, runtime)))
		return true;
	if (l->interp_head < 0)
		return false;
	w->interp = user_u64(runtime + l->interp_head);
	if (thread_take(w, l, thread_of_key(w, l, runtime)))
		return true;
	w->thread = user_u64(w->interp + l->threads);
	w->searched += WALK_SHARE + bpf_loop(THREADS_MAX, thread_step, c, 0);
	return w->frame;
}

static __always_inline u32 stack_walked(struct python_walk *w)
{
	struct python *p = python_of_current();
	struct walk_step c = { .w = w };
	struct python_build *b;
	u32 build, index;

	if (!p)
		return STACK_NO_THREAD;
	build = p->build;
	w->frame = 0;
	w->frames = 0;
	w->flags = 0;
	w->version = 0;
	w->room_n = 0;
	w->key.image = p->image;
	b = bpf_map_lookup_elem(&python_builds, &build);
	if (!b)
		return STACK_NO_LAYOUT;
	w->version = b->version;
	index = w->layout = b->layout;
	w->code_type = p->runtime + b->code_type;
	w->str_type = p->runtime + b->str_type;
	c.l = bpf_map_lookup_elem(&python_layouts, &index);
	if (!c.l || !c.l->version)
		return STACK_NO_LAYOUT;
	if (!thread_find(&c, p->runtime))
		return STACK_NO_THREAD;
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
	struct python_walk *w;
	struct {
		struct ev_hdr h;
		struct ev_stack e;
		struct ev_frame at[EV_FRAMES];
	} * r;
	u64 n, time;

	if (!python_of_current())
		return 0;
	w = walk_of_thread();
	if (!w) {
		count_lost(EV_STACK);
		return EV_STACK_LOST;
	}
	w->run = reason_run;
	w->searched = 0;
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
	r->e.version = w->version;
	r->e.flags = w->flags | (w->in_system ? STACK_SYSTEM : 0) | (shared ? STACK_SHARED : 0);
	r->e.pad = 0;
	n = w->status == STACK_PROVEN ? w->frames : 0;
	CLAMP(n, EV_FRAMES);
	n *= sizeof(struct ev_frame);
	bpf_probe_read_kernel(r->at, n, w->at);
	r->h.len = r->h.want = n;
	bpf_ringbuf_submit(r, ring_flags());
	if (reason_run >> 32 == STACK_FORK)
		w->in_system = 0;
	return time;
}
