/* markdown.c: the report of a run for a job's summary or a pull request. */
#include <string.h>
#include "markdown.h"
#include "plain.h"
#include "record.h"

#define CODE_MAX 400 /* bytes of one untrusted text */

/*
 * Untrusted bytes, always as code: there no link, mention, image or HTML comes to life (GFM 0.29, 6.3).
 * A backtick would end it.
 */
static void add_code(struct buf *out, const struct masker *m, struct span s)
{
	struct buf text = { 0 };

	plain_text(&text, m, s);
	if (text.len)
		buf_byte(out, '`');
	for (size_t i = 0; i < text.len && i < CODE_MAX; i++)
		if (text.ptr[i] == '`')
			buf_str(out, "\\x60");
		else
			buf_byte(out, text.ptr[i]);
	if (text.len)
		buf_str(out, text.len > CODE_MAX ? "...`" : "`");
	buf_free(&text);
}

static void write_head(const struct summary_input *in, struct buf *out)
{
	const struct run *r = in->run;
	struct buf command = { 0 };

	for (unsigned i = 0; i < r->commands && command.len < CODE_MAX; i++) {
		if (i)
			buf_byte(&command, ' ');
		buf_add(&command, r->command[i].ptr, r->command[i].len);
	}
	buf_str(out, "## invigil: ");
	add_code(out, &r->masker, (struct span){ command.ptr, command.len });
	buf_str(out, "\n\n");
	plain_status(out, r->status);
	buf_str(out, ", ");
	plain_duration(out, r);
	buf_fmt(out, ", %llu process%s, %llu engine call%s, ", (unsigned long long)r->processes,
		r->processes == 1 ? "" : "es", (unsigned long long)r->engine_calls,
		r->engine_calls == 1 ? "" : "s");
	plain_gate(out, in->result ? in->result->verdict : NULL);
	buf_fmt(out, "%s\n\n",
		r->complete ? "" : ". **The run is incomplete**: not everything was seen");
	buf_free(&command);
}

static void write_table(const struct summary_input *in, struct buf *out)
{
	buf_str(out, "| risk | | critical | high | medium | low | evidence |\n"
		     "|---|---|--:|--:|--:|--:|--:|\n");
	for (int r = RISK_HEALTH + 1; r < RISKS; r++) {
		buf_fmt(out, "| %s | %s |", categories[r].id, categories[r].name);
		for (int s = SEV_CRITICAL; s >= SEV_INFO; s--)
			if (in->alerts->tally[r][s])
				buf_fmt(out, " %llu |",
					(unsigned long long)in->alerts->tally[r][s]);
			else
				buf_str(out, " |");
		buf_byte(out, '\n');
	}
	buf_byte(out, '\n');
}

/* Where: the script's own line, the test case, the process, the container. */
static void add_where(struct buf *out, const struct run *r, const struct alert *a)
{
	const struct masker *m = &r->masker;
	const char *joint = "  \n  ";

	if (a->source) {
		const struct source_frame *at = source_at(a->source);
		struct buf place = { 0 };

		source_place(a->source, r->cwd, &place);
		buf_str(out, joint);
		add_code(out, m, (struct span){ place.ptr, place.len });
		buf_str(out, " in ");
		add_code(out, m, at->code->name);
		if (a->source->api[0])
			buf_fmt(out, ", by %s", a->source->api);
		buf_free(&place);
		joint = ", ";
	}
	if (a->test) {
		buf_fmt(out, "%stest ", joint);
		add_code(out, m, a->test->name);
		joint = ", ";
	}
	if (a->process && a->process->name) {
		buf_fmt(out, "%sprocess %u ", joint, a->process->pid);
		add_code(out, m, span_of(a->process->name));
		joint = ", ";
	}
	if (a->container_name.len || a->container_id.len) {
		buf_fmt(out, "%scontainer ", joint);
		add_code(out, m, a->container_name.len ? a->container_name : a->container_id);
		joint = ", ";
	}
	if (a->count > 1)
		buf_fmt(out, "%s%llu times", joint, (unsigned long long)a->count);
}

static void write_alert(const struct summary_input *in, const struct alert *a, struct buf *out)
{
	buf_fmt(out, "- **%s** %s %s", severity_text(a->severity), a->rule->id, a->rule->name);
	if (a->evidence.len) {
		buf_str(out, ": ");
		add_code(out, &in->run->masker, (struct span){ a->evidence.ptr, a->evidence.len });
	}
	add_where(out, in->run, a);
	buf_fmt(out, "  \n  %s\n", a->rule->remedy);
}

static void write_alerts(const struct summary_input *in, struct buf *out)
{
	unsigned said = 0, all = 0;

	for (int s = SEV_CRITICAL; s > SEV_INFO; s--)
		for (unsigned i = 0; i < in->alerts->n; i++) {
			if ((int)in->alerts->at[i].severity != s)
				continue;
			if (!all++)
				buf_str(out, "### Findings\n\n");
			if (said < MARKDOWN_ALERTS) {
				write_alert(in, &in->alerts->at[i], out);
				said++;
			}
		}
	if (said < all)
		buf_fmt(out, "- and %u more, which are in the event stream\n", all - said);
	if (in->alerts->dropped)
		buf_fmt(out, "- %llu alerts were too many to be kept\n",
			(unsigned long long)in->alerts->dropped);
	if (all)
		buf_byte(out, '\n');
}

