/* listener.c: opens sockets that the daemon listens on. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "listener.h"

/* A socket that nobody listens on is left from a daemon that died. */
static bool is_dead(const struct sockaddr_un *a, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool dead = connect(fd, (const void *)a, sizeof(*a)) && errno == ECONNREFUSED;

	close(fd);
	return dead;
}

static int listen_at(int fd, int err, int backlog)
{
	if (!err && !listen(fd, backlog))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int listen_unix(const char *path, int type, mode_t mode, int backlog)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	mode_t umask_was;
	int fd, err;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	umask_was = umask(~mode & 0777);
	err = bind(fd, (void *)&a, sizeof(a));
	if (err && errno == EADDRINUSE && is_dead(&a, type) && !unlink(path))
		err = bind(fd, (void *)&a, sizeof(a));
	umask(umask_was);
	return listen_at(fd, err, backlog);
}

int listen_loopback(const char *address, int backlog)
{
	const char *port = strrchr(address, ':');
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	bool is_six = address[0] == '[';
	int fd, on = 1;

	if (!port)
		return -EINVAL;
	four.sin_port = six.sin6_port = htons(strtoul(port + 1, NULL, 10));
	fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return listen_at(fd,
			 is_six ? bind(fd, (void *)&six, sizeof(six))
				: bind(fd, (void *)&four, sizeof(four)),
			 backlog);
}
