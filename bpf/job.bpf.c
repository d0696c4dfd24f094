/* job.bpf.c: daemon: a program outside every run that names a CI job, or that is looked for, begins a ticket. */
#include "env_state.bpf.h"

/*
 * A ticket stands where `run` has its run number. Every such program gets one of its own, at random,
 * before anything it executes or forks can be missed; which run a ticket belongs to, or that it
 * belongs to none, is decided in user space (user/job.c). Until then what it forks has the same one.
 */

#define ENTRY_MAX   4096u
#define ENTRIES_MAX 1024 /* variables that are looked at */

struct marker {
	char name[EV_MARKER_MAX];
};

/* Names of variables that tell a CI job; filled by the loader from user/ci.c. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct marker);
	__type(value, u32);
} markers SEC(".maps");

struct program_name {
	char comm[EV_COMM_MAX];
};

/* Programs that begin a run, by the name the kernel gives them; of the configuration's `runs`. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct program_name);
	__type(value, u32);
} programs SEC(".maps");

/* sched tracepoints run with preemption off: nothing else uses it meanwhile. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, char[ENTRY_MAX]);
} job_scratch SEC(".maps");

struct walk {
	u64 at, end;
	bool found;
};

/*
 * The variable at that address of the environment: its bytes with the NUL << 1, | 1 when it names a job; 0: there is
 * none. Global with scalars: verified once, not at each turn where the loop is a plain one.
 */
__attribute__((noinline)) u64 entry_look(u64 at)
{
	struct marker key = {};
	u32 zero = 0;
	char *entry = bpf_map_lookup_elem(&job_scratch, &zero);
	long n = entry ? bpf_probe_read_user_str(entry, ENTRY_MAX, (void *)at) : 0;

	if (!entry || n <= 0)
		return 0;
#pragma unroll
	for (int k = 0; k < EV_MARKER_MAX; k++) {
		if (entry[k] == '=' || !entry[k])
			break;
		key.name[k] = entry[k];
	}
	return (u64)n << 1 | !!bpf_map_lookup_elem(&markers, &key);
}

static long entry_step(u32 i, struct walk *w)
{
	u64 one = w->at < w->end ? entry_look(w->at) : 0;

	w->at += one >> 1;
	w->found = one & 1;
	return !one || w->found;
}

static __always_inline bool names_a_job(struct task_struct *task)
{
	struct walk w = { .at = BPF_CORE_READ(task, mm, env_start),
			  .end = BPF_CORE_READ(task, mm, env_end) };

	bpf_loop(ENTRIES_MAX, entry_step, &w, 0);
	return w.found;
}

/* Users whose programs begin runs, and whether any program may: of the configuration's `runs`. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, u32);
	__type(value, u32);
} users SEC(".maps");

__u32 every_exec;

struct lineage {
	struct ev_hdr h;
	struct ev_lineage e;
	struct path_comps parent;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct lineage);
} lineage_scratch SEC(".maps");

struct climb {
	u64 at; /* a task, or a cgroup */
	struct ev_lineage *to;
};

static long ancestor_add(u32 i, struct climb *c)
{
	struct task_struct *task = (void *)c->at;
	struct task_struct *up = BPF_CORE_READ(task, real_parent, group_leader);
	u32 pid = BPF_CORE_READ(up, tgid);
	u64 n = i;

	CLAMP(n, EV_ANCESTORS - 1);
	if (!pid)
		return 1;
	c->to->ancestor[n].pid = pid;
	c->to->ancestor[n].start = BPF_CORE_READ(up, start_boottime);
	c->to->ancestors = i + 1;
	c->at = (u64)up;
	return 0;
}

static long group_add(u32 i, struct climb *c)
{
	struct cgroup *group = (void *)c->at, *up = BPF_CORE_READ(group, self.parent, cgroup);
	u64 n = i;

	CLAMP(n, EV_GROUPS - 1);
	if (!up || bpf_probe_read_kernel_str(c->to->group[n], EV_GROUP_MAX,
					     BPF_CORE_READ(group, kn, name)) < 0)
		return 1;
	c->to->groups = i + 1;
	c->at = (u64)up;
	return 0;
}

/* What the name and the user alone do not tell: two processes of one job have a common origin. */
static __always_inline void lineage_send(struct task_struct *task, u32 run, u32 was)
{
	u32 zero = 0, cut = 0;
	struct lineage *l = bpf_map_lookup_elem(&lineage_scratch, &zero);
	struct climb up = { .at = number_of(task) }, groups = {};
	struct file *parent;
	u64 n;

	if (!l)
		return;
	hdr_fill(&l->h, EV_LINEAGE, run);
	l->e.ancestors = l->e.groups = l->e.steps = 0;
	l->e.was = was;
	up.to = groups.to = &l->e;
	groups.at = number_of(BPF_CORE_READ(task, cgroups, dfl_cgrp));
	bpf_loop(EV_ANCESTORS, ancestor_add, &up, 0);
	bpf_loop(EV_GROUPS, group_add, &groups, 0);
	parent = BPF_CORE_READ(task, real_parent, mm, exe_file);
	if (parent)
		path_steps(l->parent.c, &parent->f_path, &l->e.steps, &cut, 1);
	n = l->e.steps;
	CLAMP(n, EV_COMPS);
	n *= sizeof(struct ev_comp);
	l->h.len = l->h.want = n;
	if (bpf_ringbuf_output(&ring, l, n + __builtin_offsetof(struct lineage, parent), 0))
		count_lost(EV_LINEAGE);
}

static __always_inline bool is_looked_for(struct task_struct *task)
{
	struct program_name name = {};
	u32 uid = BPF_CORE_READ(task, cred, uid.val);

	BPF_CORE_READ_STR_INTO(&name.comm, task, comm);
	return every_exec || bpf_map_lookup_elem(&programs, &name) ||
	       bpf_map_lookup_elem(&users, &uid);
}

/* Attached before on_exec: lineage and exec are the first records of a ticket. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_job_exec, struct task_struct *task)
{
	struct member *m = member_get(task), fresh = {};
	u32 was;

	if (stopped || (m && bpf_map_lookup_elem(&living, &m->run)))
		return 0;
	if (!is_looked_for(task) && !names_a_job(task))
		return 0;
	was = m && !is_dropped(m->run) ? m->run : 0;
	fresh.run = bpf_get_prandom_u32() | TICKET;
	if (m) {
		*m = fresh;
	} else {
		env_state_forget(task->tgid);
		if (!member_put(task, &fresh))
			__sync_fetch_and_add(&lost_members, 1);
	}
	lineage_send(task, fresh.run, was);
	return 0;
}
