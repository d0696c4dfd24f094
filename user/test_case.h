/* test_case.h: the running test case of a process, as the test framework itself names it. Pure. */
#ifndef INVIGIL_TEST_CASE_H
#define INVIGIL_TEST_CASE_H

#include <stdbool.h>
#include "buf.h"

/* Shared by a process, what it starts, and the alerts of them. */
struct test_case {
	unsigned refs;
	const char *framework; /* "pytest", "bats" */
	unsigned rank;         /* its enum test_framework */
	const char *phase;     /* "setup", "call", "teardown"; NULL: not told */
	struct buf *json;      /* for who writes it: what it is in the stream */
	struct span name;      /* owned; "tests/test_a.py::test_b[1]"; scrubbed */
};

/*
 * One row a framework: the variable that names the case. Exported to what the case starts. Those that run other
 * frameworks stand behind them: the case that is nearest to the code names it.
 */
enum test_framework {
	TEST_PYTEST,
	TEST_BATS,
	TEST_NEXTEST,
	TEST_LIT,
	TEST_MOLECULE,
	TEST_TMT,
	TEST_FRAMEWORKS
};
const char *test_variable(enum test_framework f);

/* Of the variable's value; NULL when there is nothing in it. */
struct test_case *test_case_new(enum test_framework f, struct span value);
struct test_case *test_case_hold(const struct test_case *t); /* NULL is fine, here and there */
void test_case_drop(struct test_case *t);
/* The same case, whatever its phase. */
bool test_case_same(const struct test_case *a, const struct test_case *b);
/* Could a case of framework f run inside of t? */
bool test_case_holds(const struct test_case *t, enum test_framework f);
/* What a person calls it: behind the file's name. */
struct span test_case_short(const struct test_case *t);

#endif
