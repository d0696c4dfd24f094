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
#include "message.h"
#include "monitor.h"
#include "remote.h"

/*
 * Makes the process in the monitor's place, which is no child of ours: COMMAND's parent has no other child to
 * wait for. Negative: it could not be made; 0 in the new process, else done.
 */
static pid_t grandchild(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		fprintf(stderr, "invigil: fork: %s\n", strerror(errno));
		return pid;
	}
	if (!pid) {
		pid = fork();
		if (pid)
			_exit(pid < 0 ? 125 : 0);
		return 0;
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return pid;
}

static bool monitor_ready(int front)
{
	struct word w;

	prctl(PR_SET_NAME, "invigil");
	return recv(front, &w, sizeof(w), 0) == sizeof(w) && w.say == SAY_READY;
}

/* Without root: the daemon traces. */
static int run_by_daemon(const struct config *c)
{
	const char *refused = remote_refused(c);
	struct account account;
	int daemon, pair[2];
	pid_t pid;

	if (refused) {
		fprintf(stderr, "invigil: %s needs root\n", refused);
		return 125;
	}
	daemon = daemon_connect(c->socket);
	if (daemon < 0) {
		fprintf(stderr,
			"invigil: run needs root (CAP_BPF, CAP_PERFMON and more; sudo -E env PATH=\"$PATH\" "
			"invigil run ...) or a daemon, and none answers on %s: %s\n",
			c->socket ? c->socket : CONTROL_SOCKET, strerror(-daemon));
		return 125;
	}
	if (!account_find(NULL, &account) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return 125;
	pid = grandchild();
	if (pid < 0)
		return 125;
	if (!pid) {
		close(pair[0]);
		_exit(remote_main(c, pair[1], daemon));
	}
	close(pair[1]);
	close(daemon);
	return monitor_ready(pair[0]) ? front_run(c, &account, pair[0], -1) : 125;
}

int cmd_run(struct config *c)
{
	struct account account;
	int pair[2], state[2], calls[2]; /* front, guardian's words, guardian's calls */
	int hand;                        /* for the listener */
	pid_t pid;

	if (geteuid())
		return run_by_daemon(c);
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
	pid = grandchild();
	if (pid < 0)
		return 125;
	if (!pid) {
		close(pair[0]);
		close(state[0]);
		close(calls[0]);
		_exit(monitor_main(c, &account, pair[1], state[1], calls[1]));
	}
	close(pair[1]);
	close(state[1]);
	close(calls[1]);
	if (!monitor_ready(pair[0]))
		return 125;
	hand = config_gate(c) ? guardian_start(state[0], calls[0]) : -1;
	close(state[0]); /* without a guardian the monitor hears the end of it */
	close(calls[0]);
	return front_run(c, &account, pair[0], hand);
}
