/* usage.c: what this process takes of the machine, from getrusage(2) and /proc/self. */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include "usage.h"

void usage_now(uint64_t *cpu, uint64_t *resident, uint64_t *fds)
{
	FILE *f = fopen("/proc/self/statm", "re");
	DIR *dir = opendir("/proc/self/fd");
	unsigned long pages = 0;
	struct rusage r;

	*cpu = *resident = *fds = 0;
	if (!getrusage(RUSAGE_SELF, &r))
		*cpu = (uint64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000000 +
		       (uint64_t)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1000;
	if (f && fscanf(f, "%*u %lu", &pages) == 1)
		*resident = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
	while (dir && readdir(dir))
		++*fds;
	if (*fds > 3)
		*fds -= 3; /* ".", ".." and the one that reads this */
	if (f)
		fclose(f);
	if (dir)
		closedir(dir);
}
