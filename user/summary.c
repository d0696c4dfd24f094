/* summary.c: what a person reads at the end of a run; bounded whatever happened. */
#include <string.h>
#include "plain.h"
#include "record.h"
#include "summary.h"

#define LINES      40
#define COLUMNS    80
#define GAP_LINES  8 /* sentences of what was not seen */
#define FILE_LINES 4
#define DETAILS    3 /* verbose: findings of one category */

/* At most width columns; the end is replaced by "..." when it does not fit. */
static void cut(struct buf *b, size_t width)
{
	if (b->len <= width)
		return;
	b->len = width >= 3 ? width - 3 : 0;
	b->ptr[b->len] = 0;
	if (width >= 3)
		buf_str(b, "...");
}

/* As cut(), but the end is kept: of a path it says more. */
static void cut_front(struct buf *b, size_t width)
{
	if (b->len <= width || width < 3)
		return;
	memmove(b->ptr + 3, b->ptr + b->len - (width - 3), width - 3);
	memcpy(b->ptr, "...", 3);
	b->len = width;
	b->ptr[width] = 0;
}

static void add_count(struct buf *b, uint64_t n)
{
	static const char units[] = "kMGTPE";
	int unit = -1;

	while (n >= 100000 && unit < 5) {
		n /= 1000;
		unit++;
	}
	if (unit < 0)
		buf_fmt(b, "%llu", (unsigned long long)n);
	else
		buf_fmt(b, "%llu%c", (unsigned long long)n, units[unit]);
}

static void add_counted(struct buf *b, uint64_t n, const char *one, const char *many)
{
	add_count(b, n);
	buf_fmt(b, " %s", n == 1 ? one : many);
}

static void end_line(struct buf *out, struct buf *line)
{
	cut(line, COLUMNS);
	buf_add(out, line->ptr, line->len);
	buf_byte(out, '\n');
	buf_reset(line);
}

/* ---- the run ---- */

static void write_run(const struct summary_input *in, struct buf *out)
{
	const struct run *r = in->run;
	struct buf head = { 0 }, tail = { 0 };

	buf_str(&head, "invigil:");
	for (unsigned i = 0; i < r->commands && head.len < 2 * COLUMNS; i++) {
		buf_byte(&head, ' ');
		plain_text(&head, &r->masker, r->command[i]);
	}
	plain_status(&tail, r->status);
	buf_str(&tail, ", ");
	plain_duration(&tail, r);
	buf_str(&tail, ", ");
	add_counted(&tail, r->processes, "process", "processes");
	buf_str(&tail, ", ");
	add_counted(&tail, r->engine_calls, "engine call", "engine calls");
	buf_str(&tail, ", ");
	plain_gate(&tail, in->result ? in->result->verdict : NULL);
	/* The level is worth less than the counts when a line cannot hold both. */
	if (in->result && in->result->fail_on && strcmp(in->result->fail_on, "never") &&
	    2 + tail.len + 3 + strlen(in->result->fail_on) <= COLUMNS)
		buf_fmt(&tail, " (%s)", in->result->fail_on);
	if (head.len + 2 + tail.len <= COLUMNS) {
		buf_str(&head, ": ");
		buf_add(&head, tail.ptr, tail.len);
		end_line(out, &head);
	} else {
		end_line(out, &head);
		buf_str(&head, "  ");
		buf_add(&head, tail.ptr, tail.len);
		end_line(out, &head);
	}
	buf_free(&head);
	buf_free(&tail);
}

/* ---- findings ---- */

#define PLACE_COLUMNS 28 /* of the test case, or of the script's line, whose end says more */

