/* syscall_table.c: the system calls that processes of ours may still make, a row each with its reason. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "buf.h"
#include "privilege.h"

#ifdef __aarch64__
#define ARCH_HERE AUDIT_ARCH_AARCH64
#else
#define ARCH_HERE AUDIT_ARCH_X86_64
#endif

#define D        (1u << PRIVILEGE_DAEMON)
#define M        (1u << PRIVILEGE_MONITOR)
#define G        (1u << PRIVILEGE_GUARDIAN)
#define A        (1u << PRIVILEGE_ATTACHER)
#define S        (1u << PRIVILEGE_SCAN)
#define H        (1u << PRIVILEGE_HASH)
#define PARENTS  (D | M)
#define CHILDREN (A | S | H)
#define ALL      (PARENTS | G | CHILDREN)

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_NEWCGROUP)
#define WRITING (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

/*
 * The low half of an argument is compared: of ints the kernel takes no more, and flags lie there. More than
 * one row of a call: each of them may be met.
 */
struct row {
	int nr;
	unsigned who;
	enum {
		ANY,
		IS,
		WITHOUT,
		IS_CHILDREN
	} check; /* IS_CHILDREN: the number of the children's user */
	unsigned arg;
	uint32_t value;
};

#define CALL(name, who)                                                                            \
	{                                                                                          \
		__NR_##name, who, ANY, 0, 0                                                        \
	}
#define CALL_IF(name, who, check, arg, value)                                                      \
	{                                                                                          \
		__NR_##name, who, check, arg, value                                                \
	}

