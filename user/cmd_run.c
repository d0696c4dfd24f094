/* cmd_run.c: `invigil run`: makes the monitor, waits until it is ready, becomes the front. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sys/socket.h>
#include <unistd.h>
#include "command.h"
#include "front.h"
#include "guardian.h"
#include "monitor.h"

int cmd_run(struct config *c)
{
	struct account account;
	struct word w;
	int pair[2], state[2], calls[2]; /* front, guardian's words, guardian's calls */
	int hand;                        /* for the listener */
	pid_t pid;

	if (geteuid()) {
		fprintf(stderr, "invigil: run needs root (CAP_BPF, CAP_PERFMON and more): "
				"sudo -E env PATH=\"$PATH\" invigil run ...\n");
		return 125;
	}
	if (!account_find(c->user, &account))
		return 125;
	if (environment_stripped())
		fprintf(stderr,
			"invigil: the environment looks stripped by sudo: COMMAND has neither your PATH nor the "
			"CI job's variables (sudo -E env PATH=\"$PATH\" invigil run ...)\n");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, state) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, calls)) {
		fprintf(stderr, "invigil: socketpair: %s\n", strerror(errno));
		return 125;
	}
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		fprintf(stderr, "invigil: fork: %s\n", strerror(errno));
		return 125;
	}
	if (!pid) {
		close(pair[0]);
		close(state[0]);
		close(calls[0]);
		/* A grandchild: COMMAND's parent then has no other child to wait for. */
		pid = fork();
		if (pid)
			_exit(pid < 0 ? 125 : 0);
		_exit(monitor_main(c, &account, pair[1], state[1], calls[1]));
	}
	close(pair[1]);
	close(state[1]);
	close(calls[1]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	prctl(PR_SET_NAME, "invigil");
	if (recv(pair[0], &w, sizeof(w), 0) != sizeof(w) || w.say != SAY_READY)
		return 125;
	hand = config_gate(c) ? guardian_start(state[0], calls[0]) : -1;
	close(state[0]); /* without a guardian the monitor hears the end of it */
	close(calls[0]);
	return front_run(c, &account, pair[0], hand);
}
