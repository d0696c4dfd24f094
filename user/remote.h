/* remote.h: the monitor's part in an unprivileged `invigil run`: the daemon does the rest. */
#ifndef INVIGIL_REMOTE_H
#define INVIGIL_REMOTE_H

#include "option.h"

/* A socket to the daemon, or -errno. path NULL: CONTROL_SOCKET. */
int daemon_connect(const char *path);
/* 0 or -errno; pidfd -1: none goes along. */
int daemon_send(int daemon, unsigned kind, int value, struct span text, int pidfd);
/*
 * Next message of the daemon into text, NUL ended; waits. Its kind; 0: there is no daemon any more.
 */
unsigned daemon_hear(int daemon, int *value, struct buf *text);

/* What only root may ask for; NULL: nothing of that kind. */
const char *remote_refused(const struct config *c);
/* Body of the process that stands between front and daemon; returns its exit status. */
int remote_main(const struct config *c, int front, int daemon);

#endif
