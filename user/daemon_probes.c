/* daemon_probes.c: the process that attaches probes in the files which runs execute, while one is active. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon_state.h"
#include "event.h"
#include "host.h"
#include "loader.h"
#include "made.h"
#include "probe.h"

#define AGAIN_NS 1000000000ull /* one that cannot live must not cost more than the runs */

static void gap_tell(struct job *job, const char *reason, bool again)
{
	on_gap(job, "environment reads", reason,
	       again ? "variables read by name until another one has attached them anew"
		     : "variables read by name from here on",
	       true);
}

static bool stuck_lives(void)
{
	for (unsigned i = 0; i < ATTACHERS_LEFT; i++)
		if (d.attacher.left[i].pid && d.attacher.left[i].stuck)
			return true;
	return false;
}

void probes_gaps(struct job *job)
{
	if (d.attacher.fd < 0)
		gap_tell(job, "the process that attaches probes ended", d.attacher_due);
	if (stuck_lives())
		on_gap(job, "environment reads",
		       "a process that attaches probes is stuck in a file that a run serves",
		       "how often a variable is read: its probes count, too", false);
}

/*
 * Stuck, it outlives the daemon: outputs that it held would be locked, and a socket that still takes calls is
 * one that somebody serves, for the next daemon. The caller frees what is returned.
 */
static int *leave_list(unsigned *n)
{
	struct pollfd sockets[SCRAPE_FDS + CONTROL_FDS];
	unsigned n_sockets = scrape_fds(d.scrape, sockets), most;
	int *leave;

	n_sockets += control_fds(d.control, sockets + n_sockets);
	most = n_sockets;
	for (unsigned i = 0; i < d.n_jobs; i++)
		most += d.jobs[i]->out.n;
	leave = xcalloc(most, sizeof(*leave));
	*n = 0;
	for (unsigned i = 0; i < n_sockets; i++)
		leave[(*n)++] = sockets[i].fd;
	for (unsigned i = 0; i < d.n_jobs; i++)
		for (unsigned k = 0; k < d.jobs[i]->out.n; k++)
			leave[(*n)++] = d.jobs[i]->out.to[k].output->fd;
	return leave;
}

static bool attacher_make(void)
{
	unsigned n;
	bool made;
	int *leave = leave_list(&n);

	made = attacher_start(&d.attacher, d.loader, getenv("PATH"), -1, leave, n);
	free(leave);
	if (!made)
		fprintf(stderr,
			"invigil: the process that attaches probes could not be started: %s\n",
			strerror(errno));
	loader_guard(d.loader, ATTACK_ATTACHER, made ? d.attacher.pid : 0);
	d.attacher_due = 0;
	d.attachers += made;
	return made;
}

bool probes_begin(void)
{
	if (d.attached)
		return true;
	if (!loader_activate(d.loader))
		return false;
	d.attached = boot_now();
	loader_guard(d.loader, ATTACK_MONITOR, getpid());
	attacher_make();
	return true;
}

/* Told while other runs were active: the files are not looked at again. */
void probes_known(struct job *job)
{
	for (unsigned i = 0; i < d.attacher.n_unseen; i++) {
		const struct attacher_unseen *w = &d.attacher.unseen[i];
		bool said = false;

		for (unsigned k = 0; k < i; k++)
			said |= !strcmp(d.attacher.unseen[k].why, w->why);
		if (!said)
			on_gap(job, "environment reads", w->why, "variables read by name", false);
		made_unseen(job->pipeline, job->run, boot_now(), w->ino, w->dev, w->why);
	}
}

void probes_end(void)
{
	attacher_stop(&d.attacher);
	d.attacher_due = d.attached = 0;
	loader_idle(d.loader);
}

static void process_ask(void *ctx, uint32_t pid, uint64_t start)
{
	struct job *job = ctx;
	struct ev_hdr h = { .pid = pid, .start = start, .run = job->run };

	probes_ask(job, &h);
}

static void late_tell(struct job *job, uint32_t pid, uint64_t start)
{
	struct ev_late e = { .start = start, .pid = pid };

	made_record(job->pipeline, job->run, boot_now(), EV_LATE, &e, sizeof(e), NULL, 0);
	if (!job->late)
		on_gap(job, "environment reads",
		       "probes were attached after the program had started",
		       "reads made before that", false);
	job->late = true;
}

void probes_ask(struct job *job, const struct ev_hdr *exec)
{
	unsigned before = d.attacher.not_asked;

	/* What is attached before anything is asked for came after it had started. */
	if (!d.attacher.ready || exec->time < d.attacher_ready)
		late_tell(job, exec->pid, exec->start);
	attacher_ask(&d.attacher, exec, NULL);
	job->not_asked += d.attacher.not_asked - before;
}

/* Its probes went with it: another one attaches them anew, first of all in what runs now. */
static void attacher_again(void)
{
	bool made = attacher_make();

	for (unsigned i = 0; i < d.n_jobs; i++)
		if (made)
			pipeline_each(d.jobs[i]->pipeline, process_ask, d.jobs[i]);
		else
			gap_tell(d.jobs[i], "no other process that attaches probes can be started",
				 false);
	if (made && stuck_lives())
		for (unsigned i = 0; i < d.n_jobs; i++)
			probes_gaps(d.jobs[i]);
}

static void attacher_lost(const char *reason, uint64_t now)
{
	loader_guard(d.loader, ATTACK_ATTACHER, 0);
	d.attacher_due = now + AGAIN_NS;
	fprintf(stderr, "invigil: another one is started: %s\n", reason);
	for (unsigned i = 0; i < d.n_jobs; i++)
		gap_tell(d.jobs[i], reason, true);
}

static void word_take(const struct attacher_word *w)
{
	struct job *job = job_of(w->run);

	if (w->say == ATTACHER_READY)
		d.attacher_ready = boot_now();
	if (w->say == ATTACHER_LATE && job)
		late_tell(job, w->pid, w->start);
	for (unsigned i = 0; w->say == ATTACHER_UNSEEN && i < d.n_jobs; i++)
		made_unseen(d.jobs[i]->pipeline, d.jobs[i]->run, boot_now(), w->ino, w->dev,
			    w->why);
	for (unsigned i = 0; w->say == ATTACHER_TROUBLE && i < d.n_jobs; i++)
		on_gap(d.jobs[i], "environment reads", w->why, "variables read by name", false);
}

void probes_words(void)
{
	struct attacher_word w;
	int heard;

	while ((heard = attacher_hear(&d.attacher, &w)) > 0)
		word_take(&w);
	if (heard < 0)
		attacher_lost("the process that attaches probes ended", boot_now());
}

void probes_hear(void)
{
	uint64_t now = boot_now();

	probes_words();
	if (attacher_stuck(&d.attacher, now)) {
		attacher_stop(&d.attacher);
		attacher_lost("the process that attaches probes does not get on with a file", now);
	}
	if (d.n_jobs && d.attacher_due && now >= d.attacher_due)
		attacher_again();
	attacher_reap(&d.attacher);
}
