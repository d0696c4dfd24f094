/* container.bpf.c: puts the processes of containers that a run created into the run, before they execute anything. */
#include "container.bpf.h"

/* Runs in the runtime for the container's init and again for every exec; task is the one that moves. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(on_cgroup_attach, struct cgroup *cgroup, const char *path, struct task_struct *task)
{
	/* Other hierarchies of cgroup v1 attach again. */
	if (!member_get(task))
		container_enter(task, cgroup, MEMBER_WAITS);
	return 0;
}

/* clone3(CLONE_INTO_CGROUP) forks into the container's cgroup, and nothing attaches (crun, newer runc). */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_cgroup_fork, struct task_struct *parent, struct task_struct *child)
{
	struct cgroup *cgroup = cgroup_of(child);

	if (cgroup != cgroup_of(parent) && !stopped && !member_get(child))
		container_enter(child, cgroup, MEMBER_WAITS);
	return 0;
}