/* The test case, else the script's own line, relative to the working tree. */
static void add_place(struct buf *b, const struct run *r, const struct alert *a)
{
	struct buf place = { 0 }, text = { 0 };

	if (a->test) {
		plain_text(&text, &r->masker, test_case_short(a->test));
		cut(&text, PLACE_COLUMNS);
		buf_fmt(b, "%s: ", text.ptr);
		buf_free(&text);
		return;
	}
	if (!a->source)
		return;
	source_place(a->source, r->cwd, &place);
	plain_text(&text, &r->masker, (struct span){ place.ptr, place.len });
	cut_front(&text, PLACE_COLUMNS);
	buf_fmt(b, "%s: ", text.ptr);
	buf_free(&place);
	buf_free(&text);
}

static void add_finding(struct buf *b, const struct run *r, const struct alert *a)
{
	const struct masker *m = &r->masker;

	buf_fmt(b, "%s ", a->rule->id);
	add_place(b, r, a);
	buf_str(b, a->rule->name);
	if (a->evidence.len) {
		buf_str(b, ": ");
		plain_text(b, m, (struct span){ a->evidence.ptr, a->evidence.len });
	}
}

static const char *colour_of(int severity)
{
	static const char *const colours[SEVERITIES] = {
		"", "\033[36m", "\033[33m", "\033[31m", "\033[1;31m",
	};

	return colours[severity];
}

/* "1 critical 2 high 40 info"; returns the columns it takes. b may be NULL. */
static size_t add_tally(struct buf *b, const uint64_t tally[SEVERITIES], bool shortened,
			bool colour)
{
	static const char *const short_names[SEVERITIES] = { "info", "low", "med", "high", "crit" };
	struct buf word = { 0 };
	size_t columns = 0;

	for (int s = SEV_CRITICAL; s >= SEV_INFO; s--) {
		if (!tally[s])
			continue;
		buf_reset(&word);
		add_count(&word, tally[s]);
		buf_fmt(&word, " %s", shortened ? short_names[s] : severity_text((enum severity)s));
		columns += word.len + (columns ? 1 : 0);
		if (!b)
			continue;
		if (columns > word.len)
			buf_byte(b, ' ');
		if (colour && s > SEV_INFO)
			buf_fmt(b, "%s%s\033[0m", colour_of(s), word.ptr);
		else
			buf_add(b, word.ptr, word.len);
	}
	buf_free(&word);
	return columns;
}

#define TALLY_COLUMNS 24 /* longer ones are shortened to leave room for the worst finding */

static void write_category(const struct summary_input *in, enum risk r, bool details,
			   struct buf *out)
{
	const struct category *c = &categories[r];
	const uint64_t *tally = in->alerts->tally[r];
	const struct alert *a = alerts_nth(in->alerts, r, 0);
	int worst = alerts_worst_in(in->alerts, r);
	struct buf rest = { 0 };
	size_t columns;

	buf_fmt(out, "%s %-17s ", c->id, c->name);
	columns = strlen(c->id) + 2 + (strlen(c->name) > 17 ? strlen(c->name) : 17);
	if (worst > SEV_INFO) {
		bool shortened = add_tally(NULL, tally, false, false) > TALLY_COLUMNS;

		columns += add_tally(out, tally, shortened, in->colour);
		if (a && !details) {
			buf_str(&rest, "; ");
			add_finding(&rest, in->run, a);
		}
	} else if (worst == SEV_INFO) {
		buf_str(&rest, "evidence only (");
		add_count(&rest, tally[SEV_INFO]);
		buf_byte(&rest, ')');
	} else {
		buf_str(&rest, "not seen");
	}
	cut(&rest, COLUMNS - columns);
	if (rest.len)
		buf_add(out, rest.ptr, rest.len);
	buf_byte(out, '\n');
	buf_free(&rest);
}

