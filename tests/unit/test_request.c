/* test_request.c: what a caller asks of the daemon is read whole, or refused with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "begin.h"
#include "message.h"
#include "reduce.h"
#include "request.h"

static char *const no_env[] = { NULL };

static void refused(const char *text, size_t n, const char *reason)
{
	struct request r;
	const char *why = NULL;

	assert_false(request_read((struct span){ text, n }, &r, &why));
	assert_string_equal(why, reason);
	buf_free(&r.begin);
}
#define REFUSED(text, reason) refused(text, sizeof(text) - 1, reason)

static void what_is_asked_arrives(void **state)
{
	char *argv[] = { "pytest", "-q", NULL };
	char *env[] = { "GITLAB_CI=true", "CI_JOB_ID=72", "CI_JOB_TOKEN=planted-Kp", NULL };
	struct config c = { .fail_on = SEV_HIGH,
			    .output = "ev.jsonl",
			    .markdown = "m.md",
			    .quiet = true,
			    .require_complete = true,
			    .argv = argv };
	struct buf text = { 0 }, want = { 0 };
	struct request r;
	const char *why;

	(void)state;
	request_make(&c, "/work", true, env, &text);
	assert_true(request_read((struct span){ text.ptr, text.len }, &r, &why));
	assert_string_equal(r.cwd, "/work");
	assert_int_equal(r.fail_on, SEV_HIGH);
	assert_true(r.require_complete && r.colour);
	assert_false(r.summary || r.verbose);
	assert_int_equal(r.n_files, 2);
	assert_string_equal(r.files[0], "ev.jsonl");
	assert_string_equal(r.files[1], "m.md");
	assert_true(r.markdown);
	assert_false(r.record);
	begin_add_command(&want, argv, env);
	assert_int_equal(r.begin.len, want.len);
	assert_memory_equal(r.begin.ptr, want.ptr, want.len);
	assert_int_equal(span_find((struct span){ text.ptr, text.len }, SPAN("planted")), -1);
	buf_free(&r.begin);
	buf_free(&want);
	buf_free(&text);
}

static void a_caller_cannot_name_what_is_the_daemons_to_say(void **state)
{
	(void)state;
	REFUSED("cwd\0/\0run.id\0x\0", "an unknown key");
	REFUSED("cwd\0/\0uid\0"
		"0\0",
		"an unknown key");
	REFUSED("cwd\0/\0own\0name=*\0", "an unknown key");
	REFUSED("cwd\0/\0cicd.pipeline.name\0x\0", "an unknown key"); /* of no provider */
	REFUSED("cwd\0/\0ci\0jenkins\0cicd.pipeline.run.url\0x\0", "an unknown key");
	REFUSED("cwd\0/\0ci\0jenkins\0ci\0gitlab\0", "a second CI job");
	REFUSED("cwd\0/\0ci\0nobody\0", "an unknown CI system");
}

static void what_is_malformed_is_refused(void **state)
{
	(void)state;
	REFUSED("", "no directory");
	REFUSED("cwd\0/", "it is cut");
	REFUSED("cwd", "it is cut");
	REFUSED("cwd\0here\0", "a directory that is not absolute");
	REFUSED("cwd\0/\0fail_on\0"
		"9\0",
		"an unknown level");
	REFUSED("cwd\0/\0fail_on\0"
		"2x\0",
		"an unknown level");
	REFUSED("cwd\0/\0verbose\0yes\0", "a flag that is not 1");
	REFUSED("cwd\0/\0file\0a\0file\0b\0file\0c\0file\0d\0", "too many files");
}

static void a_very_long_command_is_cut_and_says_so(void **state)
{
	char *long_one = xcalloc(REQUEST_MAX / 2 + 1, 1);
	char *argv[] = { long_one, long_one, long_one, NULL };
	struct config c = { .fail_on = -1, .argv = argv };
	struct buf text = { 0 };
	struct request r;
	const char *why;

	(void)state;
	memset(long_one, 'x', REQUEST_MAX / 2);
	request_make(&c, "/", false, no_env, &text);
	assert_true(text.len <= REQUEST_MAX);
	assert_true(request_read((struct span){ text.ptr, text.len }, &r, &why));
	assert_memory_equal(r.begin.ptr + r.begin.len - sizeof("arg\0<cut>"), "arg\0<cut>",
			    sizeof("arg\0<cut>"));
	buf_free(&r.begin);
	buf_free(&text);
	free(long_one);
}

static void a_line_is_reduced_as_the_stream_itself_would(void **state)
{
	struct buf out = { 0 };
	uint64_t n = 0;

	(void)state;
	assert_false(line_reduce(
		SPAN("{\"event\":{\"kind\":\"event\"},\"invigil\":{\"run\":{}}}\n"), &n, &out));
	assert_true(
		line_reduce(SPAN("{\"event\":{\"kind\":\"alert\"},\"message\":\"\\\"event\\\":{\","
				 "\"invigil\":{\"run\":{}}}\n"),
			    &n, &out));
	assert_true(line_reduce(SPAN("{\"event\":{\"kind\":\"state\"},\"invigil\":{\"run\":{}}}\n"),
				&n, &out));
	assert_string_equal(
		out.ptr,
		"{\"event\":{\"kind\":\"alert\"},\"message\":\"\\\"event\\\":{\",\"invigil\":{\"output\":"
		"{\"reduced\":true,\"sequence\":1},\"run\":{}}}\n"
		"{\"event\":{\"kind\":\"state\"},\"invigil\":{\"output\":{\"reduced\":true,\"sequence\":2},"
		"\"run\":{}}}\n");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_arrives),
		cmocka_unit_test(a_caller_cannot_name_what_is_the_daemons_to_say),
		cmocka_unit_test(what_is_malformed_is_refused),
		cmocka_unit_test(a_very_long_command_is_cut_and_says_so),
		cmocka_unit_test(a_line_is_reduced_as_the_stream_itself_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
