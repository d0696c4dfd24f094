/* stream.c: numbers, frames and hands out the lines of the event stream. */
#include <string.h>
#include "ecs.h"
#include "stream_line.h"

static void prefix_make(struct stream *s)
{
	const struct run *r = s->run;
	struct buf b = { 0 };
	struct jsonw *j = &s->json;

	jsonw_begin(j, &b, &r->masker);
	jsonw_obj(j, "ecs");
	jsonw_str(j, "version", ECS_VERSION);
	jsonw_close(j);
	jsonw_obj(j, "host");
	jsonw_str(j, "name", r->host_name);
	jsonw_str(j, "id", r->host_id);
	jsonw_str(j, "architecture", r->host_arch);
	jsonw_obj(j, "os");
	jsonw_str(j, "type", "linux");
	jsonw_str(j, "kernel", r->host_kernel);
	jsonw_close(j);
	jsonw_close(j);
	jsonw_obj(j, "observer");
	jsonw_str(j, "vendor", "invigil");
	jsonw_str(j, "product", "invigil");
	jsonw_str(j, "type", "runtime-monitor");
	jsonw_str(j, "version", INVIGIL_VERSION);
	jsonw_close(j);
	jsonw_end(j);
	/* Members only: without the braces and the line's end. */
	buf_add(&s->prefix, b.ptr + 1, b.len - 3);
	buf_free(&b);
}

void stream_init(struct stream *s, const struct run *r, bool alerts_only, stream_sink *sink,
		 void *ctx)
{
	memset(s, 0, sizeof(*s));
	s->run = r;
	s->alerts_only = alerts_only;
	s->sink = sink;
	s->sink_ctx = ctx;
	prefix_make(s);
}

void stream_free(struct stream *s)
{
	buf_free(&s->line);
	buf_free(&s->prefix);
	buf_free(&s->id);
	buf_free(&s->frame_json);
	jsonw_free(&s->json);
}

static void frame_write(struct jsonw *j, const void *what)
{
	const struct frame *f = what;

	jsonw_str(j, "kind", f->kind);
	jsonw_arr(j, "category");
	jsonw_str(j, NULL, f->category);
	jsonw_close(j);
	jsonw_arr(j, "type");
	jsonw_str(j, NULL, f->type);
	if (f->type2)
		jsonw_str(j, NULL, f->type2);
	jsonw_close(j);
	jsonw_str(j, "action", f->action);
	jsonw_str(j, "dataset", f->dataset);
	jsonw_str(j, "module", "invigil");
}

bool stream_line_begin(struct stream *s, uint64_t time, const struct frame *f, bool always)
{
	struct jsonw *j = &s->json;

	s->sequence++;
	if (s->alerts_only && !always)
		return false;
	s->output_sequence++;
	if (!s->sink)
		return false;
	buf_reset(&s->line);
	jsonw_begin(j, &s->line, &s->run->masker);
	jsonw_time(j, "@timestamp", time);
	jsonw_copy(j, s->prefix.ptr, s->prefix.len);
	jsonw_obj(j, "event");
	if (memcmp(&s->frame, f, sizeof(*f))) {
		s->frame = *f;
		buf_reset(&s->frame_json);
	}
	jsonw_once(j, &s->frame_json, frame_write, f);
	buf_reset(&s->id);
	buf_str(&s->id, s->run->id);
	buf_byte(&s->id, ':');
	buf_u64(&s->id, s->sequence);
	jsonw_span(j, "id", (struct span){ s->id.ptr, s->id.len });
	jsonw_u64(j, "sequence", s->sequence);
	return true;
}

void stream_invigil_begin(struct stream *s)
{
	jsonw_obj(&s->json, "invigil");
	if (s->alerts_only) {
		jsonw_obj(&s->json, "output");
		jsonw_bool(&s->json, "reduced", true);
		jsonw_u64(&s->json, "sequence", s->output_sequence);
		jsonw_close(&s->json);
	}
	jsonw_obj(&s->json, "run");
	jsonw_str(&s->json, "id", s->run->id);
}

void stream_line_end(struct stream *s)
{
	int error;

	jsonw_raw(&s->json, "raw");
	jsonw_close(&s->json);
	jsonw_end(&s->json);
	error = s->sink(s->sink_ctx, s->line.ptr, s->line.len);
	if (!error) {
		s->written++;
		return;
	}
	s->failed++;
	if (!s->error)
		s->error = error;
}

/* ---- event lines ---- */

static const char *docker_type(enum docker_change c)
{
	switch (c) {
	case CHANGE_CREATION:
		return "creation";
	case CHANGE_CHANGE:
		return "change";
	case CHANGE_DELETION:
		return "deletion";
	default:
		return "access";
	}
}

