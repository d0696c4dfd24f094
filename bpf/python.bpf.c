/* python.bpf.c: which processes have an interpreter of Python, and the variables that it reads. */
#include "environment.bpf.h"
#include "python.bpf.h"

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
	if (run_of_thread()) {
		python_note(ctx);
		/* Here it can be made without sleeping; reads by libc's functions cannot. */
		walk_of_thread();
	}
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

#define STR_ROOM 64 /* head and text of what name_is() compares */

/*
 * Is the text of the str object at addr, were it compact ASCII, the n bytes (at most 15) of two words? Head and
 * text are one read.
 */
static __always_inline bool name_is(struct python_walk *w, const struct python_layout *l, u64 str,
				    u64 first, u64 second, const u64 n)
{
	const u64 end = n < 7 ? ~0ull >> (56 - n * 8) : ~0ull; /* the NUL, too */
	const u64 rest = n < 8 ? 0 : ~0ull >> (120 - n * 8);
	u64 size = l->ascii + n + 1;

	CLAMP(size, STR_ROOM);
	return !bpf_probe_read_user(w->head, size, (void *)str) && WORD_AT(w->head, 16) == n &&
	       (WORD_AT(w->head, l->ascii) & end) == first &&
	       (WORD_AT(w->head, l->ascii + 8) & rest) == second;
}

#define TEXT8(a, b, c, d, e, f, g, h)                                                              \
	((u64)(a) | (u64)(b) << 8 | (u64)(c) << 16 | (u64)(d) << 24 | (u64)(e) << 32 |             \
	 (u64)(f) << 40 | (u64)(g) << 48 | (u64)(h) << 56)

struct asker {
	u64 code, at;
};

/* The innermost frame that is left; the walk goes on to its caller. False: it cannot be read. */
static __always_inline bool frame_take(struct python_walk *w, const struct python_layout *l,
				       struct asker *f)
{
	u64 in_room = frame_read(w, l);

	if (in_room == FRAMES_ROOM)
		return false;
	f->code = FRAME_WORD(w, in_room, l->frame_code) & ~7ull; /* 3.13 tags the pointer */
	f->at = FRAME_WORD(w, in_room, l->frame_at);
	w->frame = FRAME_WORD(w, in_room, l->frame_back);
	return true;
}

/*
 * Who called __getitem__, as ev_env.place has it: a name that a copy of everything has read is told
 * again when it is read by itself, elsewhere. Until 3.10 the position is a number, not an address.
 */
static __always_inline u32 read_place(struct python_walk *w, const struct python_layout *l)
{
	struct asker f = {}, caller = {};
	u64 code;

	frame_take(w, l, &f);
	frame_take(w, l, &caller);
	if (l->code_text < 0)
		f.at = (u32)f.at * (EV_PLACE_NEAR * 2);
	code = f.code * 31 + caller.code;
	return (code * 0x9e3779b97f4a7c15 >> 48 | 1) << 16 | (f.at & 0xffff);
}

/* Then w->frame is the innermost frame. Whoever runs the probed function holds the GIL, so its holder is the calling thread. */
static __always_inline bool frames_begin(struct python_walk *w, const struct python_layout *l,
					 u64 runtime)
{
	u64 thread = thread_with_gil(l, runtime);

	w->pointer = thread_pointer();
	w->room_n = 0;
	w->frame = thread;
	return thread_take(w, l, thread);
}

static __always_inline const struct python_layout *layout_of(u32 build)
{
	struct python_build *b = bpf_map_lookup_elem(&python_builds, &build);
	const struct python_layout *l;
	u32 index;

	if (!b)
		return NULL;
	index = b->layout;
	l = bpf_map_lookup_elem(&python_layouts, &index);
	return l && l->version ? l : NULL;
}

/*
 * Is the thread in os._Environ.__getitem__ through its encode()? Then w->frame is the frame that asked for a value. errors: of
 * PyUnicode_AsEncodedString. A global function, so that both its calls are verified once. 1, 0, or -1: it cannot be told.
 */
__weak int python_asks(u64 errors, u64 runtime, u32 build, u64 image)
{
	const struct python_layout *l = layout_of(build);
	struct python_walk *w = walk_of_thread();
	struct asker encode, getitem;
	u64 text[2] = {};

	if (!l || !w)
		return -1;
	if (bpf_probe_read_user(text, sizeof(text), (void *)errors) ||
	    text[0] != TEXT8('s', 'u', 'r', 'r', 'o', 'g', 'a', 't') ||
	    text[1] != TEXT8('e', 'e', 's', 'c', 'a', 'p', 'e', 0))
		return 0;
	if (!frames_begin(w, l, runtime))
		return w->frame ? -1 : 0; /* no Python runs, and nothing is asked for */
	if (!frame_take(w, l, &encode) || !name_is(w, l, user_u64(encode.code + l->code_name),
						   TEXT8('e', 'n', 'c', 'o', 'd', 'e', 0, 0), 0, 6))
		return 0;
	if (!frame_take(w, l, &getitem) || !name_is(w, l, user_u64(getitem.code + l->code_name),
						    TEXT8('_', '_', 'g', 'e', 't', 'i', 't', 'e'),
						    TEXT8('m', '_', '_', 0, 0, 0, 0, 0), 11))
		return 0;
	w->known = (struct python_known){ image, errors, encode.code, getitem.code };
	return 1;
}

