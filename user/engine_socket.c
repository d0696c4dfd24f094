/* engine_socket.c: listening unix sockets from /proc/net/unix whose name is an engine's. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "buf.h"
#include "engine_socket.h"

#define ACCEPTS 0x10000 /* __SO_ACCEPTCON in the Flags column (net/unix/af_unix.c) */

void engine_sockets(void (*fn)(void *ctx, const char *path, uint64_t ino, uint32_t dev), void *ctx)
{
	static const char *const names[] = { "/docker.sock", "/podman.sock", "/containerd.sock",
					     "/crio.sock" };
	FILE *f = fopen("/proc/net/unix", "re");
	char line[512], path[256];
	unsigned flags;
	struct stat st;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s %x %*s %*s %*s %255s", &flags, path) != 2 ||
		    !(flags & ACCEPTS) || path[0] != '/')
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (span_ends(span_of(path), names[i]) && !stat(path, &st) &&
			    S_ISSOCK(st.st_mode))
				fn(ctx, path, st.st_ino, major(st.st_dev) << 20 | minor(st.st_dev));
	}
	if (f)
		fclose(f);
}