/* clang-format off */
static const struct row rows[] = {
	/* memory, and what libc does for itself */
	CALL(brk, ALL),
	CALL_IF(mmap, ALL, WITHOUT, 2, PROT_EXEC),
	CALL_IF(mprotect, ALL, WITHOUT, 2, PROT_EXEC),
	CALL(munmap, ALL),
	CALL(mremap, ALL),
	CALL(madvise, ALL),
	CALL(futex, ALL),
	CALL(getrandom, ALL),
	CALL(clock_gettime, ALL),		/* where the vdso cannot */
	CALL(restart_syscall, ALL),
	CALL(rt_sigreturn, ALL),
	CALL(exit, ALL),
	CALL(exit_group, ALL),
	CALL(getpid, ALL),
	CALL(getuid, ALL),
	CALL(geteuid, ALL),
	CALL(getgid, ALL),
	CALL(getegid, ALL),
	CALL(getppid, CHILDREN),	/* is the parent still the one that made it */
	CALL(gettid, ALL),
	CALL(rt_sigprocmask, ALL),		/* around fork, and in abort */
	CALL(tgkill, PARENTS),	/* abort */
	CALL_IF(tgkill, A, IS, 2, 0),	/* no signal: is a thread its process's first */

	/* words between the processes, the ring, callers */
	CALL(read, ALL),
	CALL(write, ALL),
	CALL(close, ALL),
#ifdef __NR_poll
	CALL(poll, ALL),
#endif
	CALL(ppoll, ALL),
	CALL(epoll_pwait, PARENTS),	/* libbpf's ring */
#ifdef __NR_epoll_wait
	CALL(epoll_wait, PARENTS),
#endif
	CALL(sendto, ALL),
	CALL(recvfrom, ALL),
	CALL(recvmsg, D | G),	/* pidfd of a caller; a new attacher's socket */
	CALL(sendmsg, M),		/* that socket */
	CALL(fcntl, ALL),

	/* files that are read: configuration, users, procfs, programs */
#ifdef __NR_open
	CALL(open, PARENTS),
	CALL_IF(open, CHILDREN, WITHOUT, 1, WRITING),
	CALL(stat, PARENTS | CHILDREN),
	CALL(lstat, PARENTS | CHILDREN),
	CALL(readlink, PARENTS | CHILDREN),
	CALL(access, PARENTS | CHILDREN),
#endif
	CALL(openat, PARENTS),
	CALL_IF(openat, CHILDREN, WITHOUT, 2, WRITING),
	CALL(openat2, PARENTS | A | H),	/* a path in a process's own root; its user may write nowhere */
	CALL(newfstatat, PARENTS | CHILDREN),
	CALL(fstat, PARENTS | CHILDREN),
	CALL(statx, PARENTS | CHILDREN),
	CALL(faccessat, PARENTS | CHILDREN),
	CALL(faccessat2, PARENTS | CHILDREN),
	CALL(fstatfs, PARENTS | A | H),	/* is it an overlay, FUSE */
	CALL(readlinkat, PARENTS | CHILDREN),
	CALL(getdents64, PARENTS),		/* conf.d, state, own descriptors */
	CALL(lseek, PARENTS | CHILDREN),
	CALL(pread64, PARENTS | CHILDREN),
	CALL(process_vm_readv, A),			/* arguments of a held exec */

	/* files that are written: outputs, state */
	CALL(pwrite64, D),
	CALL(writev, PARENTS),
	CALL(ftruncate, PARENTS),		/* a line that did not fit whole */
	CALL(flock, PARENTS),		/* no second writer */
	CALL(fchmod, PARENTS),
	CALL(fchown, PARENTS),
	CALL(umask, PARENTS),
#ifdef __NR_rename
	CALL(rename, PARENTS),		/* rotation, a report's name, state */
	CALL(unlink, PARENTS),		/* sockets, state */
#endif
	CALL(renameat, PARENTS),
	CALL(renameat2, PARENTS),
	CALL(unlinkat, PARENTS),
	CALL(setfsuid, M),			/* a report's folder is the caller's own */
	CALL_IF(ioctl, M, IS, 1, 0x5401),	/* TCGETS: is standard error a terminal */

	/* callers of the daemon; its sockets are open already */
	CALL_IF(socket, D, IS, 0, AF_UNIX),	/* word to the service manager */
	CALL_IF(socketpair, PARENTS, IS, 0, AF_UNIX),
	CALL(accept4, D),
	CALL(getsockopt, D),			/* who calls */
	CALL(setsockopt, D),			/* room for the scan's words */
	CALL(shutdown, D),
	CALL(getrusage, D),			/* /metrics */
	CALL(prlimit64, PARENTS),		/* descriptors for probes */
	CALL(uname, PARENTS),		/* a run's first record has the host */
	CALL(getcwd, M),
	CALL(chdir, M | A),			/* out of the run's folder, before they end */

	/* children, which give up more */
	CALL_IF(clone, PARENTS, WITHOUT, 0, NAMESPACES),
	CALL(set_robust_list, PARENTS | CHILDREN),
#ifdef __NR_rseq
	CALL(rseq, PARENTS | CHILDREN),
#endif
	CALL(pipe2, PARENTS),
	CALL(dup, PARENTS | A),		/* libbpf, of probes by perf events */
#ifdef __NR_dup2
	CALL(dup2, PARENTS),
#endif
	CALL(dup3, PARENTS),
	CALL(close_range, PARENTS),
	CALL(wait4, PARENTS),
	CALL(kill, PARENTS),		/* children; does a process still live */
	CALL_IF(prctl, PARENTS | CHILDREN, IS, 0, PR_SET_PDEATHSIG),
	CALL_IF(prctl, PARENTS | CHILDREN, IS, 0, PR_SET_NAME),
	CALL_IF(prctl, PARENTS, IS, 0, PR_SET_KEEPCAPS),
	CALL_IF(prctl, PARENTS, IS, 0, PR_SET_DUMPABLE),
	CALL_IF(prctl, PARENTS, IS, 0, PR_SET_NO_NEW_PRIVS),
	CALL_IF(prctl, PARENTS, IS, 0, PR_CAPBSET_DROP),
	CALL_IF(prctl, PARENTS, IS, 0, PR_CAP_AMBIENT),
	CALL(seccomp, PARENTS),
	CALL(capget, PARENTS),
	CALL(capset, PARENTS),
	CALL_IF(setgroups, PARENTS, IS, 0, 0),
	CALL_IF(setgid, PARENTS, IS, 0, GROUP_NONE),
	CALL_IF(setuid, PARENTS, IS_CHILDREN, 0, 0),

	/* the kernel's side: hooks come and go with runs, maps are filled; nothing is loaded any more */
	CALL_IF(bpf, PARENTS | A, IS, 0, BPF_MAP_LOOKUP_ELEM),
	CALL_IF(bpf, PARENTS, IS, 0, BPF_MAP_GET_NEXT_KEY),	/* steps that another run builds as well; what a run leaves */
	CALL_IF(bpf, PARENTS | A, IS, 0, BPF_MAP_UPDATE_ELEM),
	CALL_IF(bpf, PARENTS, IS, 0, BPF_MAP_DELETE_ELEM),
	CALL_IF(bpf, PARENTS, IS, 0, BPF_OBJ_GET_INFO_BY_FD),	/* how often a program was left out */
	CALL_IF(bpf, PARENTS | A, IS, 0, BPF_LINK_CREATE),
	CALL_IF(bpf, PARENTS, IS, 0, BPF_RAW_TRACEPOINT_OPEN),
	CALL_IF(bpf, D, IS, 0, BPF_ITER_CREATE),	/* processes from before */
	CALL_IF(bpf, A, IS, 0, BPF_PROG_TEST_RUN),	/* an overlay's real inode */
	CALL(perf_event_open, PARENTS | A),		/* system call tracepoints; probes without uprobe_multi */
	CALL_IF(ioctl, PARENTS | A, IS, 1, 0x2400),	/* PERF_EVENT_IOC_ENABLE */
	CALL_IF(ioctl, PARENTS | A, IS, 1, 0x2401),	/* PERF_EVENT_IOC_DISABLE */
	CALL_IF(ioctl, PARENTS | A, IS, 1, 0x40042408),	/* PERF_EVENT_IOC_SET_BPF, before links of perf events (5.15) */
	CALL(pidfd_open, PARENTS),		/* COMMAND becomes a member */
	CALL(membarrier, PARENTS),		/* before the last look into the ring */

	/* the exec gate's listener */
	CALL_IF(ioctl, G, IS, 1, SECCOMP_IOCTL_NOTIF_RECV),
	CALL_IF(ioctl, G, IS, 1, SECCOMP_IOCTL_NOTIF_SEND),
};
/* clang-format on */

