/* monitor.h: the process that traces, and what it and the front say to each other. */
#ifndef INVIGIL_MONITOR_H
#define INVIGIL_MONITOR_H

#include "host.h"
#include "option.h"

/* One datagram each way at a time (SOCK_SEQPACKET). */
enum say {
	SAY_READY,   /* monitor: outputs are open, programs attached */
	SAY_FAILED,  /* monitor: cannot trace; the reason is printed */
	SAY_COMMAND, /* front: value is COMMAND's pid, waiting to be executed */
	SAY_MEMBER,  /* monitor: COMMAND is a member, go */
	SAY_ENDED,   /* front: value is COMMAND's wait(2) status */
	SAY_DONE,    /* monitor: all is written; value is enum verdict */
};

enum verdict { VERDICT_OK, VERDICT_TRIPPED = 1, VERDICT_OUTPUT = 2 };

struct word {
	int say; /* enum say */
	int value;
};

/*
 * Body of the monitor process; returns its exit status. guardian: its words come in; calls: for the
 * attacher.
 */
int monitor_main(const struct config *c, const struct account *a, int front, int guardian,
		 int calls);

#endif
