/* env_state.bpf.h: what each process has read already: a read is told once, and all are counted. */
#ifndef INVIGIL_ENV_STATE_BPF_H
#define INVIGIL_ENV_STATE_BPF_H

#include "event.bpf.h"

#define ENV_SETS 64
#define ENV_WAYS 4

/*
 * Hashes of names. One that was pushed out by another is told again, and user space drops it: the
 * table may be too small, never wrong. A new generation (a program, a test case) forgets all.
 */
struct env_state {
	u64 reads;
	u64 generation;
	u64 seen[ENV_SETS][ENV_WAYS];
};

/* By process. Full: reads are told every time and not counted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 8192);
	__type(key, u32);
	__type(value, struct env_state);
} env_states SEC(".maps") __weak;

extern __u64
	env_epoch; /* grows with every generation: then no thread's last name counts any more */

static __always_inline void env_state_renew(u32 pid)
{
	struct env_state *s = bpf_map_lookup_elem(&env_states, &pid);

	if (s)
		__sync_fetch_and_add(&s->generation, 1);
	__sync_fetch_and_add(&env_epoch, 1);
}

/* A thread ends: what it has read is counted. */
static __always_inline void env_state_add(u32 pid, struct member *m)
{
#ifndef PLAIN
	u64 reads = m ? last_of(m)->reads : 0;
	struct env_state *s = reads ? bpf_map_lookup_elem(&env_states, &pid) : NULL;

	if (s)
		__sync_fetch_and_add(&s->reads, reads);
#endif
}

/*
 * A process of that number begins. Of 200 000 that ended two had left what they had read: the next one would go on
 * counting it.
 */
static __always_inline void env_state_forget(u32 pid)
{
	if (bpf_map_lookup_elem(&env_states, &pid))
		bpf_map_delete_elem(&env_states, &pid);
}

/* Returns how many reads there were. */
static __always_inline u64 env_state_end(u32 pid)
{
	struct env_state *s = bpf_map_lookup_elem(&env_states, &pid);
	u64 reads = s ? s->reads : 0;

	if (s)
		bpf_map_delete_elem(&env_states, &pid);
	return reads;
}

#endif
