/* control.c: the daemon's unix socket and its callers, and word to the service manager. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "control.h"
#include "listener.h"

#define CALLERS_MAX  (CONTROL_FDS - 1)
#define CALLERS_EACH 16            /* of one user other than root */
#define PATIENCE_NS  5000000000ull /* for a first word, and at the end for each message to be read */
#define QUEUE_MAX    (8u << 20)    /* twice with a recording: a full ring as records and as lines */

struct caller {
	int fd; /* -1: free */
	struct ucred who;
	uint64_t since; /* boot ns: called, was to be closed, or has read since; 0: now */
	bool asked, closing, records;
	void *run;
	struct buf lines; /* not yet a message */
	struct buf queue; /* messages, each behind its length */
	size_t sent;      /* bytes of queue that are gone */
};

struct control {
	int fd;
	char path[108];
	struct control_ops ops;
	struct caller callers[CALLERS_MAX];
	char room[sizeof(struct message) + REQUEST_MAX];
};

struct control *control_open(const char *path, const struct control_ops *ops)
{
	struct control *c = xcalloc(1, sizeof(*c));

	for (unsigned i = 0; i < CALLERS_MAX; i++)
		c->callers[i].fd = -1;
	c->fd = -1;
	if (!path) {
		path = CONTROL_SOCKET;
		if (mkdir(RUN_FOLDER, 0755) && errno != EEXIST)
			goto fail;
	}
	/* Anybody may call; who is answered is decided by credentials, with a word of why not. */
	c->fd = listen_unix(path, SOCK_SEQPACKET, 0666, CALLERS_MAX);
	if (c->fd < 0) {
		errno = -c->fd;
		goto fail;
	}
	strcpy(c->path, path);
	c->ops = *ops;
	return c;
fail:
	fprintf(stderr, "invigil: socket %s: %s\n", path, strerror(errno));
	free(c);
	return NULL;
}

/* ---- a caller ---- */

static void caller_close(struct control *c, struct caller *k)
{
	if (k->run)
		c->ops.gone(k);
	/* A process that was forked meanwhile may hold it, too: who waits for the end is to hear of it. */
	shutdown(k->fd, SHUT_RDWR);
	close(k->fd);
	buf_free(&k->lines);
	buf_free(&k->queue);
	*k = (struct caller){ .fd = -1 };
}

static void queue_add(struct caller *k, unsigned kind, int value, struct span text)
{
	struct message m = { kind, value };
	uint32_t n = sizeof(m) + text.len;

	buf_add(&k->queue, &n, sizeof(n));
	buf_add(&k->queue, &m, sizeof(m));
	if (text.len)
		buf_add(&k->queue, text.ptr, text.len);
}

void caller_tell(struct caller *k, unsigned kind, int value, struct span text)
{
	if (k->closing)
		return;
	k->records |= kind == MESSAGE_RECORD;
	do {
		size_t n = text.len < MESSAGE_TEXT_MAX ? text.len : MESSAGE_TEXT_MAX;

		queue_add(k, kind, value, (struct span){ text.ptr, n });
		text.ptr += n;
		text.len -= n;
	} while (text.len);
}

void caller_flush(struct caller *k)
{
	if (k->lines.len)
		caller_tell(k, MESSAGE_LINES, 0, (struct span){ k->lines.ptr, k->lines.len });
	buf_reset(&k->lines);
}

void caller_lines(struct caller *k, struct span lines)
{
	buf_add(&k->lines, lines.ptr, lines.len);
	if (k->lines.len >= MESSAGE_TEXT_MAX)
		caller_flush(k);
}

void caller_finish(struct caller *k)
{
	caller_flush(k);
	k->run = NULL;
	k->closing = true;
	k->since = 0; /* from the next look on */
}

/*
 * For one more message, however little is read: asked for what it has, the kernel doubles it up to
 * net.core.wmem_max (socket(7), SO_SNDBUF).
 */
static void room_make(int fd)
{
	int size;
	socklen_t len = sizeof(size);

	if (!getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, len);
}

/* What it was sent so far stands; the rest gives way to the reason, which it finds whenever it reads. */
static void caller_refuse(struct control *c, struct caller *k, const char *why)
{
	if (k->run)
		c->ops.gone(k);
	buf_reset(&k->lines);
	buf_reset(&k->queue);
	k->sent = 0;
	room_make(k->fd);
	caller_tell(k, MESSAGE_ERROR, 0, span_of(why));
	caller_finish(k);
}

static void queue_forget(struct caller *k)
{
	if (!k->sent)
		return; /* there may be no queue at all */
	memmove(k->queue.ptr, k->queue.ptr + k->sent, k->queue.len - k->sent);
	k->queue.len -= k->sent;
	k->sent = 0;
}

/* False: it is gone. */
static bool queue_send(struct caller *k)
{
	while (k->sent < k->queue.len) {
		uint32_t n;
		ssize_t done;

		memcpy(&n, k->queue.ptr + k->sent, sizeof(n));
		done = send(k->fd, k->queue.ptr + k->sent + sizeof(n), n,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			queue_forget(k);
			return errno == EAGAIN || errno == ENOBUFS;
		}
		k->sent += sizeof(n) + n;
		k->since = k->closing ? 0 : k->since;
	}
	queue_forget(k);
	return true;
}

union rights {
	struct cmsghdr h;
	char room[CMSG_SPACE(sizeof(int))];
};

