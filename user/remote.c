/* remote.c: carries an unprivileged run's stream from the daemon to its outputs, in the monitor's place. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include "message.h"
#include "monitor.h"
#include "output.h"
#include "reduce.h"
#include "remote.h"
#include "report_file.h"
#include "request.h"

int daemon_connect(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, err;

	if (!path)
		path = CONTROL_SOCKET;
	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, (void *)&a, sizeof(a)))
		return fd;
	err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

int daemon_send(int daemon, unsigned kind, int value, struct span text, int pidfd)
{
	struct message head = { kind, value };
	struct iovec io[2] = { { &head, sizeof(head) }, { (char *)text.ptr, text.len } };
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} rights = { .h = { .cmsg_len = CMSG_LEN(sizeof(int)),
			    .cmsg_level = SOL_SOCKET,
			    .cmsg_type = SCM_RIGHTS } };
	struct msghdr m = { .msg_iov = io, .msg_iovlen = 2 };

	if (pidfd >= 0) {
		memcpy(CMSG_DATA(&rights.h), &pidfd, sizeof(pidfd));
		m.msg_control = &rights;
		m.msg_controllen = sizeof(rights);
	}
	return sendmsg(daemon, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

unsigned daemon_hear(int daemon, int *value, struct buf *text)
{
	char room[sizeof(struct message) + MESSAGE_TEXT_MAX];
	struct message m;
	ssize_t n;

	do
		n = recv(daemon, room, sizeof(room), 0);
	while (n < 0 && errno == EINTR);
	if (n < (ssize_t)sizeof(m))
		return 0;
	memcpy(&m, room, sizeof(m));
	buf_reset(text);
	buf_add(text, room + sizeof(m), n - sizeof(m));
	*value = m.value;
	return m.kind;
}

/* ---- a run ---- */

struct remote {
	const struct config *config;
	int front, daemon;
	struct output out, record;
	struct report_file markdown;
	struct buf report; /* as far as it has come */
	struct buf part;   /* of a line whose end has not come */
	uint64_t sequence; /* of a reduced stream */
	bool waits;        /* for a word of the daemon */
	bool over;
};

#define ANSWER_MS 40000 /* it may have probes to attach first */

const char *remote_refused(const struct config *c)
{
	return c->user          ? "--user"
	       : c->n_own       ? "--own: the daemon's configuration says what is the run's own; it"
	       : c->config_file ? "--config: the daemon's is in force; it"
				: NULL;
}

static bool front_tell(const struct remote *r, int say, int value)
{
	struct word w = { say, value };

	return send(r->front, &w, sizeof(w), MSG_NOSIGNAL) == sizeof(w);
}

static void line_write(struct remote *r, struct span line)
{
	struct buf less = { 0 };

	if (!r->config->alerts_only) {
		output_line(&r->out, line.ptr, line.len);
	} else if (line_reduce(line, &r->sequence, &less)) {
		output_line(&r->out, less.ptr, less.len);
	}
	buf_free(&less);
}

static void lines_take(struct remote *r, const struct buf *text)
{
	const char *end;
	size_t done = 0;

	if (!r->config->output)
		return;
	buf_add(&r->part, text->ptr, text->len);
	while ((end = memchr(r->part.ptr + done, '\n', r->part.len - done))) {
		size_t n = end + 1 - (r->part.ptr + done);

		line_write(r, (struct span){ r->part.ptr + done, n });
		done += n;
	}
	memmove(r->part.ptr, r->part.ptr + done, r->part.len - done);
	r->part.len -= done;
}

/* Of the recording, which has no lines. */
static void bytes_write(struct output *o, const struct buf *text)
{
	buf_add(&o->pending, text->ptr, text->len);
	output_flush(o);
}

static int said(const char *what, int err)
{
	if (err)
		fprintf(stderr, "invigil: %s could not be written whole: %s\n", what,
			strerror(-err));
	return err ? VERDICT_OUTPUT : VERDICT_OK;
}

static void done(struct remote *r, int verdict)
{
	verdict |= said("an output", output_flush(&r->out));
	if (r->config->record)
		verdict |= said("the recording", output_flush(&r->record));
	if (r->config->markdown)
		verdict |= said(
			"the report",
			report_commit(&r->markdown, (struct span){ r->report.ptr, r->report.len }));
	front_tell(r, SAY_DONE, verdict & (VERDICT_TRIPPED | VERDICT_OUTPUT));
	r->over = true;
}

