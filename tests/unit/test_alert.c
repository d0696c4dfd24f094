/* test_alert.c: findings are counted, told apart by fingerprint, and said once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "alert.h"

struct world {
	struct run run;
	struct process process;
	struct fact fact;
	struct alerts alerts;
	struct report report;
};

static int set_up(void **state)
{
	static const uint8_t seed[32] = { 1, 2, 3 };
	struct world *w = xcalloc(1, sizeof(*w));

	masker_init(&w->run.masker, seed);
	w->process.name = (char *)"python3";
	w->process.script = (char *)"test_server.py";
	w->process.pid = 100;
	w->fact.kind = FACT_EXEC;
	w->fact.time = 1000;
	w->fact.run = &w->run;
	w->fact.process = &w->process;
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
	free(w);
	return 0;
}

static const struct alert *note(struct world *w, const char *rule, struct span subject,
				const char *evidence)
{
	report_reset(&w->report);
	finding(&w->report, rule, subject, "%s", evidence);
	assert_int_equal(w->report.n, 1);
	return alerts_note(&w->alerts, &w->report.at[0], &w->fact);
}

static void the_first_sight_is_said_and_a_repeat_is_counted(void **state)
{
	struct world *w = *state;
	const struct alert *a = note(w, "R6.1", SPAN("web"), "first");

	assert_non_null(a);
	w->fact.time = 3000;
	w->process.pid = 101;
	assert_null(note(w, "R6.1", SPAN("web"), "second"));
	assert_int_equal(w->alerts.n, 1);
	assert_int_equal(a->count, 2);
	assert_int_equal(a->first, 1000);
	assert_int_equal(a->last, 3000);
	assert_string_equal(a->evidence.ptr, "first");
	assert_int_equal(a->severity, SEV_CRITICAL);
	assert_int_equal(w->alerts.tally[RISK_CONTAINER_CONFIG][SEV_CRITICAL], 2);
}

static void an_earlier_time_moves_the_first_and_not_the_last(void **state)
{
	struct world *w = *state;
	const struct alert *a = note(w, "R6.1", SPAN("web"), "x");

	w->fact.time = 500;
	note(w, "R6.1", SPAN("web"), "x");
	assert_int_equal(a->first, 500);
	assert_int_equal(a->last, 1000);
}

static void rule_subject_program_and_script_each_make_another_alert(void **state)
{
	struct world *w = *state;

	assert_non_null(note(w, "R6.1", SPAN("web"), "x"));
	assert_non_null(note(w, "R6.2", SPAN("web"), "x"));
	assert_non_null(note(w, "R6.1", SPAN("db"), "x"));
	w->process.name = (char *)"docker";
	assert_non_null(note(w, "R6.1", SPAN("web"), "x"));
	w->process.script = NULL;
	assert_non_null(note(w, "R6.1", SPAN("web"), "x"));
	w->fact.process = NULL;
	assert_non_null(note(w, "R6.1", SPAN("web"), "x"));
	assert_int_equal(w->alerts.n, 6);
}

static void the_end_of_a_subject_cannot_pass_for_a_program(void **state)
{
	struct world *w = *state;

	w->process.name = (char *)"sh";
	w->process.script = NULL;
	assert_non_null(note(w, "R6.1", SPAN("web"), "x"));
	w->process.name = NULL;
	assert_non_null(note(w, "R6.1", SPAN("websh"), "x"));
	assert_non_null(note(w, "R6.1", SPAN("web\0sh"), "x"));
	assert_int_equal(w->alerts.n, 3);
}

static void a_fingerprint_is_32_hex_digits_and_the_same_in_every_run(void **state)
{
	struct world *w = *state;
	const struct alert *a = note(w, "R6.1", SPAN("web"), "x");
	char before[33];

	assert_int_equal(strlen(a->fingerprint), 32);
	assert_int_equal(strspn(a->fingerprint, "0123456789abcdef"), 32);
	memcpy(before, a->fingerprint, sizeof(before));
	alerts_free(&w->alerts);
	alerts_init(&w->alerts);
	w->fact.time = 77;
	w->process.pid = 4711;
	a = note(w, "R6.1", SPAN("web"), "other words");
	assert_string_equal(a->fingerprint, before);
}

static size_t masked(struct masker *m, uint8_t seed_byte, char *out)
{
	uint8_t seed[32] = { seed_byte };
	char env[] = "MY_TOKEN=correct-horse-battery";
	char text[] = "name=web-correct-horse-battery-1";

	masker_free(m);
	memset(m, 0, sizeof(*m));
	masker_init(m, seed);
	scrub_environment(m, env, sizeof(env));
	assert_int_not_equal(scrub_bytes(m, text, sizeof(text) - 1), 0);
	memcpy(out, text, sizeof(text) - 1);
	return sizeof(text) - 1;
}

static void a_masked_secret_in_a_subject_gives_the_same_fingerprint_in_another_run(void **state)
{
	struct world *w = *state;
	char first[64], second[64], before[33];
	size_t n = masked(&w->run.masker, 5, first);

	memcpy(before, note(w, "R7.3", (struct span){ first, n }, "x")->fingerprint,
	       sizeof(before));
	assert_int_equal(masked(&w->run.masker, 9, second), n);
	assert_memory_not_equal(first, second, n);
	assert_null(note(w, "R7.3", (struct span){ second, n }, "x"));
	assert_string_equal(w->alerts.at[0].fingerprint, before);
}

static void what_was_said_before_a_secret_was_known_is_masked(void **state)
{
	struct world *w = *state;
	char env[] = "DB_PASSWORD=correct-horse-battery";
	const struct alert *a;

	note(w, "R8.2", SPAN("docker run"), "run web-correct-horse-battery-1");
	note(w, "R8.2", SPAN("docker build"), "build web-correct-horse-saddle-1");
	alerts_mask(&w->alerts, &w->run.masker);
	a = w->alerts.at;
	assert_non_null(strstr(a[0].evidence.ptr, "correct-horse-battery"));
	scrub_environment(&w->run.masker, env, sizeof(env));
	alerts_mask(&w->alerts, &w->run.masker);
	assert_null(strstr(a[0].evidence.ptr, "correct-horse-battery"));
	assert_non_null(
		masker_find(&w->run.masker, (struct span){ a[0].evidence.ptr, a[0].evidence.len }));
	assert_string_equal(a[1].evidence.ptr, "build web-correct-horse-saddle-1");
}

static void info_is_counted_and_never_said(void **state)
{
	struct world *w = *state;

	assert_null(note(w, "R3.1", SPAN("sh"), "x"));
	assert_null(note(w, "R3.1", SPAN("sh"), "x"));
	assert_int_equal(w->alerts.n, 0);
	assert_int_equal(w->alerts.tally[RISK_COMMAND_EXECUTION][SEV_INFO], 2);
	assert_int_equal(alerts_worst(&w->alerts, true), SEV_INFO);
}

static void a_rule_that_is_off_is_neither_counted_nor_said(void **state)
{
	struct world *w = *state;

	assert_true(rule_set_severity("R6.7", SEV_OFF));
	assert_null(note(w, "R6.7", SPAN("p"), "x"));
	assert_true(rule_set_severity("R6.7", SEV_MEDIUM));
	assert_int_equal(w->alerts.n, 0);
	for (int s = 0; s < SEVERITIES; s++)
		assert_int_equal(w->alerts.tally[RISK_CONTAINER_CONFIG][s], 0);
}

static void health_counts_towards_the_worst_only_when_asked(void **state)
{
	struct world *w = *state;

	note(w, "R0.1", SPAN("exec"), "x");
	assert_int_equal(alerts_worst(&w->alerts, false), SEV_INFO);
	assert_int_equal(alerts_worst(&w->alerts, true), SEV_HIGH);
	note(w, "R6.7", SPAN("p"), "x");
	assert_int_equal(alerts_worst(&w->alerts, false), SEV_MEDIUM);
}

static void beyond_the_limit_new_ones_are_dropped_and_old_ones_still_counted(void **state)
{
	struct world *w = *state;
	unsigned said = 0;
	char name[32];

	for (unsigned i = 0; i < ALERTS_MAX; i++) {
		int n = snprintf(name, sizeof(name), "c%u", i);

		said += note(w, "R6.7", (struct span){ name, (size_t)n }, "x") != NULL;
	}
	assert_int_equal(w->alerts.n, said);
	assert_int_equal(w->alerts.dropped, ALERTS_MAX - said);
	assert_null(note(w, "R6.7", SPAN("c0"), "x"));
	assert_int_equal(w->alerts.at[0].count, 2);
	assert_int_equal(w->alerts.tally[RISK_CONTAINER_CONFIG][SEV_MEDIUM], ALERTS_MAX + 1);
	/* What is worse still has room. */
	assert_non_null(note(w, "R6.4", SPAN("host"), "x"));
	assert_non_null(note(w, "R6.1", SPAN("Privileged"), "x"));
	assert_true(w->alerts.n < ALERTS_MAX);
}

