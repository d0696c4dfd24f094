/* file_change.bpf.c: mode, owner, capabilities, length and names of files that a run changes. */
#include "file.bpf.h"

/* Set by the loader when the configuration has patterns of its own for logs: no name is left out then. */
const volatile bool any_name;

/* Actions by system call number, row 0 native, row 1 32-bit; FILE_OPEN stands for none. */
const volatile __u8 changes[2][512] = {
#define CHANGE(row, number, action) [row][number] = FILE_##action,
	SYSCALL_CHANGES(CHANGE)
#undef CHANGE
};

#define S_ISUID 04000
#define S_ISGID 02000
#define S_ISUG  (S_ISUID | S_ISGID)
#define S_IXUGO 00111

/* Bytes of a name's end that are looked at. */
#define NAME_LOOK 64

/* ".log" at the name's end or before another dot: rotated ones go on with a number or a date. */
static __always_inline bool name_is_log(struct dentry *d)
{
	u32 len = BPF_CORE_READ(d, d_name.len);
	const unsigned char *name = BPF_CORE_READ(d, d_name.name);
	unsigned char text[NAME_LOOK + 8] = {};
	u64 window = 0;

	if (len > NAME_LOOK)
		name += len - NAME_LOOK;
	bpf_probe_read_kernel_str(text, NAME_LOOK + 1, name);
#pragma unroll
	for (int i = 0; i < NAME_LOOK; i++) {
		window = window >> 8 | (u64)text[i] << 56;
		if (window >> 32 == 0x676f6c2e && (!text[i + 1] || text[i + 1] == '.'))
			return true;
	}
	return false;
}

#define DIRECTORIES_LOOK 6

/* Does it lie in a directory called log or logs, at most so many levels up? */
static __always_inline bool directory_is_log(struct dentry *d, struct mount *m)
{
	for (int i = 0; i < DIRECTORIES_LOOK; i++) {
		struct dentry *parent;
		char name[8] = {};
		u64 word;

		if (d == BPF_CORE_READ(m, mnt.mnt_root)) {
			d = BPF_CORE_READ(m, mnt_mountpoint);
			m = BPF_CORE_READ(m, mnt_parent);
		}
		parent = BPF_CORE_READ(d, d_parent);
		if (d == parent)
			return false;
		d = parent;
		bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(d, d_name.name));
		word = *(u64 *)name;
		if (word == 0x676f6c || word == 0x73676f6c)
			return true;
	}
	return false;
}

/* Is it worth a record? Removing a tree of ten thousand files is not. */
static __always_inline bool change_tells(u32 action, struct inode *inode, struct dentry *d,
					 struct mount *m)
{
	if (action == FILE_SETCAP)
		return true;
	/* Executable from now on: it may be what the run has downloaded or decoded. */
	if (action == FILE_CHMOD && BPF_CORE_READ(inode, i_mode) & (S_ISUG | S_IXUGO))
		return true;
	return any_name || name_is_log(d) || directory_is_log(d, m);
}

/* ---- an inode's path, as the current process sees it ---- */

/* A function of its own: inside of the loop over mounts it would be walked for each of them. */
__attribute__((noinline)) int dentry_below(u64 dentry, u64 root)
{
	struct dentry *d = (void *)dentry;

	for (int i = 0; i < EV_COMPS; i++) {
		struct dentry *parent;

		if (d == (void *)root)
			return 1;
		parent = BPF_CORE_READ(d, d_parent);
		if (d == parent)
			return 0;
		d = parent;
	}
	return 0;
}

/* Does the mount show it, to the processes of this namespace (0: to any)? */
__attribute__((noinline)) int mount_shows(u64 mount, u64 ns, u64 sb, u64 dentry)
{
	struct mount *m = (void *)mount;

	return (!ns || (u64)BPF_CORE_READ(m, mnt_ns) == ns) &&
	       (u64)BPF_CORE_READ(m, mnt.mnt_sb) == sb &&
	       dentry_below(dentry, (u64)BPF_CORE_READ(m, mnt.mnt_root));
}

#define MOUNTS_CHAIN bpf_core_field_exists(((struct mount___chain *)0)->mnt_next_for_sb)

static __always_inline struct mount *mount_of_link(struct list_head *link)
{
	return (void *)link - bpf_core_field_offset(struct mount___list, mnt_instance);
}

static __always_inline struct mount *mount_first(struct super_block *sb)
{
	return MOUNTS_CHAIN ? BPF_CORE_READ((struct super_block___chain *)sb, s_mounts)
			    : mount_of_link(BPF_CORE_READ((struct super_block___list *)sb,
							  s_mounts.next));
}

static __always_inline struct mount *mount_next(struct mount *m)
{
	return MOUNTS_CHAIN
		       ? BPF_CORE_READ((struct mount___chain *)m, mnt_next_for_sb)
		       : mount_of_link(BPF_CORE_READ((struct mount___list *)m, mnt_instance.next));
}

#define MOUNTS_LOOK 32

/*
 * A change names an inode, not the way that led to it: the mount of the caller's namespace that
 * shows it. None: it is another file system's own file behind the one that the caller sees (the
 * upper layer of an overlay), which gets a record of its own.
 */
__attribute__((noinline)) u64 mount_find(u64 dentry)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct dentry *d = (void *)dentry;
	struct super_block *sb = BPF_CORE_READ(d, d_sb);
	u64 ns = (u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
	struct mount *m = mount_of(BPF_CORE_READ(task, fs, root.mnt));

	if (mount_shows((u64)m, 0, (u64)sb, dentry))
		return (u64)m;
	m = mount_first(sb);
	for (int i = 0; i < MOUNTS_LOOK; i++) {
		if (!m)
			break;
		if (mount_shows((u64)m, ns, (u64)sb, dentry))
			return (u64)m;
		m = mount_next(m);
	}
	return 0;
}

