/* watch.bpf.h: which files' bytes are looked at for secrets: logs, the run's own output, and the beginning of every pipe. */
#ifndef INVIGIL_WATCH_BPF_H
#define INVIGIL_WATCH_BPF_H

#include "event.bpf.h"

struct watch_key {
	u64 ino;
	u32 dev;
	u32 run;
};

struct watch {
	u64 left; /* bytes that are still looked at */
};

/* Logs and the run's output; filled at open and by the loader. Full: counted as lost EV_WRITE. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct watch_key);
	__type(value, struct watch);
} watched SEC(".maps") __weak;

extern const volatile __u64 watch_file_budget;

/* write.bpf.c: one record of n bytes out of want (n_want: n << 32 | want) of a file, pipe or socket. */
extern int write_emit(u64 run, u64 ino, u64 dev_kind, u64 base, u64 n_want);

/* The kernel knows a log by its ending alone; other patterns come from user space, a moment later. */
static __always_inline bool is_log_name(struct dentry *d)
{
	u32 n = BPF_CORE_READ(d, d_name.len);
	const unsigned char *name = BPF_CORE_READ(d, d_name.name);
	u32 ending = 0;

	if (n <= 4 || bpf_probe_read_kernel(&ending, 4, name + n - 4))
		return false;
	return ending == ((u32)'.' | (u32)'l' << 8 | (u32)'o' << 16 | (u32)'g' << 24);
}

/* Is it one? */
static __always_inline bool watch_log(struct file *file, u32 run)
{
	struct watch_key key = { .run = run };
	struct watch fresh = { .left = watch_file_budget };
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if (!is_log_name(BPF_CORE_READ(file, f_path.dentry)))
		return false;
	key.ino = BPF_CORE_READ(inode, i_ino);
	key.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	if (bpf_map_update_elem(&watched, &key, &fresh, BPF_NOEXIST) &&
	    !bpf_map_lookup_elem(&watched, &key))
		count_lost(EV_WRITE);
	return true;
}

#endif
