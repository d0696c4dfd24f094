/* writable.c: a mount namespace in which little can be written to, as systemd's ProtectSystem=strict makes one. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "writable.h"

/* proc(5), mountinfo: the fifth field is the mount point, tags stand between the sixth and "-". */
static bool root_propagates(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	bool propagates = false;
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		char at[PATH_MAX], *tags = strstr(line, " - ");

		if (!tags || sscanf(line, "%*s %*s %*s %*s %4095s", at) != 1 || strcmp(at, "/"))
			continue;
		*tags = 0;
		/* What is mounted last upon it is seen. */
		propagates = strstr(line, " shared:") || strstr(line, " master:");
	}
	free(line);
	if (f)
		fclose(f);
	return propagates;
}

static int read_only(const char *path, bool set, unsigned flags)
{
	struct mount_attr a = { 0 };

	*(set ? &a.attr_set : &a.attr_clr) = MOUNT_ATTR_RDONLY;
	return mount_setattr(AT_FDCWD, path, flags, &a, sizeof(a));
}

const char *writable_only(char *const *folders, unsigned n)
{
	struct statvfs root;
	char here[PATH_MAX];
	bool known = getcwd(here, sizeof(here));

	if (!statvfs("/", &root) && root.f_flag & ST_RDONLY)
		return NULL; /* somebody has done it: a unit's sandbox, a container */
	if (!root_propagates())
		return "what is mounted later would not be seen";
	/* Tried where it changes nothing: an older kernel does not know it. */
	if (mount_setattr(-1, "", 0, NULL, 0) && errno == ENOSYS)
		return strerror(errno);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL))
		return strerror(errno);
	for (unsigned i = 0; i < n; i++)
		if (mount(folders[i], folders[i], NULL, MS_BIND | MS_REC, NULL))
			return strerror(errno);
	if (read_only("/", true, AT_RECURSIVE))
		return strerror(errno);
	for (unsigned i = 0; i < n; i++)
		if (read_only(folders[i], false, 0))
			return strerror(errno);
	/* What lies above it is another mount now. */
	return !known || chdir(here) ? "the current folder is not there any more" : NULL;
}
