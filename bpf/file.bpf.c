/* file.bpf.c: regular files that a run opens for writing, with mode, owner and directory. */
#include "event.bpf.h"

#define FMODE_WRITE   0x2u
#define FMODE_CREATED 0x100000u /* include/linux/fs.h */

struct file_record {
	struct ev_hdr h;
	struct ev_file e;
	struct ev_comp comp[EV_COMPS];
};

/* Is this what an interpreter was told to run? Its opens are compared until the next exec. */
static __always_inline bool is_script(struct file *file)
{
	struct member *m = bpf_task_storage_get(&members, bpf_get_current_task_btf(), 0, 0);
	u32 hash;

	if (!m || !(m->script[0] | m->script[1] | m->script[2] | m->script[3]))
		return false;
	hash = (u32)name_hash((u64)BPF_CORE_READ(file, f_path.dentry, d_name.name), 0);
	return hash && (hash == m->script[0] || hash == m->script[1] || hash == m->script[2] ||
			hash == m->script[3]);
}

static __always_inline int file_emit(struct file *file, u32 run)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	u32 mode = BPF_CORE_READ(file, f_mode);
	struct file_record *r;
	bool script;

	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return 0;
	script = !(mode & FMODE_WRITE) && is_script(file);
	if (!(mode & FMODE_WRITE) && !script)
		return 0;
	r = ring_is_high() ? NULL : bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		count_lost(EV_FILE);
		return 0;
	}
	hdr_fill(&r->h, EV_FILE, run);
	r->e.ino = BPF_CORE_READ(inode, i_ino);
	r->e.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	r->e.open_flags = BPF_CORE_READ(file, f_flags);
	r->e.nlink = BPF_CORE_READ(inode, i_nlink);
	r->e.flags = (mode & FMODE_CREATED ? FILE_CREATED : 0) | (script ? FILE_SCRIPT : 0);
	r->e.pad = 0;
	path_steps(r->comp, &file->f_path, &r->e.comps, &r->e.flags, FILE_CUT_PATH);
	r->h.len = r->h.want = r->e.comps * sizeof(struct ev_comp);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("fexit/security_file_open")
int BPF_PROG(on_file_open, struct file *file, int ret)
{
	u32 run = run_of_current();

	return run && !ret ? file_emit(file, run) : 0;
}

static __always_inline int open_exit(long fd)
{
	struct file *file;
	u32 run;

	if (fd < 0)
		return 0;
	run = run_of_current();
	if (!run)
		return 0;
	file = file_of_fd((void *)bpf_get_current_task(), fd);
	return file ? file_emit(file, run) : 0;
}

#define OPEN_EXIT(name)                                                                            \
	SEC("tp/syscalls/sys_exit_" #name)                                                         \
	int on_sys_##name(struct trace_event_raw_sys_exit *ctx)                                    \
	{                                                                                          \
		return open_exit(ctx->ret);                                                        \
	}
OPEN_EXIT(openat)
OPEN_EXIT(open)
OPEN_EXIT(creat)
OPEN_EXIT(openat2)
