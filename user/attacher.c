/* attacher.c: attaches probes in the files that the run executes, in a process of its own. */
/*
 * A file may be served by the run itself (FUSE, a page of userfaultfd): whoever opens or reads it can
 * be made to wait for ever, and not even SIGKILL ends the wait. So neither the monitor nor the guardian
 * does, and nobody waits for this process: guardian and monitor go on without its answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "attacher.h"
#include "exec_file.h"
#include "loader.h"

static void fd_attach(void *ctx, int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	loader_attach_env(ctx, path);
}

static void word_send(int monitor, int say, const struct attacher_call *call, const char *why)
{
	struct attacher_word w = { .say = say,
				   .pid = call ? call->pid : 0,
				   .start = call ? call->start : 0 };

	snprintf(w.why, sizeof(w.why), "%s", why ? why : "");
	send(monitor, &w, sizeof(w), MSG_NOSIGNAL);
}

/* False at its end. */
static bool guardian_serve(struct loader *l, int guardian)
{
	struct gate_call call;
	ssize_t n = recv(guardian, &call, sizeof(call), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n != sizeof(call))
		return false;
	exec_files(&call, fd_attach, l);
	return send(guardian, &call.id, sizeof(call.id), MSG_NOSIGNAL) == sizeof(call.id);
}

/* What was executed in spite of the gate, or without one. */
static bool monitor_serve(struct loader *l, int monitor)
{
	char path[32];
	struct attacher_call call;
	ssize_t n = recv(monitor, &call, sizeof(call), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n != sizeof(call))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/exe", call.pid);
	if (loader_attach_env(l, path))
		word_send(monitor, ATTACHER_LATE, &call, NULL);
	return true;
}

void attacher_main(struct loader *l, const char *path_variable, int monitor, int guardian)
{
	loader_prescan(l, path_variable);
	word_send(monitor, ATTACHER_READY, NULL, NULL);
	for (;;) {
		struct pollfd fds[] = { { monitor, POLLIN, 0 }, { guardian, POLLIN, 0 } };
		const char *why;

		if (poll(fds, 2, -1) < 0)
			continue;
		/* Somebody waits for this one. */
		if (fds[1].revents && !guardian_serve(l, guardian))
			guardian = -1;
		else if (fds[0].revents && !monitor_serve(l, monitor))
			return;
		while ((why = loader_env_trouble(l)))
			word_send(monitor, ATTACHER_TROUBLE, NULL, why);
	}
}
