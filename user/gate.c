/* gate.c: the seccomp filter of the exec gate; everything it does not name is allowed by the kernel's own cache. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "buf.h"
#include "gate.h"

#ifdef __aarch64__
#define ARCH_HERE AUDIT_ARCH_AARCH64
#else
#define ARCH_HERE AUDIT_ARCH_X86_64
#endif

#define LOAD(field)     BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IS(k, yes, no)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no)
#define HAS(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, k, yes, no)
#define RETURN(what)    BPF_STMT(BPF_RET | BPF_K, what)
#define NO_CALL         0xffffffffu

/*
 * 32-bit callers are not gated: their numbers are others, and what they execute is seen late. Never
 * no_new_privs: it would break every set-user-id program of the run. Without it the kernel wants
 * CAP_SYS_ADMIN.
 */
static int filter_install(enum gate g, unsigned flags)
{
	struct sock_filter code[] = {
		LOAD(arch),
		IS(ARCH_HERE, 0, 8),
		LOAD(nr),
		IS(__NR_execve, 7, 0),
		IS(__NR_execveat, 6, 0),
		IS(g == GATE_MMAP ? __NR_mmap : NO_CALL, 0, 4),
		LOAD(args[2]), /* the low half comes first on both architectures */
		HAS(PROT_EXEC, 0, 2),
		LOAD(args[3]),
		HAS(MAP_ANONYMOUS, 0, 1),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };
	int fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			 SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &prog);

	return fd < 0 ? -errno : fd;
}

int gate_install(enum gate g, bool *killable)
{
	int fd = filter_install(g, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);

	*killable = fd != -EINVAL;
	return *killable ? fd : filter_install(g, 0); /* kernels before 5.19 */
}

int gate_try(bool want_killable)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		int fd = filter_install(GATE_EXEC,
					want_killable ? SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0);

		_exit(fd < 0 ? -fd : 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}