static void a_created_container_is_known_by_the_id_of_the_response(void **state)
{
	static const struct docker_route route = { .action = ACT_CONTAINER_CREATE };
	struct world *w = *state;
	char id[] = "abc123";
	const struct alert *a;

	w->fact.kind = FACT_DOCKER;
	w->fact.docker.route = &route;
	w->fact.docker.created_id = span_of(id);
	w->fact.docker.target = SPAN("web");
	a = note(w, "R6.1", SPAN("web"), "x");
	memset(id, 'z', 6);
	assert_int_equal(a->container_id.len, 6);
	assert_memory_equal(a->container_id.ptr, "abc123", 6);
	assert_memory_equal(a->container_name.ptr, "web", 3);
}

static void one_report_holds_a_rule_and_subject_once(void **state)
{
	struct world *w = *state;
	char name[16];

	finding(&w->report, "R6.1", SPAN("web"), "a");
	finding(&w->report, "R6.1", SPAN("web"), "b");
	finding(&w->report, "R6.2", SPAN("web"), "c");
	finding(&w->report, "R6.1", SPAN(""), "d");
	assert_int_equal(w->report.n, 3);
	assert_string_equal(w->report.at[0].evidence.ptr, "a");
	for (unsigned i = 0; i < FINDINGS_MAX; i++) {
		int n = snprintf(name, sizeof(name), "s%u", i);

		finding(&w->report, "R6.1", (struct span){ name, (size_t)n }, "e");
	}
	assert_int_equal(w->report.n, FINDINGS_MAX);
	assert_int_equal(w->report.more, 3);
	report_reset(&w->report);
	assert_int_equal(w->report.n, 0);
	assert_int_equal(w->report.more, 0);
}

