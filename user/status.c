/* status.c: writes the daemon's state for people, one thing a line, and for programs. */
#include <string.h>
#include "jsonw.h"
#include "record.h"
#include "status.h"
#include "stream.h"

/* What may be lost besides records, in the order of struct status. */
static const struct loss {
	const char *name, *text;
	size_t offset;
} losses[] = {
	{ "records_rejected", "records were malformed", offsetof(struct status, rejected) },
	{ "programs_not_looked_at", "programs were not looked into in time",
	  offsetof(struct status, not_looked_at) },
	{ "alerts_dropped", "alerts were too many", offsetof(struct status, alerts_dropped) },
	{ "lines_dropped", "lines were not taken by an output",
	  offsetof(struct status, sum.dropped) },
	{ "scrapes_refused", "requests for metrics were too many",
	  offsetof(struct status, scrapes_refused) },
};

static const struct rate {
	const char *name;
	size_t offset; /* in struct status_totals */
} rates[] = {
	{ "records", offsetof(struct status_totals, records) },
	{ "programs", offsetof(struct status_totals, programs) },
	{ "engine_calls", offsetof(struct status_totals, engine_calls) },
	{ "lines", offsetof(struct status_totals, lines) },
};

static uint64_t at(const void *base, size_t offset)
{
	uint64_t v;

	memcpy(&v, (const char *)base + offset, sizeof(v));
	return v;
}

static uint64_t grown(const struct status *s, const struct rate *r)
{
	return at(&s->now, r->offset) - at(&s->before, r->offset);
}

/* ---- for people ---- */

static void lines_text(const struct line_counts *l, struct buf *out)
{
	buf_fmt(out, "%llu lines seen, %llu delivered, %llu dropped, %llu waiting\n",
		(unsigned long long)l->seen, (unsigned long long)l->delivered,
		(unsigned long long)l->dropped, (unsigned long long)l->waiting);
}

static void run_text(const struct status_run *r, struct buf *out)
{
	buf_fmt(out, "run %s %s: user %s, for %llu s, %llu programs, %llu engine calls, %llu lines",
		r->id, r->ci, r->user, (unsigned long long)(r->age_ns / 1000000000),
		(unsigned long long)r->programs, (unsigned long long)r->engine_calls,
		(unsigned long long)r->lines);
	for (unsigned i = SEVERITIES; i-- > SEV_LOW;)
		if (r->findings[i])
			buf_fmt(out, ", %llu %s", (unsigned long long)r->findings[i],
				severity_text(i));
	if (r->not_looked_at)
		buf_fmt(out, ", %llu programs not looked into",
			(unsigned long long)r->not_looked_at);
	buf_byte(out, '\n');
}

static void hook_text(const struct status_hook *h, struct buf *out)
{
	buf_fmt(out, "hook %s: ", h->name);
	if (!h->how)
		buf_str(out, "no way on this kernel\n");
	else if (h->why)
		buf_fmt(out, "not attached: %s\n", h->why);
	else if (h->programs)
		buf_fmt(out, "%u attached, %s, %s\n", h->programs, h->how, h->when);
	else
		buf_fmt(out, "not attached, %s, %s\n", h->how, h->when);
}

static void rates_text(const struct status *s, struct buf *out)
{
	buf_str(out, "rates:");
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		uint64_t ms = s->window_ns / 1000000;
		uint64_t tenths = ms ? grown(s, &rates[i]) * 10000 / ms : 0;
		const char *name = rates[i].name;

		buf_fmt(out, "%s %llu.%llu %.*s%s/s", i ? "," : "",
			(unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10),
			(int)strcspn(name, "_"), name, strchr(name, '_') ? " calls" : "");
	}
	buf_fmt(out, " in the last %llu s\n", (unsigned long long)(s->window_ns / 1000000000));
}

static void losses_text(const struct status *s, struct buf *out)
{
	for (unsigned i = 0; i < EV_TYPES; i++)
		if (s->lost[i])
			buf_fmt(out, "lost %s %llu\n", lost_name(i),
				(unsigned long long)s->lost[i]);
	for (size_t i = 0; i < ARRAY_SIZE(losses); i++)
		if (at(s, losses[i].offset))
			buf_fmt(out, "lost: %llu %s\n", (unsigned long long)at(s, losses[i].offset),
				losses[i].text);
	if (s->skipped)
		buf_fmt(out, "lost: %u processes from before did not answer\n", s->skipped);
}

