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
 * The frame that asked os.environ for a value, when the thread is in os._Environ.__getitem__ through
 * its encode(). Whoever runs this C function holds the GIL, so its holder is the calling thread. 0: it
 * is elsewhere, or the layout does not prove itself.
 */
static __always_inline u64 asking_frame(struct python_walk *w, const struct python_layout *l,
					u64 runtime)
{
	u64 thread = thread_with_gil(l, runtime), frame, code;

	w->pointer = thread_pointer();
	w->frame = thread;
	if (!thread_take(w, l, thread)) {
		if (w->frame) /* else no Python runs, and nothing is asked for */
			count_lost(EV_ENV);
		return 0;
	}
	frame = w->frame;
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
	return user_u64(frame + l->frame_back);
}

/* Tells that the variable whose name the str object at addr has was read. */
static __always_inline void read_tell(struct python_walk *w, const struct python_layout *l,
				      struct member *m, u64 addr, u64 place)
{
	struct {
		u64 refs, type, length, hash, state;
	} str;
	/* The walk uses the same room. */
	union env_name *name = (union env_name *)w->head;
	u64 n, stack;

	if (bpf_probe_read_user(&str, sizeof(str), (void *)addr))
		return;
	if ((str.state & 0x60) != 0x60) { /* compact, ascii */
		count_lost(EV_ENV);
		return;
	}
	n = str.length;
	CLAMP(n, EV_VAR_MAX);
	if (!n)
		return;
	__builtin_memset(name, 0, sizeof(*name));
	if (bpf_probe_read_user(name->text, n, (void *)(addr + l->ascii)) ||
	    !env_first(m, name, n, ENV_PYTHON, place))
		return;
	/* Without its stack a library's read would be taken for the script's. */
	stack = python_stack_before(m->run, STACK_ENV);
	if (stack == EV_STACK_LOST || bpf_probe_read_user(name->text, n, (void *)(addr + l->ascii)))
		count_lost(EV_ENV);
	else
		env_emit(m->run, ENV_PYTHON, name, n, str.length, place, stack);
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
	u32 index;
	u64 cookie, text[2] = {}, frame;
	const struct python_layout *l;
	struct python_build *b;
	struct python_walk *w;

	if (!m)
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
	w = walk_of_thread();
	if (!w) {
		count_lost(EV_ENV);
		return 0;
	}
	frame = asking_frame(w, l, PT_REGS_IP(ctx) + ((s64)(cookie << 8) >> 8));
	if (frame)
		read_tell(w, l, m, PT_REGS_PARM1(ctx), read_place(l, frame));
	return 0;
}
