/* notify.c: datagrams to the socket that the service manager names in NOTIFY_SOCKET. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "notify.h"

void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof(a.sun_path))
		return;
	strcpy(a.sun_path, path);
	if (*path == '@')
		a.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (void *)&a,
	       offsetof(struct sockaddr_un, sun_path) + strlen(path));
	close(fd);
}

void notify_alive(uint64_t now)
{
	static uint64_t last;
	const char *usec = getenv("WATCHDOG_USEC");
	uint64_t every = usec ? strtoull(usec, NULL, 10) * 1000 / 3 : 0;

	if (!every || now - last < every)
		return;
	last = now;
	notify("WATCHDOG=1");
}
