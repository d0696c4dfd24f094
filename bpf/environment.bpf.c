/* environment.bpf.c: environment variables read by name, at the functions that runtimes read them with. */
#include "event.bpf.h"
#include "python.h"

/* One row for each minor version of CPython; filled by the loader from user/python_layout.def. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PYTHON_LAYOUTS);
	__type(key, u32);
	__type(value, struct python_layout);
} python_layouts SEC(".maps");

__u64 python_unproven; /* reads whose frames did not prove themselves: not reported by name */

/* Never a reservation across a sleeping helper: the name is copied to the stack first. */
static __always_inline void env_emit(u32 run, u32 mechanism, const char *name, u64 n, u64 want)
{
	struct {
		struct ev_hdr h;
		struct ev_env e;
		char name[EV_VAR_MAX];
	} * r;

	r = ring_is_high() ? NULL : bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_lost(EV_ENV);
		return;
	}
	hdr_fill(&r->h, EV_ENV, run);
	r->e.mechanism = mechanism;
	r->e.pad = 0;
	CLAMP(n, EV_VAR_MAX);
	bpf_probe_read_kernel(r->name, n, name);
	r->h.len = n;
	r->h.want = want;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

/* The mechanism is in the attach cookie. */
static __always_inline int string_read(struct pt_regs *ctx, bool sleepable)
{
	u32 run = run_of_thread();
	char name[EV_VAR_MAX];
	u64 src, room;
	long n;

	if (!run)
		return 0;
	src = PT_REGS_PARM1(ctx);
	n = bpf_probe_read_user_str(name, sizeof(name), (void *)src);
	if (n < 0 && sleepable) {
		/* The page was never touched: fault it in, up to its end, and read again. */
		room = 4096 - (src & 4095);
		CLAMP(room, EV_VAR_MAX);
		if (room && !bpf_copy_from_user(name, room, (void *)src))
			n = bpf_probe_read_user_str(name, sizeof(name), (void *)src);
	}
	if (n < 0) {
		count_lost(EV_ENV);
		return 0;
	}
	if (n > 1)
		env_emit(run, bpf_get_attach_cookie(ctx), name, n - 1, n == EV_VAR_MAX ? n : n - 1);
	return 0;
}

SEC("uprobe.s")
int on_getenv_s(struct pt_regs *ctx)
{
	return string_read(ctx, true);
}

SEC("uprobe")
int on_getenv(struct pt_regs *ctx)
{
	return string_read(ctx, false);
}

static __always_inline u64 user_u64(u64 addr)
{
	u64 v = 0;

	bpf_probe_read_user(&v, sizeof(v), (void *)addr);
	return v;
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
 * The frame of the calling thread: 0 when the layout does not prove itself. Whoever runs this C
 * function holds the GIL, so its holder is the calling thread, and its thread_id must be our fsbase.
 */
static __always_inline u64 python_frame(const struct python_layout *l, u64 runtime)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	u64 interp, thread;

	if (l->gil_current >= 0) {
		thread = user_u64(runtime + l->gil_current);
	} else {
		interp = user_u64(runtime + l->interp_head);
		thread = user_u64(user_u64(interp + l->interp_gil) + l->gil_holder);
	}
	if (!thread || user_u64(thread + l->thread_id) != BPF_CORE_READ(task, thread.fsbase))
		return 0;
	if (l->cframe >= 0)
		thread = user_u64(thread + l->cframe);
	return thread ? user_u64(thread + l->frame) : 0;
}

/*
 * PyUnicode_AsEncodedString(str, encoding, errors): every str-keyed access of os.environ ends here,
 * and libc sees none of it. Only the call from os._Environ.__getitem__ through its encode() is a
 * read; __setitem__ passes the value through the same function, which is never copied out.
 * Cookie: layout index << 56 | distance from this function to _PyRuntime (56 bits, signed).
 */
SEC("uprobe")
int on_python_encode(struct pt_regs *ctx)
{
	u32 run = run_of_thread(), index;
	struct {
		u64 refs, type, length, hash, state;
	} str;
	u64 cookie, text[2] = {}, frame, code, n, want;
	const struct python_layout *l;
	char name[EV_VAR_MAX];

	if (!run)
		return 0;
	/* errors == "surrogateescape" */
	if (!PT_REGS_PARM3(ctx) ||
	    bpf_probe_read_user(text, sizeof(text), (void *)PT_REGS_PARM3(ctx)) ||
	    text[0] != TEXT8('s', 'u', 'r', 'r', 'o', 'g', 'a', 't') ||
	    text[1] != TEXT8('e', 'e', 's', 'c', 'a', 'p', 'e', 0))
		return 0;
	cookie = bpf_get_attach_cookie(ctx);
	index = cookie >> 56;
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
	if (bpf_probe_read_user(&str, sizeof(str), (void *)PT_REGS_PARM1(ctx)))
		return 0;
	if ((str.state & 0x60) != 0x60) { /* compact, ascii */
		__sync_fetch_and_add(&python_unproven, 1);
		return 0;
	}
	n = want = str.length;
	CLAMP(n, EV_VAR_MAX);
	if (!n || bpf_probe_read_user(name, n, (void *)(PT_REGS_PARM1(ctx) + l->ascii)))
		return 0;
	env_emit(run, ENV_PYTHON, name, n, want);
	return 0;
}
