/* build_table.c: the steps of image builds that are under way, as the kernel side compares them. */
#include <errno.h>
#include <stddef.h>
#include <bpf/bpf.h>
#include "build_claim.h"
#include "build_step.h"
#include "build_table.h"

/* Runs whose steps became another's, too. */
struct sharers {
	uint32_t run[BUILDERS];
	unsigned n;
};

static void sharer_add(struct sharers *s, uint32_t run)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->run[i] == run)
			return;
	if (run != BUILD_STEP_MANY && s->n < BUILDERS)
		s->run[s->n++] = run;
}

static void sharers_tell(const struct sharers *s, build_shared_fn *shared, void *ctx)
{
	for (unsigned i = 0; i < s->n; i++)
		shared(ctx, s->run[i]);
}

/* A step that one run builds several times is counted. */
static int step_begin(struct build_table *t, const struct build_step *s, uint32_t run,
		      struct sharers *sharers)
{
	struct build_user u = { run, 0 };
	bool known = !bpf_map_lookup_elem(t->steps, s, &u);

	if (!known)
		claim_set(t->claims, s, true);
	if (u.run == BUILD_STEP_MANY || (!known && claimed(t->claims, s))) {
		sharer_add(sharers, run);
		u.run = BUILD_STEP_MANY;
	} else if (u.run != run) {
		u.run = BUILD_STEP_ASK;
	}
	u.builds++;
	return bpf_map_update_elem(t->steps, s, &u, BPF_ANY);
}

static int step_end(struct build_table *t, const struct build_step *s)
{
	struct build_user u;

	if (bpf_map_lookup_elem(t->steps, s, &u))
		return 0;
	if (--u.builds)
		return bpf_map_update_elem(t->steps, s, &u, BPF_ANY);
	claim_set(t->claims, s, false);
	return bpf_map_delete_elem(t->steps, s);
}

/* -E2BIG: too many runs build. */
static int builder_change(struct build_table *t, uint32_t run, bool on)
{
	struct builder *free_one = NULL, *mine = NULL, *b;

	for (b = t->builders; b < t->builders + BUILDERS; b++) {
		if (b->run == run)
			mine = b;
		else if (!b->run && !free_one)
			free_one = b;
	}
	if (on && (mine || free_one)) {
		b = mine ? mine : free_one;
		*t->building += !b->builds++;
		b->told = 0;
		b->run = run;
	} else if (!on && mine && !--mine->builds) {
		--*t->building;
		mine->run = 0;
	}
	return on && !mine && !free_one ? -E2BIG : 0;
}

int build_table_change(struct build_table *t, const struct build_step *steps, unsigned n,
		       uint32_t run, bool on, build_shared_fn *shared, void *ctx)
{
	struct sharers sharers = { .n = 0 };
	int err = on && t->claims < 0 ? t->claims : 0, bad;

	for (unsigned i = 0; i < n; i++) {
		bad = on ? step_begin(t, steps + i, run, &sharers) : step_end(t, steps + i);

		err = err ? err : bad;
	}
	sharers_tell(&sharers, shared, ctx);
	bad = builder_change(t, run, on);
	return bad ? bad : err;
}

void build_table_look(struct build_table *t, build_shared_fn *shared, void *ctx)
{
	struct sharers sharers = { .n = 0 };
	struct build_step at, *before = NULL;
	struct build_user u;

	if (!*t->building || !claimed_any(t->claims))
		return;
	for (; !bpf_map_get_next_key(t->steps, before, &at); before = &at) {
		if (!claimed(t->claims, &at) || bpf_map_lookup_elem(t->steps, &at, &u) ||
		    u.run == BUILD_STEP_MANY || u.run == BUILD_STEP_ASK)
			continue;
		sharer_add(&sharers, u.run);
		u.run = BUILD_STEP_MANY;
		bpf_map_update_elem(t->steps, &at, &u, BPF_ANY);
	}
	sharers_tell(&sharers, shared, ctx);
}