static void write_detail(const struct summary_input *in, const struct alert *a, struct buf *out)
{
	static const size_t indent = 5;
	const struct masker *m = &in->run->masker;
	const char *severity = severity_text(a->severity);
	struct buf text = { 0 }, where = { 0 };

	if (a->process && a->process->name) {
		buf_str(&where, " (");
		plain_text(&where, m, span_of(a->process->name));
		if (a->process->script) {
			buf_byte(&where, ' ');
			plain_text(&where, m, span_of(a->process->script));
		}
		cut(&where, 32);
		buf_byte(&where, ')');
	}
	if (a->count > 1) {
		buf_str(&where, " x");
		add_count(&where, a->count);
	}
	buf_fmt(out, "%*s%s%s%s ", (int)indent, "", in->colour ? colour_of((int)a->severity) : "",
		severity, in->colour ? "\033[0m" : "");
	add_finding(&text, in->run, a);
	cut(&text, COLUMNS - indent - strlen(severity) - 1 - where.len);
	buf_add(out, text.ptr, text.len);
	if (where.len)
		buf_add(out, where.ptr, where.len);
	buf_byte(out, '\n');
	buf_free(&text);
	buf_free(&where);
}

/* room: lines that details may take. */
static void write_categories(const struct summary_input *in, unsigned room, struct buf *out)
{
	enum risk order[RISKS];
	unsigned details[RISKS] = { 0 }, n = 0;

	for (int s = SEV_CRITICAL; s >= -1; s--)
		for (int r = RISK_HEALTH + 1; r < RISKS; r++)
			if (alerts_worst_in(in->alerts, (enum risk)r) == s)
				order[n++] = (enum risk)r;
	/* One for each that has any, worst first, before anyone gets a second. */
	for (unsigned round = 0; in->verbose && round < DETAILS; round++)
		for (unsigned i = 0; i < n && room; i++)
			if (alerts_nth(in->alerts, order[i], round)) {
				details[i]++;
				room--;
			}
	for (unsigned i = 0; i < n; i++) {
		write_category(in, order[i], details[i], out);
		for (unsigned k = 0; k < details[i]; k++)
			write_detail(in, alerts_nth(in->alerts, order[i], k), out);
	}
}

/* ---- what was not seen ---- */

static void write_lost(const struct summary_input *in, struct buf *out)
{
	const struct run *r = in->run;
	struct buf line = { 0 };

	for (unsigned t = EV_UNKNOWN; t < EV_TYPES; t++) {
		if (!r->lost[t])
			continue;
		buf_str(&line, line.len ? ", " : "  lost: ");
		add_count(&line, r->lost[t]);
		buf_fmt(&line, " %s", lost_name(t));
	}
	if (line.len)
		end_line(out, &line);
	if (r->cut_records) {
		buf_str(&line, "  ");
		add_counted(&line, r->cut_records, "record cut", "records cut");
	}
	if (r->rejected) {
		buf_str(&line, line.len ? ", " : "  ");
		add_counted(&line, r->rejected, "record rejected", "records rejected");
	}
	if (in->alerts->dropped) {
		buf_str(&line, line.len ? ", " : "  ");
		add_counted(&line, in->alerts->dropped, "alert not kept", "alerts not kept");
	}
	if (line.len)
		end_line(out, &line);
	buf_free(&line);
}

/* What this kernel, or an option, has the run not see; `check` and the stream say what that is. */
static void write_reduced(const struct run *r, struct buf *out)
{
	struct buf line = { 0 };
	unsigned lines = 0;

	for (unsigned i = 0; i < r->n_coverage; i++) {
		const char *hook = r->coverage[i].hook;
		/* One more line; what does not fit into that one, either, is cut. */
		bool wraps = !lines && line.len && line.len + 3 + strlen(hook) > COLUMNS;

		if (!r->coverage[i].lacks)
			continue;
		if (wraps) {
			buf_byte(&line, ',');
			end_line(out, &line);
			lines++;
		}
		buf_fmt(&line, "%s%s",
			wraps      ? "  "
			: line.len ? ", "
				   : "Reduced here (invigil check): ",
			hook);
	}
	if (line.len)
		end_line(out, &line);
	buf_free(&line);
}

