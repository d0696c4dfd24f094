/* container_late.c: looks for the processes of a container whose id came late, by their cgroups in /proc. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "container_late.h"
#include "host.h"
#include "loader.h"

/* A small file of procfs that holds no memory of the process: reading it waits for nobody. */
static void proc_text(unsigned long pid, const char *name, char *text, size_t size)
{
	char path[64];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%lu/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, size - 1);
	text[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		close(fd);
}

/* The whole id, by its beginning; NULL: it stands in no line. */
static const char *id_in(const char *groups, const char *begin)
{
	const char *at = strstr(groups, begin);

	while (at && strspn(at, "0123456789abcdef") < EV_CONTAINER_LEN)
		at = strstr(at + 1, begin);
	return at;
}

/*
 * Once its id is with the loader, whoever comes later comes by himself. Makes those who are there members of the run,
 * if take_in. Returns how many have executed something already: that was not seen.
 */
static unsigned look(struct loader *l, const char id[EV_CONTAINER_LEN], uint32_t run, bool take_in)
{
	char begin[EV_CONTAINER_LEN + 1] = { 0 }, groups[8192], comm[32];
	DIR *proc = opendir("/proc");
	struct dirent *e;
	unsigned missed = 0;

	memcpy(begin, id, EV_CONTAINER_LEN);
	while (proc && (e = readdir(proc))) {
		unsigned long pid = strtoul(e->d_name, NULL, 10);
		const char *whole;
		bool waits;

		if (!pid)
			continue;
		proc_text(pid, "cgroup", groups, sizeof(groups));
		whole = id_in(groups, begin);
		if (!whole)
			continue;
		proc_text(pid, "comm", comm, sizeof(comm));
		waits = !strncmp(comm, "runc:[",
				 6); /* the runtime itself: what it executes is seen */
		if (!take_in || !loader_member_inside(l, (pid_t)pid, run, whole, waits))
			missed += !waits;
	}
	if (proc)
		closedir(proc);
	return missed;
}

void container_begin(struct loader *l, const char id[EV_CONTAINER_LEN], uint32_t run, uint64_t time,
		     container_gap_fn *gap, void *ctx)
{
	int err = loader_container(l, id, run);

	if (err) {
		gap(ctx, "container processes", strerror(-err),
		    "what one container of the run executes", true);
		return;
	}
	/* What runs in a container that is older than the run is not the run's. */
	if (boot_now() - time <= CONTAINER_LATE_NS || !look(l, id, run, time != CONTAINER_BEFORE))
		return;
	if (time != CONTAINER_BEFORE)
		gap(ctx, "container processes",
		    "programs ran in a container before its id was known here",
		    "that they were executed, and what they did until then", true);
	else
		gap(ctx, "container processes", "programs ran in a container that was there before",
		    "what they were, and what they do without executing another", false);
}
