/* file.bpf.c: files that a run opens: for writing, or one of the few whose reading tells something. */
#include "file.bpf.h"
#include "peek.bpf.h"
#include "python.bpf.h"
#include "watch.bpf.h"

#define FMODE_READ    0x1u
#define FMODE_WRITE   0x2u
#define FMODE_CREATED 0x100000u /* include/linux/fs.h */
#define AT_FDCWD      -100      /* include/uapi/linux/fcntl.h */
#define O_TRUNC       01000

/* Few paths have more steps than that; the rest take a record for EV_COMPS. */
#define STEPS_USUAL 8

struct path_usual {
	struct ev_comp c[STEPS_USUAL];
};

__attribute__((noinline)) u32 path_walk_usual(struct path_usual *to, u64 dentry, u64 mount)
{
	return to ? steps_walk(to->c, STEPS_USUAL, dentry, mount) : 0;
}

static __always_inline bool path_is_long(const struct file_look *l)
{
	struct path_at at = { l->dentry, l->mount };

#pragma unroll
	for (int i = 0; i < STEPS_USUAL; i++)
		if (!path_step(NULL, &at))
			return false;
	return true;
}

static __always_inline void file_fill(struct ev_hdr *h, struct ev_file *e, struct ev_comp *comp,
				      const int max, const struct file_look *l)
{
	struct dentry *d = (void *)l->dentry;
	struct inode *inode = BPF_CORE_READ(d, d_inode);
	const char *asked = (void *)l->asked;
	long n = 0;
	u32 steps;

	hdr_fill(h, EV_FILE, l->run);
	e->ino = BPF_CORE_READ(inode, i_ino);
	e->size = BPF_CORE_READ(inode, i_size);
	e->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	e->action = l->action;
	e->open_flags = l->open_flags;
	e->nlink = BPF_CORE_READ(inode, i_nlink);
	e->flags = l->flags;
	e->dirfd = l->dirfd;
	__builtin_memset(e->asked, 0, sizeof(e->asked));
	if (asked && l->asked_user)
		n = bpf_probe_read_user_str(e->asked, sizeof(e->asked), asked);
	else if (asked)
		n = bpf_probe_read_kernel_str(e->asked, sizeof(e->asked), asked);
	e->asked_len = n > 0 ? n - 1 : 0;
	steps = max == EV_COMPS ? path_walk((void *)comp, l->dentry, l->mount)
				: path_walk_usual((void *)comp, l->dentry, l->mount);
	e->comps = steps & ~PATH_CUT;
	if (steps & PATH_CUT)
		e->flags |= FILE_CUT_PATH;
	h->len = h->want = e->comps * sizeof(struct ev_comp);
}

#define FILE_EMIT(steps)                                                                           \
	({                                                                                         \
		struct {                                                                           \
			struct ev_hdr h;                                                           \
			struct ev_file e;                                                          \
			struct ev_comp comp[steps];                                                \
		} *r = ring_is_high() ? NULL : bpf_ringbuf_reserve(&ring, sizeof(*r), 0);          \
                                                                                                   \
		if (r) {                                                                           \
			file_fill(&r->h, &r->e, r->comp, steps, l);                                \
			bpf_ringbuf_submit(r, l->wake ? BPF_RB_FORCE_WAKEUP : ring_flags());       \
		} else {                                                                           \
			count_lost(EV_FILE);                                                       \
		}                                                                                  \
	})

__attribute__((noinline)) int file_emit(struct file_look *l)
{
	if (!l)
		return 0;
	if (path_is_long(l))
		FILE_EMIT(EV_COMPS);
	else
		FILE_EMIT(STEPS_USUAL);
	return 0;
}

/* How an open was asked for. */
struct open_asked {
	u64 path;
	u32 user; /* path lies in the caller's memory */
	u32 flags;
	s32 dirfd;
};

static __always_inline void name_read(u64 name[NAME_WORDS], struct dentry *d)
{
	for (int i = 0; i < NAME_WORDS; i++)
		name[i] = 0;
	bpf_probe_read_kernel_str(name, NAME_WORDS * sizeof(u64), BPF_CORE_READ(d, d_name.name));
}

