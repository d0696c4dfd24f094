/* test_case.c: reads the values in which pytest, bats, nextest and their kin name the running test case. */
#include <stdlib.h>
#include <string.h>
#include "test_case.h"

static const struct {
	const char *name, *variable;
} frameworks[TEST_FRAMEWORKS] = {
	[TEST_PYTEST] = { "pytest", "PYTEST_CURRENT_TEST" },
	[TEST_BATS] = { "bats", "BATS_TEST_NAME" },
	[TEST_NEXTEST] = { "nextest", "NEXTEST_TEST_NAME" },
	/* lit of LLVM 22 (llvm-project 168762) */
	[TEST_LIT] = { "lit", "LIT_CURRENT_TESTCASE" },
	/* its documentation, "Variable Substitution": a scenario */
	[TEST_MOLECULE] = { "molecule", "MOLECULE_SCENARIO_NAME" },
	/* its documentation, "Test Variables" */
	[TEST_TMT] = { "tmt", "TMT_TEST_NAME" },
};

const char *test_variable(enum test_framework f)
{
	return frameworks[f].variable;
}

/* pytest: "path::test (phase)" */
static const char *phase_cut(struct span *value)
{
	static const char *const phases[][2] = {
		{ " (setup)", "setup" },
		{ " (call)", "call" },
		{ " (teardown)", "teardown" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		if (span_ends(*value, phases[i][0])) {
			value->len -= strlen(phases[i][0]);
			return phases[i][1];
		}
	return NULL;
}

struct test_case *test_case_new(enum test_framework f, struct span value)
{
	const char *phase = f == TEST_PYTEST ? phase_cut(&value) : NULL;
	struct test_case *t;

	if (!value.len)
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->refs = 1;
	t->json = xcalloc(1, sizeof(*t->json));
	t->framework = frameworks[f].name;
	t->rank = f;
	t->phase = phase;
	t->name = (struct span){ xstrndup(value.ptr, value.len), value.len };
	return t;
}

struct test_case *test_case_hold(const struct test_case *t)
{
	struct test_case *mine = (struct test_case *)t;

	if (mine)
		mine->refs++;
	return mine;
}

void test_case_drop(struct test_case *t)
{
	if (!t || --t->refs)
		return;
	free((char *)t->name.ptr);
	buf_free(t->json);
	free(t->json);
	free(t);
}

bool test_case_same(const struct test_case *a, const struct test_case *b)
{
	return a == b || (a && b && a->framework == b->framework && span_eq_span(a->name, b->name));
}

bool test_case_holds(const struct test_case *t, enum test_framework f)
{
	return !t || f < t->rank;
}

struct span test_case_short(const struct test_case *t)
{
	struct span rest = t->name;
	long at;

	while ((at = span_find(rest, SPAN("::"))) >= 0) {
		/* A parameter may hold colons too. */
		if (memchr(rest.ptr, '[', at))
			break;
		rest.ptr += at + 2;
		rest.len -= at + 2;
		/* "suite :: case" */
		while (rest.len && *rest.ptr == ' ') {
			rest.ptr++;
			rest.len--;
		}
	}
	return rest;
}
