/* cmd_risks.c: `invigil risks`: the detectors' own catalogue as text, JSON or Markdown. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "catalogue.h"
#include "codec.h"
#include "command.h"
#include "jsonw.h"
#include "option.h"

#define COLUMNS 80

static enum risk risk_in_order(unsigned i)
{
	/* The nine first; what concerns the monitor itself comes last. */
	return (enum risk)((i + 1) % RISKS);
}

/* Words of text from column indent on, broken before COLUMNS. */
static void wrap(struct buf *out, unsigned indent, const char *text)
{
	unsigned col;

	for (col = 0; col < indent; col++)
		buf_byte(out, ' ');
	while (*text) {
		size_t n = strcspn(text, " ");

		if (col > indent && col + 1 + n > COLUMNS) {
			buf_byte(out, '\n');
			for (col = 0; col < indent; col++)
				buf_byte(out, ' ');
		} else if (col > indent) {
			buf_byte(out, ' ');
			col++;
		}
		buf_add(out, text, n);
		col += n;
		text += n;
		while (*text == ' ')
			text++;
	}
	buf_byte(out, '\n');
}

static void text_labelled(struct buf *out, const char *label, const char *text)
{
	struct buf b = { 0 };

	buf_fmt(&b, "%s %s", label, text);
	wrap(out, 8, b.ptr);
	buf_free(&b);
}

static void text_rule(struct buf *out, const struct rule *r)
{
	buf_fmt(out, "\n  %-6s%-9s %s%s\n", r->id, severity_text(rule_severity(r)), r->name,
		r->built ? "" : "  [not detected]");
	wrap(out, 8, r->description);
	text_labelled(out, "Remedy:", r->remedy);
	text_labelled(out, "See:", r->references);
}

static unsigned count_missing(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < n_rules; i++)
		n += !rules[i].built;
	return n;
}

static void risks_text(struct buf *out)
{
	struct buf b = { 0 };

	for (unsigned i = 0; i < RISKS; i++) {
		const struct category *c = &categories[risk_in_order(i)];

		buf_fmt(out, "%s%s %s\n", i ? "\n" : "", c->id, c->name);
		wrap(out, 2, c->says);
		buf_reset(&b);
		buf_fmt(&b, "Observed: %s", c->observes);
		wrap(out, 2, b.ptr);
		for (size_t j = 0; j < n_rules; j++)
			if (rules[j].risk == risk_in_order(i))
				text_rule(out, &rules[j]);
	}
	buf_reset(&b);
	buf_fmt(&b, "%u of %zu rules are not detected by this version:", count_missing(), n_rules);
	for (size_t j = 0; j < n_rules; j++)
		if (!rules[j].built)
			buf_fmt(&b, " %s", rules[j].id);
	buf_byte(out, '\n');
	wrap(out, 0, b.ptr);
	buf_free(&b);
}

static void json_words(struct jsonw *j, const char *key, const char *words)
{
	jsonw_arr(j, key);
	while (*words) {
		size_t n = strcspn(words, " ");

		jsonw_span(j, NULL, (struct span){ words, n });
		words += n;
		words += strspn(words, " ");
	}
	jsonw_close(j);
}

static void json_step(struct jsonw *j, const char *key, const char *id, const char *name)
{
	jsonw_obj(j, key);
	jsonw_str(j, "id", id);
	jsonw_str(j, "name", name);
}

static void json_rule(struct jsonw *j, const struct rule *r)
{
	const struct technique *t = &r->technique;

	jsonw_obj(j, NULL);
	jsonw_str(j, "id", r->id);
	jsonw_str(j, "name", r->name);
	jsonw_str(j, "severity", severity_text(rule_severity(r)));
	jsonw_str(j, "default_severity", severity_text(r->severity));
	jsonw_str(j, "description", r->description);
	jsonw_str(j, "remedy", r->remedy);
	json_words(j, "references", r->references);
	if (t->id) {
		jsonw_obj(j, "threat");
		jsonw_str(j, "framework", "MITRE ATT&CK");
		json_step(j, "tactic", t->tactic_id, t->tactic);
		jsonw_close(j);
		json_step(j, "technique", t->id, t->name);
		if (t->sub_id) {
			json_step(j, "subtechnique", t->sub_id, t->sub_name);
			jsonw_close(j);
		}
		jsonw_close(j);
		jsonw_close(j);
	}
	jsonw_bool(j, "detected", r->built);
	jsonw_close(j);
}

static void risks_json(struct buf *out)
{
	struct buf line = { 0 };
	struct jsonw j = { 0 };

	buf_str(out, "[\n");
	for (unsigned i = 0; i < RISKS; i++) {
		const struct category *c = &categories[risk_in_order(i)];

		buf_reset(&line);
		jsonw_begin(&j, &line, NULL);
		jsonw_str(&j, "id", c->id);
		jsonw_str(&j, "name", c->name);
		jsonw_str(&j, "says", c->says);
		jsonw_str(&j, "observes", c->observes);
		jsonw_arr(&j, "rules");
		for (size_t k = 0; k < n_rules; k++)
			if (rules[k].risk == risk_in_order(i))
				json_rule(&j, &rules[k]);
		jsonw_close(&j);
		jsonw_end(&j);
		if (i)
			buf_byte(out, ',');
		buf_add(out, line.ptr, line.len);
	}
	buf_str(out, "]\n");
	jsonw_free(&j);
	buf_free(&line);
}

