/* daemon_probes.c: the process that attaches probes in the files which runs execute, while one is active. */
#include <stdlib.h>
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