static void long_evidence_is_cut_between_characters(void **state)
{
	struct world *w = *state;
	char text[600];

	memset(text, 'a', sizeof(text));
	memcpy(text + FINDING_EVIDENCE - 1, "\xc3\xa4", 2);
	finding(&w->report, "R3.1", SPAN(""), "%.*s", (int)sizeof(text), text);
	assert_int_equal(w->report.at[0].evidence.len, FINDING_EVIDENCE - 1);
	finding(&w->report, "R3.1", SPAN("b"), "%.*s", FINDING_EVIDENCE - 1, text);
	assert_int_equal(w->report.at[1].evidence.len, FINDING_EVIDENCE - 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_sight_is_said_and_a_repeat_is_counted),
		TEST(an_earlier_time_moves_the_first_and_not_the_last),
		TEST(rule_subject_program_and_script_each_make_another_alert),
		TEST(the_end_of_a_subject_cannot_pass_for_a_program),
		TEST(a_fingerprint_is_32_hex_digits_and_the_same_in_every_run),
		TEST(a_masked_secret_in_a_subject_gives_the_same_fingerprint_in_another_run),
		TEST(info_is_counted_and_never_said),
		TEST(what_was_said_before_a_secret_was_known_is_masked),
		TEST(a_rule_that_is_off_is_neither_counted_nor_said),
		TEST(health_counts_towards_the_worst_only_when_asked),
		TEST(beyond_the_limit_new_ones_are_dropped_and_old_ones_still_counted),
		TEST(a_created_container_is_known_by_the_id_of_the_response),
		TEST(one_report_holds_a_rule_and_subject_once),
		TEST(long_evidence_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
