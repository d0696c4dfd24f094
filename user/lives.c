/* lives.c: asks procfs for processes whose end no record has told. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lives.h"

#define STAT_START                                                                                 \
	22 /* proc(5): its start, in clock ticks since boot, is the field of that number */

/* Of the text of /proc/PID/stat; 0: it is none. The second field, a name in brackets, may hold anything. */
static uint64_t stat_start(const char *text)
{
	const char *at = strrchr(text, ')');

	for (unsigned field = 2; at && field < STAT_START; field++) {
		at = strchr(at, ' ');
		at += at != NULL;
	}
	return at ? strtoull(at, NULL, 10) : 0;
}

bool process_lives(uint32_t pid, uint64_t start)
{
	uint64_t tick = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);
	char path[32], text[1024];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0) /* gone; or procfs hides it (hidepid), no descriptor is left */
		return !kill((pid_t)pid, 0) || errno == EPERM;
	text[n] = 0;
	/* Who was given its number began after it has ended. */
	return !start || stat_start(text) <= start / tick;
}
