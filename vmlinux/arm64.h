/* arm64.h: registers and system calls of arm64. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
/* What bpf_tracing.h takes a probe's registers for. */
struct user_pt_regs {
	u64 regs[31];
	u64 sp, pc, pstate;
};
struct pt_regs {
	u64 regs[31];
	u64 sp, pc, pstate, orig_x0;
	s32 syscallno;
};
struct thread_info {
	unsigned long flags;
};
struct thread_struct {
	/* Without a name in the kernel. */
	struct {
		unsigned long tp_value;
	} uw;
};
#pragma clang attribute pop

#define STACK_BYTES (16u << 10) /* THREAD_SIZE (asm/memory.h), with pages of 4 KiB */

/* include/uapi/asm-generic/unistd.h. There is no open and no creat: numbers that no call has. */
#define SYSCALL_OPEN     -1
#define SYSCALL_CREAT    -2
#define SYSCALL_OPENAT   56
#define SYSCALL_READ     63
#define SYSCALL_WRITE    64
#define SYSCALL_READV    65
#define SYSCALL_WRITEV   66
#define SYSCALL_SENDFILE 71
#define SYSCALL_SPLICE   76
#define SYSCALL_PTRACE   117
#define SYSCALL_SENDTO   206
#define SYSCALL_RECVFROM 207
#define SYSCALL_SENDMSG  211
#define SYSCALL_RECVMSG  212
#define SYSCALL_VM_READ  270
#define SYSCALL_EXECVEAT 281
#define SYSCALL_OPENAT2  437
#define SYSCALL_XATTRAT  463

#define REGS_NR(r) ((u32)BPF_CORE_READ(r, syscallno))
#define REGS_ARG1(r)                                                                               \
	BPF_CORE_READ(r, orig_x0) /* x0 holds the result before the call's end is traced */
#define REGS_ARG2(r) BPF_CORE_READ(r, regs[1])
#define REGS_ARG3(r) BPF_CORE_READ(r, regs[2])
#define REGS_ARG4(r) BPF_CORE_READ(r, regs[3])
/* 32-bit processes number system calls otherwise: PSR_MODE32_BIT (uapi/asm/ptrace.h). */
#define REGS_COMPAT(r) (BPF_CORE_READ(r, pstate) & 0x10)
/* TIF_32BIT (asm/thread_info.h) */
#define TASK_COMPAT(t) (BPF_CORE_READ(t, thread_info.flags) >> 22 & 1)
/* arch/arm/tools/syscall.tbl */
#define SYSCALL_COMPAT_PTRACE  26
#define SYSCALL_COMPAT_VM_READ 376
#define REGS_COMPAT_ARG1(r)    REGS_ARG1(r)
#define REGS_COMPAT_ARG2(r)    REGS_ARG2(r)
#define REGS_COMPAT_ARG4(r)    REGS_ARG4(r)

/*
 * Of the current task, as pthread_self() has it, or at most so many bytes above that: libc's own struct lies
 * below what tpidr_el0 points to. The kernel looks at the register when it switches to another task: before
 * the first time it is 0.
 */
#define TASK_POINTER(t) BPF_CORE_READ(t, thread.uw.tp_value)
#define POINTER_SLACK   4096
#define PTHREAD_SPECIFIC                                                                           \
	0 /* where it lies hangs on the size of libc's struct: threads are searched */

/* System calls that change a file, by number: X(row, number, action). */
#define SYSCALL_CHANGES(X)                                                                         \
	X(0, 52, CHMOD)     /* fchmod */                                                           \
	X(0, 53, CHMOD)     /* fchmodat */                                                         \
	X(0, 452, CHMOD)    /* fchmodat2 */                                                        \
	X(0, 54, CHOWN)     /* fchownat */                                                         \
	X(0, 55, CHOWN)     /* fchown */                                                           \
	X(0, 45, TRUNCATE)  /* truncate */                                                         \
	X(0, 46, TRUNCATE)  /* ftruncate */                                                        \
	X(0, 35, REMOVE)    /* unlinkat */                                                         \
	X(0, 38, RENAME)    /* renameat */                                                         \
	X(0, 276, RENAME)   /* renameat2 */                                                        \
	X(0, 5, SETCAP)     /* setxattr */                                                         \
	X(0, 6, SETCAP)     /* lsetxattr */                                                        \
	X(0, 7, SETCAP)     /* fsetxattr */                                                        \
	X(0, 463, SETCAP)   /* setxattrat */                                                       \
	X(1, 15, CHMOD)     /* chmod */                                                            \
	X(1, 94, CHMOD)     /* fchmod */                                                           \
	X(1, 333, CHMOD)    /* fchmodat */                                                         \
	X(1, 452, CHMOD)    /* fchmodat2 */                                                        \
	X(1, 182, CHOWN)    /* chown, of 16 bits */                                                \
	X(1, 95, CHOWN)     /* fchown */                                                           \
	X(1, 16, CHOWN)     /* lchown */                                                           \
	X(1, 212, CHOWN)    /* chown32 */                                                          \
	X(1, 207, CHOWN)    /* fchown32 */                                                         \
	X(1, 198, CHOWN)    /* lchown32 */                                                         \
	X(1, 325, CHOWN)    /* fchownat */                                                         \
	X(1, 92, TRUNCATE)  /* truncate */                                                         \
	X(1, 193, TRUNCATE) /* truncate64 */                                                       \
	X(1, 93, TRUNCATE)  /* ftruncate */                                                        \
	X(1, 194, TRUNCATE) /* ftruncate64 */                                                      \
	X(1, 10, REMOVE)    /* unlink */                                                           \
	X(1, 328, REMOVE)   /* unlinkat */                                                         \
	X(1, 38, RENAME)    /* rename */                                                           \
	X(1, 329, RENAME)   /* renameat */                                                         \
	X(1, 382, RENAME)   /* renameat2 */                                                        \
	X(1, 226, SETCAP)   /* setxattr */                                                         \
	X(1, 227, SETCAP)   /* lsetxattr */                                                        \
	X(1, 228, SETCAP)   /* fsetxattr */                                                        \
	X(1, 463, SETCAP)   /* setxattrat */