/* Python's packages that read credential stores in their own right: which of them a process uses. */
static __always_inline bool package_is_client(struct dentry *dir)
{
	u64 name[NAME_WORDS];

	name_read(name, dir);
	if (NAME_IS(name, "__pycache__"))
		name_read(name, BPF_CORE_READ(dir, d_parent));
	return NAME_IS(name, "docker") || NAME_IS(name, "botocore") || NAME_IS(name, "requests") ||
	       NAME_IS(name, "paramiko") || NAME_IS(name, "kubernetes");
}

/* Few names, so that ordinary reads cost a comparison of one byte and make no record. */
static __always_inline bool read_tells(struct dentry *d)
{
	struct dentry *dir = BPF_CORE_READ(d, d_parent);
	u64 name[NAME_WORDS];
	char hidden = 0;

	name_read(name, d);
	switch ((char)name[0]) {
	case '.':
		return NAME_IS(name, ".netrc") || NAME_IS(name, ".git-credentials");
	case '_':
		return name[0] == TEXT_WORD("__init__", 0) && (char)name[1] == '.' &&
		       package_is_client(dir);
	case 'c':
		/* Of any folder: it is known later which one DOCKER_CONFIG names. */
		if (NAME_IS(name, "config.json"))
			return true;
		if (!NAME_IS(name, "config") && !NAME_IS(name, "credentials"))
			return false;
		break;
	case 'i':
		if ((name[0] & 0xffffff) != TEXT_WORD("id_", 0))
			return false;
		break;
	default:
		return false;
	}
	/* .docker, .aws, .kube, .ssh */
	bpf_probe_read_kernel(&hidden, 1, BPF_CORE_READ(dir, d_name.name));
	return hidden == '.';
}

/* Is this what an interpreter was told to run? Its opens are compared until the next exec. */
static __always_inline bool is_script(struct file *file)
{
	struct member *m = member_get(task_current());
	u32 hash;

	if (!m || !(m->script[0] | m->script[1] | m->script[2] | m->script[3]))
		return false;
	hash = (u32)name_hash((u64)BPF_CORE_READ(file, f_path.dentry, d_name.name), 0);
	return hash && (hash == m->script[0] || hash == m->script[1] || hash == m->script[2] ||
			hash == m->script[3]);
}

/* A module that this CPython loads, which user space looks into; its own (lib-dynload) are known. */
static __always_inline bool is_module(struct dentry *d)
{
	const unsigned char *name = BPF_CORE_READ(d, d_name.name);
	u32 len = BPF_CORE_READ(d, d_name.len);
	u64 dir[NAME_WORDS];
	u32 end = 0;

	if (len < 4)
		return false;
	bpf_probe_read_kernel(&end, 3, name + len - 3);
	if (end != (u32)TEXT_WORD(".so", 0) || !python_of_current())
		return false;
	name_read(dir, BPF_CORE_READ(d, d_parent));
	return !NAME_IS(dir, "lib-dynload");
}

const volatile bool libraries_told; /* somebody attaches probes to them */

struct library {
	u64 ino;
	u32 dev;
	u32 pad;
};

/* Told already; forgotten, it is told again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct library);
	__type(value, u8);
} libraries SEC(".maps");

/* What is about to be mapped may hold functions that read the environment, though no program names it (dlopen(3)). */
static __always_inline bool is_new_library(struct dentry *d, struct inode *inode)
{
	const unsigned char *name = BPF_CORE_READ(d, d_name.name);
	u32 len = BPF_CORE_READ(d, d_name.len), begin = 0, end = 0;
	struct library key = {};
	u8 told = 1;

	if (!libraries_told || len < 4)
		return false;
	bpf_probe_read_kernel(&begin, 3, name);
	bpf_probe_read_kernel(&end, 3, name + len - 3);
	/* Modules of CPython are many, and have none. */
	if (begin != (u32)TEXT_WORD("lib", 0) &&
	    (end != (u32)TEXT_WORD(".so", 0) || python_of_current()))
		return false;
	key.ino = BPF_CORE_READ(inode, i_ino);
	key.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	return !bpf_map_update_elem(&libraries, &key, &told, BPF_NOEXIST);
}

#define PROC_SUPER_MAGIC 0x9fa0 /* include/uapi/linux/magic.h */

