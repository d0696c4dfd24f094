/* load.c: what the benchmark runs, and what measures it; one word of the table a job. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static pid_t start(char **argv)
{
	pid_t pid;
	int err = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);

	if (err) {
		fprintf(stderr, "load: %s: %s\n", argv[0], strerror(err));
		exit(127);
	}
	return pid;
}

/*
 * cost COMMAND...: CPU microseconds (user and system) of everything that COMMAND left behind too: who
 * is orphaned, as invigil's monitor is, comes to us and is waited for. Then the wall clock of COMMAND.
 */
static int cost(char **argv)
{
	long long begin = now(CLOCK_MONOTONIC), end = 0;
	struct rusage u;
	int status, code = 125;
	pid_t command, pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	command = start(argv);
	while ((pid = wait(&status)) > 0 || errno == EINTR)
		if (pid == command) {
			end = now(CLOCK_MONOTONIC);
			code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
		}
	getrusage(RUSAGE_CHILDREN, &u);
	dprintf(3, "%lld %lld\n",
		(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000ll + u.ru_utime.tv_usec +
			u.ru_stime.tv_usec,
		(end - begin) / 1000);
	return code;
}

/* A tracer that waits for events has attached all it wants. */
static int is_polling(pid_t pid)
{
	char path[32], text[16] = "";
	int fd;
	long nr;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -1;
	close(fd);
	nr = strtol(text, NULL, 10);
	return nr == SYS_epoll_pwait
#ifdef SYS_epoll_wait
	       || nr == SYS_epoll_wait
#endif
		;
}

/* beside TRACER... -- COMMAND...: COMMAND runs while a tracer of the whole machine does. */
static int beside(char **argv)
{
	char **command = argv;
	pid_t tracer;
	int status = 125, polls = 0;

	while (*command && strcmp(*command, "--"))
		command++;
	if (!*command)
		return 125;
	*command++ = NULL;
	tracer = start(argv);
	while (is_polling(tracer) != 1) {
		if (++polls > 2000 || waitpid(tracer, NULL, WNOHANG) == tracer)
			return 125;
		usleep(5000);
	}
	waitpid(start(command), &status, 0);
	kill(tracer, SIGINT);
	waitpid(tracer, NULL, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* spawn N PROGRAM */
static int spawn(char **argv)
{
	for (long n = strtol(argv[0], NULL, 10); n > 0; n--)
		waitpid(start(argv + 1), NULL, 0);
	return 0;
}

static void call_getppid(void)
{
	syscall(SYS_getppid);
}

static int pair[2];

static void call_socket(void)
{
	char c = 'x';

	if (write(pair[0], &c, 1) != 1 || read(pair[1], &c, 1) != 1)
		exit(125);
}

static char *const true_argv[] = { "/bin/true", NULL };

static void call_true(void)
{
	waitpid(start((char **)true_argv), NULL, 0);
}

static char **command;

static void call_command(void)
{
	waitpid(start(command), NULL, 0);
}

static void call_getenv(void)
{
	static char *(*volatile get)(const char *) = getenv;

	get("HOME");
}

/* Of us, of our children that ended, and of the processes in $BENCH_PIDS: nanoseconds. */
static double cpu_all(void)
{
	const char *p = getenv("BENCH_PIDS");
	double sum = (double)now(CLOCK_PROCESS_CPUTIME_ID);
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	sum += 1e9 * (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       1e3 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
	while (p && *p) {
		char *end;
		clockid_t clock;

		if (clock_getcpuclockid((pid_t)strtol(p, &end, 10), &clock)) {
			fprintf(stderr, "load: a process of BENCH_PIDS=%s is gone\n", p);
			exit(125);
		}
		sum += (double)now(clock);
		p = end + (*end == ',');
	}
	return sum;
}

/* Of the processes in $BENCH_BESIDE, which work for what is measured, and of their children that ended: nanoseconds, in ticks. */
static double cpu_beside(void)
{
	const char *p = getenv("BENCH_BESIDE");
	double sum = 0;

	while (p && *p) {
		unsigned long long ticks[4] = { 0 };
		char path[32], text[1024] = "", *end, *at;
		int fd;

		snprintf(path, sizeof(path), "/proc/%ld/stat", strtol(p, &end, 10));
		fd = open(path, O_RDONLY);
		if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 || !(at = strrchr(text, ')')) ||
		    /* proc(5): state is the third word, utime, stime, cutime and cstime are the 14th to 17th */
		    sscanf(at + 2,
			   "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu %llu %llu",
			   &ticks[0], &ticks[1], &ticks[2], &ticks[3]) != 4) {
			fprintf(stderr, "load: a process of BENCH_BESIDE=%s is gone\n", p);
			exit(125);
		}
		close(fd);
		for (int i = 0; i < 4; i++)
			sum += 1e9 * (double)ticks[i] / (double)sysconf(_SC_CLK_TCK);
		p = end + (*end == ',');
	}
	return sum;
}

/*
 * turns BLOCKS CALLS JOB [ARGUMENT...]: CPU ns of one call, a line for each of BLOCKS blocks of CALLS; then those of $BENCH_BESIDE.
 * What one waits for in the FIFO $BENCH_MINE, another one writes there when its own block is done: all see the same machine. A block
 * is from the end of the last one on: a monitor works when the calls are over.
 */
static int turns(char **argv)
{
	static const struct {
		const char *name;
		void (*call)(void);
	} jobs[] = {
		{ "true", call_true },     { "command", call_command }, { "getppid", call_getppid },
		{ "socket", call_socket }, { "getenv", call_getenv },
	};
	long blocks = strtol(argv[0], NULL, 10), calls = strtol(argv[1], NULL, 10);
	int mine = open(getenv("BENCH_MINE"), O_RDWR), next = open(getenv("BENCH_NEXT"), O_RDWR);
	double *took = calloc(blocks + 2, sizeof(*took)),
	       *beside = calloc(blocks + 2, sizeof(*beside));
	void (*call)(void) = NULL;
	double before = cpu_all();
	char c;

	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		if (!strcmp(jobs[i].name, argv[2]))
			call = jobs[i].call;
	command = argv + 3;
	if (!call || !took || !beside || mine < 0 || next < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 125;
	for (long b = 0; b < blocks + 2; b++) {
		double now, others;

		if (read(mine, &c, 1) != 1)
			return 125;
		others = cpu_beside();
		for (long i = 0; i < calls; i++)
			call();
		now = cpu_all();
		took[b] = (now - before) / (double)calls;
		before = now;
		beside[b] = (cpu_beside() - others) / (double)calls;
		if (write(next, ".", 1) != 1)
			return 125;
	}
	for (long b = 2; b < blocks + 2; b++) /* the first two have cold caches */
		if (getenv("BENCH_BESIDE"))
			dprintf(3, "%.1f %.1f\n", took[b], beside[b]);
		else
			dprintf(3, "%.1f\n", took[b]);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*job)(char **argv);
	} jobs[] = {
		{ "cost", cost },
		{ "beside", beside },
		{ "spawn", spawn },
		{ "turns", turns },
	};

	for (size_t i = 0; argc > 2 && i < sizeof(jobs) / sizeof(jobs[0]); i++)
		if (!strcmp(jobs[i].name, argv[1]))
			return jobs[i].job(argv + 2);
	if (argc == 2 && !strcmp(argv[1], "now")) {
		dprintf(3, "%lld\n", now(CLOCK_MONOTONIC) / 1000);
		return 0;
	}
	fprintf(stderr, "usage: load cost|beside|spawn|turns ... | now\n");
	return 2;
}
