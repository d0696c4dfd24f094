/* test_lost.c: what was lost in the kernel is told with its kind, and with how exact the number is; what was not seen, with why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "host_begin.h"
#include "made.h"
#include "pipeline.h"

const struct command commands[] = { { 0 } };

static struct config config = { .fail_on = -1, .env_reads = "all" };
static struct buf out;

static int sink(void *ctx, const char *line, size_t len)
{
	(void)ctx;
	buf_add(&out, line, len);
	return 0;
}

static void lost(struct pipeline *p, uint32_t type, uint64_t count)
{
	struct ev_lost e = { .count = count, .type = type };

	made_record(p, 1, 2, EV_LOST, &e, sizeof(e), NULL, 0);
}

/* The stream's line that has both. */
static const char *line_with(const char *one, const char *other)
{
	static char line[1 << 14];

	for (const char *at = out.ptr, *end; (end = strchr(at, '\n')); at = end + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
		if (strstr(line, one) && strstr(line, other))
			return line;
	}
	return "";
}

static void a_loss_has_its_kind_and_says_whether_it_is_exact(void **state)
{
	_Alignas(8) static char begin[1 << 12];
	struct pipeline *p = pipeline_new(&config, sink, NULL);
	struct ev_end end = { .status = 0 };
	const char *line;

	(void)state;
	pipeline_take(p, begin, host_begin(begin));
	lost(p, EV_EXEC, 3);
	lost(p, EV_LOST, 4);
	lost(p, EV_UNKNOWN, 5);
	made_record(p, 1, 3, EV_END, &end, sizeof(end), NULL, 0);
	pipeline_finish(p);
	buf_byte(&out, 0);
	line = line_with("\"action\":\"events-lost\"", "{\"count\":4,\"type\":\"hook_call\"}");
	assert_non_null(strstr(line, "of any process: at most so many of the run's"));
	line = line_with("\"action\":\"events-lost\"", "{\"count\":3,\"type\":\"exec\"}");
	assert_non_null(strstr(line, "dropped in the kernel"));
	assert_null(strstr(line, "at most"));
	line = line_with("\"action\":\"run-end\"",
			 "\"lost\":{\"membership\":5,\"exec\":3,\"hook_call\":4}");
	assert_non_null(strstr(line, "\"complete\":false"));
	pipeline_free(p);
	buf_reset(&out);
}

static void what_was_not_lost_is_not_told(void **state)
{
	_Alignas(8) static char begin[1 << 12];
	struct pipeline *p = pipeline_new(&config, sink, NULL);
	struct ev_end end = { .status = 0 };

	(void)state;
	pipeline_take(p, begin, host_begin(begin));
	made_record(p, 1, 3, EV_END, &end, sizeof(end), NULL, 0);
	pipeline_finish(p);
	buf_byte(&out, 0);
	assert_string_equal(line_with("events-lost", ""), "");
	assert_non_null(
		strstr(line_with("\"action\":\"run-end\"", "\"lost\":{}"), "\"complete\":true"));
	pipeline_free(p);
	buf_free(&out);
}

static void a_gap_says_why_and_what_each_reason_once(void **state)
{
	_Alignas(8) static char begin[1 << 12];
	struct pipeline *p = pipeline_new(&config, sink, NULL);
	struct ev_end end = { .status = 0 };
	struct buf text = { 0 };

	(void)state;
	pipeline_take(p, begin, host_begin(begin));
	for (int i = 0; i < 2; i++) {
		made_gap(p, 1, 2, "reads", "no probe sees them", "names", false);
		made_gap(p, 1, 2, "reads", "it was late", "names", false);
		made_gap(p, 1, 2, "other", "it broke", "", false);
	}
	made_record(p, 1, 3, EV_END, &end, sizeof(end), NULL, 0);
	pipeline_finish(p);
	pipeline_summary(p, NULL, 0, false, false, &text);
	assert_non_null(strstr(text.ptr, "\nNot seen:\n"
					 "  reads: no probe sees them (names)\n"
					 "  reads: it was late (names)\n"
					 "  other: it broke\n"
					 "R0 "));
	buf_free(&text);
	pipeline_free(p);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loss_has_its_kind_and_says_whether_it_is_exact),
		cmocka_unit_test(what_was_not_lost_is_not_told),
		cmocka_unit_test(a_gap_says_why_and_what_each_reason_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
