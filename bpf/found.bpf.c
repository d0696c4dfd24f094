/* found.bpf.c: daemon: the processes that are there already, and their membership once it is decided. */
#include "container.bpf.h"
#include "found.h"

/* Filled by the daemon while it takes them in. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct found_taken);
} taken SEC(".maps");

/* What it was taken into, or what its parent is in: it may have been forked since the parent was looked at. */
static __always_inline void membership_find(struct task_struct *task, struct member *to)
{
	u32 tgid = task->tgid;
	struct found_taken *t = bpf_map_lookup_elem(&taken, &tgid);
	struct member *up;

	if (t && t->start == BPF_CORE_READ(task, group_leader, start_boottime)) {
		to->run = t->run;
		return;
	}
	up = member_get(task->real_parent);
	if (up && !(up->flags & MEMBER_WAITS) && bpf_map_lookup_elem(&living, &up->run)) {
		to->run = up->run;
		__builtin_memcpy(to->container, up->container, sizeof(to->container));
	}
}

SEC("iter/task")
int on_found(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct member fresh = {}, *m;
	struct found_task row = {};
	struct pid *pid;
	u32 level;

	if (!task || !BPF_CORE_READ(task, mm))
		return 0;
	m = member_get(task);
	if (!m || is_dropped(m->run))
		membership_find(task, &fresh);
	if (fresh.run && m)
		*m = fresh;
	else if (fresh.run && !member_put(task, &fresh))
		__sync_fetch_and_add(&lost_members, 1);
	if (task->pid != task->tgid)
		return 0;
	row.start = BPF_CORE_READ(task, start_boottime);
	row.parent_start = BPF_CORE_READ(task, real_parent, group_leader, start_boottime);
	row.pid = task->tgid;
	row.ppid = BPF_CORE_READ(task, real_parent, tgid);
	pid = BPF_CORE_READ(task, thread_pid);
	level = BPF_CORE_READ(pid, level);
	row.vpid = BPF_CORE_READ(&pid->numbers[level & 31], nr);
	row.uid = BPF_CORE_READ(task, cred, uid.val);
	row.gid = BPF_CORE_READ(task, cred, gid.val);
	row.euid = BPF_CORE_READ(task, cred, euid.val);
	row.egid = BPF_CORE_READ(task, cred, egid.val);
	row.tty = BPF_CORE_READ(task, signal, tty) != NULL;
	BPF_CORE_READ_STR_INTO(&row.comm, task, comm);
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}
