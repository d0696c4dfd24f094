/* daemon.c: `invigil daemon`: finds the runs of a CI runner by itself and watches each to its end. */
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include "command.h"
#include "daemon_state.h"
#include "privilege.h"
#include "probe.h"
#include "host.h"
#include "kernel_btf.h"
#include "loader.h"
#include "notify.h"
#include "writable.h"

#define IDLE_MS  200         /* while no run is active */
#define CLOSE_MS 1000        /* what callers are still to be told */
#define LARGE    (128 << 10) /* bytes: M_MMAP_THRESHOLD as malloc(3) begins with */

struct daemon d;

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The kernel looks for what one word decides; the rest is looked at here. */
static bool selectors_arm(const struct config *c)
{
	bool all = true;

	for (unsigned i = 0; i < c->n_runs; i++) {
		struct run_selector *s = &c->runs[i];
		char comm[EV_COMM_MAX];

		if (s->user && !user_number(s->user, &s->uid)) {
			fprintf(stderr, "invigil: runs: unknown user \"%s\"\n", s->user);
			s->uid = (uint32_t)-1; /* of nobody */
			all = false;
		}
		if (s->program) {
			snprintf(comm, sizeof(comm), "%s", strrchr(s->program, '/') + 1);
			loader_program(d.loader, comm);
		} else if (s->user) {
			loader_user(d.loader, s->uid);
		} else {
			loader_every_exec(d.loader);
		}
	}
	return all;
}

/* Records wait in the ring meanwhile; a program's name that is no longer asked for costs a look at it. */
static void config_reload(void)
{
	struct setup *fresh = setup_again(d.setup);

	d.totals.reloads += fresh != NULL;
	d.totals.reloads_refused += !fresh;
	if (fresh) {
		setup_drop(d.setup);
		d.setup = fresh;
		config_use(&fresh->config);
		selectors_arm(&fresh->config);
	}
	setup_reopen();
	for (unsigned i = 0; i < d.n_jobs; i++)
		for (unsigned k = 0; k < d.jobs[i]->out.n; k++)
			if (!d.jobs[i]->out.to[k].shared)
				output_reopen(d.jobs[i]->out.to[k].output);
	fprintf(stderr, "invigil: %s; outputs are open anew\n",
		fresh ? "the configuration was read again"
		      : "the configuration stays as it was: what is said above is wrong with the new one");
}

static void signals_hear(int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			config_reload();
		else
			d.stop = true;
		/* A restart: the next daemon is to take them up. */
		d.leave |= info.ssi_signo == SIGUSR1;
	}
}

/*
 * The BTF that libbpf indexes once is megabytes, and freeing it teaches malloc to keep as much from then on
 * (mallopt(3), M_MMAP_THRESHOLD is dynamic): a run's tables would stay in the heap between those of others.
 * With a threshold that was set they go back to the kernel one by one.
 */
static void memory_lean(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE);
	mallopt(M_TRIM_THRESHOLD, LARGE);
}

/* The folder of a file, as far as it has a name before the run has; the caller frees it. NULL: not there. */
static char *folder_of(const char *path)
{
	const char *run = strstr(path, "{run}");
	struct buf b = { 0 };
	const char *slash = memrchr(path, '/', run ? (size_t)(run - path) : strlen(path));
	char *real;

	buf_add(&b, slash ? path : ".", slash ? (size_t)(slash - path) + 1 : 1);
	real = realpath(b.ptr, NULL);
	buf_free(&b);
	return real;
}

/* What is opened, renamed and removed by its name: outputs, and at the end the sockets. */
static void writes_confine(const struct config *c)
{
	char **folders = xcalloc(c->n_outputs + 2, sizeof(*folders));
	const char *why;
	unsigned n = 0;

	for (unsigned i = 0; i < c->n_outputs; i++)
		if (strcmp(c->outputs[i].path, "-") && (folders[n] = folder_of(c->outputs[i].path)))
			n++;
	if ((folders[n] = folder_of(c->socket ? c->socket : CONTROL_SOCKET)))
		n++;
	if (c->metrics && !strncmp(c->metrics, "unix:", 5) &&
	    (folders[n] = folder_of(c->metrics + 5)))
		n++;
	why = writable_only(folders, n);
	if (why)
		fprintf(stderr, "invigil: it can write wherever root can: %s\n", why);
	while (n)
		free(folders[--n]);
	free(folders);
}

