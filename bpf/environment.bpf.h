/* environment.bpf.h: a variable that was read by name: told once for each process, counted always. */
#ifndef INVIGIL_ENVIRONMENT_BPF_H
#define INVIGIL_ENVIRONMENT_BPF_H

#include "env_state.bpf.h"

extern const volatile bool can_sleep;
extern const volatile __u64 env_seed[2];
static const struct env_state env_state_new; /* zeroes; too large for the stack */

/* A name's room: zeroes behind its end, to the end of that word at least, so that it can be hashed by words. */
union env_name {
	char text[EV_VAR_MAX];
	u64 word[EV_VAR_MAX / 8];
};

/* A string: bytes with its NUL, at most the room for a name, which need not be zeroes before. */
static __always_inline long user_string(union env_name *name, u64 src)
{
	u64 room = 4096 - (src & 4095);
	long n;

#ifdef PLAIN
	__builtin_memset(name, 0, sizeof(*name));
#endif
	n = bpf_probe_read_user_str(name->text, sizeof(*name), (void *)src);
	CLAMP(room, EV_VAR_MAX);
	if (n < 0 && can_sleep && room && !bpf_copy_from_user(name->text, room, (void *)src))
		n = bpf_probe_read_user_str(name->text, sizeof(*name), (void *)src);
#ifndef PLAIN /* the stack is written to at a variable offset (5.12) */
	if (n > 0) {
		u64 end = n - 1;

		CLAMP(end, EV_VAR_MAX - 1);
		name->word[end / 8] &= (1ull << end % 8 * 8) - 1;
	}
#endif
	return n;
}

/*
 * A keyed hash of the name and the generation; never 0. A global function, so that the verifier
 * walks its loop by itself.
 */
u64 env_hash(const union env_name *name, u64 n, u64 generation, u64 place);

#ifdef PLAIN

static __always_inline bool env_again(struct member *m, const union env_name *name, u64 n,
				      u32 mechanism)
{
	return false;
}

static __always_inline void env_keep(struct member *m, const union env_name *name, u64 n, u64 epoch)
{
}

static __always_inline u64 env_pending(struct member *m)
{
	return 0;
}

#else

/* Global: verified once, not for each length of each name. */
int last_is(const struct last_read *last, const union env_name *name, u64 n);
int last_set(struct last_read *last, const union env_name *name, u64 n);

/* Is it the name that this thread read last, from no place? Then it is counted. */
static __always_inline bool env_again(struct member *m, const union env_name *name, u64 n,
				      u32 mechanism)
{
	struct last_read *last = last_of(m);

	if (last->n != n || last->epoch != env_epoch || !last_is(last, name, n))
		return false;
	last->reads += mechanism != ENV_SHELL;
	return true;
}

static __always_inline void env_keep(struct member *m, const union env_name *name, u64 n, u64 epoch)
{
	last_set(last_of(m), name, n);
	last_of(m)->epoch = epoch;
}

/* Reads that are not yet among those of the process. */
static __always_inline u64 env_pending(struct member *m)
{
	u64 reads = last_of(m)->reads;

	last_of(m)->reads = 0;
	return reads;
}

#endif

/*
 * Counts the read; true when this process has not read that name before from that place. A shell looks at its own
 * variables far more often, and only user space can tell those apart.
 */
static __always_inline bool env_first(struct member *m, const union env_name *name, u64 n,
				      u32 mechanism, u64 place)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct env_state *s = bpf_map_lookup_elem(&env_states, &pid);
	u64 hash, *set, epoch = env_epoch; /* before the generation */

	if (!s) {
		bpf_map_update_elem(&env_states, &pid, &env_state_new, BPF_NOEXIST);
		s = bpf_map_lookup_elem(&env_states, &pid);
		if (!s)
			return true;
	}
	__sync_fetch_and_add(&s->reads, env_pending(m) + (mechanism != ENV_SHELL));
	if (!place)
		env_keep(m, name, n, epoch);
	hash = env_hash(name, n, s->generation, place);
	set = s->seen[hash >> 8 & (ENV_SETS - 1)];
#pragma unroll
	for (int i = 0; i < ENV_WAYS; i++)
		if (set[i] == hash)
			return false;
#pragma unroll
	for (int i = 0; i < ENV_WAYS; i++)
		if (!set[i]) {
			set[i] = hash;
			return true;
		}
	set[hash >> 2 & (ENV_WAYS - 1)] = hash;
	return true;
}

/* Never a reservation across a sleeping helper: the name is copied to the stack first. */
static __always_inline void env_emit(u32 run, u32 mechanism, const union env_name *name, u64 n,
				     u64 want, u32 place, u64 stack)
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
	r->e.place = place;
	r->e.stack = stack;
	CLAMP(n, EV_VAR_MAX);
	bpf_probe_read_kernel(r->name, n, name->text);
	r->h.len = n;
	r->h.want = want;
	bpf_ringbuf_submit(r, ring_flags());
}

static __always_inline void env_read(struct member *m, u32 mechanism, const union env_name *name,
				     u64 n, u64 want)
{
	if (!env_again(m, name, n, mechanism) && env_first(m, name, n, mechanism, 0))
		env_emit(m->run, mechanism, name, n, want, 0, 0);
}

#endif