static void markdown_cell(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("|<>*_\\", *text))
			buf_byte(out, '\\');
		buf_byte(out, *text);
	}
}

static void risks_markdown(struct buf *out)
{
	buf_str(out, "# What invigil detects\n");
	for (unsigned i = 0; i < RISKS; i++) {
		const struct category *c = &categories[risk_in_order(i)];

		buf_fmt(out, "\n## %s %s\n\n", c->id, c->name);
		markdown_cell(out, c->says);
		buf_str(out, "\n\nObserved: ");
		markdown_cell(out, c->observes);
		buf_str(out, "\n\n| rule | severity | name | fires when | remedy | references |\n"
			     "|---|---|---|---|---|---|\n");
		for (size_t k = 0; k < n_rules; k++) {
			const struct rule *r = &rules[k];

			if (r->risk != risk_in_order(i))
				continue;
			buf_fmt(out, "| %s | %s | `%s` | ", r->id, severity_text(rule_severity(r)),
				r->name);
			markdown_cell(out, r->description);
			buf_str(out, r->built ? " | " : " **Not detected by this version.** | ");
			markdown_cell(out, r->remedy);
			buf_fmt(out, " | %s |\n", r->references);
		}
	}
}

/* A line of text as mdoc(7) takes it. */
static void mdoc_line(struct buf *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		buf_str(out, "\\&");
	for (; *text; text++)
		buf_fmt(out, *text == '\\' ? "\\e" : "%c", *text);
	buf_byte(out, '\n');
}

/* The manual page invigil-risks(7). */
static void risks_mdoc(struct buf *out)
{
	buf_str(out,
		".\\\" invigil-risks.7: made by `invigil risks --format mdoc`.\n"
		".Dd November 24, 2026\n.Dt INVIGIL-RISKS 7\n.Os\n.Sh NAME\n.Nm invigil-risks\n"
		".Nd what invigil detects\n.Sh DESCRIPTION\n"
		".Xr invigil 8\nhas a rule for each of these; its severity can be changed in\n"
		".Xr invigil.yaml 5 .\n");
	for (unsigned i = 0; i < RISKS; i++) {
		const struct category *c = &categories[risk_in_order(i)];

		buf_fmt(out, ".Ss %s %s\n", c->id, c->name);
		mdoc_line(out, c->says);
		buf_str(out, ".Pp\nObserved:\n");
		mdoc_line(out, c->observes);
		buf_str(out, ".Bl -tag -width Ds\n");
		for (size_t k = 0; k < n_rules; k++) {
			const struct rule *r = &rules[k];

			if (r->risk != risk_in_order(i))
				continue;
			buf_fmt(out, ".It %s Cm %s No (%s)\n", r->id, r->name,
				severity_text(rule_severity(r)));
			mdoc_line(out, r->description);
			if (!r->built)
				buf_str(out, "Not detected by this version.\n");
			buf_str(out, ".br\nRemedy:\n");
			mdoc_line(out, r->remedy);
			if (*r->references) {
				buf_str(out, ".br\nSee\n");
				mdoc_line(out, r->references);
			}
		}
		buf_str(out, ".El\n");
	}
	buf_str(out, ".Sh SEE ALSO\n.Xr invigil.yaml 5 ,\n.Xr invigil-events 7 ,\n.Xr invigil 8\n");
}

static int complain(const char *what, const char *word)
{
	struct buf b = { 0 };

	text_escape(span_of(word), 200, &b);
	fprintf(stderr, "invigil: risks: %s: %s\n", what, b.len ? b.ptr : "''");
	buf_free(&b);
	return 125;
}

int cmd_risks(struct config *c)
{
	static const struct {
		const char *name;
		void (*write)(struct buf *out);
	} formats[] = {
		{ "text", risks_text },
		{ "json", risks_json },
		{ "markdown", risks_markdown },
		{ "mdoc", risks_mdoc },
	};
	const char *format = c->format ? c->format : "text";
	struct buf out = { 0 };
	size_t i;
	int rc = 0;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].name, format))
			break;
	if (i == ARRAY_SIZE(formats))
		return complain("unknown format (text, json, markdown or mdoc are known)", format);
	if (c->argc > 0)
		return complain("unexpected argument", c->argv[0]);
	formats[i].write(&out);
	errno = 0;
	if (fwrite(out.ptr, 1, out.len, stdout) != out.len || fflush(stdout))
		rc = complain("standard output", strerror(errno));
	buf_free(&out);
	return rc;
}