/* What cannot be told is lost. */
static __always_inline bool asks_surely(u64 errors, u64 runtime, u32 build, u64 image)
{
	int asks = python_asks(errors, runtime, build, image);

	if (asks < 0)
		count_lost(EV_ENV);
	return asks > 0;
}

/* The same by what is known: half the reads of memory. */
static __always_inline bool asks_again(struct python_walk *w, const struct python_layout *l,
				       u64 errors, u64 runtime, u64 image)
{
	struct asker f;

	return image && w->known.image == image && w->known.errors == errors &&
	       frames_begin(w, l, runtime) && frame_take(w, l, &f) && f.code == w->known.encode &&
	       frame_take(w, l, &f) && f.code == w->known.getitem;
}

#define NAME_NEAR 64 /* bytes of a name that are read with its object's head */
/* PyASCIIObject.state; of a subclass of str it is not compact: PyUnicodeObject.data has the text */
#define STR_COMPACT 0x20
#define STR_ASCII   0x40

/*
 * The text of a str object of at most EV_VAR_MAX bytes, in w->str, zeroes behind it to the end of that word; its lengths there and in
 * the process in *n and *want. NULL: there is none.
 */
static __always_inline union env_name *
str_take(struct python_walk *w, const struct python_layout *l, u64 addr, u64 *n, u64 *want)
{
	/* PyASCIIObject: the text lies behind it (unicodeobject.h); 48 bytes until 3.11 */
	union env_name *name = (void *)(w->str + (l->ascii == 48 ? 48 : 40));
	bool near = (addr & 4095) + 48 + NAME_NEAR <= 4096; /* all of it on its page */
	u64 text = addr + l->ascii, state;

	if (near ? bpf_probe_read_user(w->str, 48 + NAME_NEAR, (void *)addr)
		 : bpf_probe_read_user(w->str, 40, (void *)addr))
		goto lost;
	state = WORD_AT(w->str, 32);
	if (!(state & STR_ASCII))
		goto lost;
	if (!(state & STR_COMPACT)) {
		near = false;
		text = user_u64(addr + (l->ascii == 48 ? 72 : 56));
	}
	*want = *n = WORD_AT(w->str, 16);
	CLAMP(*n, EV_VAR_MAX);
	if (!*n)
		return NULL;
	if ((!near || *n > NAME_NEAR) && bpf_probe_read_user(name->text, *n, (void *)text))
		goto lost;
	if (*n % 8)
		name->word[*n / 8 & (EV_VAR_MAX / 8 - 1)] &= (1ull << *n % 8 * 8) - 1;
	return name;
lost:
	count_lost(EV_ENV);
	return NULL;
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
	struct member *m = member_of_thread();
	u64 errors = PT_REGS_PARM3(ctx), addr = PT_REGS_PARM1(ctx), image, runtime, place, stack;
	u64 n = 0, want = 0;
	s64 cookie;
	const struct python_layout *l;
	struct python_walk *w;
	struct python *p;
	union env_name *name;
	bool again;

	if (!m)
		return 0;
	/* The probes came after it had started: subprocess and os.environ come by here. */
	p = python_of_current();
	if (!p) {
		python_note(ctx);
		p = python_of_current();
	}
	image = p ? p->image : 0;
	if (!errors)
		return 0;
	cookie = bpf_get_attach_cookie(ctx);
	l = layout_of((u64)cookie >> 56);
	if (!l)
		return 0;
	w = walk_of_thread();
	if (!w) {
		count_lost(EV_ENV);
		return 0;
	}
	runtime = PT_REGS_IP(ctx) + (cookie << 8 >> 8);
	again = asks_again(w, l, errors, runtime, image);
	if (!again && !asks_surely(errors, runtime, (u64)cookie >> 56, image))
		return 0;
	place = read_place(w, l);
	name = str_take(w, l, addr, &n, &want);
	if (!name || !env_first(m, name, n, ENV_PYTHON, place))
		return 0;
	/* A name is told after a whole look alone: what is written to os.environ comes by here, too. */
	if (again && !asks_surely(errors, runtime, (u64)cookie >> 56, image))
		return 0;
	/* Without its stack a library's read would be taken for the script's. */
	stack = python_stack_before(m->run, STACK_ENV);
	if (stack == EV_STACK_LOST)
		count_lost(EV_ENV);
	else
		env_emit(m->run, ENV_PYTHON, name, n, want, place, stack);
	return 0;
}
