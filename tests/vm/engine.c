/* engine.c: a tiny static stand-in for a Docker Engine, two clients of it and one that reads its memory, for kernels in qemu. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char path[] = "/run/docker.sock";
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* The container's group: VM_CGROUP, as an engine's driver would name it, with : for its id. */
static const char *group_path(const char *below)
{
	static char group[512];
	const char *form = getenv("VM_CGROUP") ?: "/sys/fs/cgroup/:";
	int before = strcspn(form, ":");

	snprintf(group, sizeof(group), "%.*s" ID "%s%s", before, form,
		 form[before] ? form + before + 1 : "", below);
	return group;
}

/*
 * A runtime needs so long that the monitor knows the container. Emulated beside others it may need longer, so its stream,
 * VM_STREAM, tells whether it does; at most 10 s, for one that sees no answer tells nothing.
 */
static void runtime_wait(void)
{
	const char *name = getenv("VM_STREAM");
	static char line[1 << 20];

	for (int i = 0; name && i < 100; i++) {
		FILE *stream = fopen(name, "r");
		bool told = false;

		while (stream && !told && fgets(line, sizeof(line), stream))
			told = strstr(line, ID);
		if (stream)
			fclose(stream);
		if (told)
			return;
		usleep(100000);
	}
	usleep(500000);
}

/* The container's only process: as runc does it, it enters the container's group and executes. */
static void contained(void)
{
	int procs;

	mkdir(group_path(""), 0755);
	procs = open(group_path("/cgroup.procs"), O_WRONLY);
	if (procs < 0 || write(procs, "0", 1) != 1)
		_exit(1);
	execl("/bin/busybox", "echo", "in-the-container", NULL);
	_exit(1);
}

/* A request as far as the end of its head; a body comes with it. */
static bool asked(int c, char *buf, size_t size)
{
	size_t have = 0;
	ssize_t n;

	while ((n = read(c, buf + have, size - 1 - have)) > 0) {
		have += n;
		buf[have] = 0;
		if (strstr(buf, "\r\n\r\n"))
			return true;
	}
	return false;
}

static int serve(void)
{
	static const char answer[] = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
				     "Content-Length: 88\r\n\r\n"
				     "{\"Id\":\"" ID "\",\"Warnings\":[]}\n";
	static const char fine[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
	static const char started[] = "HTTP/1.1 204 No Content\r\n\r\n";
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, path);
	unlink(path);
	if (bind(s, (void *)&a, sizeof(a)) || listen(s, 4))
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		static char buf[65536];
		int c = accept(s, NULL, NULL);
		const char *reply = answer;

		if (c < 0)
			return 1;
		if (!asked(c, buf, sizeof(buf))) {
			close(c);
			continue;
		}
		if (!strncmp(buf, "GET ", 4)) {
			reply = fine;
		} else if (strstr(buf, "/start HTTP/")) {
			runtime_wait();
			if (!fork())
				contained();
			wait(NULL);
			rmdir(group_path(""));
			reply = started;
		}
		if (send(c, reply, strlen(reply), MSG_NOSIGNAL) < 0)
			fputs("the client has gone\n", stderr);
		close(c);
	}
}

/* -1: it does not listen. */
static int connected(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, path);
	return connect(s, (void *)&a, sizeof(a)) ? -1 : s;
}

/* The beginning of the answer; NULL when there was none. */
static const char *call(const char *request, const char *body)
{
	static char buf[4096];
	int s = connected();
	ssize_t n;

	if (s < 0)
		return NULL;
	snprintf(buf, sizeof(buf),
		 "POST /v1.41/containers/%s HTTP/1.1\r\nHost: x\r\nUser-Agent: smoke\r\n"
		 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		 request, strlen(body), body);
	if (write(s, buf, strlen(buf)) < 0)
		return NULL;
	n = read(s, buf, sizeof(buf) - 1);
	close(s);
	buf[n > 0 ? n : 0] = 0;
	return buf;
}

static int ask(void)
{
	const char *answer;

	if (!getenv("VM_SMOKE_READ"))
		return 2;
	execl("/no/such/program", "no-such-program", NULL);
	answer = call("create?name=smoke",
		      "{\"Image\":\"x:1\",\"HostConfig\":{\"Privileged\":true}}");
	if (!answer || strncmp(answer, "HTTP/1.1 201", 12))
		return 3;
	answer = call(ID "/start", "");
	return !answer || strncmp(answer, "HTTP/1.1 204", 12) ? 4 : 0;
}

/* Neither the request nor the answer is ever in this program's memory. Says how long they are. */
static int pages(void)
{
	static const char request[] = "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n";
	int s = connected(), f = memfd_create("request", 0), p[2];
	ssize_t sent, got;

	if (s < 0 || pipe(p) || write(f, request, strlen(request)) < 0 || lseek(f, 0, SEEK_SET))
		return 1;
	sent = sendfile(s, f, NULL, strlen(request));
	got = splice(s, NULL, p[1], NULL, 4096, 0);
	printf("PAGES %zd %zd\n", sent, got);
	return sent != (ssize_t)strlen(request) || got <= 0;
}

/* As a 32-bit program does it; it stops nothing. Says what the kernel answers; a kernel without such calls ends this program. */
static void seize(pid_t pid)
{
#ifdef __x86_64__
	int answer;

	__asm__ volatile("int $0x80"
			 : "=a"(answer)
			 : "a"(26 /* ptrace */), "b"(PTRACE_SEIZE), "c"(pid), "d"(0), "S"(0)
			 : "memory");
	printf("SEIZE %d\n", answer);
#else
	(void)pid;
#endif
}

static int look(pid_t pid)
{
	static char word[8];
	struct iovec to = { word, sizeof(word) };
	struct iovec from = { (void *)path, sizeof(word) }; /* of the same static program */

	if (process_vm_readv(pid, &to, 1, &from, 1, 0) != sizeof(word))
		return 1;
	seize(pid);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "look"))
		return look(atoi(argv[2]));
	if (argc > 1 && !strcmp(argv[1], "pages"))
		return pages();
	return argc > 1 && !strcmp(argv[1], "serve") ? serve() : ask();
}
