/* gate_cases.c CASE...: programs of gate.sh whose parents, timers, filters and pages the gate must not disturb. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* read NAME: the first thing it does. */
static int read_case(char **argv)
{
	return getenv(argv[0]) ? 0 : 3;
}

/* dlopen LIBRARY NAME [FILE]: reads through a library that was not there at exec; again until FILE is there, at most 10 s. */
static int dlopen_case(char **argv)
{
	void *lib = dlopen(argv[0], RTLD_NOW);
	char *(*get)(const char *) = lib ? (char *(*)(const char *))dlsym(lib, "getenv") : NULL;

	if (!get)
		return 4;
	get(argv[1]);
	for (int i = 0; argv[2] && access(argv[2], F_OK) && i < 10000; i++) {
		usleep(1000);
		get(argv[1]);
	}
	return 0;
}

static volatile sig_atomic_t chlds;

static void on_chld(int s)
{
	(void)s;
	chlds++;
}

static void child_start(const char *how)
{
	char *shell[] = { "sh", "-c", (char *)how, NULL };

	execv("/bin/sh", shell);
	_exit(errno);
}

/* parent: every status and every SIGCHLD that children make, in order. */
static int parent_case(char **argv)
{
	static const char *const hows[] = { "exit 0",
					    "exit 7",
					    "kill -9 $$",
					    "kill -STOP $$; exit 3",
					    "/bin/true; exec /bin/false",
					    "exec /no/such/program" };
	struct sigaction a = { .sa_handler = on_chld };

	(void)argv;
	sigaction(SIGCHLD, &a, NULL);
	for (int round = 0; round < 5; round++)
		for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
			pid_t pid = fork();
			int status, before = chlds;

			if (!pid)
				child_start(hows[i]);
			for (;;) {
				if (waitpid(pid, &status, WUNTRACED) < 0) {
					if (errno == EINTR)
						continue;
					break;
				}
				printf("%zu: %x\n", i, status);
				if (!WIFSTOPPED(status))
					break;
				kill(pid, SIGCONT);
			}
			/* A continued child's two signals may become one. */
			if (strstr(hows[i], "STOP"))
				chlds = before;
		}
	printf("%d SIGCHLD\n", (int)chlds);
	return 0;
}

static void on_tick(int s)
{
	(void)s;
}

/* ticks N: N execs under a 1 kHz timer whose handler does not restart calls; prints how many were interrupted. */
static int ticks_case(char **argv)
{
	int interrupted = 0, failed = 0;

	for (int i = 0; i < atoi(argv[0]); i++) {
		int status;
		pid_t pid = fork();

		if (!pid) {
			struct sigaction a = { .sa_handler = on_tick };
			struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG };
			struct itimerspec every = { { 0, 1000000 }, { 0, 1 } };
			char *args[] = { "true", NULL };
			timer_t timer;

			sigaction(SIGURG, &a, NULL); /* ignored after the exec */
			timer_create(CLOCK_MONOTONIC, &e, &timer);
			timer_settime(timer, 0, &every, NULL);
			execv("/bin/true", args);
			_exit(errno == EINTR ? 100 : 101);
		}
		waitpid(pid, &status, 0);
		interrupted += WIFEXITED(status) && WEXITSTATUS(status) == 100;
		failed += status && !(WIFEXITED(status) && WEXITSTATUS(status) == 100);
	}
	printf("%d interrupted, %d failed\n", interrupted, failed);
	return failed != 0;
}

static int filter_set(unsigned call, unsigned answer, unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, code };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog) < 0 ? errno : 0;
}

/* filter COMMAND...: under a filter of its own without a listener. */
static int filter_case(char **argv)
{
	if (filter_set(__NR_acct, SECCOMP_RET_ERRNO | EPERM, 0))
		return 5;
	execvp(argv[0], argv);
	return 6;
}

/* listener: asks for a listener of its own and says what it got. */
static int listener_case(char **argv)
{
	(void)argv;
	printf("%s\n", strerror(filter_set(__NR_acct, SECCOMP_RET_USER_NOTIF,
					   SECCOMP_FILTER_FLAG_NEW_LISTENER)));
	return 0;
}

/* refuse COMMAND...: where seccomp(2) itself is refused. */
static int refuse_case(char **argv)
{
	if (filter_set(__NR_seccomp, SECCOMP_RET_ERRNO | EPERM, 0))
		return 5;
	execvp(argv[0], argv);
	return 6;
}

static char *late_page;
static int late_fd;

static void *late_server(void *ctx)
{
	struct uffd_msg m;
	static char content[4096] __attribute__((aligned(4096))) = "/bin/true";
	struct uffdio_copy copy = { .dst = (unsigned long)late_page,
				    .src = (unsigned long)content,
				    .len = 4096 };

	(void)ctx;
	if (read(late_fd, &m, sizeof(m)) == sizeof(m)) {
		sleep(1);
		ioctl(late_fd, UFFDIO_COPY, &copy);
	}
	return NULL;
}

/* page: execve with the path on a page that another thread of the caller fills a second later. */
static int page_case(char **argv)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register r = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	char *args[] = { "true", NULL };
	pthread_t t;

	(void)argv;
	late_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	late_fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	r.range.start = (unsigned long)late_page;
	r.range.len = 4096;
	if (late_fd < 0 || ioctl(late_fd, UFFDIO_API, &api) || ioctl(late_fd, UFFDIO_REGISTER, &r))
		return 77;
	pthread_create(&t, NULL, late_server, NULL);
	execv(late_page, args);
	return 8;
}

/*
 * edges LD_LIBRARY_PATH=... PROGRAM NAME: PROGRAM reads NAME; path, pointers and the variable go over ends of pages,
 * behind variables that lie on thirty pages in turn.
 */
static int edges_case(char **argv)
{
	enum { PAGE = 4096, FILLERS = 400, PAGES = 30 };
	char *room =
		mmap(NULL, 40 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *path = room + 33 * PAGE - 4, *variable = room + 35 * PAGE - 3, *args[4];
	char **envp = (char **)(room + 37 * PAGE - 5 * sizeof(*envp));

	if (room == MAP_FAILED)
		return 77;
	for (int i = 0; i < FILLERS; i++) {
		envp[i] = room + i * 7 % PAGES * PAGE + i / PAGES * 40;
		sprintf(envp[i], "FILLER_%d=x", i);
	}
	strcpy(path, argv[1]);
	strcpy(variable, argv[0]);
	envp[FILLERS] = variable;
	args[0] = path;
	args[1] = "read";
	args[2] = argv[2];
	args[3] = NULL;
	execve(path, args, envp);
	return 8;
}

/* cost N: ns for each of N vfork, exec, wait of /bin/true. */
static int cost_case(char **argv)
{
	int n = atoi(argv[0]);
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (volatile int i = 0; i < n; i++) {
		char *args[] = { "true", NULL };
		pid_t pid = vfork();

		if (!pid) {
			execve("/bin/true", args, environ);
			_exit(1);
		}
		waitpid(pid, NULL, 0);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.0f\n", ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / n);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*main)(char **argv);
	} cases[] = {
		{ "read", read_case },         { "dlopen", dlopen_case }, { "parent", parent_case },
		{ "ticks", ticks_case },       { "filter", filter_case }, { "refuse", refuse_case },
		{ "listener", listener_case }, { "page", page_case },     { "cost", cost_case },
		{ "edges", edges_case },
	};

	for (size_t i = 0; argc > 1 && i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcmp(argv[1], cases[i].name))
			return cases[i].main(argv + 2);
	return 2;
}
