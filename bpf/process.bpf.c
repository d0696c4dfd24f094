/* process.bpf.c: which processes a run makes, which programs they execute and how they end. */
#include "container.bpf.h"
#include "env_state.bpf.h"
#include "python.bpf.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u64 ring_high = 3 << 20;
__u64 lost[EV_TYPES];
__u64 lost_members;
__u32 stopped;
const volatile bool many_runs = false;
const volatile bool storage_hides = false;

#ifndef PLAIN

#define STORAGES_MAX 32 /* of one task, other tools' too */

__attribute__((noinline)) u32 member_hidden(u64 storage)
{
	struct hlist_node *at = BPF_CORE_READ((struct bpf_local_storage *)storage, list.first);
	const void *map = &members;
	u64 ours = 0;

	bpf_probe_read_kernel(&ours, sizeof(ours), &map);
	for (int i = 0; i < STORAGES_MAX && at; i++) {
		struct bpf_local_storage_elem *e =
			(void *)at - bpf_core_field_offset(struct bpf_local_storage_elem, snode);

		if ((u64)BPF_CORE_READ(e, sdata.smap) == ours)
			return 1;
		at = BPF_CORE_READ(at, next);
	}
	return 0;
}

#endif

#define FILE_ASKED_MAX 4096u /* PATH_MAX */
#define EXEC_TAIL                                                                                  \
	(2u * EV_COMPS * sizeof(struct ev_comp) + FILE_ASKED_MAX + EV_ARGS_MAX + EV_ENV_MAX)

struct exec_record {
	struct ev_hdr h;
	struct ev_exec e;
	u8 tail[EXEC_TAIL];
};

/*
 * One per CPU by index (a per-CPU map takes 32 KiB at most). Safe because sched tracepoints run
 * with preemption off and no interrupt executes a program. The loader sets max_entries.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct exec_record);
} exec_scratch SEC(".maps");

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct member *m = member_of(parent), copy;
	struct {
		struct ev_hdr h;
		struct ev_fork e;
	} * r;
	struct pid *pid;
	u32 level;

	if (!m)
		return 0;
	copy = *m;
	copy.script[0] = copy.script[1] = copy.script[2] = copy.script[3] = 0;
	if (!member_put(child, &copy))
		__sync_fetch_and_add(&lost_members, 1);
	if (parent->tgid == child->tgid)
		return 0;
	env_state_forget(child->tgid);
	if (copy.flags & MEMBER_WAITS)
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_lost(EV_FORK);
		return 0;
	}
	hdr_fill(&r->h, EV_FORK, copy.run);
	r->e.child_start = BPF_CORE_READ(child, start_boottime);
	r->e.child_pid = child->tgid;
	pid = BPF_CORE_READ(child, thread_pid);
	level = BPF_CORE_READ(pid, level);
	r->e.child_vpid = BPF_CORE_READ(&pid->numbers[level & 31], nr);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	python_fork(copy.run, parent, child);
	return 0;
}

static __always_inline u32 fd_kind(struct file *file, struct inode **pipe, struct ev_fd *fd)
{
	struct socket *socket;
	struct inode *inode;
	u32 mode, major;

	*pipe = NULL;
	fd->ino = 0;
	fd->dev = fd->family = 0;
	if (!file)
		return FD_CLOSED;
	inode = BPF_CORE_READ(file, f_inode);
	mode = BPF_CORE_READ(inode, i_mode);
	fd->ino = BPF_CORE_READ(inode, i_ino);
	fd->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	switch (mode & S_IFMT) {
	case S_IFREG:
		return FD_FILE;
	case S_IFIFO:
		*pipe = inode;
		return FD_PIPE;
	case S_IFSOCK:
		socket = BPF_CORE_READ(file, private_data);
		fd->family = BPF_CORE_READ(socket, sk, __sk_common.skc_family);
		return FD_SOCKET;
	case S_IFCHR:
		major = BPF_CORE_READ(inode, i_rdev) >> 20;
		if (BPF_CORE_READ(inode, i_rdev) == (1 << 20 | 3))
			return FD_NULL;
		/* tty, console, serial and pseudo terminals (Documentation/admin-guide/devices.txt) */
		if (major == 4 || major == 5 || (major >= 136 && major <= 143))
			return FD_TTY;
	}
	return FD_OTHER;
}

