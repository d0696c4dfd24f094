/* test_job.c: which processes are of one CI job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "job.h"

static const uint64_t key[2] = { 3, 4 };

static struct ev_exec body(uint32_t uid, uint32_t agent)
{
	return (struct ev_exec){ .uid = uid, .ppid = agent, .parent_start = agent * 100ull };
}

/* Identity of a process with this environment ("A=1", NULL ended); its agent and user. */
static bool identify(uint32_t uid, uint32_t agent, const char *const *envp,
		     struct job_identity *out)
{
	static struct config none;
	struct ev_exec e = body(uid, agent);
	struct ev_hdr h = { .type = EV_EXEC };
	struct record r = { .h = &h, .body = &e, .tail = (char *)"" };

	return job_identify(&r, (char *const *)envp, &none, key, out);
}

#define ENV(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void steps_of_a_job_are_one_and_everything_else_is_not(void **state)
{
	const char *const *first = ENV("BUILD_TAG=jenkins-a-1", "STAGE_NAME=build");
	struct job_identity a, b;

	(void)state;
	assert_true(identify(1000, 7, first, &a));
	assert_true(identify(1000, 7, ENV("STAGE_NAME=test", "BUILD_TAG=jenkins-a-1"), &b));
	assert_true(job_same(&a, &b));
	assert_true(identify(1000, 7, ENV("BUILD_TAG=jenkins-a-2", "STAGE_NAME=build"), &b));
	assert_false(job_same(&a, &b));
	assert_true(identify(1001, 7, first, &b));
	assert_false(job_same(&a, &b));
	assert_true(identify(1000, 8, first, &b));
	assert_false(job_same(&a, &b));
	assert_false(identify(1000, 7, ENV("STAGE_NAME=build", "BUILD_TAG=v1"), &b));
}

static void parts_of_an_identity_cannot_flow_into_each_other(void **state)
{
	struct job_identity a, b;

	(void)state;
	assert_true(identify(1, 1, ENV("TF_BUILD=True", "BUILD_BUILDID=1", "SYSTEM_JOBID=23"), &a));
	assert_true(identify(1, 1, ENV("TF_BUILD=True", "BUILD_BUILDID=12", "SYSTEM_JOBID=3"), &b));
	assert_false(job_same(&a, &b));
}

static void a_cut_block_gives_its_whole_strings(void **state)
{
	char block[] = "A=1\0B=2\0C=3";
	char **list = strings_of(block, 9);

	(void)state;
	assert_string_equal(list[0], "A=1");
	assert_string_equal(list[1], "B=2");
	assert_null(list[2]);
	free(list);
	list = strings_of(block, 0);
	assert_null(list[0]);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_of_a_job_are_one_and_everything_else_is_not),
		cmocka_unit_test(parts_of_an_identity_cannot_flow_into_each_other),
		cmocka_unit_test(a_cut_block_gives_its_whole_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
