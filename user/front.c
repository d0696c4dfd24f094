/* front.c: COMMAND's parent; parses nothing of what is traced. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "front.h"
#include "guardian.h"
#include "monitor.h"
#include "witness.h"

#define EXIT_INVIGIL 125
#define EXIT_GATE    120

struct front {
	const struct config *config;
	const struct account *account;
	int monitor; /* -1: gone */
	int hand;    /* to the guardian; negative: no gate */
	pid_t child, witness;
	sigset_t old_mask;
	struct sigaction old_chld;
	int go[2], fault[2];
};

static bool hear(struct front *f, struct word *w)
{
	ssize_t n;

	if (f->monitor < 0)
		return false;
	do
		n = recv(f->monitor, w, sizeof(*w), 0);
	while (n < 0 && errno == EINTR);
	if (n == sizeof(*w))
		return true;
	close(f->monitor);
	f->monitor = -1;
	return false;
}

static bool tell(struct front *f, int say, int value)
{
	struct word w = { say, value };

	return f->monitor >= 0 && send(f->monitor, &w, sizeof(w), MSG_NOSIGNAL) == sizeof(w);
}

/* In the child: become the user, for good. */
static bool become(const struct account *a)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (!a->change)
		return true;
	if (setgroups(a->n_groups, a->groups) || setresgid(a->gid, a->gid, a->gid) ||
	    setresuid(a->uid, a->uid, a->uid))
		return false;
	if (getresuid(&r, &e, &s) || getresgid(&rg, &eg, &sg) || r != a->uid || e != a->uid ||
	    s != a->uid || rg != a->gid || eg != a->gid || sg != a->gid)
		return false;
	if (a->uid && !setuid(0))
		return false; /* it could come back */
	setenv("HOME", a->home, 1);
	setenv("USER", a->name, 1);
	setenv("LOGNAME", a->name, 1);
	return true;
}

static void child_exec(struct front *f)
{
	char **argv = f->config->argv, go;
	int err;

	close(f->go[1]);
	if (f->config->output && !strcmp(f->config->output, "-"))
		dup2(STDERR_FILENO, STDOUT_FILENO);
	if (f->hand >= 0)
		guardian_give(f->hand, config_gate(f->config)); /* while still root */
	if (read(f->go[0], &go, 1) != 1)
		_exit(EXIT_INVIGIL);
	sigaction(SIGCHLD, &f->old_chld, NULL);
	sigprocmask(SIG_SETMASK, &f->old_mask, NULL);
	if (!become(f->account)) {
		err = -errno;
	} else {
		execvp(argv[0], argv);
		err = errno;
	}
	if (write(f->fault[1], &err, sizeof(err)) < 0)
		_exit(EXIT_INVIGIL);
	_exit(err == ENOENT ? 127 : 126);
}

/*
 * A signal that was sent to us alone is for COMMAND; what the terminal or a process sends to the
 * whole group reaches it without us. A terminal that goes away tells the leader of its session only.
 */
static void signal_forward(struct front *f, const siginfo_t *info)
{
	bool shared = getpgid(f->child) == getpgrp();

	if (info->si_signo == SIGCHLD || info->si_pid == f->child)
		return;
	if (info->si_code == SI_KERNEL ? info->si_signo != SIGHUP || getsid(0) != getpid()
				       : witness_saw(&f->witness, info->si_signo) && shared)
		return;
	kill(f->child, info->si_signo);
}

/*
 * Our parent must see the stop that COMMAND made, and not before it was made: a shell that takes its
 * terminal back earlier would share what is typed with COMMAND. So the terminal's own stop does
 * nothing to us.
 */
static void stop_mirror(struct front *f, int sig)
{
	siginfo_t info = { 0 };
	sigset_t one, now;

	sigemptyset(&one);
	sigaddset(&one, sig);
	signal(sig, SIG_DFL);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &one, &now); /* here it stops */
	sigprocmask(SIG_SETMASK, &now, NULL);
	/* A shell goes on with the whole group, others with us alone. */
	if (waitid(P_PID, f->child, &info, WCONTINUED | WNOHANG) || !info.si_pid)
		kill(f->child, SIGCONT);
}

static int child_wait(struct front *f, const sigset_t *set)
{
	int status;

	for (;;) {
		siginfo_t info;
		pid_t pid = waitpid(f->child, &status, WNOHANG | WUNTRACED);

		if (pid == f->child && WIFSTOPPED(status))
			stop_mirror(f, WSTOPSIG(status));
		else if (pid == f->child || (pid < 0 && errno == ECHILD))
			return pid < 0 ? -1 : status;
		else if (sigwaitinfo(set, &info) > 0)
			signal_forward(f, &info);
	}
}

static int exit_status(int status)
{
	if (status < 0)
		return EXIT_INVIGIL;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* What the child reported before its exec, if it failed. */
static void fault_print(struct front *f)
{
	int err;

	close(f->fault[1]);
	if (read(f->fault[0], &err, sizeof(err)) == sizeof(err)) {
		if (err < 0)
			fprintf(stderr, "invigil: cannot become %s: %s\n", f->account->name,
				strerror(-err));
		else
			fprintf(stderr, "invigil: %s: %s\n", f->config->argv[0], strerror(err));
	}
}

static bool child_start(struct front *f)
{
	struct word w;

	if (pipe2(f->go, O_CLOEXEC) || pipe2(f->fault, O_CLOEXEC))
		return false;
	f->child = fork();
	if (f->child < 0)
		return false;
	if (!f->child)
		child_exec(f);
	close(f->go[0]);
	if (f->hand >= 0)
		close(f->hand);
	if (!tell(f, SAY_COMMAND, f->child) || !hear(f, &w) || w.say != SAY_MEMBER) {
		close(f->go[1]); /* the child ends without having executed anything */
		waitpid(f->child, NULL, 0);
		return false;
	}
	if (write(f->go[1], "g", 1) != 1)
		return false;
	close(f->go[1]);
	return true;
}

int front_run(const struct config *c, const struct account *a, int monitor, int hand)
{
	struct front f = { .config = c, .account = a, .monitor = monitor, .hand = hand };
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	struct word w;
	sigset_t set;
	int status, code;

	sigfillset(&set);
	for (int s = 1; s < NSIG; s++) /* faults are ours */
		if (s == SIGSEGV || s == SIGBUS || s == SIGFPE || s == SIGILL || s == SIGTRAP ||
		    s == SIGABRT || s == SIGCONT)
			sigdelset(&set, s);
	sigprocmask(SIG_BLOCK, &set, &f.old_mask);
	sigaction(SIGCHLD, &dfl, &f.old_chld);
	f.witness = witness_start();
	if (!child_start(&f)) {
		witness_end(f.witness);
		fprintf(stderr, "invigil: COMMAND was not started\n");
		return EXIT_INVIGIL;
	}
	status = child_wait(&f, &set);
	witness_end(f.witness);
	fault_print(&f);
	code = exit_status(status);
	if (!tell(&f, SAY_ENDED, status) || !hear(&f, &w) || w.say != SAY_DONE) {
		fprintf(stderr,
			"invigil: the monitor died; COMMAND's status is passed on, the record is not whole\n");
		return code;
	}
	if (!code && w.value & VERDICT_OUTPUT)
		return EXIT_INVIGIL;
	return !code && w.value & VERDICT_TRIPPED ? EXIT_GATE : code;
}