#define PEER_FDS 64 /* descriptors of the parent that are looked at */

/* Which of three pipes (inodes, 0: none) an open file is the other end of: one bit each. */
__noinline u32 peer_of(u64 slot, u64 in, u64 out, u64 err)
{
	struct file *file = NULL;
	u32 mode, held = 0;
	u64 inode;

	bpf_probe_read_kernel(&file, sizeof(file), (void *)slot);
	if (!file)
		return 0;
	inode = (u64)BPF_CORE_READ(file, f_inode);
	mode = BPF_CORE_READ(file, f_mode);
	/* FMODE_READ 1, FMODE_WRITE 2: the other end of stdin is written, of stdout and stderr read */
	if (inode == in && mode & 2)
		held |= 1;
	if (inode == out && mode & 1)
		held |= 2;
	if (inode == err && mode & 1)
		held |= 4;
	return held;
}

/* The same of all that the parent holds. Both global: verified once, not for every combination. */
__noinline u32 peers_held(u64 parent, u64 in, u64 out, u64 err)
{
	struct fdtable *fdt = BPF_CORE_READ((struct task_struct *)parent, files, fdt);
	u64 table = (u64)BPF_CORE_READ(fdt, fd);
	u32 n = BPF_CORE_READ(fdt, max_fds), held = 0;

	for (u32 fd = 0; fd < PEER_FDS && fd < n; fd++)
		held |= peer_of(table + fd * sizeof(void *), in, out, err);
	return held;
}

static __always_inline void fds_fill(struct ev_exec *e, struct task_struct *task)
{
	struct inode *pipe[3];
	u32 held = 0;

#pragma unroll
	for (int i = 0; i < 3; i++)
		e->fd[i].kind = fd_kind(file_of_fd(task, i), &pipe[i], &e->fd[i]);
	if (pipe[0] || pipe[1] || pipe[2])
		held = peers_held((u64)BPF_CORE_READ(task, real_parent), (u64)pipe[0], (u64)pipe[1],
				  (u64)pipe[2]);
#pragma unroll
	for (int i = 0; i < 3; i++)
		e->fd[i].peer_pid = held & 1 << i ? e->ppid : 0;
}

static __always_inline void ids_fill(struct ev_exec *e, struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	u32 level = BPF_CORE_READ(pid, level);

	e->parent_start = BPF_CORE_READ(task, real_parent, group_leader, start_boottime);
	e->ppid = BPF_CORE_READ(task, real_parent, tgid);
	e->vpid = BPF_CORE_READ(&pid->numbers[level & 31], nr);
	e->uid = BPF_CORE_READ(cred, uid.val);
	e->gid = BPF_CORE_READ(cred, gid.val);
	e->euid = BPF_CORE_READ(cred, euid.val);
	e->egid = BPF_CORE_READ(cred, egid.val);
	e->tty = BPF_CORE_READ(task, signal, tty) != NULL;
	if (e->uid != e->euid || e->gid != e->egid)
		e->flags |= EXEC_SETID;
}

static __always_inline void exe_fill(struct ev_exec *e, struct file *file, const char *leaf)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	/* memfd_create(2): the name of an anonymous file begins so (mm/memfd.c) */
	const char memfd[6] = "memfd:";

	e->exe_ino = BPF_CORE_READ(inode, i_ino);
	e->exe_dev = BPF_CORE_READ(inode, i_sb, s_dev);
	if (BPF_CORE_READ(inode, i_nlink))
		return;
	e->flags |= EXEC_DELETED;
	for (int i = 0; i < 6; i++)
		if (leaf[i] != memfd[i])
			return;
	e->flags |= EXEC_MEMFD;
}

