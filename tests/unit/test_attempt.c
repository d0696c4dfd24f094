/* test_attempt.c: a program that could not be executed is one event a search, none when the search found it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "host_begin.h"
#include "pipeline.h"
#include "record.h"

const struct command commands[] = { { 0 } };

static struct config config = { .fail_on = -1, .env_reads = "all" };
static struct pipeline *p;
static _Alignas(8) char bytes[1 << 16];
static struct buf out;
static uint64_t now; /* time of the last record */
static uint64_t start;
static uint32_t looks;

static int sink(void *ctx, const char *line, size_t len)
{
	(void)ctx;
	if (span_find((struct span){ line, len }, SPAN("\"action\":\"exec\"")) >= 0) {
		buf_add(&out, line, len);
		buf_byte(&out, '\n');
	}
	return 0;
}

static void take(unsigned type, uint64_t time, const void *body, size_t n, const struct buf *tail)
{
	struct ev_hdr h = {
		.time = time, .start = start, .type = type, .run = 1, .pid = 9, .tid = 9
	};

	h.len = h.want = tail->len;
	memcpy(bytes, &h, sizeof(h));
	memcpy(bytes + sizeof(h), body, n);
	if (tail->len)
		memcpy(bytes + sizeof(h) + n, tail->ptr, tail->len);
	pipeline_take(p, bytes, sizeof(h) + n + tail->len);
}

static void attempt_at(uint64_t time, const char *file, int error, const char *arg)
{
	struct ev_attempt e = { .error = error,
				.flags = looks,
				.file_len = strlen(file) + 1,
				.args_len = strlen(arg) + 1 };
	struct buf tail = { 0 };

	buf_add(&tail, file, e.file_len);
	buf_add(&tail, arg, e.args_len);
	take(EV_ATTEMPT, time, &e, sizeof(e), &tail);
	buf_free(&tail);
}

static void attempt(const char *file, int error, const char *arg)
{
	attempt_at(++now, file, error, arg);
}

static void exec(const char *file)
{
	struct ev_comp step = { .len = 4, .name = "prog" };
	struct ev_exec e = { .exe_comps = 1, .file_len = strlen(file) + 1 };
	struct buf tail = { 0 };

	buf_add(&tail, &step, sizeof(step));
	buf_add(&tail, file, e.file_len);
	take(EV_EXEC, ++now, &e, sizeof(e), &tail);
	buf_free(&tail);
}

static void ends(void)
{
	struct ev_exit e = { 0 };
	struct buf none = { 0 };

	take(EV_EXIT, ++now, &e, sizeof(e), &none);
}