static void write_gaps(const struct summary_input *in, struct buf *out)
{
	unsigned shown = in->n_gaps > GAP_LINES ? GAP_LINES - 1 : in->n_gaps;
	struct buf body = { 0 }, line = { 0 };

	for (unsigned i = 0; i < shown; i++) {
		buf_str(&line, "  ");
		plain_text(&line, &in->run->masker, span_of(in->gaps[i]));
		end_line(&body, &line);
	}
	if (shown < in->n_gaps) {
		buf_fmt(&line, "  and %u more", in->n_gaps - shown);
		end_line(&body, &line);
	}
	write_lost(in, &body);
	if (alerts_worst_in(in->alerts, RISK_HEALTH) > SEV_INFO)
		write_category(in, RISK_HEALTH, false, &body);
	if (body.len || !in->run->complete) {
		buf_fmt(out, "Not seen%s:\n", in->run->complete ? "" : " (the run is incomplete)");
		if (body.len)
			buf_add(out, body.ptr, body.len);
	}
	buf_free(&body);
	buf_free(&line);
}

/* ---- what is left ---- */

static void write_left(const struct summary_input *in, struct buf *out)
{
	const struct run_result *res = in->result;
	struct buf line = { 0 };

	if (!res)
		return;
	if (res->n_left_objects) {
		buf_str(&line, "Left behind: ");
		add_counted(&line, res->n_left_objects, "object: ", "objects: ");
		for (unsigned i = 0; i < res->n_left_objects && line.len <= COLUMNS; i++) {
			buf_str(&line, i ? ", " : "");
			plain_text(&line, &in->run->masker, res->left_objects[i]);
		}
		end_line(out, &line);
	}
	if (res->n_left_processes) {
		buf_str(&line, "Left behind: ");
		add_counted(&line, res->n_left_processes, "process: ", "processes: ");
		for (unsigned i = 0; i < res->n_left_processes && line.len <= COLUMNS; i++) {
			const struct process *p = res->left_processes[i];

			buf_fmt(&line, "%s%u ", i ? ", " : "", p->pid);
			plain_text(&line, &in->run->masker, span_of(p->name ? p->name : "?"));
		}
		end_line(out, &line);
	}
	buf_free(&line);
}

static void write_files(const struct summary_input *in, struct buf *out)
{
	unsigned shown = in->n_files > FILE_LINES ? FILE_LINES - 1 : in->n_files;
	struct buf line = { 0 };

	for (unsigned i = 0; i < shown; i++) {
		plain_text(&line, &in->run->masker, span_of(in->files[i]));
		cut_front(&line, COLUMNS - 9);
		buf_fmt(out, "%-9s%s\n", i ? "" : "Written:", line.len ? line.ptr : "");
		buf_reset(&line);
	}
	if (shown < in->n_files)
		buf_fmt(out, "%-9sand %u more\n", "", in->n_files - shown);
	buf_free(&line);
}

static unsigned lines_of(const struct buf *b)
{
	unsigned n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->ptr[i] == '\n';
	return n;
}

/*
 * At most 2 lines on the run, 9 categories, 14 on what was not seen (heading, gaps, lost, cut,
 * health, hooks), 2 left behind, 4 files: 31; details take what remains.
 */
void summary_write(const struct summary_input *in, struct buf *out)
{
	struct buf head = { 0 }, foot = { 0 };
	unsigned used;

	write_run(in, &head);
	write_gaps(in, &foot);
	write_reduced(in->run, &foot);
	write_left(in, &foot);
	write_files(in, &foot);
	used = lines_of(&head) + RISKS - 1 + lines_of(&foot);
	buf_add(out, head.ptr, head.len);
	write_categories(in, used < LINES ? LINES - used : 0, out);
	if (foot.len)
		buf_add(out, foot.ptr, foot.len);
	buf_free(&head);
	buf_free(&foot);
}