/* Arguments: whole up to EV_ARGS_MAX, otherwise the first EV_ARGS_HEAD and the last EV_ARGS_LAST bytes. */
static __always_inline u64 args_fill(struct ev_exec *e, u8 *dst, struct task_struct *task)
{
	u64 start = BPF_CORE_READ(task, mm, arg_start);
	u64 n = BPF_CORE_READ(task, mm, arg_end) - start;

	e->args_want = n;
	if (n <= EV_ARGS_MAX) {
		CLAMP(n, EV_ARGS_MAX);
		if (bpf_probe_read_user(dst, n, (void *)start)) {
			e->flags |= EXEC_FAULT;
			n = 0;
		}
	} else {
		if (bpf_probe_read_user(dst, EV_ARGS_HEAD, (void *)start) ||
		    bpf_probe_read_user(dst + EV_ARGS_HEAD, EV_ARGS_LAST,
					(void *)(start + n - EV_ARGS_LAST)))
			e->flags |= EXEC_FAULT;
		n = EV_ARGS_MAX;
	}
	e->args_len = n;
	return n;
}

static __always_inline u64 env_fill(struct ev_exec *e, u8 *dst, struct task_struct *task)
{
	u64 start = BPF_CORE_READ(task, mm, env_start);
	u64 n = BPF_CORE_READ(task, mm, env_end) - start;

	e->env_want = n;
	CLAMP(n, EV_ENV_MAX);
	if (bpf_probe_read_user(dst, n, (void *)start)) {
		e->flags |= EXEC_FAULT;
		n = 0;
	}
	e->env_len = n;
	return n;
}

