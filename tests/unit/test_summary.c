/* test_summary.c: nine lines, worst first, never more than 40 lines of 80 columns; a Markdown report is bounded and inert. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "markdown.h"

struct world {
	struct run run;
	struct span command[2];
	struct process process;
	struct fact fact;
	struct alerts alerts;
	struct report report;
	struct run_result result;
	struct summary_input in;
	struct buf out;
};

static int set_up(void **state)
{
	static const uint8_t seed[32] = { 7 };
	struct world *w = xcalloc(1, sizeof(*w));

	masker_init(&w->run.masker, seed);
	w->command[0] = SPAN("./test_servers.py");
	w->command[1] = SPAN("-v");
	w->run.command = w->command;
	w->run.commands = 2;
	w->run.began = 1000000000;
	w->run.ended = 13340000000;
	w->run.processes = 14;
	w->run.engine_calls = 1;
	w->run.complete = true;
	w->process.name = (char *)"python3";
	w->process.script = (char *)"test_servers.py";
	w->process.pid = 100;
	w->fact.kind = FACT_EXEC;
	w->fact.time = 1;
	w->fact.run = &w->run;
	w->fact.process = &w->process;
	w->result.verdict = "passed";
	w->result.fail_on = "high";
	w->in.run = &w->run;
	w->in.alerts = &w->alerts;
	w->in.result = &w->result;
	alerts_init(&w->alerts);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	alerts_free(&w->alerts);
	report_free(&w->report);
	masker_free(&w->run.masker);
	buf_free(&w->out);
	free(w);
	return 0;
}

static void note(struct world *w, const char *rule, const char *subject, struct span evidence)
{
	report_reset(&w->report);
	finding(&w->report, rule, span_of(subject), "%.*s", SPANF(evidence));
	alerts_note(&w->alerts, &w->report.at[0], &w->fact);
}

/* Writes it, checks the bounds that hold for every summary, and returns its text. */
static const char *text(struct world *w)
{
	unsigned lines = 0, columns = 0, categories_seen = 0;

	buf_reset(&w->out);
	summary_write(&w->in, &w->out);
	assert_true(w->out.len > 0);
	assert_int_equal(w->out.ptr[w->out.len - 1], '\n');
	for (size_t i = 0; i < w->out.len; i++) {
		unsigned char c = (unsigned char)w->out.ptr[i];

		if (c == '\n') {
			if (columns > 80)
				fail_msg("line %u has %u columns", lines + 1, columns);
			lines++;
			columns = 0;
			continue;
		}
		if (!columns && c == 'R' && w->out.ptr[i + 1] >= '1' && w->out.ptr[i + 1] <= '9')
			categories_seen++;
		if (c == 033 && w->in.colour) {
			while (w->out.ptr[i] != 'm')
				i++;
			continue;
		}
		assert_in_range(c, 0x20, 0x7e);
		columns++;
	}
	if (lines > 40)
		fail_msg("%u lines", lines);
	assert_int_equal(categories_seen, 9);
	return w->out.ptr;
}

static void check_order(const char *s, const char *const *parts)
{
	for (; *parts; parts++) {
		s = strstr(s, *parts);
		if (!s)
			fail_msg("\"%s\" is not there, or not in its place", *parts);
	}
}

static void a_quiet_run_has_one_line_and_nine_that_were_not_seen(void **state)
{
	struct world *w = *state;
	static const char *const parts[] = {
		"invigil: ./test_servers.py -v\n",
		"  exit 0, 12.3 s, 14 processes, 1 engine call",
		"gate passed (high)\n",
		"R1 environment-read  not seen\n",
		"R2 encoded-payload   not seen\n",
		"R9 docker-removal    not seen\n",
		NULL,
	};

	check_order(text(w), parts);
	assert_null(strstr(w->out.ptr, "Not seen"));
	assert_null(strstr(w->out.ptr, "Written"));
	assert_null(strstr(w->out.ptr, "Left"));
}

