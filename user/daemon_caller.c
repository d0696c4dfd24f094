/* daemon_caller.c: the runs that callers ask for: `invigil run` without root. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "adopt.h"
#include "begin.h"
#include "coverage.h"
#include "daemon_state.h"
#include "event.h"
#include "host.h"
#include "loader.h"
#include "made.h"
#include "monitor.h"
#include "recording.h"
#include "request.h"

#define READY_NS 30000000000ull /* an attacher may wait so long for its first probes */

static bool caller_may(const struct caller *c)
{
	gid_t group;
	char *user;
	bool may = !caller_uid(c) || (group_named("invigil", &group) && caller_in_group(c, group));

	user = user_name(caller_uid(c));
	for (char **p = d.setup->config.callers; p && *p; p++)
		may |= !strcmp(*p, user);
	free(user);
	return may;
}

/* As job_record() for a run that is asked for: COMMAND has not been executed yet. */
static void caller_record(struct job *job, const struct request *r, const char *id)
{
	char *user = user_name(job->identity.uid);
	struct begin_who who = { .id = id,
				 .kind = "run",
				 .uid = job->identity.uid,
				 .user = user,
				 .cwd = r->cwd,
				 .root_pid = job->root_pid };
	struct buf begin = { 0 };

	begin_make(&job->config, &who, &begin);
	begin_add(&begin, "exec_gate", SPAN("off"));
	coverage_add(&begin, d.loader, true, job->config.env_reads, "off");
	buf_add(&begin, r->begin.ptr, r->begin.len);
	job_first(job, &begin, 0);
	buf_free(&begin);
	free(user);
}

/* A run that has it already goes on without it. */
static void process_move(const struct job *to)
{
	for (unsigned i = 0; i < d.n_jobs; i++) {
		struct ev_moved e = { .pid = to->root_pid };
		const char *id = pipeline_run(to->pipeline)->id;

		if (d.jobs[i] != to)
			made_record(d.jobs[i]->pipeline, d.jobs[i]->run, boot_now(), EV_MOVED, &e,
				    sizeof(e), id, strlen(id));
	}
}

/* A stream's cookie_io_functions_t.write: who left gets no more of it. */
static ssize_t recording_write(void *cookie, const char *bytes, size_t n)
{
	struct job *job = cookie;

	if (job->caller)
		caller_tell(job->caller, MESSAGE_RECORD, 0, (struct span){ bytes, n });
	return (ssize_t)n;
}

static void recording_start(struct job *job)
{
	static const cookie_io_functions_t io = { .write = recording_write };

	job->recording = fopencookie(job, "w", io);
	if (!job->recording)
		return;
	setvbuf(job->recording, NULL, _IOFBF, MESSAGE_TEXT_MAX);
	recording_begin(job->recording);
	pipeline_record_own(job->pipeline, job->recording, job->identity.uid);
}

static struct job *caller_begin(struct caller *c, const struct request *r, pid_t pid, int pidfd)
{
	struct job *job;
	char id[37];
	int err;

	run_id_new(id);
	job = job_new(ticket_new(), id, boot_now(), pid);
	if (!job)
		return NULL;
	job->asked = true;
	job->caller = c;
	job->identity.uid = caller_uid(c);
	job->config.fail_on = r->fail_on;
	job->config.require_complete = r->require_complete;
	job->summary = r->summary;
	job->verbose = r->verbose;
	job->colour = r->colour;
	job->markdown = r->markdown;
	if (r->record)
		recording_start(job);
	for (unsigned i = 0; i < r->n_files; i++)
		job->files[job->n_files++] = xstrdup(r->files[i]);
	caller_record(job, r, id);
	job_watch(job);
	ticket_add(job->run, job);
	on_gap(job, "exec gate", "the daemon holds no program",
	       "variables that a program reads before probes are attached to its files", false);
	process_move(job);
	err = loader_member_fd(d.loader, pidfd, job->run);
	if (err)
		on_gap(job, "processes", strerror(-err), "COMMAND itself", true);
	fprintf(stderr, "invigil: run %s begins: asked for, pid %u, user %s\n", id, job->root_pid,
		pipeline_run(job->pipeline)->user);
	return job;
}

const char *on_caller_run(struct caller *c, struct span text, int pidfd)
{
	const char *why = NULL;
	struct request r;
	struct job *job;
	pid_t pid;

	if (!caller_may(c))
		return "this user is neither of the group invigil nor among the configuration's callers";
	if (d.n_jobs >= RUNS_MAX) {
		d.refused_runs++;
		return "too many runs are active";
	}
	if (request_read(text, &r, &why) &&
	    (pid = adopt_pid(pidfd, caller_pid(c), caller_uid(c), &why))) {
		job = caller_begin(c, &r, pid, pidfd);
		why = job ? NULL : "the run could not be begun";
		caller_run_set(c, job);
	}
	buf_free(&r.begin);
	return why;
}

/* COMMAND may begin as soon as what is known beforehand has its probes. */
void callers_let_go(void)
{
	for (unsigned i = 0; i < d.n_jobs; i++) {
		struct job *job = d.jobs[i];

		if (!job->caller || job->let_go ||
		    (!d.attacher.ready && d.attacher.fd >= 0 && boot_now() - job->began < READY_NS))
			continue;
		job->let_go = true;
		caller_tell(job->caller, MESSAGE_MEMBER, 0, (struct span){ 0 });
	}
}

void caller_close(struct job *job)
{
	struct pipeline_verdict v = pipeline_verdict(job->pipeline);
	struct buf text = { 0 };

	if (job->summary)
		pipeline_summary(job->pipeline, (const char *const *)job->files, job->n_files,
				 job->colour, job->verbose, &text);
	caller_flush(job->caller);
	if (job->recording)
		fflush(job->recording);
	if (job->markdown) {
		struct buf report = { 0 };

		pipeline_markdown(job->pipeline, &report);
		caller_tell(job->caller, MESSAGE_REPORT, 0,
			    (struct span){ report.ptr, report.len });
		buf_free(&report);
	}
	if (text.len)
		caller_tell(job->caller, MESSAGE_SUMMARY, 0, (struct span){ text.ptr, text.len });
	caller_tell(job->caller, MESSAGE_DONE, v.tripped ? VERDICT_TRIPPED : VERDICT_OK,
		    (struct span){ 0 });
	caller_finish(job->caller);
	buf_free(&text);
}

void on_caller_gone(struct caller *c)
{
	struct job *job = caller_run(c);

	job->caller = NULL;
}

void on_caller_end(struct caller *c, int status)
{
	struct job *job = caller_run(c);

	/* The record of its end was written before its parent could hear of it. */
	loader_drain(d.loader, on_record, NULL);
	job->status = status;
	job_end(job);
}