/* By the first two letters of the program's file. */
static __always_inline bool is_interpreter(const char *name)
{
	static const char heads[][2] = { { 's', 'h' }, { 'b', 'a' }, { 'd', 'a' }, { 'a', 's' },
					 { 'k', 's' }, { 'z', 's' }, { 'b', 'u' }, { 'p', 'y' },
					 { 'p', 'e' }, { 'r', 'u' }, { 'n', 'o' }, { 'p', 'h' },
					 { 'l', 'u' } };

#pragma unroll
	for (u32 i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (name[0] == heads[i][0] && name[1] == heads[i][1])
			return true;
	return false;
}

/* An interpreter opens its script itself; until then only the name among its arguments is known. */
static __always_inline void script_note(struct member *m, struct task_struct *task,
					bool interpreter)
{
	u64 at = BPF_CORE_READ(task, mm, arg_start), end = BPF_CORE_READ(task, mm, arg_end);
	u64 n = interpreter && at < end ? name_hash(at, 1) : 0;

#pragma unroll
	for (int i = 0; i < SCRIPTS; i++) {
		at += n >> 32;
		n = n && at < end ? name_hash(at, 1) : 0;
		m->script[i] = (u32)n;
	}
}

static __always_inline u64 mounts_of(struct task_struct *task)
{
	return (u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
}

/*
 * runc executes a sealed copy of itself, or its own file, before it enters the container (libcontainer/nsenter/
 * cloned_binary.c); by then it may stand in the container's cgroup already. What a container executes is in
 * mounts of its own.
 */
static __always_inline bool is_runtime_again(struct task_struct *task, struct linux_binprm *bprm)
{
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);
	struct inode *inode = BPF_CORE_READ(bprm, file, f_inode);

	return mounts_of(task) == mounts_of(parent) &&
	       (!BPF_CORE_READ(inode, i_nlink) ||
		inode == BPF_CORE_READ(parent, mm, exe_file, f_inode));
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct member *m = member_of(task);
	u32 cpu = bpf_get_smp_processor_id();
	struct exec_record *r;
	struct ev_exec *e;
	struct file *file;
	u64 off, n;
	bool first, step;
	long len;

	first = !m || m->flags & MEMBER_WAITS;
	if (!m)
		m = container_exec(task);
	if (!m || (m->flags & MEMBER_WAITS && is_runtime_again(task, bprm)))
		return 0;
	step = m->flags & MEMBER_STEP || (first && building && step_of(m->run));
	m->flags = 0;
	python_forget(task->tgid);
	if (first)
		env_state_forget(task->tgid);
	env_state_renew(task->tgid);
	r = bpf_map_lookup_elem(&exec_scratch, &cpu);
	if (!r) {
		count_lost(EV_EXEC);
		return 0;
	}
	e = &r->e;
	hdr_fill(&r->h, EV_EXEC, m->run);
	__builtin_memcpy(e->container, m->container, sizeof(e->container));
	e->flags = (old_pid != task->pid ? EXEC_THREAD : 0) | (step ? EXEC_STEP : 0);
	if (BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec))
		e->flags |= EXEC_GAINS;
	ids_fill(e, task);
	fds_fill(e, task);
	BPF_CORE_READ_STR_INTO(&e->comm, task, comm);
	file = BPF_CORE_READ(bprm, file);

	path_steps((void *)r->tail, &file->f_path, &e->exe_comps, &e->flags, EXEC_CUT_PATH);
	exe_fill(e, file, ((struct ev_comp *)r->tail)->name);
	script_note(m, task, is_interpreter(((struct ev_comp *)r->tail)->name));
	e->path_entry = e->pad = 0;
	off = e->exe_comps;
	CLAMP(off, EV_COMPS);
	off *= sizeof(struct ev_comp);
	path_steps((void *)(r->tail + off), &BPF_CORE_READ(task, fs)->pwd, &e->cwd_comps, &e->flags,
		   EXEC_CUT_CWD);
	n = e->cwd_comps;
	CLAMP(n, EV_COMPS);
	off += n * sizeof(struct ev_comp);

	len = bpf_probe_read_kernel_str(r->tail + off, FILE_ASKED_MAX,
					BPF_CORE_READ(bprm, filename));
	n = len > 0 ? len : 0;
	CLAMP(n, FILE_ASKED_MAX);
	e->file_len = n;
	off += n;
	CLAMP(off, 2 * EV_COMPS * sizeof(struct ev_comp) + FILE_ASKED_MAX);

	/* Read after the exec, from the new image: whoever wrote it is gone. */
	n = args_fill(e, r->tail + off, task);
	CLAMP(n, EV_ARGS_MAX);
	off += n;
	CLAMP(off, EXEC_TAIL - EV_ENV_MAX);
	n = env_fill(e, r->tail + off, task);
	CLAMP(n, EV_ENV_MAX);
	off += n;
	CLAMP(off, EXEC_TAIL);

	r->h.len = off;
	r->h.want = off + (e->args_want - e->args_len) + (e->env_want - e->env_len);
	/* No gate holds what a container executes: whoever attaches probes is to come soon. */
	if (bpf_ringbuf_output(&ring, r, off + __builtin_offsetof(struct exec_record, tail),
			       e->container[0] ? BPF_RB_FORCE_WAKEUP : ring_flags()))
		count_lost(EV_EXEC);
	return 0;
}

#define SIGNAL_GROUP_EXIT 4 /* include/linux/sched/signal.h */

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct member *m = member_get(task);
	u32 run = run_of_current();
	struct {
		struct ev_hdr h;
		struct ev_exit e;
	} * r;
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	u64 reads;

	env_state_add(task->tgid, m);
	/* do_exit() has counted this thread down already; the last one ends the process. */
	if (BPF_CORE_READ(signal, live.counter))
		return 0;
	member_end(task);
	if (!m && !run)
		return 0;
	/* Also when its run is over: a container that was left behind. */
	python_forget(task->tgid);
	reads = env_state_end(task->tgid);
	if (!run)
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_lost(EV_EXIT);
		return 0;
	}
	hdr_fill(&r->h, EV_EXIT, run);
	r->e.status = BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT
			      ? BPF_CORE_READ(signal, group_exit_code)
			      : BPF_CORE_READ(task, group_leader, exit_code);
	r->e.pad = 0;
	r->e.env_reads = reads;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}
