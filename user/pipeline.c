/* pipeline.c: drives one run: process table, dialogue, detectors, alerts and stream, in this order. */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "begin.h"
#include "made.h"
#include "pipeline_state.h"

#define GAPS_MAX 64

struct pipeline *pipeline_new(const struct config *config, stream_sink *sink, void *sink_ctx)
{
	struct pipeline *p = xcalloc(1, sizeof(*p));

	p->config = config;
	alerts_init(&p->alerts);
	p->table = table_new();
	p->leaks = leaks_new();
	p->codes = source_codes_new();
	p->plumbing = plumbing_new();
	p->provenance = provenance_new();
	p->run.status = -1;
	p->run.masker.extra_names = (const char *const *)config->secret_names;
	p->stream.sink = sink;
	p->stream.sink_ctx = sink_ctx;
	return p;
}

void pipeline_record_to(struct pipeline *p, FILE *f)
{
	p->recording = f;
}

void pipeline_record_own(struct pipeline *p, FILE *f, uid_t uid)
{
	p->recording = f;
	p->record_own = true;
	p->record_uid = uid;
}

uint64_t pipeline_unrecorded(const struct pipeline *p)
{
	return p->unrecorded;
}

void pipeline_watch(struct pipeline *p, const struct pipeline_live *live)
{
	p->live = *live;
}

bool pipeline_alive(const struct pipeline *p, bool (*lives)(uint32_t pid, uint64_t start))
{
	struct process **alive;
	bool any = false;
	unsigned n;

	alive = table_alive(p->table, &n);
	for (unsigned i = 0; i < n && !any; i++)
		any = !alive[i]->container_id && (!lives || lives(alive[i]->pid, alive[i]->start));
	free(alive);
	return any;
}

void pipeline_each(const struct pipeline *p, void (*fn)(void *ctx, uint32_t pid, uint64_t start),
		   void *ctx)
{
	struct process **alive;
	unsigned n;

	alive = table_alive(p->table, &n);
	for (unsigned i = 0; i < n; i++)
		fn(ctx, alive[i]->pid, alive[i]->start);
	free(alive);
}

bool pipeline_has(const struct pipeline *p, uint32_t pid, uint64_t start)
{
	const struct process *process = table_known(p->table, pid, start);

	return process && !process->ended;
}

bool pipeline_building(const struct pipeline *p)
{
	return p->dialogue && dialogue_building(p->dialogue);
}

enum masked pipeline_builds(struct pipeline *p, struct span args)
{
	return p->dialogue ? dialogue_builds(p->dialogue, &p->run.masker, args) : MASKED_OTHER;
}

uint64_t pipeline_sequence(const struct pipeline *p)
{
	return p->stream.sequence;
}

const struct run *pipeline_run(const struct pipeline *p)
{
	return &p->run;
}

void fact_emit(struct pipeline *p, struct fact *f)
{
	struct span id;

	f->run = &p->run;
	if (!f->source && f->process)
		f->source = f->process->source;
	if (!f->test && f->process)
		f->test = f->process->test;
	if (f->process && f->process->container_id)
		ledger_lookup(p->ledger, OBJ_CONTAINER, span_of(f->process->container_id), &id,
			      &f->container_name, &f->container_image);
	report_reset(&p->report);
	detect_all(f, &p->report);
	stream_fact(&p->stream, f, &p->report);
	for (unsigned i = 0; i < p->report.n; i++) {
		const struct alert *a = alerts_note(&p->alerts, &p->report.at[i], f);

		if (a) {
			if (a->process)
				process_hold((struct process *)a->process);
			stream_alert(&p->stream, a, f, false);
			hash_want(p, f);
		}
	}
}

void gap_note(struct pipeline *p, struct span what, struct span why)
{
	struct buf b = { 0 };

	buf_fmt(&b, "%.*s: %.*s", SPANF(what), SPANF(why));
	for (unsigned i = 0; i < p->n_gaps; i++)
		if (!strcmp(p->gaps[i], b.ptr))
			goto known;
	if (p->n_gaps >= GAPS_MAX)
		goto known;
	p->gaps = xrealloc(p->gaps, (p->n_gaps + 1) * sizeof(*p->gaps));
	p->gaps[p->n_gaps++] = b.ptr;
	return;
known:
	buf_free(&b);
}

void health_emit(struct pipeline *p, enum health_kind what, const struct process *process,
		 struct span hook, struct span reason, struct span effect, uint64_t count,
		 const char *type, bool incomplete)
{
	struct fact f = { .kind = FACT_HEALTH, .time = wall(p, p->now), .process = process };

	f.health.what = what;
	f.health.hook = hook;
	f.health.reason = reason;
	f.health.effect = effect;
	f.health.count = count;
	f.health.type = type;
	f.health.incomplete = incomplete;
	if (incomplete)
		p->run.complete = false;
	if (what == HEALTH_GAP) {
		struct buf why = { 0 };

		buf_fmt(&why, "%.*s%s%.*s%s", SPANF(reason), effect.len ? " (" : "", SPANF(effect),
			effect.len ? ")" : "");
		gap_note(p, hook, (struct span){ why.ptr, why.len });
		buf_free(&why);
	}
	fact_emit(p, &f);
}