/* Findings of one test case, as JUnit has them; of each the case in which it was seen first. */
struct test_group {
	const struct test_case *test; /* NULL: in none */
	unsigned n[SEVERITIES];
};

/* NULL: there is no room for another one. */
static struct test_group *group_of(struct test_group *g, unsigned *n, const struct test_case *test)
{
	for (unsigned i = 0; i < *n; i++)
		if (test_case_same(g[i].test, test))
			return &g[i];
	if (*n == MARKDOWN_TESTS)
		return NULL;
	g[*n].test = test;
	return &g[(*n)++];
}

/* In a table a pipe would end it, in code, too (GFM 0.29, 4.10). */
static void add_cell(struct buf *out, const struct masker *m, struct span s)
{
	struct buf code = { 0 };

	add_code(&code, m, s);
	for (size_t i = 0; i < code.len; i++) {
		if (code.ptr[i] == '|')
			buf_byte(out, '\\');
		buf_byte(out, code.ptr[i]);
	}
	buf_free(&code);
}

static void write_group(const struct run *r, const struct test_group *g, struct buf *out)
{
	buf_str(out, "| ");
	if (g->test)
		add_cell(out, &r->masker, g->test->name);
	else
		buf_str(out, "in no test case");
	buf_str(out, " |");
	for (int s = SEV_CRITICAL; s > SEV_INFO; s--)
		if (g->n[s])
			buf_fmt(out, " %u |", g->n[s]);
		else
			buf_str(out, " |");
	buf_byte(out, '\n');
}

/* The worst ones first. */
static void write_tests(const struct summary_input *in, struct buf *out)
{
	struct test_group groups[MARKDOWN_TESTS] = { 0 };
	unsigned n = 0, more = 0;
	bool any = false;

	for (int s = SEV_CRITICAL; s > SEV_INFO; s--)
		for (unsigned i = 0; i < in->alerts->n; i++) {
			const struct alert *a = &in->alerts->at[i];
			struct test_group *g;

			if ((int)a->severity != s)
				continue;
			g = group_of(groups, &n, a->test);
			if (g)
				g->n[s]++;
			else
				more++;
			any |= a->test != NULL;
		}
	if (!any)
		return;
	buf_str(out, "### By test case\n\n"
		     "| seen first in | critical | high | medium | low |\n"
		     "|---|--:|--:|--:|--:|\n");
	for (unsigned i = 0; i < n; i++)
		write_group(in->run, &groups[i], out);
	if (more)
		buf_fmt(out, "\n%u more findings are in other test cases\n", more);
	buf_byte(out, '\n');
}

static void write_unseen(const struct summary_input *in, struct buf *out)
{
	const struct run *r = in->run;
	struct buf b = { 0 };

	for (unsigned i = 0; i < in->n_gaps; i++) {
		buf_str(&b, "- ");
		add_code(&b, &r->masker, span_of(in->gaps[i]));
		buf_byte(&b, '\n');
	}
	for (unsigned t = EV_UNKNOWN; t < EV_TYPES; t++)
		if (r->lost[t])
			buf_fmt(&b, "- %llu lost %s records\n", (unsigned long long)r->lost[t],
				lost_name(t));
	if (r->cut_records)
		buf_fmt(&b, "- %llu records were cut\n", (unsigned long long)r->cut_records);
	if (r->rejected)
		buf_fmt(&b, "- %llu records were rejected\n", (unsigned long long)r->rejected);
	if (b.len || !r->complete) {
		buf_str(out, "### Not seen\n\n");
		buf_add(out, b.ptr ? b.ptr : "", b.len);
		buf_byte(out, '\n');
	}
	buf_free(&b);
}

static void write_coverage(const struct run *r, struct buf *out)
{
	bool any = false;

	for (unsigned i = 0; i < r->n_coverage; i++) {
		const struct coverage *c = &r->coverage[i];

		if (!c->lacks)
			continue;
		buf_str(out, any ? "" : "### Reduced coverage\n\n");
		buf_str(out, "- ");
		add_code(out, &r->masker, span_of(c->hook));
		buf_str(out, " by ");
		add_code(out, &r->masker, span_of(c->tier ? c->tier : "?"));
		buf_str(out, ", not seen: ");
		add_code(out, &r->masker, span_of(c->lacks));
		buf_byte(out, '\n');
		any = true;
	}
	buf_str(out, any ? "\n" : "");
}

static void write_left(const struct summary_input *in, struct buf *out)
{
	const struct run_result *res = in->result;

	if (!res || (!res->n_left_objects && !res->n_left_processes))
		return;
	buf_str(out, "### Left behind\n\n");
	for (unsigned i = 0; i < res->n_left_objects; i++) {
		buf_str(out, "- ");
		add_code(out, &in->run->masker, res->left_objects[i]);
		buf_byte(out, '\n');
	}
	for (unsigned i = 0; i < res->n_left_processes; i++) {
		const struct process *p = res->left_processes[i];

		buf_fmt(out, "- process %u ", p->pid);
		add_code(out, &in->run->masker, span_of(p->name ? p->name : "?"));
		buf_byte(out, '\n');
	}
	buf_byte(out, '\n');
}

void markdown_write(const struct summary_input *in, struct buf *out)
{
	write_head(in, out);
	write_table(in, out);
	write_tests(in, out);
	write_alerts(in, out);
	write_unseen(in, out);
	write_coverage(in->run, out);
	write_left(in, out);
}