static void the_status_of_the_command_is_said_as_wait_reports_it(void **state)
{
	struct world *w = *state;

	w->run.status = 3 << 8;
	assert_non_null(strstr(text(w), "exit 3,"));
	w->run.status = 9;
	assert_non_null(strstr(text(w), "signal 9,"));
	w->run.status = -1;
	assert_non_null(strstr(text(w), "status unknown,"));
}

static void categories_stand_worst_first_and_ties_by_id(void **state)
{
	struct world *w = *state;
	static const char *const parts[] = {
		"R6 container-config  1 critical 1 medium; "
		"R6.1 privileged-container: /HostConfig\n",
		"R2 encoded-payload   1 high; R2.2",
		"R9 docker-removal    2 high; R9.2",
		"R1 environment-read  evidence only (1)",
		"R3 command-execution evidence only (2)",
		"R4 piped-shell       not seen",
		NULL,
	};

	note(w, "R9.2", "db", SPAN("db"));
	note(w, "R9.2", "db", SPAN("db"));
	note(w, "R6.7", "p", SPAN("0.0.0.0:80"));
	note(w, "R6.1", "p", SPAN("/HostConfig"));
	note(w, "R2.2", "p", SPAN("#!/bin/sh"));
	note(w, "R3.1", "p", SPAN("sh"));
	note(w, "R3.1", "p", SPAN("ls"));
	note(w, "R1.1", "p", SPAN("CI"));
	check_order(text(w), parts);
}

static void untrusted_bytes_and_secrets_do_not_reach_the_terminal(void **state)
{
	struct world *w = *state;
	char env[] = "MY_TOKEN=correct-horse-battery";
	char bytes[] = "-p correct-horse-battery\033[2J\n\xe2\x80\xae";

	scrub_environment(&w->run.masker, env, sizeof(env));
	assert_true(scrub_bytes(&w->run.masker, bytes, sizeof(bytes) - 1) > 0);
	w->command[1] = (struct span){ bytes, sizeof(bytes) - 1 };
	assert_non_null(strstr(text(w), "<redacted:variable:MY_TOKEN>"));
	assert_null(strstr(w->out.ptr, "horse"));
	note(w, "R6.1", "p", (struct span){ bytes, sizeof(bytes) - 1 });
	assert_non_null(strstr(text(w), "-p <redacted:"));
}

static void colour_appears_only_when_asked_for(void **state)
{
	struct world *w = *state;

	note(w, "R6.1", "p", SPAN("x"));
	assert_null(strchr(text(w), 033));
	w->in.colour = true;
	assert_non_null(strstr(text(w), "\033[1;31m1 critical\033[0m"));
}

static void what_was_not_seen_is_said_with_counts(void **state)
{
	struct world *w = *state;
	static const char *const gaps[] = { "env reads: no uprobes" };
	static const char *const parts[] = {
		"Not seen (the run is incomplete):\n",
		"  env reads: no uprobes\n",
		"  lost: 5 exec, 200k data\n",
		"1 record cut, 2 records rejected, 3 alerts not kept\n",
		"R0 monitor-health    1 high; R0.1",
		NULL,
	};

	w->run.complete = false;
	w->in.gaps = gaps;
	w->in.n_gaps = 1;
	w->run.lost[EV_EXEC] = 5;
	w->run.lost[EV_DATA] = 200000;
	w->run.cut_records = 1;
	w->run.rejected = 2;
	w->alerts.dropped = 3;
	note(w, "R0.1", "exec", SPAN("5 exec"));
	check_order(text(w), parts);
}

