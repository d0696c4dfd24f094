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

#define ENV(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const char *const *jenkins = ENV("BUILD_TAG=jenkins-a-1", "STAGE_NAME=build");

/* Of a process of this user with these ancestors (0 ended, parent first) in this cgroup. */
struct origin {
	uint32_t uid, up[4];
	const char *cgroup;
};

static struct lineage lineage_of(const struct origin *o)
{
	struct lineage l = { .cgroup = (char *)o->cgroup };

	for (; l.ancestors < 4 && o->up[l.ancestors]; l.ancestors++)
		l.ancestor[l.ancestors] = (struct ev_ancestor){ .pid = o->up[l.ancestors],
								.start = o->up[l.ancestors] * 100 };
	return l;
}

static bool identify(struct origin o, const char *const *envp, struct job_identity *out)
{
	static struct config none;
	struct ev_exec e = { .uid = o.uid, .ppid = o.up[0], .parent_start = o.up[0] * 100 };
	struct ev_hdr h = { .type = EV_EXEC };
	struct record r = { .h = &h, .body = &e, .tail = (char *)"" };
	struct lineage l = lineage_of(&o);

	return job_identify(&r, (char *const *)envp, &l, &none, key, out);
}

/* What the second is to the job that the first began. */
static enum job_kin kin(struct origin first, struct origin second, const char *const *second_env)
{
	struct job_identity a, b;
	struct lineage l = lineage_of(&second);

	assert_true(identify(first, jenkins, &a));
	assert_true(identify(second, second_env, &b));
	return job_kin(&a, &b, &l);
}

static void steps_of_a_job_are_one_and_everything_else_is_not(void **state)
{
	struct origin agent = { 1000, { 7, 1 }, "/" };
	struct job_identity i;

	(void)state;
	assert_int_equal(kin(agent, agent, ENV("STAGE_NAME=test", "BUILD_TAG=jenkins-a-1")),
			 JOB_SAME);
	assert_int_equal(kin(agent, agent, ENV("BUILD_TAG=jenkins-a-2", "STAGE_NAME=build")),
			 JOB_OTHER);
	assert_false(identify(agent, ENV("STAGE_NAME=build", "BUILD_TAG=v1"), &i));
}

static void who_copies_an_identity_makes_a_claim(void **state)
{
	struct origin agent = { 1000, { 7, 1 }, "/runner" };

	(void)state;
	/* Behind a shell of the agent's, or reparented in its control group. */
	assert_int_equal(kin(agent, (struct origin){ 1000, { 9, 7, 1 }, "/" }, jenkins), JOB_SAME);
	assert_int_equal(kin(agent, (struct origin){ 1000, { 1 }, "/runner" }, jenkins), JOB_SAME);
	/* Another user, also from the agent itself; another agent; another process of its number. */
	assert_int_equal(kin(agent, (struct origin){ 1001, { 7, 1 }, "/runner" }, jenkins),
			 JOB_CLAIM);
	assert_int_equal(kin(agent, (struct origin){ 1000, { 8, 1 }, "/other" }, jenkins),
			 JOB_CLAIM);
	assert_int_equal(kin(agent, (struct origin){ 1000, { 1 }, "/" }, jenkins), JOB_CLAIM);
	/* Everything is init's, and in the root group: that tells nothing. */
	assert_int_equal(kin((struct origin){ 1000, { 1 }, "/" },
			     (struct origin){ 1000, { 8, 1 }, "/" }, jenkins),
			 JOB_CLAIM);
	assert_int_equal(kin((struct origin){ 1000, { 1 }, NULL },
			     (struct origin){ 1000, { 1 }, NULL }, jenkins),
			 JOB_CLAIM);
}

static void parts_of_an_identity_cannot_flow_into_each_other(void **state)
{
	struct origin o = { 1, { 5 }, "/" };
	struct lineage l = lineage_of(&o);
	struct job_identity a, b;

	(void)state;
	assert_true(identify(o, ENV("TF_BUILD=True", "BUILD_BUILDID=1", "SYSTEM_JOBID=23"), &a));
	assert_true(identify(o, ENV("TF_BUILD=True", "BUILD_BUILDID=12", "SYSTEM_JOBID=3"), &b));
	assert_int_equal(job_kin(&a, &b, &l), JOB_OTHER);
}

/* Does one selector of a configuration take `/opt/run --unit x` of user 7 in /work/a, /ci/job, by /bin/agent? */
static bool selects(struct run_selector s)
{
	struct ev_comp step[4] = { { .len = 3, .name = "run" },
				   { .len = 3, .name = "opt" },
				   { .len = 1, .name = "a" },
				   { .len = 4, .name = "work" } };
	static const char rest[] = "./t.py\0/opt/run\0--unit\0x";
	struct ev_exec e = { .uid = 7,
			     .exe_comps = 2,
			     .cwd_comps = 2,
			     .file_len = 7,
			     .args_len = sizeof(rest) - 7 };
	struct lineage l = { .cgroup = "/ci/job", .parent = "/bin/agent" };
	struct config c = { .runs = &s, .n_runs = 1 };
	struct ev_hdr h = { .type = EV_EXEC };
	char *none[] = { NULL }, tail[sizeof(step) + sizeof(rest)];
	struct record r = { .h = &h, .body = &e, .tail = tail };
	struct job_identity i;

	memcpy(tail, step, sizeof(step));
	memcpy(tail + sizeof(step), rest, sizeof(rest));
	return job_identify(&r, none, &l, &c, key, &i);
}

static void a_selector_takes_what_all_its_words_fit(void **state)
{
	(void)state;
	assert_true(selects((struct run_selector){ .program = "/opt/run" }));
	assert_true(selects((struct run_selector){ .program = "./t.py" }));
	assert_false(selects((struct run_selector){ .program = "/opt/ru" }));
	assert_false(selects((struct run_selector){ .program = "/opt/run2" }));
	assert_true(selects((struct run_selector){ .argument = "--un*" }));
	assert_false(selects((struct run_selector){ .argument = "--un" }));
	assert_true(selects((struct run_selector){ .user = "x", .uid = 7 }));
	assert_false(selects((struct run_selector){ .user = "x", .uid = 8 }));
	assert_true(selects((struct run_selector){ .cgroup = "/ci/*" }));
	assert_false(selects((struct run_selector){ .cgroup = "/ci" }));
	assert_true(selects((struct run_selector){ .directory = "/work" }));
	assert_true(selects((struct run_selector){ .directory = "/work/a/" }));
	assert_true(selects((struct run_selector){ .directory = "/" }));
	assert_false(selects((struct run_selector){ .directory = "/wor" }));
	assert_false(selects((struct run_selector){ .directory = "/work/a/b" }));
	assert_true(selects((struct run_selector){ .parent = "/bin/agent" }));
	assert_false(selects((struct run_selector){ .parent = "/bin/agen" }));
	assert_true(selects((struct run_selector){ .program = "/opt/run", .argument = "x" }));
	assert_false(selects((struct run_selector){ .program = "/opt/run", .argument = "y" }));
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
		cmocka_unit_test(who_copies_an_identity_makes_a_claim),
		cmocka_unit_test(a_selector_takes_what_all_its_words_fit),
		cmocka_unit_test(parts_of_an_identity_cannot_flow_into_each_other),
		cmocka_unit_test(a_cut_block_gives_its_whole_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
