/* stream_run.c: what the stream says of the run as a whole, at its start and at its end. */
#include "ecs.h"
#include "event.h"
#include "record.h"
#include "stream_line.h"

static void coverage_write(struct jsonw *j, const struct run *r)
{
	if (!r->n_coverage)
		return;
	jsonw_arr(j, "coverage");
	for (unsigned i = 0; i < r->n_coverage; i++) {
		jsonw_obj(j, NULL);
		jsonw_str(j, "hook", r->coverage[i].hook);
		jsonw_str(j, "tier", r->coverage[i].tier);
		jsonw_str(j, "lacks", r->coverage[i].lacks);
		jsonw_str(j, "limit", r->coverage[i].limit);
		jsonw_close(j);
	}
	jsonw_close(j);
}

void stream_run_write(struct jsonw *j, const struct run *r)
{
	jsonw_str(j, "kind", r->kind ? r->kind : "run");
	jsonw_arr(j, "command");
	for (unsigned i = 0; i < r->commands; i++)
		jsonw_span(j, NULL, r->command[i]);
	jsonw_close(j);
	jsonw_str(j, "cwd", r->cwd);
	jsonw_str(j, "user", r->user);
	jsonw_str(j, "ci", r->ci ? r->ci->name : NULL);
	jsonw_str(j, "exec_gate", r->exec_gate);
	coverage_write(j, r);
	if (r->resumed)
		jsonw_bool(j, "resumed", true);
}

static void counts_write(struct jsonw *j, const struct run *r)
{
	jsonw_obj(j, "counts");
	jsonw_u64(j, "processes", r->processes);
	jsonw_u64(j, "execs", r->execs);
	jsonw_u64(j, "env_reads", r->env_reads);
	jsonw_u64(j, "connects", r->connects);
	jsonw_u64(j, "engine_calls", r->engine_calls);
	jsonw_u64(j, "cut", r->cut_records);
	jsonw_u64(j, "rejected", r->rejected);
	jsonw_obj(j, "records");
	for (unsigned i = EV_UNKNOWN + 1; i < EV_TYPES; i++)
		jsonw_u64(j, record_type_name(i), r->count[i]);
	jsonw_close(j);
	jsonw_close(j);
	jsonw_obj(j, "lost");
	for (unsigned i = EV_UNKNOWN; i < EV_TYPES; i++)
		if (r->lost[i])
			jsonw_u64(j, lost_name(i), r->lost[i]);
	jsonw_close(j);
	jsonw_bool(j, "complete", r->complete);
}

static void tally_write(struct jsonw *j, const struct alerts *a)
{
	uint64_t alerts = 0;

	jsonw_obj(j, "findings");
	for (unsigned i = 0; i < RISKS; i++) {
		jsonw_obj(j, categories[i].id);
		for (unsigned k = 0; k < SEVERITIES; k++)
			jsonw_u64(j, severity_text(k), a->tally[i][k]);
		jsonw_close(j);
	}
	jsonw_close(j);
	for (unsigned i = 0; i < a->n; i++)
		alerts += a->at[i].severity > SEV_INFO && a->at[i].severity < SEV_OFF;
	jsonw_obj(j, "alerts");
	jsonw_u64(j, "count", alerts);
	jsonw_u64(j, "dropped", a->dropped);
	jsonw_close(j);
}

static void left_write(struct jsonw *j, const struct run_result *r)
{
	jsonw_obj(j, "left_behind");
	jsonw_arr(j, "objects");
	for (unsigned i = 0; i < r->n_left_objects; i++)
		jsonw_span(j, NULL, r->left_objects[i]);
	jsonw_close(j);
	jsonw_arr(j, "processes");
	for (unsigned i = 0; i < r->n_left_processes; i++) {
		const struct process *p = r->left_processes[i];

		jsonw_obj(j, NULL);
		jsonw_u64(j, "pid", p->pid);
		jsonw_str(j, "entity_id", p->entity_id);
		if (p->name)
			jsonw_str(j, "name", p->name);
		jsonw_close(j);
	}
	jsonw_close(j);
	jsonw_close(j);
}

void stream_run_end(struct stream *s, const struct fact *f, const struct run_result *r)
{
	static const struct frame frame = {
		"state", "host", "end", NULL, "run-end", "invigil.run"
	};
	const struct run *run = s->run;
	int status = f->end.status;
	struct jsonw *j = &s->json;

	if (!stream_line_begin(s, f->time, &frame, true))
		return;
	jsonw_str(j, "outcome", status < 0 ? "unknown" : status ? "failure" : "success");
	jsonw_time(j, "start", run->began);
	jsonw_time(j, "end", run->ended);
	if (run->ended >= run->began)
		jsonw_u64(j, "duration", run->ended - run->began);
	jsonw_close(j);
	if (status >= 0) {
		jsonw_obj(j, "process");
		jsonw_i64(j, "exit_code", ecs_exit_code(status));
		jsonw_close(j);
	}
	ecs_job(j, run);
	stream_invigil_begin(s);
	stream_run_write(j, run);
	counts_write(j, run);
	if (r->alerts)
		tally_write(j, r->alerts);
	jsonw_str(j, "gate", r->verdict);
	jsonw_str(j, "fail_on", r->fail_on);
	left_write(j, r);
	jsonw_close(j);
	stream_line_end(s);
}
