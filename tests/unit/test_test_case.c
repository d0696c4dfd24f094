/* test_test_case.c: the values in which frameworks name the running test case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "option.h"
#include "scrub.h"
#include "test_case.h"

const struct command commands[] = { { 0 } };

static void check(enum test_framework f, const char *value, const char *name, const char *phase,
		  const char *in_short)
{
	struct test_case *t = test_case_new(f, span_of(value));

	assert_non_null(t);
	assert_true(span_eq(t->name, name));
	assert_true(span_eq(test_case_short(t), in_short));
	if (phase)
		assert_string_equal(t->phase, phase);
	else
		assert_null(t->phase);
	test_case_drop(t);
}

static void a_phase_is_no_part_of_the_name(void **state)
{
	(void)state;
	check(TEST_PYTEST, "t/a.py::test_b (call)", "t/a.py::test_b", "call", "test_b");
	check(TEST_PYTEST, "t/a.py::C::test_b[1] (setup)", "t/a.py::C::test_b[1]", "setup",
	      "test_b[1]");
	check(TEST_PYTEST, "a.py::b (teardown)", "a.py::b", "teardown", "b");
}

static void what_is_no_phase_stays(void **state)
{
	(void)state;
	check(TEST_PYTEST, "a.py::b (other)", "a.py::b (other)", NULL, "b (other)");
	check(TEST_PYTEST, "a.py::b[x (call)", "a.py::b[x", "call", "b[x");
	check(TEST_BATS, "test_x (call)", "test_x (call)", NULL, "test_x (call)");
	check(TEST_NEXTEST, "tests::it_works", "tests::it_works", NULL, "it_works");
}

static void a_parameter_may_hold_colons(void **state)
{
	(void)state;
	check(TEST_PYTEST, "a.py::b[c::d] (call)", "a.py::b[c::d]", "call", "b[c::d]");
}

static void an_empty_value_is_no_test(void **state)
{
	(void)state;
	assert_null(test_case_new(TEST_PYTEST, SPAN("")));
	assert_null(test_case_new(TEST_PYTEST, SPAN(" (call)")));
}

static void phases_of_one_case_are_the_same_case(void **state)
{
	struct test_case *a = test_case_new(TEST_PYTEST, SPAN("a.py::b (setup)"));
	struct test_case *b = test_case_new(TEST_PYTEST, SPAN("a.py::b (call)"));
	struct test_case *c = test_case_new(TEST_BATS, SPAN("a.py::b"));

	(void)state;
	assert_true(test_case_same(a, b));
	assert_false(test_case_same(a, c));
	assert_false(test_case_same(a, NULL));
	assert_true(test_case_same(NULL, NULL));
	test_case_drop(a);
	test_case_drop(b);
	test_case_drop(c);
}

static void rows_are_read(void **state)
{
	(void)state;
	check(TEST_LIT, "Suite :: dir/a.test", "Suite :: dir/a.test", NULL, "dir/a.test");
	check(TEST_MOLECULE, "default", "default", NULL, "default");
	check(TEST_TMT, "/tests/smoke", "/tests/smoke", NULL, "/tests/smoke");
	for (unsigned i = 0; i < TEST_FRAMEWORKS; i++)
		assert_true(variable_is_public(span_of(test_variable(i))));
	assert_false(variable_is_public(SPAN("MOLECULE_SCENARIO")));
}

static void the_nearest_case_counts(void **state)
{
	struct test_case *outer = test_case_new(TEST_TMT, SPAN("/tests/smoke"));
	struct test_case *inner = test_case_new(TEST_BATS, SPAN("test_a"));

	(void)state;
	assert_true(test_case_holds(NULL, TEST_TMT));
	assert_true(test_case_holds(outer, TEST_BATS));
	assert_false(test_case_holds(inner, TEST_TMT));
	assert_false(test_case_holds(inner, TEST_BATS));
	test_case_drop(outer);
	test_case_drop(inner);
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
	const struct CMUnitTest tests[] = {
		T(a_phase_is_no_part_of_the_name),
		T(what_is_no_phase_stays),
		T(a_parameter_may_hold_colons),
		T(an_empty_value_is_no_test),
		T(phases_of_one_case_are_the_same_case),
		T(rows_are_read),
		T(the_nearest_case_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
