/* front.h: COMMAND's parent: waits, forwards signals, mirrors stops, passes the status on. */
#ifndef INVIGIL_FRONT_H
#define INVIGIL_FRONT_H

#include "host.h"
#include "option.h"

/*
 * monitor: socket to the monitor that has said SAY_READY. hand: for guardian_give, negative without a
 * gate. Returns the exit status of invigil.
 */
int front_run(const struct config *c, const struct account *a, int monitor, int hand);

#endif
