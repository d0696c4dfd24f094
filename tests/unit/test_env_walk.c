/* test_env_walk.c: a walk over the whole environment is told from reads of single variables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "env_name.h"
#include "env_walk.h"
#include "option.h"

const struct command commands[] = { { 0 } };

#define PLACE (7u << 16 | 100)

static char block[] = "A\0B!\0C=c\0D\0E\0F\0G\0H\0I\0J";
static struct process p;

static int setup(void **state)
{
	(void)state;
	p = (struct process){ .env = block, .env_len = sizeof(block) };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	env_walk_free(p.walk);
	p.walk = NULL;
	return 0;
}

/* How many of the names of one letter each were taken, up to the first that was not. */
static unsigned take(const char *names, uint32_t place)
{
	unsigned n = 0;

	for (; names[n]; n++)
		if (!env_walk_take(&p, (struct span){ names + n, 1 }, ENV_PYTHON, place, 1, NULL))
			break;
	return n;
}

static void all_names_in_order_are_a_copy(void **state)
{
	(void)state;
	assert_int_equal(take("ABCDEFGHIJ", PLACE), 10);
	assert_true(env_walk_is_copy(p.walk));
}

static void a_few_are_none(void **state)
{
	(void)state;
	assert_int_equal(take("ABC", PLACE), 3);
	assert_false(env_walk_is_copy(p.walk));
}

static void one_in_four_may_have_been_removed(void **state)
{
	(void)state;
	assert_int_equal(take("ACDEFGHJ", PLACE), 8);
	assert_true(env_walk_is_copy(p.walk));
}

static void a_walk_begins_at_the_first(void **state)
{
	(void)state;
	assert_int_equal(take("BCD", PLACE), 0);
	assert_null(p.walk);
	assert_int_equal(take("X", PLACE), 0);
}

static void a_walk_goes_forward_from_one_place(void **state)
{
	(void)state;
	assert_int_equal(take("AC", PLACE), 2);
	assert_true(env_walk_follows(&p, SPAN("D"), PLACE));
	assert_false(env_walk_follows(&p, SPAN("B"), PLACE));
	assert_false(env_walk_follows(&p, SPAN("D"), 8u << 16 | 100));
	assert_false(env_walk_follows(&p, SPAN("D"), PLACE + 100));
	assert_int_equal(take("B", PLACE), 0);
}

static void a_specialised_instruction_is_the_same_place(void **state)
{
	(void)state;
	p.copy_place[3] = PLACE;
	assert_true(env_walk_known(&p, PLACE + EV_PLACE_NEAR));
	assert_true(env_walk_known(&p, PLACE - EV_PLACE_NEAR));
	assert_false(env_walk_known(&p, PLACE + EV_PLACE_NEAR + 1));
	assert_false(env_walk_known(&p, 0));
}

static void startup_reads_are_those_of_runtimes(void **state)
{
	(void)state;
	assert_true(env_read_is_startup(SPAN("LC_ALL"), ENV_GETENV));
	assert_true(env_read_is_startup(SPAN("PYTHONPATH"), ENV_GETENV));
	assert_true(env_read_is_startup(SPAN("PATH"), ENV_SHELL));
	assert_false(env_read_is_startup(SPAN("PATH"), ENV_GETENV));
	assert_false(env_read_is_startup(SPAN("PYTHONPATH"), ENV_PYTHON));
	assert_false(env_read_is_startup(SPAN("TESTSERVER_BIND_LOCAL"), ENV_GETENV));
	assert_true(env_read_is_startup(SPAN("PYTEST_CURRENT_TEST"), ENV_PYTHON));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(all_names_in_order_are_a_copy),
		T(a_few_are_none),
		T(one_in_four_may_have_been_removed),
		T(a_walk_begins_at_the_first),
		T(a_walk_goes_forward_from_one_place),
		T(a_specialised_instruction_is_the_same_place),
		T(startup_reads_are_those_of_runtimes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
