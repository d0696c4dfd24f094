/* engine.c: a tiny static stand-in for a Docker Engine (server) and one client of it, for kernels in qemu. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char path[] = "/run/docker.sock";

static int serve(void)
{
	static const char answer[] = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
				     "Content-Length: 88\r\n\r\n"
				     "{\"Id\":\"0123456789abcdef0123456789abcdef0123456789abcdef"
				     "0123456789abcdef\",\"Warnings\":[]}\n";
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, path);
	unlink(path);
	if (bind(s, (void *)&a, sizeof(a)) || listen(s, 4))
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		char buf[65536];
		int c = accept(s, NULL, NULL);

		if (c < 0 || read(c, buf, sizeof(buf)) <= 0 ||
		    write(c, answer, sizeof(answer) - 1) < 0)
			return 1;
		close(c);
	}
}

static int ask(void)
{
	static const char body[] = "{\"Image\":\"x:1\",\"HostConfig\":{\"Privileged\":true}}";
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	char buf[4096];

	strcpy(a.sun_path, path);
	if (connect(s, (void *)&a, sizeof(a)))
		return 1;
	if (!getenv("VM_SMOKE_READ"))
		return 2;
	snprintf(
		buf, sizeof(buf),
		"POST /v1.41/containers/create?name=smoke HTTP/1.1\r\nHost: x\r\nUser-Agent: smoke\r\n"
		"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		sizeof(body) - 1, body);
	if (write(s, buf, strlen(buf)) < 0 || read(s, buf, sizeof(buf)) <= 0)
		return 3;
	return strncmp(buf, "HTTP/1.1 201", 12) != 0;
}

int main(int argc, char **argv)
{
	return argc > 1 && !strcmp(argv[1], "serve") ? serve() : ask();
}