void status_text(const struct status *s, struct buf *out)
{
	buf_fmt(out, "up %llu s, %u runs active, %llu ended, %llu refused, %llu records\n",
		(unsigned long long)(s->up_ns / 1000000000), s->active,
		(unsigned long long)s->ended, (unsigned long long)s->refused,
		(unsigned long long)s->now.records);
	rates_text(s, out);
	losses_text(s, out);
	for (unsigned i = 0; i < s->n_runs; i++)
		run_text(&s->runs[i], out);
	for (unsigned i = 0; i < s->n_hooks; i++)
		hook_text(&s->hooks[i], out);
	for (unsigned i = 0; i < s->n_outputs; i++) {
		const struct status_output *o = &s->outputs[i];

		buf_fmt(out, "output %s: ", o->path);
		if (o->error)
			buf_fmt(out, "%s; ", strerror(-o->error));
		lines_text(&o->lines, out);
	}
	buf_str(out, "outputs: ");
	lines_text(&s->sum, out);
}

/* ---- for programs ---- */

static void lines_json(struct jsonw *j, const struct line_counts *l)
{
	jsonw_u64(j, "seen", l->seen);
	jsonw_u64(j, "delivered", l->delivered);
	jsonw_u64(j, "dropped", l->dropped);
	jsonw_u64(j, "waiting", l->waiting);
}

static void run_json(struct jsonw *j, const struct status_run *r)
{
	jsonw_obj(j, NULL);
	jsonw_str(j, "id", r->id);
	jsonw_str(j, "ci", r->ci);
	jsonw_str(j, "user", r->user);
	jsonw_u64(j, "age_ns", r->age_ns);
	jsonw_u64(j, "programs", r->programs);
	jsonw_u64(j, "engine_calls", r->engine_calls);
	jsonw_u64(j, "lines", r->lines);
	jsonw_u64(j, "programs_not_looked_at", r->not_looked_at);
	jsonw_obj(j, "findings");
	for (unsigned i = 0; i < SEVERITIES; i++)
		jsonw_u64(j, severity_text(i), r->findings[i]);
	jsonw_close(j);
	jsonw_close(j);
}

static void hook_json(struct jsonw *j, const struct status_hook *h)
{
	jsonw_obj(j, NULL);
	jsonw_str(j, "name", h->name);
	jsonw_str(j, "how", h->how);
	jsonw_str(j, "when", h->when);
	jsonw_u64(j, "attached", h->programs);
	jsonw_str(j, "failed", h->how ? h->why : "no way on this kernel");
	jsonw_close(j);
}

static void losses_json(struct jsonw *j, const struct status *s)
{
	jsonw_obj(j, "losses");
	jsonw_obj(j, "records");
	for (unsigned i = 0; i < EV_TYPES; i++)
		if (s->lost[i])
			jsonw_u64(j, lost_name(i), s->lost[i]);
	jsonw_close(j);
	for (size_t i = 0; i < ARRAY_SIZE(losses); i++)
		jsonw_u64(j, losses[i].name, at(s, losses[i].offset));
	jsonw_u64(j, "processes_skipped", s->skipped);
	jsonw_close(j);
}

void status_json(const struct status *s, struct buf *out)
{
	struct jsonw j = { 0 };

	jsonw_begin(&j, out, NULL);
	jsonw_u64(&j, "up_ns", s->up_ns);
	jsonw_u64(&j, "active", s->active);
	jsonw_u64(&j, "ended", s->ended);
	jsonw_u64(&j, "refused", s->refused);
	jsonw_u64(&j, "records", s->now.records);
	jsonw_u64(&j, "attachers", s->attachers);
	jsonw_obj(&j, "last");
	jsonw_u64(&j, "ns", s->window_ns);
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		jsonw_u64(&j, rates[i].name, grown(s, &rates[i]));
	jsonw_close(&j);
	losses_json(&j, s);
	jsonw_arr(&j, "runs");
	for (unsigned i = 0; i < s->n_runs; i++)
		run_json(&j, &s->runs[i]);
	jsonw_close(&j);
	jsonw_arr(&j, "hooks");
	for (unsigned i = 0; i < s->n_hooks; i++)
		hook_json(&j, &s->hooks[i]);
	jsonw_close(&j);
	jsonw_arr(&j, "outputs");
	for (unsigned i = 0; i < s->n_outputs; i++) {
		jsonw_obj(&j, NULL);
		jsonw_str(&j, "path", s->outputs[i].path);
		lines_json(&j, &s->outputs[i].lines);
		jsonw_str(&j, "error", s->outputs[i].error ? strerror(-s->outputs[i].error) : NULL);
		jsonw_close(&j);
	}
	jsonw_close(&j);
	jsonw_obj(&j, "lines");
	lines_json(&j, &s->sum);
	jsonw_close(&j);
	jsonw_end(&j);
	jsonw_free(&j);
}