/* environ and mem of a process: which process, says the inode, whatever path led to it. */
static __always_inline int proc_opened(struct inode *inode, struct dentry *d, u32 run)
{
	struct proc_inode *proc =
		(void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	struct pid *pid = BPF_CORE_READ(proc, pid);
	u64 name[NAME_WORDS];
	u32 how;

	name_read(name, d);
	if (NAME_IS(name, "environ"))
		how = PEEK_ENVIRON;
	else if (NAME_IS(name, "mem"))
		how = PEEK_MEM;
	else
		return 0;
	return pid ? peek_emit(number_of(task_of_pid(pid)), run, how) : 0;
}

static __always_inline int file_opened(struct file *file, u32 run, const struct open_asked *asked)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct dentry *d = BPF_CORE_READ(file, f_path.dentry);
	u32 mode = BPF_CORE_READ(file, f_mode);
	struct file_look l = { .run = run };

	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return 0;
	if (BPF_CORE_READ(inode, i_sb, s_magic) == PROC_SUPER_MAGIC)
		return mode & FMODE_READ ? proc_opened(inode, d, run) : 0;
	if (!(mode & FMODE_WRITE)) {
		l.flags = is_script(file) ? FILE_SCRIPT : is_module(d) ? FILE_MODULE : 0;
		l.wake = is_new_library(d, inode);
		l.flags |= l.wake ? FILE_LIBRARY : 0;
		if (!l.flags && (!(mode & FMODE_READ) || !read_tells(d)))
			return 0;
	}
	l.dentry = number_of(d);
	l.mount = number_of(mount_of(BPF_CORE_READ(file, f_path.mnt)));
	l.action = mode & FMODE_WRITE ? FILE_OPEN : FILE_READ;
	/* The link that led to a log may be gone in a moment. */
	l.wake |= mode & FMODE_WRITE && watch_log(file, run);
	/* The file itself forgets what was done once. */
	l.open_flags = BPF_CORE_READ(file, f_flags) | (asked->flags & O_TRUNC);
	l.flags |= mode & FMODE_CREATED ? FILE_CREATED : 0;
	l.asked = asked->path;
	l.asked_user = asked->user;
	l.dirfd = asked->dirfd;
	return file_emit(&l);
}

/* Every open by path ends here, io_uring's too; the path is the kernel's own copy. */
SEC("fexit/do_filp_open")
int BPF_PROG(on_file_open, int dirfd, struct filename *name, const struct open_flags *how,
	     struct file *file)
{
	u32 run = run_of_current();
	struct open_asked asked = { .dirfd = dirfd };

	if (!run || (u64)file > -4096ul)
		return 0;
	asked.path = number_of(BPF_CORE_READ(name, name));
	asked.flags = BPF_CORE_READ(how, open_flag);
	file_opened(file, run, &asked);
	return 0;
}

/* At the end of open, creat, openat and openat2: one program, for the verifier walks it once. */
SEC("tp/syscalls/sys_exit_openat")
int on_sys_open(struct trace_event_raw_sys_exit *ctx)
{
	struct open_asked asked = { .user = 1, .dirfd = AT_FDCWD };
	struct pt_regs *regs;
	struct file *file;
	u32 run;

	if (ctx->ret < 0)
		return 0;
	run = run_of_thread();
	if (!run)
		return 0;
	file = file_of_fd((void *)bpf_get_current_task(), ctx->ret);
	if (!file)
		return 0;
	regs = regs_current();
	asked.path = REGS_ARG1(regs);
	if (EXIT_NR(ctx) == SYSCALL_OPEN) {
		asked.flags = REGS_ARG2(regs);
	} else if (EXIT_NR(ctx) == SYSCALL_CREAT) {
		asked.flags = O_TRUNC;
	} else {
		asked.dirfd = REGS_ARG1(regs);
		asked.path = REGS_ARG2(regs);
		asked.flags = REGS_ARG3(regs);
	}
	/* struct open_how begins with its flags. */
	if (EXIT_NR(ctx) == SYSCALL_OPENAT2)
		bpf_probe_read_user(&asked.flags, sizeof(asked.flags), (void *)REGS_ARG3(regs));
	return file_opened(file, run, &asked);
}