#define LOAD(field)   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define EQUAL(k, no)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, no)
#define NONE(k, some) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, k, some, 0)
#define RETURN(what)  BPF_STMT(BPF_RET | BPF_K, what)

/* What a process makes is under its filter, too. */
static unsigned with_children(enum privilege p)
{
	return 1u << p | (p == PRIVILEGE_DAEMON ? CHILDREN : p == PRIVILEGE_MONITOR ? A | H : 0);
}

/* The number of the call is in the accumulator before and behind it. */
static unsigned row_code(const struct row *r, uint32_t uid, struct sock_filter *out)
{
	uint32_t value = r->check == IS_CHILDREN ? uid : r->value;
	const struct sock_filter plain[] = { EQUAL(r->nr, 1), RETURN(SECCOMP_RET_ALLOW) };
	const struct sock_filter checked[] = {
		EQUAL(r->nr, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args) + 8 * r->arg),
		r->check == WITHOUT ? (struct sock_filter)NONE(value, 1)
				    : (struct sock_filter)EQUAL(value, 1),
		RETURN(SECCOMP_RET_ALLOW),
		LOAD(nr),
	};
	bool any = r->check == ANY;

	for (unsigned i = 0; i < (any ? ARRAY_SIZE(plain) : ARRAY_SIZE(checked)); i++)
		out[i] = any ? plain[i] : checked[i];
	return any ? ARRAY_SIZE(plain) : ARRAY_SIZE(checked);
}

unsigned syscall_filter(enum privilege p, uint32_t uid, struct sock_filter out[SYSCALL_FILTER_MAX])
{
	_Static_assert(ARRAY_SIZE(rows) * 5 + 5 <= SYSCALL_FILTER_MAX, "room for all rows");
	unsigned n = 0;

	out[n++] = (struct sock_filter)LOAD(arch);
	out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH_HERE, 1, 0);
	out[n++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
	out[n++] = (struct sock_filter)LOAD(nr);
	for (const struct row *r = rows; r < rows + ARRAY_SIZE(rows); r++)
		if (r->who & with_children(p))
			n += row_code(r, uid, out + n);
	out[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | ENOSYS);
	return n;
}
