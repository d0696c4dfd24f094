/* finish.c: the end of a run: repeats, what is left behind, the verdict, the summary. */
#include <stdlib.h>
#include "markdown.h"
#include "object_name.h"
#include "pipeline_state.h"
#include "recording.h"
#include "summary.h"

static void left_add(void *ctx, enum docker_object kind, struct span id, struct span name)
{
	struct pipeline *p = ctx;
	struct buf b = { 0 };

	buf_str(&b, docker_object_text(kind));
	buf_byte(&b, ' ');
	id = digest_trim(id);
	if (name.len)
		buf_add(&b, name.ptr, name.len);
	else
		buf_add(&b, id.ptr, id.len > 12 ? 12 : id.len);
	p->left = xrealloc(p->left, (p->n_left + 1) * sizeof(*p->left));
	p->left[p->n_left++] = (struct span){ b.ptr, b.len };
}

static bool verdict_trips(const struct pipeline *p)
{
	if (p->config->require_complete && !p->run.complete)
		return true;
	return p->config->fail_on > 0 && (int)alerts_worst(&p->alerts, false) >= p->config->fail_on;
}

static struct run_result result_of(const struct pipeline *p)
{
	bool armed = p->config->fail_on > 0 || p->config->require_complete;

	return (struct run_result){
		.verdict = p->tripped ? "tripped"
			   : armed    ? "passed"
				      : "off",
		.fail_on = p->config->fail_on > 0 ? severity_text(p->config->fail_on) : "never",
		.alerts = &p->alerts,
		.left_objects = p->left,
		.n_left_objects = p->n_left,
	};
}

void pipeline_finish(struct pipeline *p)
{
	struct fact f = { .kind = FACT_RUN_END, .run = &p->run };
	struct run_result result;
	struct process **alive;

	if (p->finished || !p->begun)
		return;
	p->finished = true;
	alive = table_alive(p->table, &result.n_left_processes);
	for (unsigned i = 0; i < result.n_left_processes; i++)
		env_settle(p, alive[i]);
	free(alive);
	attempts_finish(p);
	dialogue_finish(p->dialogue, p->now);
	modules_finish(p);
	if (p->run.rejected) {
		struct buf what = { 0 };

		buf_fmt(&what, "%llu records", (unsigned long long)p->run.rejected);
		health_emit(p, HEALTH_CUT, NULL, SPAN("decode"),
			    SPAN("malformed records were rejected"), span_of(what.ptr),
			    p->run.rejected, NULL, true);
		buf_free(&what);
	}
	ledger_left(p->ledger, left_add, p);
	alerts_mask(&p->alerts, &p->run.masker);
	for (unsigned i = 0; i < p->alerts.n; i++)
		if (p->alerts.at[i].count > 1 && p->alerts.at[i].severity > SEV_INFO) {
			struct fact again = { .kind = FACT_RUN_END,
					      .run = &p->run,
					      .time = p->alerts.at[i].last,
					      .process = p->alerts.at[i].process };

			stream_alert(&p->stream, &p->alerts.at[i], &again, true);
		}
	if (p->alerts.dropped)
		p->run.complete = false;
	p->tripped = verdict_trips(p);
	result = result_of(p);
	alive = table_alive(p->table, &result.n_left_processes);
	result.left_processes = (const struct process **)alive;
	if (!p->run.ended)
		p->run.ended = wall(p, p->now);
	f.time = p->run.ended;
	f.end.status = p->run.status;
	stream_run_end(&p->stream, &f, &result);
	free(alive);
	recording_finish(p);
}

void pipeline_findings(const struct pipeline *p, uint64_t findings[SEVERITIES], uint64_t *dropped)
{
	for (unsigned r = 0; r < RISKS; r++)
		for (unsigned s = 0; s < SEVERITIES; s++)
			findings[s] += p->alerts.tally[r][s];
	*dropped += p->alerts.dropped;
}

struct pipeline_verdict pipeline_verdict(const struct pipeline *p)
{
	return (struct pipeline_verdict){
		.complete = p->run.complete,
		.tripped = p->tripped,
		.output_error = p->stream.error ? p->stream.error : p->recording_error,
		.recording_error = p->recording_error,
		.rejected = p->run.rejected,
	};
}

static void report_write(const struct pipeline *p, struct summary_input in,
			 void (*write)(const struct summary_input *in, struct buf *out),
			 struct buf *out)
{
	struct run_result result = result_of(p);
	struct process **alive = table_alive(p->table, &result.n_left_processes);

	result.left_processes = (const struct process **)alive;
	in.run = &p->run;
	in.alerts = &p->alerts;
	in.result = &result;
	in.gaps = (const char *const *)p->gaps;
	in.n_gaps = p->n_gaps;
	write(&in, out);
	free(alive);
}

void pipeline_summary(const struct pipeline *p, const char *const *files, unsigned n_files,
		      bool colour, bool verbose, struct buf *out)
{
	struct summary_input in = {
		.files = files, .n_files = n_files, .colour = colour, .verbose = verbose
	};

	report_write(p, in, summary_write, out);
}

void pipeline_markdown(const struct pipeline *p, struct buf *out)
{
	report_write(p, (struct summary_input){ 0 }, markdown_write, out);
}
