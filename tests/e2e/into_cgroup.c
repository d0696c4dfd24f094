/*
 * into_cgroup.c: DIR PROGRAM [ARG...]: forks straight into a cgroup with clone3(2), so that nothing attaches, and executes.
 * PROGRAM may be this one: "= PROGRAM" executes a copy of itself in memory, as runc does, which goes on with
 * "- PROGRAM": takes mounts of its own and executes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int copy_execute(char **argv)
{
	int self = open("/proc/self/exe", O_RDONLY), copy = memfd_create("copy", MFD_CLOEXEC);
	struct stat st;

	if (fstat(self, &st) || sendfile(copy, self, NULL, st.st_size) != st.st_size)
		return 77;
	argv[1] = "-";
	fexecve(copy, argv, environ);
	return 127;
}

int main(int argc, char **argv)
{
	struct clone_args a = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int status;
	pid_t pid;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "="))
		return copy_execute(argv);
	if (!strcmp(argv[1], "-")) {
		if (!unshare(CLONE_NEWNS))
			execv(argv[2], argv + 2);
		return 127;
	}
	a.cgroup = open(argv[1], O_PATH | O_DIRECTORY);
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (pid < 0) {
		perror("clone3");
		return 77;
	}
	if (!pid) {
		execv(argv[2], argv + 2);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && !status ? 0 : 1;
}
