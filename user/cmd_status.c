/* cmd_status.c: `invigil status`: asks the daemon how it is. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "command.h"
#include "message.h"
#include "option.h"
#include "remote.h"

int cmd_status(struct config *c)
{
	int daemon = daemon_connect(c->socket), value, err;
	struct buf text = { 0 };
	bool answered = false, json = c->format && !strcmp(c->format, "json");
	unsigned kind;

	err = daemon < 0 ? daemon
			 : daemon_send(daemon, MESSAGE_STATUS, json, (struct span){ 0 }, -1);
	if (err) {
		fprintf(stderr, "invigil: status: no daemon answers on %s: %s\n",
			c->socket ? c->socket : CONTROL_SOCKET, strerror(-err));
		return 125;
	}
	while ((kind = daemon_hear(daemon, &value, &text))) {
		if (kind == MESSAGE_TEXT)
			answered = fwrite(text.ptr, 1, text.len, stdout) == text.len;
		else
			fprintf(stderr, "invigil: the daemon says no: %s\n", text.ptr);
	}
	close(daemon);
	buf_free(&text);
	return answered ? 0 : 125;
}
