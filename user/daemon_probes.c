/* daemon_probes.c: the process that attaches probes in the files which runs execute, while one is active. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon_state.h"
#include "event.h"
#include "host.h"
#include "loader.h"
#include "made.h"
#include "probe.h"

void attacher_gap(struct job *job)
{
	on_gap(job, "environment reads", "the process that attaches probes ended",
	       "variables read by name from here on", true);
}

/* The first run that is active: what costs something is attached. */
bool watch_begin(const struct job *job)
{
	int *leave = xcalloc(job->out.n + 1, sizeof(*leave));
	bool ok;

	for (unsigned i = 0; i < job->out.n; i++)
		leave[i] = job->out.to[i].output->fd;
	d.attacher_ready = false;
	ok = loader_activate(d.loader) &&
	     attacher_start(&d.attacher, d.loader, getenv("PATH"), -1, leave, job->out.n);
	free(leave);
	if (!ok)
		return false;
	loader_guard(d.loader, ATTACK_MONITOR, getpid());
	loader_guard(d.loader, ATTACK_ATTACHER, d.attacher.pid);
	return true;
}

/* Told while other runs were active: the files are not looked at again. */
void probes_known(struct job *job)
{
	for (unsigned i = 0; i < d.attacher.n_unseen; i++) {
		const struct attacher_word *w = &d.attacher.unseen[i];
		bool said = false;

		for (unsigned k = 0; k < i; k++)
			said |= !strcmp(d.attacher.unseen[k].why, w->why);
		if (!said)
			on_gap(job, "environment reads", w->why, "variables read by name", false);
		made_unseen(job->pipeline, job->run, boot_now(), w->ino, w->dev, w->why);
	}
}

void probes_hear(void)
{
	struct attacher_word w;
	int heard;

	while ((heard = attacher_hear(&d.attacher, &w)) > 0) {
		struct job *job = job_of(w.run);

		d.attacher_ready |= w.say == ATTACHER_READY;
		if (w.say == ATTACHER_LATE && job) {
			struct ev_late late = { .start = w.start, .pid = w.pid };

			made_record(job->pipeline, job->run, boot_now(), EV_LATE, &late,
				    sizeof(late), NULL, 0);
		}
		for (unsigned i = 0; w.say == ATTACHER_UNSEEN && i < d.n_jobs; i++)
			made_unseen(d.jobs[i]->pipeline, d.jobs[i]->run, boot_now(), w.ino, w.dev,
				    w.why);
		for (unsigned i = 0; w.say == ATTACHER_TROUBLE && i < d.n_jobs; i++)
			on_gap(d.jobs[i], "environment reads", w.why, "variables read by name",
			       false);
	}
	if (heard >= 0)
		return;
	loader_guard(d.loader, ATTACK_ATTACHER, 0);
	for (unsigned i = 0; i < d.n_jobs; i++)
		attacher_gap(d.jobs[i]);
}
