/* adopt.c: looks at the process that a caller brings, by what the kernel says of it alone. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "adopt.h"
#include "buf.h"

/* A small file of procfs that holds no user memory: reading it waits for nobody. */
static void proc_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	text[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		close(fd);
}

/* "\nPid:\t12": -1 without such a line. */
static long number_of(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	long v;

	return at && sscanf(at + strlen(key), "%ld", &v) == 1 ? v : -1;
}

pid_t adopt_pid(int pidfd, pid_t caller, uid_t uid, const char **why)
{
	unsigned real = -1, effective = -1, saved = -1, fs = -1;
	struct pollfd p = { pidfd, POLLIN, 0 };
	char path[64], text[4096];
	const char *uids;
	long pid;

	*why = "no process came with it";
	if (pidfd < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	proc_read(path, text, sizeof(text));
	pid = number_of(text, "\nPid:");
	if (pid <= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	proc_read(path, text, sizeof(text));
	uids = strstr(text, "\nUid:");
	*why = "the process is not the caller's own";
	if (!uids || sscanf(uids, "\nUid: %u %u %u %u", &real, &effective, &saved, &fs) != 4 ||
	    real != uid || effective != uid || saved != uid || fs != uid ||
	    number_of(text, "\nPPid:") != caller || number_of(text, "\nThreads:") != 1)
		return 0;
	/* Still that process: its number was not given to another one while we read. */
	if (poll(&p, 1, 0)) {
		*why = "the process has ended";
		return 0;
	}
	return pid;
}
