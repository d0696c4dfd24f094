/* control.c: the daemon's unix socket, and word to the service manager. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "control.h"

struct control {
	int fd;
	char path[108];
	void (*write)(void *ctx, struct buf *out);
	void *ctx;
};

static bool address_of(const char *path, struct sockaddr_un *a)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(a->sun_path))
		return false;
	strcpy(a->sun_path, path);
	return true;
}

/* A socket that nobody listens on is left from a daemon that died. */
static bool is_dead(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool dead = connect(fd, (const void *)a, sizeof(*a)) && errno == ECONNREFUSED;

	close(fd);
	return dead;
}

struct control *control_open(const char *path, void (*write)(void *ctx, struct buf *out), void *ctx)
{
	struct control *c = xcalloc(1, sizeof(*c));
	struct sockaddr_un a;
	mode_t umask_was;
	int err;

	if (!path) {
		path = CONTROL_SOCKET;
		if (mkdir("/run/invigil", 0755) && errno != EEXIST)
			goto fail;
	}
	errno = ENAMETOOLONG;
	if (!address_of(path, &a))
		goto fail;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	umask_was = umask(0177);
	err = bind(c->fd, (void *)&a, sizeof(a));
	if (err && errno == EADDRINUSE && is_dead(&a) && !unlink(path))
		err = bind(c->fd, (void *)&a, sizeof(a));
	umask(umask_was);
	if (err || listen(c->fd, 8))
		goto fail;
	strcpy(c->path, path);
	c->write = write;
	c->ctx = ctx;
	return c;
fail:
	fprintf(stderr, "invigil: socket %s: %s\n", path, strerror(errno));
	free(c);
	return NULL;
}

int control_fd(const struct control *c)
{
	return c->fd;
}

void control_serve(struct control *c)
{
	int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct buf out = { 0 };

	if (fd < 0)
		return;
	c->write(c->ctx, &out);
	/* A new connection's buffer takes it whole; a client that does not read is not waited for. */
	send(fd, out.ptr, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_free(&out);
	close(fd);
}

void control_close(struct control *c)
{
	if (!c)
		return;
	unlink(c->path);
	close(c->fd);
	free(c);
}

void control_ready(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a;
	int fd;

	if (!path || (*path != '/' && *path != '@') || !address_of(path, &a))
		return;
	if (*path == '@')
		a.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (void *)&a,
	       offsetof(struct sockaddr_un, sun_path) + strlen(path));
	close(fd);
}