static void what_this_kernel_does_not_let_see_is_said_and_nothing_of_what_it_does(void **state)
{
	struct world *w = *state;
	struct coverage coverage[] = { { (char *)"exec", (char *)"tp_btf", NULL, NULL },
				       { (char *)"file changes", (char *)"inode times",
					 (char *)"changes by io_uring", NULL },
				       { (char *)"source lines", (char *)"none", (char *)"lines",
					 NULL } };
	struct buf md = { 0 };

	w->run.coverage = coverage;
	w->run.n_coverage = 1;
	assert_null(strstr(text(w), "Reduced"));
	markdown_write(&w->in, &md);
	assert_null(strstr(md.ptr, "Reduced"));
	w->run.n_coverage = 3;
	assert_non_null(
		strstr(text(w), "Reduced here (invigil check): file changes, source lines\n"));
	for (int i = 0; i < 3; i++)
		coverage[i] = (struct coverage){ (char *)"a hook whose name is not short",
						 (char *)"none", (char *)"all", NULL };
	assert_non_null(strstr(
		text(w), "Reduced here (invigil check): a hook whose name is not short,\n"
			 "  a hook whose name is not short, a hook whose name is not short\n"));
	coverage[1] = (struct coverage){ (char *)"file changes", (char *)"inode times",
					 (char *)"changes by io_uring", NULL };
	coverage[2] =
		(struct coverage){ (char *)"source lines", (char *)"none", (char *)"lines", NULL };
	coverage[0].lacks = NULL;
	buf_reset(&md);
	markdown_write(&w->in, &md);
	assert_non_null(strstr(
		md.ptr, "- `file changes` by `inode times`, not seen: `changes by io_uring`\n"
			"- `source lines` by `none`, not seen: `lines`\n"));
	buf_free(&md);
}

static void without_a_gate_the_option_is_named_that_would_set_one(void **state)
{
	struct world *w = *state;

	w->result.verdict = "off";
	w->result.fail_on = "never";
	text(w);
	assert_non_null(strstr(w->out.ptr, "engine call, no --fail-on\n"));
	assert_null(strstr(w->out.ptr, "gate"));
	w->result.verdict = "passed"; /* --require-complete */
	text(w);
	assert_non_null(strstr(w->out.ptr, "engine call, gate passed\n"));
}

static void files_and_what_was_left_behind_come_last(void **state)
{
	struct world *w = *state;
	static const char *const files[] = { "events.jsonl", "run.rec" };
	struct span objects[] = { SPAN("container 0123456789ab (web)") };
	const struct process *processes[] = { &w->process };
	static const char *const parts[] = {
		"Left behind: 1 object: container 0123456789ab (web)\n",
		"Left behind: 1 process: 100 python3\n",
		"Written: events.jsonl\n         run.rec\n",
		NULL,
	};

	w->in.files = files;
	w->in.n_files = 2;
	w->result.left_objects = objects;
	w->result.n_left_objects = 1;
	w->result.left_processes = processes;
	w->result.n_left_processes = 1;
	check_order(text(w), parts);
}

static void verbose_shows_up_to_three_findings_of_a_category(void **state)
{
	struct world *w = *state;
	static const char *const parts[] = {
		"R6 container-config  1 critical 3 high\n",
		"     critical R6.1 privileged-container: x (python3 test_servers.py)\n",
		"     high R6.8 host-device: /dev/a",
		"     high R6.8 host-device: /dev/b",
		"R1 ",
		NULL,
	};

	note(w, "R6.8", "a", SPAN("/dev/a"));
	note(w, "R6.8", "b", SPAN("/dev/b"));
	note(w, "R6.8", "c", SPAN("/dev/c"));
	note(w, "R6.1", "p", SPAN("x"));
	w->in.verbose = true;
	check_order(text(w), parts);
	assert_null(strstr(w->out.ptr, "/dev/c"));
}

