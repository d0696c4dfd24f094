/* message.h: what a caller and the daemon say to each other on the daemon's socket. */
#ifndef INVIGIL_MESSAGE_H
#define INVIGIL_MESSAGE_H

#include <stdint.h>

#define RUN_FOLDER     "/run/invigil" /* of root */
#define CONTROL_SOCKET RUN_FOLDER "/invigil.sock"

/* One datagram each (SOCK_SEQPACKET): this, then text. */
struct message {
	uint32_t kind; /* enum message_kind */
	int32_t value;
};

enum message_kind {
	/* Of a caller. */
	MESSAGE_STATUS = 1, /* value: 1: as JSON */
	MESSAGE_RUN, /* text: request.h; the pidfd of the process that waits to become COMMAND comes along */
	MESSAGE_END, /* value: COMMAND's wait(2) status */
	/* Of the daemon. */
	MESSAGE_TEXT,    /* of its state */
	MESSAGE_ERROR,   /* why it says no; the last word */
	MESSAGE_MEMBER,  /* what COMMAND does is seen from here on: go */
	MESSAGE_LINES,   /* the next bytes of the run's stream */
	MESSAGE_SUMMARY, /* text for people */
	MESSAGE_DONE,    /* value: enum verdict; the last word */
	MESSAGE_RECORD,  /* the next bytes of the recording */
	MESSAGE_REPORT,  /* the next bytes of the report in Markdown; before MESSAGE_DONE */
};

#define MESSAGE_TEXT_MAX (32u << 10)  /* of the daemon's */
#define REQUEST_MAX      (128u << 10) /* text of a caller's */

#endif
