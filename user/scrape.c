/* scrape.c: the few lines of HTTP that a scrape of /metrics needs. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "listener.h"
#include "scrape.h"

#define CLIENTS     (SCRAPE_FDS - 1)
#define REQUEST_MAX 4096
#define PATIENCE_NS 5000000000ull /* for a request, and for its answer to be read */

struct client {
	int fd; /* -1: free */
	uint64_t since;
	char request[REQUEST_MAX];
	size_t have;
	struct buf answer;
	size_t sent;
};

struct scrape {
	int fd;
	char *unlink; /* path of a unix socket */
	void (*metrics)(struct buf *out);
	uint64_t refused;
	struct client clients[CLIENTS];
};

struct scrape *scrape_open(const char *address, gid_t group, void (*metrics)(struct buf *out))
{
	struct scrape *s = xcalloc(1, sizeof(*s));

	for (unsigned i = 0; i < CLIENTS; i++)
		s->clients[i].fd = -1;
	s->metrics = metrics;
	if (strncmp(address, "unix:", 5)) {
		s->fd = listen_loopback(address, CLIENTS);
	} else {
		s->fd = listen_unix(address + 5, SOCK_STREAM, 0660, CLIENTS);
		if (s->fd >= 0 && chown(address + 5, -1, group)) {
			close(s->fd);
			s->fd = -errno;
		}
		s->unlink = s->fd >= 0 ? xstrdup(address + 5) : NULL;
	}
	if (s->fd >= 0)
		return s;
	fprintf(stderr, "invigil: metrics %s: %s\n", address, strerror(-s->fd));
	free(s);
	return NULL;
}

static void client_close(struct client *c)
{
	close(c->fd);
	buf_free(&c->answer);
	*c = (struct client){ .fd = -1 };
}

static void answer(struct client *c, const char *status, struct span body, bool head)
{
	buf_fmt(&c->answer,
		"HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\n",
		status, body.len);
	if (!head)
		buf_add(&c->answer, body.ptr, body.len);
}

/* The whole head is there: its first line decides. */
static void request_answer(struct scrape *s, struct client *c)
{
	struct buf text = { 0 };
	char method[8], target[64];
	int end = 0;
	bool head;

	if (sscanf(c->request, "%7[A-Z] %63[^ \r\n] HTTP/1.%*1[01]%n", method, target, &end) != 2 ||
	    !end || (c->request[end] != '\r' && c->request[end] != '\n')) {
		answer(c, "400 Bad Request", SPAN("not understood\n"), false);
		return;
	}
	head = !strcmp(method, "HEAD");
	if (!head && strcmp(method, "GET")) {
		answer(c, "405 Method Not Allowed", SPAN("GET only\n"), false);
	} else if (strcmp(target, "/metrics")) {
		answer(c, "404 Not Found", SPAN("/metrics only\n"), head);
	} else {
		s->metrics(&text);
		answer(c, "200 OK", (struct span){ text.ptr, text.len }, head);
		buf_free(&text);
	}
}

/* False: it is gone. */
static bool client_hear(struct scrape *s, struct client *c)
{
	ssize_t n =
		recv(c->fd, c->request + c->have, sizeof(c->request) - 1 - c->have, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!n)
		return false;
	c->have += n;
	c->request[c->have] = 0;
	if (strstr(c->request, "\r\n\r\n") || strstr(c->request, "\n\n"))
		request_answer(s, c);
	else if (c->have == sizeof(c->request) - 1 || memchr(c->request, 0, c->have))
		answer(c, "400 Bad Request", SPAN("not understood\n"), false);
	return true;
}

/* False: it is done with, gone, or too slow. */
static bool client_serve(struct scrape *s, struct client *c, uint64_t now)
{
	ssize_t n;

	if (now - c->since > PATIENCE_NS) {
		s->refused++;
		return false;
	}
	if (!c->answer.len && !client_hear(s, c))
		return false;
	if (!c->answer.len)
		return true;
	n = send(c->fd, c->answer.ptr + c->sent, c->answer.len - c->sent,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->sent += n;
	if (c->sent < c->answer.len)
		return true;
	/* What it still sends would turn the end of the answer into a reset. */
	shutdown(c->fd, SHUT_WR);
	for (int i = 0; i < 4 && recv(c->fd, c->request, sizeof(c->request), MSG_DONTWAIT) > 0; i++)
		;
	return false;
}

unsigned scrape_fds(const struct scrape *s, struct pollfd fds[SCRAPE_FDS])
{
	unsigned n = 0;

	if (!s)
		return 0;
	fds[n++] = (struct pollfd){ s->fd, POLLIN, 0 };
	for (unsigned i = 0; i < CLIENTS; i++)
		if (s->clients[i].fd >= 0)
			fds[n++] =
				(struct pollfd){ s->clients[i].fd,
						 s->clients[i].answer.len ? POLLOUT : POLLIN, 0 };
	return n;
}

static void client_take(struct scrape *s, int fd, uint64_t now)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct client *c = &s->clients[i];

		if (c->fd >= 0)
			continue;
		c->fd = fd;
		c->since = now;
		return;
	}
	s->refused++;
	close(fd);
}

void scrape_serve(struct scrape *s, uint64_t now)
{
	int fd;

	if (!s)
		return;
	for (unsigned i = 0; i < CLIENTS; i++) {
		fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			break;
		client_take(s, fd, now);
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		if (s->clients[i].fd >= 0 && !client_serve(s, &s->clients[i], now))
			client_close(&s->clients[i]);
}

uint64_t scrape_refused(const struct scrape *s)
{
	return s ? s->refused : 0;
}

void scrape_close(struct scrape *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < CLIENTS; i++)
		if (s->clients[i].fd >= 0)
			client_close(&s->clients[i]);
	close(s->fd);
	if (s->unlink)
		unlink(s->unlink);
	free(s->unlink);
	free(s);
}
