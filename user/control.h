/* control.h: the daemon's socket: its callers, whom nothing here ever waits for. */
#ifndef INVIGIL_CONTROL_H
#define INVIGIL_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>
#include "buf.h"
#include "message.h"

struct control;
struct caller;

/* What the daemon does for a caller; uid and groups are the kernel's own word. */
struct control_ops {
	void (*status)(uid_t uid, bool json, struct buf *out);
	/* The text is untrusted; pidfd is closed afterwards, -1: none came. NULL, or why not. */
	const char *(*run)(struct caller *c, struct span text, int pidfd);
	void (*end)(struct caller *c, int status);
	/* It left, or was sent away, while it had a run; it is not to be named afterwards. */
	void (*gone)(struct caller *c);
};

/* path NULL: CONTROL_SOCKET. NULL after printing why. */
struct control *control_open(const char *path, const struct control_ops *ops);
void control_close(struct control *c);

#define CONTROL_FDS 65
/* Fills fds for poll(2); returns how many. */
unsigned control_fds(const struct control *c, struct pollfd fds[CONTROL_FDS]);
/* After each poll, whatever it said. now: boot ns. */
void control_serve(struct control *c, uint64_t now);
/* Sends what waits, for at most so long: before the end. */
void control_drain(struct control *c, int ms);

uid_t caller_uid(const struct caller *c);
pid_t caller_pid(const struct caller *c);
/* Does it belong to the group, by its credentials? */
bool caller_in_group(const struct caller *c, gid_t gid);
/* What it waits for: of the daemon; non-NULL: it has a run. */
void *caller_run(const struct caller *c);
void caller_run_set(struct caller *c, void *run);
/* Text beyond MESSAGE_TEXT_MAX becomes several messages. A caller that does not read is sent away at some time. */
void caller_tell(struct caller *c, unsigned kind, int value, struct span text);
/* Whole lines of its run's stream: gathered. */
void caller_lines(struct caller *c, struct span lines);
void caller_flush(struct caller *c); /* they become messages now */
/* It is told what waits, and then closed. */
void caller_finish(struct caller *c);

#endif