static bool daemon_open(struct config *given)
{
	static const struct control_ops ops = { status_write, on_caller_run, on_caller_end,
						on_caller_gone };
	struct rlimit none = { 0, 0 };
	const struct config *c;

	memory_lean();
	d.attacher.fd = -1;
	d.began = boot_now();
	d.totals.began_s = (uint64_t)time(NULL);
	prctl(PR_SET_DUMPABLE, 0); /* ring memory holds plaintext */
	setrlimit(RLIMIT_CORE, &none);
	d.setup = setup_new(given);
	if (!d.setup)
		return false;
	c = &d.setup->config;
	engine_bytes_ask(c->engine_bytes);
	failed_execs_ask(c->failed_execs);
	if (!kernel_btf_use(c->btf))
		return false;
	d.loader = loader_open(c->env_reads, true, c->log_patterns != NULL);
	if (!d.loader)
		return false;
	for (unsigned i = 0; i < n_ci_providers; i++)
		loader_marker(d.loader, ci_providers[i].marker);
	if (!selectors_arm(c))
		return false;
	d.control = control_open(c->socket, &ops);
	if (!d.control || !state_open(c->socket, d.key) || !found_begin())
		return false;
	if (c->metrics)
		d.scrape = scrape_open(c->metrics, setup_group(), metrics_make);
	if (c->metrics && !d.scrape)
		return false;
	writes_confine(c);
	return !privilege_drop(PRIVILEGE_DAEMON);
}

int cmd_daemon(struct config *c)
{
	unsigned empty = 0;
	int signals;

	if (geteuid()) {
		fprintf(stderr, "invigil: daemon needs root\n");
		return 125;
	}
	if (c->check_config)
		return 0; /* it was read */
	signals = signals_open();
	if (signals < 0 || !daemon_open(c)) {
		loader_close(d.loader);
		return 125;
	}
	notify("READY=1");
	fprintf(stderr, "invigil: watching for runs\n");
	while (!d.stop) {
		struct pollfd fds[3 + SCRAPE_FDS + CONTROL_FDS] = {
			{ signals, POLLIN, 0 },
			{ loader_ring_fd(d.loader), POLLIN, 0 },
			{ d.scan ? scan_fd(d.scan) : -1, POLLIN, 0 },
		};
		unsigned n = 3 + scrape_fds(d.scrape, fds + 3);
		uint64_t before = d.records;

		n += control_fds(d.control, fds + n);
		poll(fds, n, d.n_jobs ? loader_wait_ms(empty, true) : IDLE_MS);
		signals_hear(signals);
		loader_drain(d.loader, on_record, NULL);
		empty = d.records == before ? empty + 1 : 0;
		losses_before();
		probes_hear();
		build_table_look(loader_builds(d.loader), on_shared, NULL);
		jobs_check();
		found_hear();
		for (unsigned i = 0; i < d.n_jobs; i++)
			job_flush(d.jobs[i]);
		rates_look(boot_now());
		notify_alive(boot_now());
		callers_let_go();
		control_serve(d.control, boot_now());
		scrape_serve(d.scrape, boot_now());
	}
	loader_stop(d.loader);
	loader_drain(d.loader, on_record, NULL);
	if (d.leave)
		jobs_leave();
	else
		while (d.n_jobs)
			job_end(d.jobs[0]);
	control_drain(d.control, CLOSE_MS);
	control_close(d.control);
	scrape_close(d.scrape);
	loader_close(d.loader);
	setup_drop(d.setup);
	free(d.tickets);
	return 0;
}
