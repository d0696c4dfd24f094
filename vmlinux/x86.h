/* x86.h: registers and system calls of x86-64. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct pt_regs {
	unsigned long bx, cx, dx, si, di, ax, orig_ax, ip;
	unsigned long r8, r9, r10, r11, r12, r13, r14, r15, bp, flags, sp;
	/* The low half is the selector on all kernels; since 6.9 FRED keeps more in the rest. */
	u16 cs;
};
struct thread_info {
	u32 status;
};
struct thread_struct {
	unsigned long fsbase;
};
#pragma clang attribute pop

#define STACK_BYTES (16u << 10) /* THREAD_SIZE (asm/page_64_types.h) */

#define SYSCALL_READ     0
#define SYSCALL_WRITE    1
#define SYSCALL_OPEN     2
#define SYSCALL_READV    19
#define SYSCALL_WRITEV   20
#define SYSCALL_SENDFILE 40
#define SYSCALL_SENDTO   44
#define SYSCALL_RECVFROM 45
#define SYSCALL_SENDMSG  46
#define SYSCALL_RECVMSG  47
#define SYSCALL_CREAT    85
#define SYSCALL_PTRACE   101
#define SYSCALL_OPENAT   257
#define SYSCALL_SPLICE   275
#define SYSCALL_VM_READ  310
#define SYSCALL_EXECVEAT 322
#define SYSCALL_OPENAT2  437
#define SYSCALL_XATTRAT  463

#define REGS_NR(r)   BPF_CORE_READ(r, orig_ax)
#define REGS_ARG1(r) BPF_CORE_READ(r, di)
#define REGS_ARG2(r) BPF_CORE_READ(r, si)
#define REGS_ARG3(r) BPF_CORE_READ(r, dx)
#define REGS_ARG4(r) BPF_CORE_READ(r, r10)
/*
 * 32-bit processes number system calls otherwise: user code segment of 64-bit ones (asm/segment.h). So do x32 callers,
 * who set __X32_SYSCALL_BIT (uapi/asm/unistd.h): in no table here, for no kernel of Debian's has CONFIG_X86_X32_ABI.
 */
#define REGS_COMPAT(r) (BPF_CORE_READ(r, cs) != 0x33)
/* Of a system call in progress, int 0x80 from 64-bit code included (asm/thread_info.h: TS_COMPAT). */
#define TASK_COMPAT(t) (BPF_CORE_READ(t, thread_info.status) & 2)
/* arch/x86/entry/syscalls/syscall_32.tbl */
#define SYSCALL_COMPAT_PTRACE  26
#define SYSCALL_COMPAT_VM_READ 347
#define REGS_COMPAT_ARG1(r)    BPF_CORE_READ(r, bx)
#define REGS_COMPAT_ARG2(r)    BPF_CORE_READ(r, cx)
#define REGS_COMPAT_ARG4(r)    BPF_CORE_READ(r, si)

/* Of the current task, as pthread_self() has it, or at most so many bytes above that. */
#define TASK_POINTER(t) BPF_CORE_READ(t, thread.fsbase)
#define POINTER_SLACK   0
/* From there: glibc's struct pthread, specific_1stblock. */
#define PTHREAD_SPECIFIC 784

/* System calls that change a file, by number: X(row, number, action). */
#define SYSCALL_CHANGES(X)                                                                         \
	X(0, 90, CHMOD)     /* chmod */                                                            \
	X(0, 91, CHMOD)     /* fchmod */                                                           \
	X(0, 268, CHMOD)    /* fchmodat */                                                         \
	X(0, 452, CHMOD)    /* fchmodat2 */                                                        \
	X(0, 92, CHOWN)     /* chown */                                                            \
	X(0, 93, CHOWN)     /* fchown */                                                           \
	X(0, 94, CHOWN)     /* lchown */                                                           \
	X(0, 260, CHOWN)    /* fchownat */                                                         \
	X(0, 76, TRUNCATE)  /* truncate */                                                         \
	X(0, 77, TRUNCATE)  /* ftruncate */                                                        \
	X(0, 87, REMOVE)    /* unlink */                                                           \
	X(0, 263, REMOVE)   /* unlinkat */                                                         \
	X(0, 82, RENAME)    /* rename */                                                           \
	X(0, 264, RENAME)   /* renameat */                                                         \
	X(0, 316, RENAME)   /* renameat2 */                                                        \
	X(0, 188, SETCAP)   /* setxattr */                                                         \
	X(0, 189, SETCAP)   /* lsetxattr */                                                        \
	X(0, 190, SETCAP)   /* fsetxattr */                                                        \
	X(0, 463, SETCAP)   /* setxattrat */                                                       \
	X(1, 15, CHMOD)     /* chmod */                                                            \
	X(1, 94, CHMOD)     /* fchmod */                                                           \
	X(1, 306, CHMOD)    /* fchmodat */                                                         \
	X(1, 452, CHMOD)    /* fchmodat2 */                                                        \
	X(1, 182, CHOWN)    /* chown, of 16 bits */                                                \
	X(1, 95, CHOWN)     /* fchown */                                                           \
	X(1, 16, CHOWN)     /* lchown */                                                           \
	X(1, 212, CHOWN)    /* chown32 */                                                          \
	X(1, 207, CHOWN)    /* fchown32 */                                                         \
	X(1, 198, CHOWN)    /* lchown32 */                                                         \
	X(1, 298, CHOWN)    /* fchownat */                                                         \
	X(1, 92, TRUNCATE)  /* truncate */                                                         \
	X(1, 193, TRUNCATE) /* truncate64 */                                                       \
	X(1, 93, TRUNCATE)  /* ftruncate */                                                        \
	X(1, 194, TRUNCATE) /* ftruncate64 */                                                      \
	X(1, 10, REMOVE)    /* unlink */                                                           \
	X(1, 301, REMOVE)   /* unlinkat */                                                         \
	X(1, 38, RENAME)    /* rename */                                                           \
	X(1, 302, RENAME)   /* renameat */                                                         \
	X(1, 353, RENAME)   /* renameat2 */                                                        \
	X(1, 226, SETCAP)   /* setxattr */                                                         \
	X(1, 227, SETCAP)   /* lsetxattr */                                                        \
	X(1, 228, SETCAP)   /* fsetxattr */                                                        \
	X(1, 463, SETCAP)   /* setxattrat */
