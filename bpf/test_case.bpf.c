/* test_case.bpf.c: which test case runs: pytest names it in an environment variable, and in this one only is looked. */
#include "environment.bpf.h"

/* Attach cookie: which of libc's functions. */
enum { TEST_SETENV, TEST_PUTENV, TEST_UNSETENV };

/* "PYTEST_CURRENT_TEST" and the byte behind it. */
static __always_inline bool is_ours(const union env_name *name, u8 end)
{
	return name->word[0] == 0x435f545345545950 && name->word[1] == 0x545f544e45525255 &&
	       (u32)name->word[2] == (0x00545345u | (u32)end << 24);
}

static __always_inline void test_emit(u32 run, u64 value)
{
	struct {
		struct ev_hdr h;
		struct ev_test e;
		char text[EV_TEST_MAX];
	} * r;
	u8 first;
	long n = 0;

	/* Faulted in before the reservation, never across it. */
	if (value && bpf_probe_read_user(&first, 1, (void *)value) && can_sleep)
		bpf_copy_from_user(&first, 1, (void *)value);
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_lost(EV_TEST);
		return;
	}
	hdr_fill(&r->h, EV_TEST, run);
	r->e.failed = 0;
	r->e.pad = 0;
	if (value)
		n = bpf_probe_read_user_str(r->text, sizeof(r->text), (void *)value);
	r->e.failed = n < 0;
	r->h.len = r->h.want = n > 0 ? n - 1 : 0;
	if (n == EV_TEST_MAX)
		r->h.want++;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

/* setenv(name, value, overwrite), putenv("name=value"), unsetenv(name). No other value leaves the process. */
SEC("uprobe")
int on_test_variable(struct pt_regs *ctx)
{
	union env_name name;
	u32 run = run_of_thread();
	u64 which, value = 0;

	if (!run)
		return 0;
	which = bpf_get_attach_cookie(ctx);
	if (user_string(&name, PT_REGS_PARM1(ctx)) < 0) {
		count_lost(EV_TEST);
		return 0;
	}
	if (!is_ours(&name, which == TEST_PUTENV ? '=' : 0))
		return 0;
	if (which == TEST_SETENV)
		value = PT_REGS_PARM2(ctx);
	else if (which == TEST_PUTENV)
		value = PT_REGS_PARM1(ctx) + 20;
	/* What was read before is read again in the next test case. */
	env_state_renew(bpf_get_current_pid_tgid() >> 32);
	test_emit(run, value);
	return 0;
}