static const char *health_action(enum health_kind what)
{
	switch (what) {
	case HEALTH_LOST:
		return "events-lost";
	case HEALTH_CUT:
		return "stream-cut";
	case HEALTH_MISSED:
		return "process-missed";
	case HEALTH_ATTACK:
		return "monitor-attacked";
	case HEALTH_CLAIM:
		return "identity-claimed";
	default:
		return "coverage-gap";
	}
}

static bool has_info(const struct report *r)
{
	for (unsigned i = 0; r && i < r->n; i++)
		if (rule_severity(r->at[i].rule) == SEV_INFO)
			return true;
	return false;
}

/* False: this fact has no line. */
static bool frame_of(const struct fact *f, const struct report *findings, struct frame *out)
{
	switch (f->kind) {
	case FACT_RUN_START:
		*out = (struct frame){ "state", "host", "start", NULL, "run-start", "invigil.run" };
		return true;
	case FACT_EXEC:
	case FACT_ATTEMPT:
		*out = (struct frame){
			"event", "process", "start", NULL, "exec", "invigil.process"
		};
		return true;
	case FACT_EXIT:
		*out = (struct frame){ "event", "process", "end", NULL, "exit", "invigil.process" };
		return true;
	case FACT_ENV:
		*out = (struct frame){ "event", "process",  "access",
				       NULL,    "env-read", "invigil.environment" };
		return true;
	case FACT_CONNECT:
		*out = (struct frame){
			"event",         "network", "connection", "start", "docker-socket-connect",
			"invigil.docker"
		};
		return true;
	case FACT_DOCKER:
		*out = (struct frame){ "event",
				       "api",
				       docker_type(f->docker.route->change),
				       NULL,
				       f->docker.route->text,
				       "invigil.docker" };
		return true;
	case FACT_FILE:
		/* Other files are worth a line when something was found in what was done to them. */
		if (!f->file.is_log && (!findings || !findings->n))
			return false;
		*out = (struct frame){ "event",
				       "file",
				       f->file.created ? "creation" : ecs_file_type(f->file.action),
				       NULL,
				       ecs_file_action(f->file.action, f->file.is_log),
				       "invigil.file" };
		return true;
	case FACT_PEEK:
		*out = (struct frame){ "event", "process",     "access",
				       NULL,    "memory-read", "invigil.process" };
		if (f->peek.how == PEEK_ENVIRON) {
			out->action = "env-read";
			out->dataset = "invigil.environment";
		}
		return true;
	case FACT_HASH:
		*out = (struct frame){ "event", "file",         "info",
				       NULL,    "program-hash", "invigil.process" };
		return true;
	case FACT_HEALTH:
		*out = (struct frame){
			"metric",        "host", "info", NULL, health_action(f->health.what),
			"invigil.health"
		};
		return true;
	case FACT_RUN_END:
	case FACT_SCRIPT: /* these are told by alerts alone */
	case FACT_FED:
	case FACT_INET:
	case FACT_LEAK:
		break;
	}
	return false;
}

static void outcome_write(struct jsonw *j, const struct fact *f)
{
	int status;

	switch (f->kind) {
	case FACT_EXEC:
		jsonw_str(j, "outcome", "success");
		break;
	case FACT_EXIT:
		if (!f->process)
			break;
		jsonw_str(j, "outcome", f->process->status ? "failure" : "success");
		if (f->process->start && f->process->ended >= f->process->start)
			jsonw_u64(j, "duration", f->process->ended - f->process->start);
		break;
	case FACT_ATTEMPT:
		jsonw_str(j, "outcome", "failure");
		break;
	case FACT_HASH:
		jsonw_str(j, "outcome", f->hash.status <= HASH_CHANGED ? "success" : "failure");
		break;
	case FACT_CONNECT:
		jsonw_str(j, "outcome", f->connect.error ? "failure" : "success");
		break;
	case FACT_DOCKER:
		status = f->docker.status;
		jsonw_str(j, "outcome", !status ? "unknown" : status < 400 ? "success" : "failure");
		if (f->docker.duration)
			jsonw_u64(j, "duration", f->docker.duration);
		break;
	default:
		break;
	}
}

static void findings_write(struct jsonw *j, const struct report *r)
{
	if (!has_info(r))
		return;
	jsonw_arr(j, "findings");
	for (unsigned i = 0; i < r->n; i++) {
		const struct finding *f = &r->at[i];

		if (rule_severity(f->rule) != SEV_INFO)
			continue;
		jsonw_obj(j, NULL);
		jsonw_str(j, "rule", f->rule->id);
		if (f->evidence.len)
			jsonw_span(j, "evidence",
				   (struct span){ f->evidence.ptr, f->evidence.len });
		jsonw_close(j);
	}
	jsonw_close(j);
}

