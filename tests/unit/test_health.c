/* test_health.c: R0: what the monitor itself lost, did not see or suffered. */
#include "facts.h"

static void health_look(enum health_kind what, const char *hook, const char *reason)
{
	struct fact f = { .kind = FACT_HEALTH, .run = &run };

	f.health.what = what;
	f.health.hook = span_of(hook);
	f.health.reason = span_of(reason);
	report_reset(&report);
	detect_health.look(&f, &report);
}

static void an_attack_on_the_monitor_is_critical(void **state)
{
	(void)state;
	health_look(HEALTH_ATTACK, "guardian", "the run sent it signal 9");
	assert_int_equal(report.n, 1);
	assert_string_equal(report.at[0].rule->id, "R0.5");
	assert_int_equal(rule_severity(report.at[0].rule), SEV_CRITICAL);
	assert_non_null(strstr(report.at[0].evidence.ptr, "signal 9"));
}

static void attacks_on_two_targets_are_two_findings_and_a_gap_is_none(void **state)
{
	char first[64];

	(void)state;
	health_look(HEALTH_ATTACK, "guardian", "the run sent it signal 9");
	snprintf(first, sizeof(first), "%s", report.at[0].subject.ptr);
	health_look(HEALTH_ATTACK, "monitor", "the run sent it signal 9");
	assert_string_not_equal(report.at[0].subject.ptr, first);
	health_look(HEALTH_GAP, "guardian", "it could not be started");
	assert_string_equal(report.at[0].rule->id, "R0.2");
}

static void each_reason_of_a_cut_is_a_finding_of_its_own(void **state)
{
	char first[64];

	(void)state;
	health_look(HEALTH_CUT, "engine socket", "the request was cut");
	assert_string_equal(report.at[0].rule->id, "R0.3");
	snprintf(first, sizeof(first), "%s", report.at[0].subject.ptr);
	health_look(HEALTH_CUT, "engine socket", "the answer was cut");
	assert_string_not_equal(report.at[0].subject.ptr, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attack_on_the_monitor_is_critical),
		cmocka_unit_test(each_reason_of_a_cut_is_a_finding_of_its_own),
		cmocka_unit_test(attacks_on_two_targets_are_two_findings_and_a_gap_is_none),
	};

	return cmocka_run_group_tests(tests, facts_setup, facts_end);
}
