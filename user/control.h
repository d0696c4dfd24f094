/* control.h: the daemon's socket: who connects is told its state. */
#ifndef INVIGIL_CONTROL_H
#define INVIGIL_CONTROL_H

#include "buf.h"

#define CONTROL_SOCKET "/run/invigil/invigil.sock"

struct control;

/* path NULL: CONTROL_SOCKET. write makes the answer. NULL after printing why. */
struct control *control_open(const char *path, void (*write)(void *ctx, struct buf *out),
			     void *ctx);
int control_fd(const struct control *c);
/* Answers one client; never waits for it. */
void control_serve(struct control *c);
void control_close(struct control *c);
/* systemd's Type=notify: READY=1 to NOTIFY_SOCKET (sd_notify(3)); nothing without it. */
void control_ready(void);

#endif
