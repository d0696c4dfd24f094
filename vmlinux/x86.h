/* x86.h: registers of x86-64. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct pt_regs {
	unsigned long bx, cx, dx, si, di, ax, orig_ax, ip;
	unsigned long r8, r9, r10, r11, r12, r13, r14, r15, bp, flags, sp;
	/* The low half is the selector on all kernels; since 6.9 FRED keeps more in the rest. */
	u16 cs;
};
#pragma clang attribute pop

#define SYSCALL_READ     0
#define SYSCALL_WRITE    1
#define SYSCALL_READV    19
#define SYSCALL_WRITEV   20
#define SYSCALL_SENDTO   44
#define SYSCALL_RECVFROM 45
#define SYSCALL_SENDMSG  46
#define SYSCALL_RECVMSG  47

#define REGS_NR(r)   BPF_CORE_READ(r, orig_ax)
#define REGS_ARG1(r) BPF_CORE_READ(r, di)
#define REGS_ARG2(r) BPF_CORE_READ(r, si)
#define REGS_ARG3(r) BPF_CORE_READ(r, dx)
/* int 0x80 and x32 number syscalls otherwise: user code segment of 64-bit processes (asm/segment.h). */
#define REGS_COMPAT(r) (BPF_CORE_READ(r, cs) != 0x33)
