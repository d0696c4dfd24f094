/* environment.bpf.c: environment variables read by name, at the functions that runtimes read them with. */
#include "environment.bpf.h"

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