static __always_inline void changed(u32 run, u32 action, struct dentry *d)
{
	struct inode *inode = BPF_CORE_READ(d, d_inode);
	struct file_look l = { .run = run, .action = action };

	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return;
	l.dentry = number_of(d);
	l.mount = mount_find(l.dentry);
	if (!l.mount || !change_tells(action, inode, d, (void *)l.mount))
		return;
	file_emit(&l);
}

/* ---- with trampolines ---- */

#define ATTR_MODE 1u /* include/linux/fs.h */
#define ATTR_UID  2u
#define ATTR_GID  4u
#define ATTR_SIZE 8u
#define ATTR_OPEN (1u << 15)

/*
 * (dentry, attr, delegated) before 5.12, then with a map of users in front that has been two things
 * (6.3) and is not looked at. By the loader, from the kernel's BTF.
 */
const volatile __u32 setattr_params = 4;

SEC("fexit/notify_change")
int on_setattr(u64 *ctx)
{
	u32 run = run_of_current(), valid;
	struct dentry *d;
	struct iattr *attr;
	int ret;

	if (setattr_params == 3) {
		d = (void *)CTX_WORD(ctx, 0);
		attr = (void *)CTX_WORD(ctx, 1);
		ret = CTX_WORD(ctx, 3);
	} else {
		d = (void *)CTX_WORD(ctx, 1);
		attr = (void *)CTX_WORD(ctx, 2);
		ret = CTX_WORD(ctx, 4);
	}
	if (!run || ret)
		return 0;
	valid = BPF_CORE_READ(attr, ia_valid);
	if (valid & ATTR_OPEN) /* the open says that it truncated */
		return 0;
	if (valid & ATTR_MODE)
		changed(run, FILE_CHMOD, d);
	else if (valid & (ATTR_UID | ATTR_GID))
		changed(run, FILE_CHOWN, d);
	else if (valid & ATTR_SIZE)
		changed(run, FILE_TRUNCATE, d);
	return 0;
}

/* Asked when everything else was checked; what follows fails only for a broken disk. */
SEC("fexit/security_inode_unlink")
int BPF_PROG(on_unlink, struct inode *dir, struct dentry *d, int ret)
{
	u32 run = run_of_current();

	if (run && !ret)
		changed(run, FILE_REMOVE, d);
	return 0;
}

SEC("fexit/security_inode_rename")
int BPF_PROG(on_rename, struct inode *old_dir, struct dentry *old, struct inode *new_dir,
	     struct dentry *new, unsigned int flags, int ret)
{
	u32 run = run_of_current();

	if (!run || ret)
		return 0;
	changed(run, FILE_RENAME, old);
	changed(run, FILE_RENAME, new);
	return 0;
}

SEC("fexit/security_inode_post_setxattr")
int BPF_PROG(on_setxattr, struct dentry *d, const char *name)
{
	u32 run = run_of_current();
	u64 text[NAME_WORDS] = {};

	if (!run)
		return 0;
	bpf_probe_read_kernel_str(text, sizeof(text), name);
	if (NAME_IS(text, "security.capability"))
		changed(run, FILE_SETCAP, d);
	return 0;
}

/* ---- without: every change of an inode sets its time (6.13 and later tell) ---- */

/* The union that it is in has no name in 7.3. */
#define ALIAS_OFFSET                                                                               \
	(bpf_core_field_exists(struct dentry___alias, d_alias)                                     \
		 ? bpf_core_field_offset(struct dentry___alias, d_alias)                           \
		 : bpf_core_field_offset(struct dentry, d_u.d_alias))

static __always_inline int ctime_set(struct inode *inode)
{
	struct task_struct *task = task_current();
	u32 run = run_of_current(), action;
	struct hlist_node *alias;
	struct pt_regs *regs;
	bool compat;
	u64 nr;

	if (!run || (BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG ||
	    BPF_CORE_READ(task, flags) & PF_IO_WORKER)
		return 0;
	regs = regs_current();
	nr = REGS_NR(regs);
	compat = TASK_COMPAT(task);
	if (nr >= 512)
		return 0;
	action = compat ? changes[1][nr] : changes[0][nr];
	if (action == FILE_OPEN)
		return 0;
	if (action == FILE_SETCAP) {
		/* setxattrat (6.13) has it as its fourth */
		bool fourth = nr == SYSCALL_XATTRAT;
		u64 native = fourth ? REGS_ARG4(regs) : REGS_ARG2(regs);
		u64 at = !compat  ? native
			 : fourth ? REGS_COMPAT_ARG4(regs)
				  : REGS_COMPAT_ARG2(regs);
		u64 name[NAME_WORDS] = {};

		bpf_probe_read_user_str(name, sizeof(name), (void *)at);
		if (!NAME_IS(name, "security.capability"))
			return 0;
	}
	/* Of several names the one that was made or found last. */
	alias = BPF_CORE_READ(inode, i_dentry.first);
	if (!alias)
		return 0;
	changed(run, action, (void *)alias - ALIAS_OFFSET);
	return 0;
}

/* inode_set_ctime_to_ts, ctime_ns_xchg and ctime_xchg_skip, all of which begin with the inode: loaded once. */
SEC("raw_tp")
int BPF_PROG(on_ctime, struct inode *inode)
{
	return ctime_set(inode);
}