struct process *process_of(struct pipeline *p, const struct record *r)
{
	bool missed = false;
	struct process *process = table_find(p->table, r->h->pid, r->h->start, &p->run, &missed);

	if (missed)
		health_emit(p, HEALTH_MISSED, process, SPAN("process"),
			    SPAN("its start was not seen"),
			    SPAN("program, arguments and parent are not known"), 1, NULL, true);
	return process;
}

static take_fn *const take[EV_TYPES] = {
	[EV_FORK] = take_fork,
	[EV_EXEC] = take_exec,
	[EV_EXIT] = take_exit,
	[EV_CONNECT] = take_connect,
	[EV_DATA] = take_data,
	[EV_ENV] = take_env,
	[EV_FILE] = take_file,
	[EV_TEST] = take_test,
	[EV_LATE] = take_late,
	[EV_BEGIN] = take_begin,
	[EV_ENGINE] = take_engine,
	[EV_GAP] = take_gap,
	[EV_LOST] = take_lost,
	[EV_SECRET] = take_secret,
	[EV_END] = take_end,
	[EV_ATTACK] = take_attack,
	[EV_CODE] = take_code,
	[EV_STACK] = take_stack,
	[EV_PEEK] = take_peek,
	[EV_LINK] = take_link,
	[EV_LEAK] = take_leak,
	[EV_HASH] = take_hash,
	[EV_MOVED] = take_moved,
	[EV_CLAIM] = take_claim,
	[EV_UNSEEN] = take_unseen,
	[EV_STRANGER] = take_stranger,
	[EV_DOCKERFILE] = take_dockerfile,
	[EV_ATTEMPT] = take_attempt,
};

/* Until its exec COMMAND's process is our own program. */
static bool is_ourselves(const struct pipeline *p, const struct ev_hdr *h)
{
	return h->pid && !p->run.root_seen && h->pid == p->run.root_pid && h->type != EV_EXEC;
}

/* Reads that wait are over when anything else happens to their process. */
static void reads_settle(struct pipeline *p, const struct record *r)
{
	struct process *process;

	if (!p->walks || r->h->type == EV_ENV || r->h->type == EV_STACK || r->h->type == EV_CODE)
		return;
	process = table_known(p->table, r->h->pid, r->h->start);
	if (process)
		env_settle(p, process);
}

void engine_event(struct pipeline *p, const struct record *r)
{
	p->now = r->h->time;
	if (r->h->type != EV_SECRET) /* only replay sees them */
		p->run.count[r->h->type]++;
	if (!p->begun && r->h->type != EV_BEGIN)
		p->run.rejected++;
	else if (take[r->h->type] && !is_ourselves(p, r->h)) {
		reads_settle(p, r);
		take[r->h->type](p, r);
	}
}

void pipeline_replay(struct pipeline *p, void *bytes, size_t n)
{
	struct record r;

	p->replay = true;
	if (record_decode(bytes, n, &r))
		engine_event(p, &r);
	else
		p->run.rejected++;
}

/* A replay is told by the recording: what stands there is masked, and nothing is learned from it. */
static void refused_tell(struct pipeline *p, const struct ev_hdr *h)
{
	struct buf b = { 0 };

	if (!p->run.masker.refused)
		return;
	buf_fmt(&b, "so many secrets that %llu have no place in the table",
		(unsigned long long)p->run.masker.refused);
	made_gap(p, h->run, h->time, "secrets", b.ptr,
		 "their names, who writes them, and what they look like elsewhere", true);
	buf_free(&b);
}

void pipeline_take(struct pipeline *p, void *bytes, size_t n)
{
	struct record r;
	struct found found = { 0 };

	if (!record_decode(bytes, n, &r)) {
		p->run.rejected++;
		return;
	}
	if (r.h->type == EV_WRITE) {
		written_look(p, &r); /* goes no further: what is found in it does */
		stdio_written(p, &r);
		return;
	}
	if (r.h->type == EV_END)
		refused_tell(p, r.h);
	sent_look(p, &r, &found);
	record_note(p, &r);
	record_scrub(p, &r);
	/* Of an engine's bytes the dialogue blanks what cannot be scrubbed. */
	if (r.h->type != EV_DATA)
		record_keep(p, &r);
	engine_event(p, &r);
	if (r.h->type == EV_DATA)
		record_keep(p, &r);
	sent_tell(p, &found);
}

void pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	if (p->dialogue)
		dialogue_free(p->dialogue);
	if (p->ledger)
		ledger_free(p->ledger);
	stream_free(&p->stream);
	alerts_free(&p->alerts);
	report_free(&p->report);
	leaks_free(p->leaks);
	plumbing_free(p->plumbing);
	provenance_free(p->provenance);
	table_free(p->table);
	sources_free(p);
	tdestroy(p->links, link_free);
	file_table_free(&p->files);
	hashes_free(p);
	startups_free(p);
	unseen_free(p);
	free(p->link.path);
	free(p->link.base);
	for (unsigned i = 0; i < p->n_gaps; i++)
		free(p->gaps[i]);
	for (unsigned i = 0; i < p->n_left; i++)
		free((char *)p->left[i].ptr);
	free(p->gaps);
	held_free(p->held);
	buf_free(&p->raw);
	free(p->recorded);
	free(p->left);
	run_free(&p->run);
	free(p);
}
