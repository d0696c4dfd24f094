/* into_cgroup.c: DIR PROGRAM [ARG...]: forks straight into a cgroup with clone3(2), so that nothing attaches, and executes. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct clone_args a = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int status;
	pid_t pid;

	if (argc < 3)
		return 2;
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