static void daemon_take(struct remote *r)
{
	struct buf text = { 0 };
	int value = 0;

	r->waits = false;
	switch (daemon_hear(r->daemon, &value, &text)) {
	case MESSAGE_MEMBER:
		front_tell(r, SAY_MEMBER, 0);
		break;
	case MESSAGE_LINES:
		lines_take(r, &text);
		break;
	case MESSAGE_RECORD:
		if (r->config->record)
			bytes_write(&r->record, &text);
		break;
	case MESSAGE_REPORT:
		buf_add(&r->report, text.ptr, text.len);
		break;
	case MESSAGE_SUMMARY:
		fwrite(text.ptr, 1, text.len, stderr);
		break;
	case MESSAGE_DONE:
		done(r, value);
		break;
	case MESSAGE_ERROR:
		fprintf(stderr, "invigil: the daemon says no: %s\n", text.ptr);
		r->over = true;
		break;
	case 0:
		fprintf(stderr, "invigil: the daemon is gone\n");
		r->over = true;
	}
	buf_free(&text);
}

/* COMMAND's process waits: the daemon is asked to take it in. */
static bool command_give(struct remote *r, pid_t pid)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), err = pidfd < 0 ? -errno : 0;
	struct buf text = { 0 };
	char cwd[PATH_MAX];

	if (!err) {
		request_make(r->config, getcwd(cwd, sizeof(cwd)) ? cwd : "/",
			     isatty(2) && !getenv("NO_COLOR"), environ, &text);
		err = daemon_send(r->daemon, MESSAGE_RUN, 0, (struct span){ text.ptr, text.len },
				  pidfd);
		close(pidfd);
	}
	buf_free(&text);
	if (err)
		fprintf(stderr, "invigil: the daemon could not be asked: %s\n", strerror(-err));
	return !err;
}

static bool front_hear(struct remote *r)
{
	struct word w;
	ssize_t n = recv(r->front, &w, sizeof(w), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n != sizeof(w))
		return false;
	r->waits = true;
	if (w.say == SAY_COMMAND)
		return command_give(r, w.value);
	return w.say != SAY_ENDED ||
	       !daemon_send(r->daemon, MESSAGE_END, w.value, (struct span){ 0 }, -1);
}

/* Signals of the terminal are for COMMAND. */
static void become(void)
{
	prctl(PR_SET_NAME, "invigil-monitor");
	setsid();
	for (int s = SIGHUP; s <= SIGTERM; s++)
		if (s == SIGHUP || s == SIGINT || s == SIGQUIT || s == SIGPIPE || s == SIGTERM)
			signal(s, SIG_IGN);
}

/* As the caller: nobody else's rights are at hand. */
static bool outputs_open(struct remote *r)
{
	const struct config *c = r->config;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	const char *why, *what = c->output;
	int err = what ? output_open(&r->out, what, uid, gid, 0640, &why) : 0;

	if (!err && (what = c->record))
		err = output_open(&r->record, what, uid, gid, 0600, &why);
	if (!err && (what = c->markdown))
		err = report_open(&r->markdown, what, uid, gid, &why);
	if (err)
		fprintf(stderr, "invigil: output %s: %s: %s\n", what, why, strerror(-err));
	return !err;
}

int remote_main(const struct config *c, int front, int daemon)
{
	struct remote r = { .config = c,
			    .front = front,
			    .daemon = daemon,
			    .out.fd = -1,
			    .record.fd = -1,
			    .markdown.out.fd = -1 };

	become();
	if (!outputs_open(&r)) {
		report_close(&r.markdown);
		front_tell(&r, SAY_FAILED, 0);
		return 125;
	}
	front_tell(&r, SAY_READY, 0);
	while (!r.over) {
		struct pollfd fds[] = { { r.daemon, POLLIN, 0 }, { r.front, POLLIN, 0 } };

		switch (poll(fds, 2, r.waits ? ANSWER_MS : -1)) {
		case -1:
			continue;
		case 0:
			fprintf(stderr, "invigil: the daemon does not answer\n");
			r.over = true;
			continue;
		}
		if (fds[0].revents)
			daemon_take(&r);
		else if (fds[1].revents && !front_hear(&r))
			break; /* the daemon goes on without us */
		/* Now: a message has the lines of a whole turn of the daemon's. */
		output_flush(&r.out);
	}
	report_close(&r.markdown);
	output_close(&r.record);
	output_close(&r.out);
	buf_free(&r.report);
	buf_free(&r.part);
	return 0;
}
