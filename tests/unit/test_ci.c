/* test_ci.c: the CI job that an environment names, from the environment to the stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "begin.h"
#include "ecs.h"
#include "event.h"
#include "host_begin.h"

static char *gitlab[] = {
	(char *)"GITLAB_CI=true",
	(char *)"CI_PIPELINE_ID=77",
	(char *)"CI_PIPELINE_URL=https://ci:glpat-n0tRealAtAll12345678@git.example/p/77",
	(char *)"CI_JOB_NAME=test \"all\"",
	(char *)"CI_JOB_URL=https://git.example/j/9",
	(char *)"CI_COMMIT_SHA=0123456789abcdef",
	(char *)"CI_JOB_TOKEN=planted-Hn31-secret",
	NULL,
};

/* What the run's first record makes of an environment, as the stream shows it. */
static const char *shown(char *const *envp, struct run *r)
{
	static char *argv[] = { (char *)"pytest", NULL };
	static char text[4096], record[8192];
	struct buf tail = { 0 }, line = { 0 };
	struct jsonw j = { 0 };
	size_t n = host_begin(record), at = sizeof(struct ev_hdr) + sizeof(struct ev_begin);

	buf_add(&tail, record + at, n - at);
	begin_add_command(&tail, argv, envp);
	memset(r, 0, sizeof(*r));
	assert_true(begin_read((struct span){ tail.ptr, tail.len }, r));
	jsonw_begin(&j, &line, &r->masker);
	ecs_job(&j, r);
	jsonw_end(&j);
	snprintf(text, sizeof(text), "%.*s", (int)line.len, line.ptr);
	jsonw_free(&j);
	buf_free(&line);
	buf_free(&tail);
	return text;
}

static void a_job_s_public_parts_are_nested_and_hold_no_secret(void **state)
{
	struct run r;

	(void)state;
	assert_string_equal(shown(gitlab, &r),
			    "{\"cicd\":{\"pipeline\":{\"run\":{\"id\":\"77\",\"url\":{\"full\":"
			    "\"https://ci:<redacted:token:gitlab>@git.example/p/77\"}},"
			    "\"task\":{\"name\":\"test \\\"all\\\"\",\"run\":{\"url\":{\"full\":"
			    "\"https://git.example/j/9\"}}}}},"
			    "\"vcs\":{\"ref\":{\"head\":{\"revision\":\"0123456789abcdef\"}}}}\n");
	assert_string_equal(r.ci->name, "gitlab");
	run_free(&r);
}

static void without_a_marker_there_is_no_job(void **state)
{
	struct run r;

	(void)state;
	assert_string_equal(shown(gitlab + 1, &r), "{}\n");
	assert_null(r.ci);
	run_free(&r);
}

static void a_fork_of_a_runner_is_told_from_it(void **state)
{
	static char *both[] = { (char *)"GITHUB_ACTIONS=true", (char *)"GITEA_ACTIONS=true", NULL };
	static char *one[] = { (char *)"GITHUB_ACTIONS=true", NULL };
	static char *none[] = { (char *)"GITHUB_ACTIONS=false", (char *)"BUILD_TAG=v1.2", NULL };

	(void)state;
	assert_string_equal(ci_find(both)->name, "gitea");
	assert_string_equal(ci_find(one)->name, "github_actions");
	assert_null(ci_find(none));
}

/* ecs_job() nests by one walk: an object that was closed must not be opened again. */
static void rows_that_share_an_object_stand_together(void **state)
{
	(void)state;
	for (unsigned p = 0; p < n_ci_providers; p++) {
		const struct ci_field *f = ci_providers[p].fields;

		for (unsigned i = 1; i < CI_FIELDS && f[i].path; i++)
			for (const char *dot = strchr(f[i].path, '.'); dot;
			     dot = strchr(dot + 1, '.')) {
				size_t n = dot - f[i].path + 1;
				bool gap = strncmp(f[i].path, f[i - 1].path, n) != 0;

				for (unsigned k = 0; gap && k < i; k++)
					assert_true(strncmp(f[i].path, f[k].path, n) != 0);
			}
	}
}

static void a_directory_that_is_named_by_a_secret_is_shown_without(void **state)
{
	char *shown = begin_redacted("/builds/planted-Hn31-secret/x", gitlab);

	(void)state;
	assert_string_equal(shown, "/builds/<redacted:variable:CI_JOB_TOKEN>/x");
	free(shown);
	shown = begin_redacted("/builds/planted-Hn32-secret/x", gitlab);
	assert_string_equal(shown, "/builds/planted-Hn32-secret/x");
	free(shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_s_public_parts_are_nested_and_hold_no_secret),
		cmocka_unit_test(without_a_marker_there_is_no_job),
		cmocka_unit_test(a_fork_of_a_runner_is_told_from_it),
		cmocka_unit_test(rows_that_share_an_object_stand_together),
		cmocka_unit_test(a_directory_that_is_named_by_a_secret_is_shown_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
