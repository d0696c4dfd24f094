/* take_process.c: processes of the run begin, execute and end. */
#include <stdlib.h>
#include <string.h>
#include "attempt.h"
#include "env_dump.h"
#include "pipeline_state.h"
#include "startup.h"

void take_fork(struct pipeline *p, const struct record *r)
{
	struct process *process = process_of(p, r);

	p->run.processes++;
	if (process->attempt && process->attempt->time < r->h->time)
		attempt_settle(p, process);
	table_fork(p->table, process, r->body, &p->run);
	source_none_say(p, process);
}

/* By its arguments: no probe sees who walks over its environment itself. */
static void dump_tell(struct pipeline *p, struct process *process, uint64_t time)
{
	struct fact f = { .kind = FACT_ENV, .time = time, .process = process };

	if (!process_dumps(process))
		return;
	f.env.mechanism = ENV_COPY;
	f.env.found = -1;
	fact_emit(p, &f);
}

void take_exec(struct pipeline *p, const struct record *r)
{
	struct fact f = { .kind = FACT_EXEC, .time = wall(p, r->h->time) };
	struct process *process;
	unsigned tried;

	if (!p->run.root_seen) {
		p->run.root_seen = true;
		memcpy(p->run.output, ((const struct ev_exec *)r->body)->fd + 1,
		       sizeof(p->run.output));
		if (!p->run.root_pid)
			p->run.root_pid = r->h->pid;
	}
	/* Forked by us, or made by an engine. */
	p->run.processes += !table_known(p->table, r->h->pid, r->h->start);
	tried = attempt_executed(p, r);
	f.process = process = table_exec(p->table, r->h, r->body, r->tail, &p->run);
	if (((const struct ev_exec *)r->body)->flags & EXEC_STEP && process->container_id)
		ledger_build_container(p->ledger, span_of(process->container_id),
				       (struct span){ NULL, 0 }, true);
	process->tried = tried;
	container_enter(p, process);
	process->env_unseen = unseen_of(p, process);
	p->run.execs++;
	f.exec.origin = provenance_find(p->provenance, process->exe_dev, process->exe_ino);
	if (reads_program(process))
		f.exec.input = flow_input(p, process);
	f.exec.startup = startup_find(process, p->run.cwd, p->provenance, &f.exec.variable);
	fact_emit(p, &f);
	startup_want(p, process);
	dump_tell(p, process, f.time);
	flow_exec(p, process, f.time);
	leak_exec(p, process, f.time);
	stdio_exec(p, process, r->h->time);
	if (f.process->args_want > f.process->args_len)
		health_emit(p, HEALTH_CUT, f.process, SPAN("exec arguments"),
			    SPAN("longer than is kept"), SPAN("the middle of the arguments"),
			    f.process->args_want - f.process->args_len, NULL, true);
}

/* Two threads that end together may both find no thread left: the second report is none. */
static bool exit_is_first(struct pipeline *p, const struct ev_hdr *h)
{
	for (unsigned i = 0; i < ARRAY_SIZE(p->ended); i++)
		if (p->ended[i].pid == h->pid && p->ended[i].start == h->start)
			return false;
	p->ended[p->n_ended % ARRAY_SIZE(p->ended)].pid = h->pid;
	p->ended[p->n_ended++ % ARRAY_SIZE(p->ended)].start = h->start;
	return true;
}

void take_exit(struct pipeline *p, const struct record *r)
{
	const struct ev_exit *e = r->body;
	struct fact f = { .kind = FACT_EXIT, .time = wall(p, r->h->time) };
	struct process *process;

	if (!exit_is_first(p, r->h))
		return;
	f.process = process = process_of(p, r);
	attempt_settle(p, process);
	dialogue_process_end(p->dialogue, process, r->h->time);
	process->ended = r->h->time;
	process->status = e->status;
	if (process->env_reads < e->env_reads + process->env_shell_reads)
		process->env_reads = e->env_reads + process->env_shell_reads;
	p->run.env_reads += process->env_reads;
	fact_emit(p, &f);
	table_exit(p->table, process, r->h->time, e->status);
}

/* It asked for a run of its own: what it does from here on is there. */
void take_moved(struct pipeline *p, const struct record *r)
{
	const struct ev_moved *e = r->body;
	struct process **alive;
	unsigned n;

	alive = table_alive(p->table, &n);
	for (unsigned i = 0; i < n; i++)
		if (alive[i]->pid == e->pid) {
			struct buf what = { 0 };

			buf_fmt(&what, "what it does is in run %.*s", (int)r->h->len, r->tail);
			health_emit(p, HEALTH_GAP, alive[i], SPAN("process"),
				    SPAN("it goes on in a run of its own"), span_of(what.ptr), 1,
				    NULL, false);
			buf_free(&what);
			table_exit(p->table, alive[i], r->h->time, 0);
		}
	free(alive);
}
