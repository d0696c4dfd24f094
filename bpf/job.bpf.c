/* job.bpf.c: daemon: a program outside every run that names a CI job, or that is looked for, begins a ticket. */
#include "event.bpf.h"

/*
 * A ticket stands where `run` has its run number. Every such program gets one of its own, at random,
 * before anything it executes or forks can be missed; which run a ticket belongs to, or that it
 * belongs to none, is decided in user space (user/job.c).
 */
#define TICKET (1u << 31)

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
	char *entry;
	bool found;
};

static long entry_look(u32 i, struct walk *w)
{
	struct marker key = {};
	long n;

	if (w->at >= w->end)
		return 1;
	n = bpf_probe_read_user_str(w->entry, ENTRY_MAX, (void *)w->at);
	if (n <= 0)
		return 1;
	w->at += n;
#pragma unroll
	for (int k = 0; k < EV_MARKER_MAX; k++) {
		if (w->entry[k] == '=' || !w->entry[k])
			break;
		key.name[k] = w->entry[k];
	}
	w->found = bpf_map_lookup_elem(&markers, &key);
	return w->found;
}

static __always_inline bool names_a_job(struct task_struct *task)
{
	struct walk w = { .at = BPF_CORE_READ(task, mm, env_start),
			  .end = BPF_CORE_READ(task, mm, env_end) };
	u32 zero = 0;

	w.entry = bpf_map_lookup_elem(&job_scratch, &zero);
	if (w.entry)
		bpf_loop(ENTRIES_MAX, entry_look, &w, 0);
	return w.found;
}

/* Attached before on_exec: the exec that begins a ticket is its first record. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_job_exec, struct task_struct *task)
{
	struct member *m = bpf_task_storage_get(&members, task, 0, 0), fresh = {};
	struct program_name name = {};

	if (stopped || (m && !is_dropped(m->run)))
		return 0;
	BPF_CORE_READ_STR_INTO(&name.comm, task, comm);
	if (!bpf_map_lookup_elem(&programs, &name) && !names_a_job(task))
		return 0;
	fresh.run = bpf_get_prandom_u32() | TICKET;
	if (m)
		*m = fresh;
	else if (!bpf_task_storage_get(&members, task, &fresh, BPF_LOCAL_STORAGE_GET_F_CREATE))
		__sync_fetch_and_add(&lost_members, 1);
	return 0;
}
