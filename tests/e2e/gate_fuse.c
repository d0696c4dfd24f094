/* gate_fuse.c MOUNTPOINT FILE: serves FILE as prog, fork, hang and look, which answer the monitor's helpers in four ways. */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int file; /* what every name shows */

static int known(const char *path)
{
	return !strcmp(path, "/prog") || !strcmp(path, "/fork") || !strcmp(path, "/hang") ||
	       !strcmp(path, "/look");
}

static int is_helper(pid_t pid)
{
	char path[64], comm[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "r");
	if (f && !fgets(comm, sizeof(comm), f))
		comm[0] = 0;
	if (f)
		fclose(f);
	return !strncmp(comm, "invigil", 7);
}

static int on_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	(void)fi;
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFDIR | 0755;
	st->st_nlink = 2;
	if (!strcmp(path, "/"))
		return 0;
	if (!known(path))
		return -ENOENT;
	/* look: a helper never hears what it is. */
	while (!strcmp(path, "/look") && is_helper(fuse_get_context()->pid))
		sleep(1);
	fstat(file, st);
	st->st_ino = 0;
	st->st_mode = S_IFREG | 0755;
	return 0;
}

static int on_open(const char *path, struct fuse_file_info *fi)
{
	(void)fi;
	/* fork: answered when a program that this server executes has ended. */
	if (!strcmp(path, "/fork") && system("/bin/true"))
		return -EIO;
	/* hang: the helper never gets an answer. */
	while (!strcmp(path, "/hang") && is_helper(fuse_get_context()->pid))
		sleep(1);
	return 0;
}

static int on_read(const char *path, char *to, size_t n, off_t at, struct fuse_file_info *fi)
{
	(void)path;
	(void)fi;
	return pread(file, to, n, at);
}

int main(int argc, char **argv)
{
	static const struct fuse_operations ops = { .getattr = on_getattr,
						    .open = on_open,
						    .read = on_read };
	char *args[] = { "gate_fuse", "-f", argv[1], "-oallow_other", NULL };

	/* A fourth word: for its mounter alone, as a mount is unless told otherwise. */
	if (argc < 3 || (file = open(argv[2], O_RDONLY | O_CLOEXEC)) < 0)
		return 2;
	return fuse_main(argc == 3 ? 4 : 3, args, &ops, NULL);
}
