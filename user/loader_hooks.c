/* loader_hooks.c: what the loader says of itself: what became of each hook, what was lost, what loading took. */
#include <string.h>
#include <bpf/bpf.h>
#include "loader_state.h"

bool loader_missed(const struct loader *l, const char *hook)
{
	for (unsigned i = 0; i < l->n_failed; i++)
		if (!strcmp(l->failed[i], hook))
			return true;
	return false;
}

void loader_gaps(const struct loader *l,
		 void (*fn)(void *ctx, const char *hook, const char *reason, const char *effect,
			    bool required),
		 void *ctx)
{
	for (unsigned i = 0; i < l->n_failed; i++)
		for (size_t k = 0; k < n_needs; k++)
			if (needs[k].name == l->failed[i])
				fn(ctx, needs[k].name, l->failed_why[i], needs[k].effect, true);
	for (size_t k = 0; k < n_needs; k++)
		if (need_is_env(&needs[k]) && !need_tier(&needs[k]))
			fn(ctx, needs[k].name, "no way on this kernel", needs[k].effect, false);
	if (!l->env)
		fn(ctx, "environment reads", "switched off", "variables read by name", false);
}

/* False: it is not loaded. */
static bool program_info(const struct bpf_program *prog, struct bpf_prog_info *info)
{
	uint32_t n = sizeof(*info);

	*info = (struct bpf_prog_info){ 0 };
	return bpf_program__fd(prog) >= 0 &&
	       !bpf_obj_get_info_by_fd(bpf_program__fd(prog), info, &n);
}

void loader_programs(const struct loader *l,
		     void (*fn)(void *ctx, const char *name, uint32_t verified), void *ctx)
{
	struct bpf_program *prog = NULL;
	struct bpf_prog_info info;

	bpf_object__for_each_program(prog, l->skel->obj)
	{
		if (program_info(prog, &info))
			fn(ctx, bpf_program__name(prog), info.verified_insns);
	}
}

uint64_t loader_misses(const struct loader *l)
{
	struct bpf_program *prog = NULL;
	struct bpf_prog_info info;
	uint64_t n = 0;

	bpf_object__for_each_program(prog, l->skel->obj)
	{
		if (program_info(prog, &info))
			n += info.recursion_misses;
	}
	return n;
}

uint64_t loader_load_time(const struct loader *l)
{
	return l->load_time;
}

void loader_losses(const struct loader *l, void (*fn)(void *ctx, uint32_t type, uint64_t count),
		   void *ctx)
{
	for (uint32_t i = 0; i < EV_TYPES; i++)
		if (l->skel->bss->lost[i])
			fn(ctx, i, l->skel->bss->lost[i]);
	if (l->skel->bss->lost_members)
		fn(ctx, EV_UNKNOWN, l->skel->bss->lost_members);
}

void loader_hooks(const struct loader *l, void (*fn)(void *ctx, const struct loader_hook *h),
		  void *ctx)
{
	for (size_t i = 0; i < n_needs; i++) {
		const struct tier *t = need_tier(&needs[i]);
		struct loader_hook h = { .need = &needs[i],
					 .how = t ? t->name : NULL,
					 .in_files = need_is_env(&needs[i]) };

		if (!need_is_ours(&needs[i]))
			continue;
		for (unsigned k = 0; k < l->n_links; k++)
			h.programs += l->links[k].need == &needs[i];
		for (unsigned k = 0; k < l->n_failed; k++)
			if (l->failed[k] == needs[i].name)
				h.why = l->failed_why[k];
		if (need_is_env(&needs[i]) && !strcmp(l->env_reads, "off"))
			h.why = "switched off";
		if (!need_asked(&needs[i]))
			h.why = "not asked for";
		fn(ctx, &h);
	}
}
