/* vmlinux.h: only the kernel types that invigil reads; CO-RE relocates every field at load time. */
#ifndef INVIGIL_VMLINUX_H
#define INVIGIL_VMLINUX_H
#define __VMLINUX_H__ /* bpf_tracing.h: registers by their kernel names */

#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
typedef unsigned long size_t;
#define true 1
#define false 0
#ifndef NULL
#define NULL ((void *)0)
#endif

/* include/uapi/linux/bpf.h; that header itself would drag in half of uapi. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum { BPF_ANY = 0, BPF_NOEXIST = 1 };
enum { BPF_F_NO_PREALLOC = 1 };
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0 };

/* Of the kernel's interface (linux/bpf.h), opaque here. */
struct bpf_dynptr {
	u64 opaque[2];
} __attribute__((aligned(8)));
struct __sk_buff {
	u32 len;
};

#if defined(__TARGET_ARCH_x86)
#include "x86.h"
#elif defined(__TARGET_ARCH_arm64)
#include "arm64.h"
#else
#error "no registers for this architecture"
#endif

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
};
struct sock;
struct socket;
struct dentry;
struct mm_struct;
struct task_struct;

typedef struct {
	u32 val;
} kuid_t;
typedef struct {
	u32 val;
} kgid_t;
typedef struct {
	int counter;
} atomic_t;

struct hlist_node {
	struct hlist_node *next;
};
struct hlist_head {
	struct hlist_node *first;
};
struct mount;
struct mnt_namespace;
struct super_block {
	u32 s_dev;
	unsigned long s_magic;
};
/* The mounts of a file system, before 6.18 ... */
struct super_block___list {
	struct list_head s_mounts;
};
/* ... and since. */
struct super_block___chain {
	struct mount *s_mounts;
};
struct inode {
	u16 i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	u32 i_rdev;
	s64 i_size;
	struct hlist_head i_dentry;
};
struct qstr {
	u32 len;
	const unsigned char *name;
};
struct dentry {
	union {
		struct hlist_node d_alias;
	} d_u;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};
struct dentry___alias {
	struct hlist_node d_alias;
};
struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
};
struct mount___list {
	struct list_head mnt_instance;
};
struct mount___chain {
	struct mount *mnt_next_for_sb;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct file {
	struct inode *f_inode;
	unsigned int f_mode;
	unsigned int f_flags;
	void *private_data;
	struct path f_path;
};
struct vm_area_struct {
	struct file *vm_file;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};
struct fs_struct {
	struct path root;
	struct path pwd;
};
struct nsproxy {
	struct mnt_namespace *mnt_ns;
};
struct filename {
	const char *name;
};
struct open_flags {
	int open_flag;
};
struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
};
struct iattr {
	unsigned int ia_valid;
};

struct upid {
	int nr;
};
enum pid_type { PIDTYPE_TGID = 1 };
struct pid {
	unsigned int level;
	struct hlist_head tasks[4];
	struct upid numbers[1];
};
struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t euid;
	kgid_t egid;
};
struct bpf_local_storage_map;
struct bpf_local_storage_data {
	struct bpf_local_storage_map *smap;
};
struct bpf_local_storage_elem {
	struct hlist_node snode;
	struct bpf_local_storage_data sdata;
};
struct bpf_local_storage {
	struct hlist_head list;
};
struct css_set;
struct tty_struct;
struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned int flags;
	struct tty_struct *tty;
};
struct mm_struct {
	unsigned long arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
};
struct task_struct {
	struct thread_info thread_info;
	void *stack;
	unsigned int flags;
	int pid;
	int tgid;
	int exit_code;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	u64 start_boottime;
	const struct cred *cred;
	char comm[16];
	struct nsproxy *nsproxy;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct css_set *cgroups;
	struct mm_struct *mm;
	struct bpf_local_storage *bpf_storage;
	struct thread_struct thread;
};
struct kernel_siginfo {
	int si_code;
};
struct linux_binprm {
	unsigned int secureexec : 1;
	struct file *file;
	const char *filename;
	const char *interp;
};

struct in6_addr {
	union {
		u8 u6_addr8[16];
	} in6_u;
};
struct sock_common {
	u16 skc_family;
	u16 skc_dport;
	u32 skc_daddr;
	struct in6_addr skc_v6_daddr;
};
struct sock;
struct sk_buff {
	struct sk_buff *prev;
	struct sock *sk;
	unsigned int len;
	unsigned int data_len;
	unsigned char *data;
};
struct sk_buff_head {
	struct sk_buff *prev;
};
struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	u16 sk_type;
	struct pid *sk_peer_pid;
	struct socket *sk_socket;
	struct bpf_local_storage *sk_bpf_storage;
};
struct socket {
	struct sock *sk;
};
struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};
struct sockaddr_un {
	u16 sun_family;
	char sun_path[108];
};
struct unix_address {
	int len;
	struct sockaddr_un name[0];
};
struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct path path;
	struct sock *peer;
};

struct iovec {
	void *iov_base;
	size_t iov_len;
};
struct user_msghdr {
	void *msg_name;
	int msg_namelen;
	struct iovec *msg_iov;
	size_t msg_iovlen;
};
struct iov_iter {
	u8 iter_type;
	size_t iov_offset;
	size_t count;
	size_t nr_segs;
	const struct iovec *__iov;
	void *ubuf;
};
/* Before 6.4 (de4f5fed3f23 renamed it). */
struct iov_iter___iov {
	const struct iovec *iov;
};
/* Before 5.14 (8cd54c1c8480), the direction in the lowest bit. */
struct iov_iter___type {
	unsigned int type;
};
/* The numbers change between kernels: always through bpf_core_enum_value(). */
enum iter_type { ITER_IOVEC = 100, ITER_UBUF = 101 };
struct msghdr {
	struct iov_iter msg_iter;
};

struct kernfs_node {
	const char *name;
};
struct cgroup;
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};
struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};
struct css_set {
	struct cgroup *dfl_cgrp;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct trace_event_raw_sys_exit {
	long id;
	long ret;
};

#pragma clang attribute pop

/* What user space hands to bpf_probe_read_user is no kernel type: fixed layout of the x86-64 and arm64 ABI. */
struct user_iovec {
	u64 base;
	u64 len;
};

#endif
