/* container.bpf.h: which run a process belongs to by the cgroup of the container that it is in. */
#ifndef INVIGIL_CONTAINER_BPF_H
#define INVIGIL_CONTAINER_BPF_H

#include "build_step.h"
#include "container_leaf.h"
#include "event.bpf.h"

struct container_id {
	char hex[EV_CONTAINER_LEN];
};

/*
 * Container id to run; the loader adds what a create response gave, which always comes before the
 * start. Of a build's containers only the first CONTAINER_ID_SHORT digits are said: zeroes follow them. Kept for the whole run, so that a restarted container stays in. Full: counted by the loader.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct container_id);
	__type(value, u32);
} containers SEC(".maps") __weak;

/* Steps of the builds that are under way, for those whose containers nobody tells. Full: a stranger is told. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct build_step);
	__type(value, struct build_user);
} build_steps SEC(".maps") __weak;

extern struct builder
	builders[BUILDERS]; /* by the loader; full: the run's steps are not looked for */
extern __u32 building;      /* how many of them there are */

#define CGROUP_STEPS 3 /* a container may make groups of its own below */
#define LEAF_MAX     (CONTAINER_SCOPE + EV_CONTAINER_LEN + 1)

/* Sets the member's container to what would be its id; returns the length of the cgroup's name with its NUL. */
static __always_inline long leaf_take(struct cgroup *cgroup, struct member *m)
{
	char leaf[LEAF_MAX] = {};
	long n = bpf_probe_read_kernel_str(leaf, sizeof(leaf), BPF_CORE_READ(cgroup, kn, name));

	if (container_leaf_scoped(leaf))
		__builtin_memcpy(m->container, leaf + CONTAINER_SCOPE, sizeof(m->container));
	else
		__builtin_memcpy(m->container, leaf, sizeof(m->container));
	return n;
}

/* The run whose container the cgroup, or one it lies in, is; 0: none. Sets the member's container. */
static __attribute__((noinline)) u32 container_run(struct cgroup *cgroup, struct member *m)
{
	for (int i = 0; i < CGROUP_STEPS && cgroup; i++) {
		struct container_id brief = {};
		u32 *run;

		leaf_take(cgroup, m);
		run = bpf_map_lookup_elem(&containers, m->container);
		if (!run) {
			__builtin_memcpy(brief.hex, m->container, CONTAINER_ID_SHORT);
			run = bpf_map_lookup_elem(&containers, &brief);
		}
		if (run)
			return *run;
		cgroup = BPF_CORE_READ(cgroup, self.parent, cgroup);
	}
	return 0;
}

/* Puts a task that is in no run into that of its container. flags: MEMBER_WAITS until it executes. */
static __always_inline struct member *container_enter(struct task_struct *task,
						      struct cgroup *cgroup, u32 flags)
{
	struct member fresh = { .flags = flags }, *m;

	fresh.run = container_run(cgroup, &fresh);
	if (!fresh.run || is_dropped(fresh.run))
		return NULL;
	m = member_put(task, &fresh);
	if (!m)
		__sync_fetch_and_add(&lost_members, 1);
	return m;
}

/* In the unified hierarchy; in hybrid mode it holds the container's id as well. */
static __always_inline struct cgroup *cgroup_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, cgroups, dfl_cgrp);
}

/*
 * build.bpf.c: puts the current task, which begins to execute in a container that nobody told, into the run whose
 * build's step that is. 0: none's. Global, with a stack of its own.
 */
extern int step_enter(void);

/*
 * The same file: does the current task, the first program in a container of that run, execute just what a Dockerfile
 * says that is built now?
 */
extern int step_of(u32 run);

/* The last net: whatever brought it there, what executes in a container of the run belongs to it. */
static __always_inline struct member *container_exec(struct task_struct *task)
{
	struct member *m = stopped ? NULL : container_enter(task, cgroup_of(task), 0);

	return m || !building || stopped || !step_enter() ? m : member_get(task);
}

#endif
