/* ways.c DIR: executes /bin/true in every way that Linux knows, each with an argument of its own, and says which it could. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM   "/bin/true"
#define ARGV(...) ((char *[]){ __VA_ARGS__, NULL })

static const char *dir;

static int run_fork(char **argv)
{
	execve(PROGRAM, argv, environ);
	return 1;
}

static int way_fork(void)
{
	return run_fork(ARGV("true", "way-fork"));
}

static int way_spawn(void)
{
	pid_t pid;
	int status;

	return posix_spawn(&pid, PROGRAM, NULL, NULL, ARGV("true", "way-spawn"), environ) ||
	       waitpid(pid, &status, 0) != pid || status;
}

static int way_vfork(void)
{
	pid_t pid = vfork();
	int status;

	if (!pid) {
		execve(PROGRAM, ARGV("true", "way-vfork"), environ);
		_exit(1);
	}
	return waitpid(pid, &status, 0) != pid || status;
}

static int way_clone3(void)
{
	struct clone_args a = { .flags = CLONE_VFORK, .exit_signal = SIGCHLD };
	pid_t pid = syscall(SYS_clone3, &a, sizeof(a));
	int status;

	if (!pid) {
		execve(PROGRAM, ARGV("true", "way-clone3"), environ);
		_exit(1);
	}
	return waitpid(pid, &status, 0) != pid || status;
}

static int way_execveat(void)
{
	int fd = open(PROGRAM, O_RDONLY);

	syscall(SYS_execveat, fd, "", ARGV("true", "way-execveat"), environ, AT_EMPTY_PATH);
	return 1;
}

static int way_relative(void)
{
	int fd = open("/bin", O_PATH | O_DIRECTORY);

	syscall(SYS_execveat, fd, "true", ARGV("true", "way-relative"), environ, 0);
	return 1;
}

static int way_memfd(void)
{
	int in = open(PROGRAM, O_RDONLY), fd = memfd_create("hidden", MFD_CLOEXEC);

	while (sendfile(fd, in, NULL, 1 << 20) > 0)
		;
	fexecve(fd, ARGV("true", "way-memfd"), environ);
	return 1;
}

static void *from_thread(void *p)
{
	execve(PROGRAM, ARGV("true", "way-thread"), environ);
	return p;
}

static int way_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, from_thread, NULL);
	pthread_join(t, NULL);
	return 1;
}

static int way_int80(void)
{
#ifdef __x86_64__
	char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
		       -1, 0);
	uint32_t *argv = (uint32_t *)(m + 128), *envp = argv + 4;
	long r;

	strcpy(m, PROGRAM);
	strcpy(m + 64, "way-int80");
	argv[0] = (uint32_t)(uintptr_t)m;
	argv[1] = (uint32_t)(uintptr_t)(m + 64);
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(11), "b"(m), "c"(argv), "d"(envp) : "memory");
#endif
	return 1;
}

static void file_write(char *path, size_t n, const char *name, const char *text)
{
	FILE *f;

	snprintf(path, n, "%s/%s", dir, name);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	chmod(path, 0755);
}

static int way_chain(void)
{
	char one[256], two[256], text[300];

	file_write(one, sizeof(one), "one", "#!" PROGRAM " inner\n");
	snprintf(text, sizeof(text), "#!%s outer\n", one);
	file_write(two, sizeof(two), "two", text);
	execve(two, ARGV("two", "way-chain"), environ);
	return 1;
}

static int way_loader(void)
{
	execve("/lib64/ld-linux-x86-64.so.2", ARGV("ld.so", PROGRAM, "way-loader"), environ);
	return 1;
}

static int way_lie(void)
{
	return run_fork(ARGV("/usr/bin/innocent", "way-lie"));
}

static int way_empty(void)
{
	return run_fork(ARGV("", "", "way-empty", ""));
}

static int way_many(void)
{
	static char text[66][16];
	char *argv[67] = { NULL };

	for (int i = 0; i < 66; i++) {
		snprintf(text[i], sizeof(text[i]), i == 64 ? "way-many" : "a%d", i);
		argv[i] = text[i];
	}
	return run_fork(argv);
}

/* Just under 2 MiB, the payload last. */
static int way_huge(void)
{
	char *argv[18] = { "true" }, *big = malloc(131000);

	memset(big, 'A', 130999);
	big[130999] = 0;
	for (int i = 1; i < 15; i++)
		argv[i] = big;
	argv[15] = "way-huge";
	return run_fork(argv);
}

/* An argument in a page that was never touched. */
static int way_cold(void)
{
	char path[256];
	int fd;

	file_write(path, sizeof(path), "cold", "way-cold");
	truncate(path, 4096);
	fd = open(path, O_RDONLY);
	return run_fork(ARGV("true", mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0)));
}

static const struct way {
	const char *name;
	int (*run)(void);
} ways[] = {
	{ "fork", way_fork },     { "vfork", way_vfork },       { "spawn", way_spawn },
	{ "clone3", way_clone3 }, { "execveat", way_execveat }, { "relative", way_relative },
	{ "memfd", way_memfd },   { "thread", way_thread },     { "int80", way_int80 },
	{ "chain", way_chain },   { "loader", way_loader },     { "lie", way_lie },
	{ "empty", way_empty },   { "many", way_many },         { "huge", way_huge },
	{ "cold", way_cold },
};

/* Says what echo printed, which is what the kernel had copied. */
static void flip(int rounds)
{
	char *text = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t flipper;

	strcpy(text, "way-innocent");
	flipper = fork();
	if (!flipper)
		for (;;) {
			memcpy(text, "way-evilevil", 12);
			for (volatile int i = 0; i < 100; i++)
				;
			memcpy(text, "way-innocent", 12);
			for (volatile int i = 0; i < 100; i++)
				;
		}
	for (int i = 0; i < rounds; i++) {
		char number[16];

		snprintf(number, sizeof(number), "%d", i);
		if (!fork()) {
			execve("/bin/echo", ARGV("echo", "flip", number, text), environ);
			_exit(1);
		}
		wait(NULL);
	}
	kill(flipper, SIGKILL);
	waitpid(flipper, NULL, 0);
}

int main(int argc, char **argv)
{
	dir = argv[1];
	if (argc > 2) {
		flip(atoi(argv[2]));
		return 0;
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		int status = 0;
		pid_t pid = fork();

		if (!pid)
			_exit(ways[i].run());
		waitpid(pid, &status, 0);
		printf("%s %s\n", status ? "failed" : "done", ways[i].name);
		fflush(stdout);
	}
	return 0;
}