static void message_take(struct control *c, struct caller *k, size_t n, int pidfd)
{
	const char *no = "not understood";
	struct buf text = { 0 };
	struct message m;

	if (n < sizeof(m)) {
		caller_refuse(c, k, "too short a message");
		return;
	}
	memcpy(&m, c->room, sizeof(m));
	if (m.kind == MESSAGE_END && k->run) {
		c->ops.end(k, m.value);
		return;
	}
	if (k->asked) {
		caller_refuse(c, k, no);
		return;
	}
	k->asked = true;
	if (m.kind == MESSAGE_STATUS) {
		c->ops.status(k->who.uid, m.value == 1, &text);
		caller_tell(k, MESSAGE_TEXT, 0, (struct span){ text.ptr, text.len });
		caller_finish(k);
		buf_free(&text);
		return;
	}
	if (m.kind == MESSAGE_RUN)
		no = c->ops.run(k, (struct span){ c->room + sizeof(m), n - sizeof(m) }, pidfd);
	if (no)
		caller_refuse(c, k, no);
}

/* One message. False: it is gone. */
static bool caller_hear(struct control *c, struct caller *k)
{
	struct iovec io = { c->room, sizeof(c->room) };
	union rights rights = { 0 };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = &rights,
			    .msg_controllen = sizeof(rights) };
	struct cmsghdr *h;
	int pidfd = -1;
	ssize_t n = recvmsg(k->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	h = CMSG_FIRSTHDR(&m);
	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS &&
	    h->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&pidfd, CMSG_DATA(h), sizeof(pidfd));
	if (n && !k->closing) {
		if (m.msg_flags & MSG_TRUNC)
			caller_refuse(c, k, "too long a message");
		else if (m.msg_flags & MSG_CTRUNC)
			caller_refuse(c, k, "too many descriptors");
		else
			message_take(c, k, n, pidfd);
	}
	if (pidfd >= 0)
		close(pidfd);
	return n;
}

/* False: it is done with, or has no patience left. */
static bool caller_serve(struct control *c, struct caller *k, uint64_t now)
{
	if (!caller_hear(c, k))
		return false;
	if (!k->since)
		k->since = now;
	caller_flush(k);
	if (!queue_send(k))
		return false;
	if (k->queue.len > QUEUE_MAX << k->records)
		caller_refuse(c, k, "it does not read what it asked for");
	if (!k->asked && now - k->since > PATIENCE_NS)
		caller_refuse(c, k, "nothing was asked");
	if (k->closing)
		return k->queue.len && (!k->since || now - k->since < PATIENCE_NS);
	return true;
}

static void caller_take(struct control *c, int fd, uint64_t now)
{
	struct caller *free_one = NULL;
	struct ucred who;
	socklen_t len = sizeof(who);
	unsigned same = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len))
		who.uid = (uid_t)-1;
	for (unsigned i = 0; i < CALLERS_MAX; i++) {
		if (c->callers[i].fd < 0)
			free_one = &c->callers[i];
		else
			same += c->callers[i].who.uid == who.uid;
	}
	if (!free_one || (who.uid && same >= CALLERS_EACH)) {
		static const struct {
			struct message m;
			char text[16];
		} full = { { MESSAGE_ERROR, 0 }, "too many callers" };

		send(fd, &full, sizeof(full), MSG_DONTWAIT | MSG_NOSIGNAL);
		close(fd);
		return;
	}
	*free_one = (struct caller){ .fd = fd, .who = who, .since = now };
}

/* ---- all of them ---- */

unsigned control_fds(const struct control *c, struct pollfd fds[CONTROL_FDS])
{
	unsigned n = 0;

	fds[n++] = (struct pollfd){ c->fd, POLLIN, 0 };
	for (unsigned i = 0; i < CALLERS_MAX; i++) {
		const struct caller *k = &c->callers[i];

		if (k->fd >= 0)
			fds[n++] = (struct pollfd){ k->fd,
						    POLLIN | (k->queue.len > k->sent ? POLLOUT : 0),
						    0 };
	}
	return n;
}

void control_serve(struct control *c, uint64_t now)
{
	for (int fd, n = 0; n < CALLERS_MAX; n++) {
		fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			break;
		caller_take(c, fd, now);
	}
	for (unsigned i = 0; i < CALLERS_MAX; i++)
		if (c->callers[i].fd >= 0 && !caller_serve(c, &c->callers[i], now))
			caller_close(c, &c->callers[i]);
}

void control_drain(struct control *c, int ms)
{
	for (unsigned i = 0; i < CALLERS_MAX; i++) {
		struct caller *k = &c->callers[i];

		while (k->fd >= 0 && queue_send(k) && k->queue.len && ms > 0) {
			struct pollfd p = { k->fd, POLLOUT, 0 };

			poll(&p, 1, 10);
			ms -= 10;
		}
	}
}

void control_close(struct control *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < CALLERS_MAX; i++)
		if (c->callers[i].fd >= 0)
			caller_close(c, &c->callers[i]);
	unlink(c->path);
	close(c->fd);
	free(c);
}

uid_t caller_uid(const struct caller *k)
{
	return k->who.uid;
}

pid_t caller_pid(const struct caller *k)
{
	return k->who.pid;
}

bool caller_in_group(const struct caller *k, gid_t gid)
{
	gid_t groups[256];
	socklen_t len = sizeof(groups);

	if (k->who.gid == gid)
		return true;
	if (getsockopt(k->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false; /* more groups than any of ours is worth looking for */
	for (unsigned i = 0; i < len / sizeof(gid_t); i++)
		if (groups[i] == gid)
			return true;
	return false;
}

void *caller_run(const struct caller *k)
{
	return k->run;
}

void caller_run_set(struct caller *k, void *run)
{
	k->run = run;
}