/* Which execs were told since: per line "+file" or "-file ERROR", then how many were tried. */
static const char *told(void)
{
	static char text[512];
	char *line, *save = NULL;
	size_t n = 0;

	buf_byte(&out, '\0');
	text[0] = 0;
	for (line = strtok_r(out.ptr, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *file = strstr(line, "\"file\":\""), *tried = strstr(line, "\"tried\":");
		const char *code = strstr(line, "\"code\":\"");
		bool failed = strstr(line, "\"outcome\":\"failure\"");

		assert_non_null(file);
		file += 8;
		n += snprintf(text + n, sizeof(text) - n, "%s%c%.*s", n ? " " : "",
			      failed ? '-' : '+', (int)strcspn(file, "\""), file);
		if (code)
			n += snprintf(text + n, sizeof(text) - n, ":%.*s",
				      (int)strcspn(code + 8, "\""), code + 8);
		if (tried)
			n += snprintf(text + n, sizeof(text) - n, ":%d", atoi(tried + 8));
	}
	out.len = 0;
	return text;
}

static int begin(void **state)
{
	(void)state;
	p = pipeline_new(&config, sink, NULL);
	now = 1;
	start = 4;
	pipeline_take(p, bytes, host_begin(bytes));
	exec("/bin/prog");
	told();
	return 0;
}

static int end(void **state)
{
	(void)state;
	pipeline_free(p);
	buf_free(&out);
	return 0;
}

static void a_search_that_finds_it_is_no_failure(void **state)
{
	(void)state;
	attempt("/a/true", ENOENT, "true");
	attempt("/b/true", ENOENT, "true");
	exec("/c/true");
	assert_string_equal(told(), "+/c/true:2");
	exec("/c/true");
	assert_string_equal(told(), "+/c/true");
}

static void one_that_finds_nothing_is_one_failure(void **state)
{
	(void)state;
	attempt("/a/true", ENOENT, "true");
	attempt("/b/true", ENOENT, "true");
	assert_string_equal(told(), "");
	ends();
	assert_string_equal(told(), "-/b/true:ENOENT:2");
}

static void another_program_ends_the_search(void **state)
{
	(void)state;
	attempt("/a/true", ENOENT, "true");
	attempt("/a/false", ENOENT, "false");
	assert_string_equal(told(), "-/a/true:ENOENT:1");
	exec("/c/other");
	assert_string_equal(told(), "-/a/false:ENOENT:1 +/c/other");
}

static void so_do_other_arguments(void **state)
{
	(void)state;
	attempt("/a/true", ENOENT, "one");
	attempt("/a/true", ENOENT, "two");
	assert_string_equal(told(), "-/a/true:ENOENT:1");
}

static void what_was_refused_is_told_of_a_search(void **state)
{
	(void)state;
	attempt("/a/true", EACCES, "true");
	attempt("/b/true", ENOENT, "true");
	ends();
	assert_string_equal(told(), "-/a/true:EACCES:2");
}

static void the_gate_may_have_been_wrong(void **state)
{
	(void)state;
	looks = ATTEMPT_LOOK;
	attempt("/a/true", ENOENT, "true");
	exec("/a/true");
	assert_string_equal(told(), "+/a/true");
	looks = 0;
	attempt("/a/true", ETXTBSY, "true"); /* the kernel is not: it was tried again */
	exec("/a/true");
	assert_string_equal(told(), "+/a/true:1");
}

static void the_gate_s_word_may_come_after_the_exec(void **state)
{
	uint64_t before = ++now;

	(void)state;
	exec("/c/true");
	told();
	start = 0; /* it does not know it */
	attempt_at(before, "/b/true", ENOENT, "true");
	attempt_at(before, "/b/false", ENOENT, "false");
	assert_string_equal(told(), "-/b/false:ENOENT:1");
	start = 4;
	ends();
	assert_string_equal(told(), "");
}

static void the_end_of_the_run_tells_what_waits(void **state)
{
	(void)state;
	attempt("/a/true", ENOENT, "true");
	pipeline_finish(p);
	assert_string_equal(told(), "-/a/true:ENOENT:1");
}

static void what_does_not_add_up_is_rejected(void **state)
{
	struct ev_attempt e = { .error = ENOENT, .file_len = 3, .args_len = 0 };
	struct buf tail = { 0 };

	(void)state;
	buf_add(&tail, "/ab", 3); /* no NUL */
	take(EV_ATTEMPT, ++now, &e, sizeof(e), &tail);
	ends();
	assert_string_equal(told(), "");
	assert_int_equal(pipeline_verdict(p).rejected, 1);
	buf_free(&tail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_search_that_finds_it_is_no_failure, begin, end),
		cmocka_unit_test_setup_teardown(one_that_finds_nothing_is_one_failure, begin, end),
		cmocka_unit_test_setup_teardown(another_program_ends_the_search, begin, end),
		cmocka_unit_test_setup_teardown(so_do_other_arguments, begin, end),
		cmocka_unit_test_setup_teardown(what_was_refused_is_told_of_a_search, begin, end),
		cmocka_unit_test_setup_teardown(the_gate_may_have_been_wrong, begin, end),
		cmocka_unit_test_setup_teardown(the_gate_s_word_may_come_after_the_exec, begin,
						end),
		cmocka_unit_test_setup_teardown(the_end_of_the_run_tells_what_waits, begin, end),
		cmocka_unit_test_setup_teardown(what_does_not_add_up_is_rejected, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