static void it_stays_within_40_lines_of_80_columns_whatever_happened(void **state)
{
	struct world *w = *state;
	char *gap_text[30];
	const char *files[20];
	struct span objects[50];
	const struct process *processes[50];
	char name[32], long_text[5000];

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = 0;
	for (size_t i = 0; i < 30; i++)
		gap_text[i] = long_text;
	for (size_t i = 0; i < 20; i++)
		files[i] = long_text;
	for (size_t i = 0; i < 50; i++) {
		objects[i] = span_of(long_text);
		processes[i] = &w->process;
	}
	for (size_t i = 0; i < n_rules; i++) {
		for (unsigned k = 0; k < 4; k++) {
			snprintf(name, sizeof(name), "s%u", k);
			note(w, rules[i].id, name, span_of(long_text));
		}
	}
	for (int r = 0; r < RISKS; r++)
		for (int s = 0; s < SEVERITIES; s++)
			w->alerts.tally[r][s] = UINT64_MAX;
	for (int t = EV_UNKNOWN; t < EV_TYPES; t++)
		w->run.lost[t] = UINT64_MAX;
	w->run.cut_records = w->run.rejected = w->alerts.dropped = UINT64_MAX;
	w->run.processes = w->run.engine_calls = UINT64_MAX;
	w->run.ended = UINT64_MAX;
	w->run.complete = false;
	w->command[0] = span_of(long_text);
	w->result.verdict = "tripped";
	w->result.fail_on = "critical";
	w->result.left_objects = objects;
	w->result.n_left_objects = 50;
	w->result.left_processes = processes;
	w->result.n_left_processes = 50;
	w->in.gaps = (const char *const *)gap_text;
	w->in.n_gaps = 30;
	w->in.files = files;
	w->in.n_files = 20;
	w->run.coverage = (struct coverage[]){ { long_text, long_text, long_text, long_text },
					       { long_text, long_text, long_text, long_text },
					       { long_text, long_text, long_text, long_text } };
	w->run.n_coverage = 1;
	text(w);
	assert_non_null(strstr(w->out.ptr, "gate tripped\n"));
	assert_non_null(strstr(w->out.ptr, "  and 23 more\n"));
	w->in.verbose = true;
	text(w);
	w->in.colour = true;
	text(w);
}

static void a_markdown_report_is_bounded_and_says_what_it_left_out(void **state)
{
	struct world *w = *state;
	char subject[16];
	unsigned n = 0;

	for (unsigned i = 0; i < MARKDOWN_ALERTS + 7; i++) {
		snprintf(subject, sizeof(subject), "s%u", i);
		note(w, i % 2 ? "R6.1" : "R1.3", subject, SPAN("evidence"));
	}
	markdown_write(&w->in, &w->out);
	for (const char *at = w->out.ptr; (at = strstr(at, "\n- **")); at++)
		n++;
	assert_int_equal(n, MARKDOWN_ALERTS);
	assert_non_null(strstr(w->out.ptr, "and 7 more"));
	/* The worst ones come first. */
	assert_true(strstr(w->out.ptr, "** R6.1 ") < strstr(w->out.ptr, "** R1.3 "));
}

/* All that a run can choose is code: there nothing comes to life. */
static void a_markdown_report_is_inert(void **state)
{
	static const char *const evil[] = { "`",       "``",  "a`<b>",    "\n# head",
					    "\r\n- x", "\\`", "\033[31m", "\xe2\x80\xae" };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		bool code = false;

		w->command[1] = span_of(evil[i]);
		w->process.name = (char *)evil[i];
		note(w, "R6.1", evil[i], span_of(evil[i]));
		buf_reset(&w->out);
		markdown_write(&w->in, &w->out);
		for (const char *c = w->out.ptr; *c; c++) {
			assert_true(*c == '\n' || (*c >= ' ' && *c < 127));
			if (*c == '`')
				code = !code;
			assert_false(code && *c == '\n');
			assert_false(!code && (*c == '<' || *c == '\\'));
		}
		assert_false(code);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_quiet_run_has_one_line_and_nine_that_were_not_seen),
		TEST(the_status_of_the_command_is_said_as_wait_reports_it),
		TEST(categories_stand_worst_first_and_ties_by_id),
		TEST(untrusted_bytes_and_secrets_do_not_reach_the_terminal),
		TEST(colour_appears_only_when_asked_for),
		TEST(what_was_not_seen_is_said_with_counts),
		TEST(what_this_kernel_does_not_let_see_is_said_and_nothing_of_what_it_does),
		TEST(without_a_gate_the_option_is_named_that_would_set_one),
		TEST(files_and_what_was_left_behind_come_last),
		TEST(verbose_shows_up_to_three_findings_of_a_category),
		TEST(it_stays_within_40_lines_of_80_columns_whatever_happened),
		TEST(a_markdown_report_is_bounded_and_says_what_it_left_out),
		TEST(a_markdown_report_is_inert),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
