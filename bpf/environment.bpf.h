/* environment.bpf.h: the record of a variable that was read by name. */
#ifndef INVIGIL_ENVIRONMENT_BPF_H
#define INVIGIL_ENVIRONMENT_BPF_H

#include "event.bpf.h"

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

#endif
