/* take_loader.c: what the loader tells: the run's beginning and end, gaps, losses, engines. */
#include <string.h>
#include "begin.h"
#include "pipeline_state.h"

void take_begin(struct pipeline *p, const struct record *r)
{
	struct fact f = { .kind = FACT_RUN_START };
	struct dialogue_ops ops = dialogue_to_facts;
	const char *const *extra = p->run.masker.extra_names;

	if (p->begun || !begin_read((struct span){ r->tail, r->h->len }, &p->run)) {
		p->run.rejected++;
		return;
	}
	p->run.masker.extra_names = extra;
	p->begun = true;
	if (!p->run.began)
		p->run.began = wall(p, r->h->time);
	p->ledger = ledger_new(p->run.own, p->run.n_own);
	ops.ctx = p;
	p->dialogue = dialogue_new(&ops, p->ledger);
	stream_init(&p->stream, &p->run, p->config->alerts_only, p->stream.sink,
		    p->stream.sink_ctx);
	/* Its start was told. */
	p->stream.sequence = p->run.resumed;
	p->run.root_seen = p->run.resumed;
	f.time = p->run.began;
	if (!p->run.resumed)
		fact_emit(p, &f);
}

/* Next of the NUL ended strings of a tail; empty when there is no more. */
static struct span string_next(const char **at, const char *end)
{
	const char *start = *at;
	size_t n = strnlen(start, end - start);

	*at = start + n < end ? start + n + 1 : end;
	return (struct span){ start, n };
}

void take_gap(struct pipeline *p, const struct record *r)
{
	const struct ev_gap *e = r->body;
	const char *at = r->tail, *end = r->tail + r->h->len;
	struct span hook = string_next(&at, end), reason = string_next(&at, end);
	struct span effect = string_next(&at, end);

	health_emit(p, HEALTH_GAP, NULL, hook, reason, effect, 1, NULL, e->required);
}

void take_lost(struct pipeline *p, const struct record *r)
{
	const struct ev_lost *e = r->body;
	const char *name = lost_name(e->type);
	/* Of those nobody knows whose they are. */
	struct span why =
		e->type == EV_LOST
			? SPAN("left out in the kernel, of any process: at most so many of the run's")
			: SPAN("dropped in the kernel");
	struct buf what = { 0 };

	if (e->type < EV_TYPES)
		p->run.lost[e->type] += e->count;
	ledger_blind(p->ledger);
	dialogue_lost(p->dialogue);
	buf_fmt(&what, "%llu %s records", (unsigned long long)e->count, name);
	gap_note(p, span_of(what.ptr), e->type == EV_LOST ? why : SPAN("lost in the kernel"));
	buf_free(&what);
	health_emit(p, HEALTH_LOST, NULL, SPAN("ring"), why, SPAN(""), e->count, name, true);
}

void take_engine(struct pipeline *p, const struct record *r)
{
	const struct ev_engine *e = r->body;

	struct socket_file *f;

	if (p->n_engines >= ARRAY_SIZE(p->engines))
		return;
	f = &p->engines[p->n_engines++];
	f->ino = e->ino;
	f->dev = e->dev;
	snprintf(f->path, sizeof(f->path), "%.*s", (int)strnlen(r->tail, r->h->len), r->tail);
}

/* Replay alone: live, the row is there already. */
void take_secret(struct pipeline *p, const struct record *r)
{
	const struct ev_secret *e = r->body;
	struct secret *s;

	if (!p->replay)
		return;
	s = masker_row(&p->run.masker, e->index);
	s->kind = e->kind;
	s->len = e->length;
	memset(s->name, 0, sizeof(s->name));
	memcpy(s->name, r->tail, r->h->len);
}

void take_end(struct pipeline *p, const struct record *r)
{
	const struct ev_end *e = r->body;

	p->run.status = e->status;
	p->run.ended = wall(p, r->h->time);
}
