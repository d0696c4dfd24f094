/* cmd_status.c: `invigil status`: asks the daemon how it is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "command.h"
#include "control.h"
#include "option.h"

int cmd_status(struct config *c)
{
	const char *path = c->socket ? c->socket : CONTROL_SOCKET;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[4096];
	ssize_t n;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (void *)&a, sizeof(a))) {
		fprintf(stderr, "invigil: status: no daemon answers on %s: %s\n", path,
			strerror(errno));
		return 125;
	}
	while ((n = read(fd, text, sizeof(text))) > 0)
		fwrite(text, 1, n, stdout);
	close(fd);
	return 0;
}
