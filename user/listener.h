/* listener.h: listening sockets of the daemon. */
#ifndef INVIGIL_LISTENER_H
#define INVIGIL_LISTENER_H

#include <sys/types.h>

/*
 * A unix socket of type, with the permissions of mode; one that is left from a daemon that died is
 * replaced. -errno on failure.
 */
int listen_unix(const char *path, int type, mode_t mode, int backlog);
/* TCP on a port of this machine alone: "127.0.0.1:PORT" or "[::1]:PORT". -errno on failure. */
int listen_loopback(const char *address, int backlog);

#endif