/* The stack that made a process is on its exec line, and not said again with what it does. */
static enum detail source_detail(const struct fact *f)
{
	const struct process *p = f->process;
	bool exec = f->kind & (FACT_EXEC | FACT_ATTEMPT);

	return !exec && p && p->executed && !p->missed && p->source == f->source ? DETAIL_BRIEF
										 : DETAIL_WHOLE;
}

void stream_fact(struct stream *s, const struct fact *f, const struct report *findings)
{
	bool start = f->kind == FACT_RUN_START;
	struct jsonw *j = &s->json;
	struct frame frame;

	if (!frame_of(f, findings, &frame) ||
	    !stream_line_begin(s, f->time, &frame, start || f->kind == FACT_HEALTH))
		return;
	outcome_write(j, f);
	jsonw_close(j);
	ecs_process(j, f->process, s->run,
		    f->kind & (FACT_EXEC | FACT_ATTEMPT) ? DETAIL_WHOLE : DETAIL_BRIEF);
	ecs_fact(j, f);
	if (start)
		ecs_job(j, s->run);
	if (f->process && f->process->container_id && f->kind != FACT_DOCKER)
		ecs_container(j, span_of(f->process->container_id), f->container_name,
			      f->container_image);
	stream_invigil_begin(s);
	if (start)
		stream_run_write(j, s->run);
	jsonw_close(j);
	ecs_fact_invigil(j, f, true);
	ecs_test(j, f->test);
	ecs_source(j, f->source, source_detail(f));
	findings_write(j, findings);
	if (findings && findings->more)
		jsonw_u64(j, "findings_more", findings->more);
	stream_line_end(s);
}

/* ---- alerts ---- */

static void references_write(struct jsonw *j, const char *refs)
{
	if (!refs || !refs[strspn(refs, " ")])
		return;
	jsonw_arr(j, "references");
	for (const char *at = refs + strspn(refs, " "); *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		jsonw_span(j, NULL, (struct span){ at, n });
		at += n;
	}
	jsonw_close(j);
}

static void alert_write(struct jsonw *j, const struct alert *a, bool repeat)
{
	jsonw_str(j, "severity", severity_text(a->severity));
	jsonw_obj(j, "risk");
	jsonw_str(j, "id", categories[a->rule->risk].id);
	jsonw_str(j, "name", categories[a->rule->risk].name);
	jsonw_close(j);
	if (a->subject.len)
		jsonw_span(j, "subject", (struct span){ a->subject.ptr, a->subject.len });
	if (a->evidence.len)
		jsonw_span(j, "evidence", (struct span){ a->evidence.ptr, a->evidence.len });
	jsonw_str(j, "remedy", a->rule->remedy);
	jsonw_str(j, "fingerprint", a->fingerprint);
	jsonw_u64(j, "count", a->count);
	references_write(j, a->rule->references);
	if (repeat) {
		jsonw_time(j, "first", a->first);
		jsonw_time(j, "last", a->last);
	}
}

void stream_alert(struct stream *s, const struct alert *a, const struct fact *f, bool repeat)
{
	struct frame frame = { "alert", "intrusion_detection", "info",
			       NULL,    a->rule->name,         "invigil.alert" };
	const struct process *p = f->process ? f->process : a->process;
	/* A repeat speaks of the first sight; what the fact at hand is about is not its matter. */
	bool about = !repeat && f->kind != FACT_RUN_END;
	struct jsonw *j = &s->json;

	if (!stream_line_begin(s, f->time, &frame, true))
		return;
	jsonw_i64(j, "severity", severity_ecs(a->severity));
	jsonw_close(j);
	ecs_rule(j, a->rule);
	ecs_threat(j, a->rule);
	ecs_process(j, p, s->run, DETAIL_BRIEF);
	ecs_job(j, s->run);
	if (about)
		ecs_fact(j, f);
	if (!about || f->kind != FACT_DOCKER) {
		struct span id = a->container_id;

		if (!id.len && p)
			id = span_of(p->container_id);
		ecs_container(j, id, a->container_name, SPAN(""));
	}
	stream_invigil_begin(s);
	jsonw_close(j);
	alert_write(j, a, repeat);
	ecs_ancestry(j, p);
	ecs_test(j, about ? f->test : a->test);
	ecs_source(j, about ? f->source : a->source, DETAIL_WHOLE);
	if (about)
		ecs_fact_invigil(j, f, false);
	stream_line_end(s);
}
