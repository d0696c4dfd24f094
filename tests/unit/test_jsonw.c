/* test_jsonw.c: whatever bytes come in, one line of valid JSON goes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jsonw.h"
#include "scrub.h"

/* The line with one member "a" of these bytes. */
static char *line_of(struct span s, bool raw)
{
	struct jsonw j = { 0 };
	struct buf out = { 0 };

	jsonw_begin(&j, &out, NULL);
	jsonw_span(&j, "a", s);
	if (raw)
		jsonw_raw(&j, "raw");
	jsonw_end(&j);
	jsonw_free(&j);
	return out.ptr;
}

static void check(struct span s, const char *want)
{
	char *line = line_of(s, false);

	assert_string_equal(line, want);
	free(line);
}

static void nesting_and_commas_are_right(void **state)
{
	struct jsonw j = { 0 };
	struct buf out = { 0 };

	(void)state;
	jsonw_begin(&j, &out, NULL);
	jsonw_copy(&j, "\"x\":1", 5);
	jsonw_copy(&j, "", 0);
	jsonw_arr(&j, "l");
	jsonw_obj(&j, NULL);
	jsonw_u64(&j, "u", UINT64_MAX);
	jsonw_i64(&j, "i", INT64_MIN);
	jsonw_close(&j);
	jsonw_obj(&j, NULL);
	jsonw_close(&j);
	jsonw_str(&j, NULL, "e");
	jsonw_close(&j);
	jsonw_str(&j, "none", NULL);
	jsonw_bool(&j, "b", true);
	jsonw_fmt(&j, "f", "%d\"", 7);
	jsonw_time(&j, "t", 951782400000000001ULL);
	jsonw_obj(&j, "open");
	jsonw_end(&j);
	assert_string_equal(
		out.ptr,
		"{\"x\":1,\"l\":[{\"u\":18446744073709551615,\"i\":-9223372036854775808},{},\"e\"],"
		"\"b\":true,\"f\":\"7\\\"\",\"t\":\"2000-02-29T00:00:00.000000001Z\",\"open\":{}}\n");
	jsonw_free(&j);
	buf_free(&out);
}

static void control_characters_are_escaped(void **state)
{
	(void)state;
	check(SPAN("\"\\\n\t\1\033\x7f/"), "{\"a\":\"\\\"\\\\\\n\\t\\u0001\\u001b\\u007f/\"}\n");
	check(SPAN("\xc2\x9b"), "{\"a\":\"\\u009b\"}\n");
	check(SPAN("\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6"), "{\"a\":\"\\u2028\\u202e\\u2066\"}\n");
	check(SPAN("\xc2\xa0\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xaa"),
	      "{\"a\":\"\xc2\xa0\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xaa\"}\n");
	check((struct span){ 0 }, "{\"a\":\"\"}\n");
}

static void only_strict_utf8_passes(void **state)
{
	(void)state;
	check(SPAN("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
	      "{\"a\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}\n");
	check(SPAN("\xc0\xaf"), "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\"}\n");
	check(SPAN("\xed\xa0\x80"), "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}\n");
	check(SPAN("\xf4\x90"), "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\"}\n");
	check(SPAN("\xe2\x82"), "{\"a\":\"\xef\xbf\xbd\"}\n");
	check(SPAN("\xe2\x82x"), "{\"a\":\"\xef\xbf\xbdx\"}\n");
}

static void a_nul_is_kept_in_base64_as_what_is_no_utf8(void **state)
{
	char *line = line_of(SPAN("x\0y"), true), *near_miss = line_of(SPAN("x\1y"), true);

	(void)state;
	assert_string_equal(
		line,
		"{\"a\":\"x\xef\xbf\xbdy\",\"raw\":[{\"field\":\"a\",\"base64\":\"eAB5\"}]}\n");
	assert_string_equal(near_miss, "{\"a\":\"x\\u0001y\"}\n");
	free(line);
	free(near_miss);
	check(SPAN("plain text before\0"), "{\"a\":\"plain text before\xef\xbf\xbd\"}\n");
	check(SPAN("\0\0"), "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\"}\n");
}

static void invalid_bytes_are_kept_in_base64(void **state)
{
	char *line = line_of(SPAN("x\xfe"), true);
	struct jsonw j = { 0 };
	struct buf out = { 0 };

	(void)state;
	assert_string_equal(
		line,
		"{\"a\":\"x\xef\xbf\xbd\",\"raw\":[{\"field\":\"a\",\"base64\":\"eP4=\"}]}\n");
	free(line);
	jsonw_begin(&j, &out, NULL);
	jsonw_obj(&j, "p");
	jsonw_arr(&j, "args");
	jsonw_span(&j, NULL, SPAN("\xfe"));
	jsonw_close(&j);
	jsonw_close(&j);
	jsonw_raw(&j, "raw");
	jsonw_end(&j);
	assert_non_null(strstr(out.ptr, "{\"field\":\"p.args\",\"base64\":\"/g==\"}"));
	jsonw_free(&j);
	buf_free(&out);
}

static void a_masked_secret_is_said_by_its_kind(void **state)
{
	char block[] = "MY_TOKEN=hidden-Value/0815", args[] = "x hidden-Value/0815 y";
	uint8_t seed[32] = { 9, 8, 7 };
	struct jsonw j = { 0 };
	struct buf out = { 0 };
	struct masker m;

	(void)state;
	masker_init(&m, seed);
	scrub_environment(&m, block, sizeof(block));
	scrub_bytes(&m, args, sizeof(args) - 1);
	jsonw_begin(&j, &out, &m);
	jsonw_span(&j, "a", (struct span){ args, sizeof(args) - 1 });
	jsonw_raw(&j, "raw");
	jsonw_end(&j);
	assert_string_equal(out.ptr, "{\"a\":\"x <redacted:variable:MY_TOKEN> y\"}\n");
	jsonw_free(&j);
	buf_free(&out);
	masker_free(&m);
}

static unsigned written;

static void member_write(struct jsonw *j, const void *what)
{
	written++;
	jsonw_str(j, "a", what);
	jsonw_obj(j, "o");
	jsonw_close(j);
}

/* Two lines with what is kept, behind another member in the second. */
static char *twice(const char *text, const struct masker *m)
{
	struct buf kept = { 0 }, out = { 0 };
	struct jsonw j = { 0 };

	written = 0;
	for (int i = 0; i < 2; i++) {
		jsonw_begin(&j, &out, m);
		if (i)
			jsonw_u64(&j, "n", 1);
		jsonw_once(&j, &kept, member_write, text);
		jsonw_raw(&j, "raw");
		jsonw_end(&j);
	}
	jsonw_free(&j);
	buf_free(&kept);
	return out.ptr;
}

static void what_stays_the_same_is_written_once(void **state)
{
	struct buf large = { 0 };
	char *lines = twice("x\"", NULL);

	(void)state;
	assert_int_equal(written, 1);
	assert_string_equal(lines,
			    "{\"a\":\"x\\\"\",\"o\":{}}\n{\"n\":1,\"a\":\"x\\\"\",\"o\":{}}\n");
	free(lines);
	for (unsigned i = 0; i < JSONW_KEPT; i++)
		buf_byte(&large, 'a');
	free(twice(large.ptr, NULL));
	assert_int_equal(written, 2);
	large.ptr[JSONW_KEPT / 2] = 0;
	free(twice(large.ptr, NULL));
	assert_int_equal(written, 1);
	buf_free(&large);
}

static void what_is_said_of_each_line_is_not_kept(void **state)
{
	static const uint8_t seed[32] = { 7 };
	char block[] = "MY_TOKEN=supersecretvalue1", text[] = "supersecretvalue1";
	struct masker m;
	char *lines = twice("\xff", NULL);

	(void)state;
	assert_int_equal(written, 2);
	assert_string_equal(
		lines,
		"{\"a\":\"\xef\xbf\xbd\",\"o\":{},\"raw\":[{\"field\":\"a\",\"base64\":\"/w==\"}]}\n"
		"{\"n\":1,\"a\":\"\xef\xbf\xbd\",\"o\":{},\"raw\":[{\"field\":\"a\",\"base64\":\"/w==\"}]}\n");
	free(lines);
	/* A mask: its secret may get a name later. */
	masker_init(&m, seed);
	scrub_environment(&m, block, sizeof(block));
	scrub_bytes(&m, text, strlen(text));
	lines = twice(text, &m);
	assert_int_equal(written, 2);
	assert_non_null(strstr(lines, "redacted"));
	free(lines);
	masker_free(&m);
}

/* They are looked at by eights: each byte at each place, beside ones that need nothing. */
static void a_byte_is_escaped_wherever_it_stands(void **state)
{
	(void)state;
	for (int c = 1; c < 0x80; c++) {
		char alone[2] = { (char)c, 0 },
		     *escaped = line_of((struct span){ alone, 1 }, false);
		size_t n = strlen(escaped) - strlen("{\"a\":\"\"}\n");

		assert_true((n > 1) == (c < 0x20 || c == '"' || c == '\\' || c == 0x7f));
		for (int at = 0; at < 20; at++) {
			char text[20], want[64];

			memset(text, '~', sizeof(text));
			text[at] = (char)c;
			snprintf(want, sizeof(want), "{\"a\":\"%.*s%.*s%.*s\"}\n", at,
				 "~~~~~~~~~~~~~~~~~~~~", (int)n, escaped + 6, 19 - at,
				 "~~~~~~~~~~~~~~~~~~~~");
			check((struct span){ text, sizeof(text) }, want);
		}
		free(escaped);
	}
}

static void a_time_is_right_whichever_was_before(void **state)
{
	struct jsonw j = { 0 };
	struct buf out = { 0 };

	(void)state;
	jsonw_begin(&j, &out, NULL);
	jsonw_time(&j, "a", 5);
	jsonw_time(&j, "b", 1999999999);
	jsonw_time(&j, "c", 1000000000);
	jsonw_time(&j, "d", 86400000000000);
	jsonw_end(&j);
	assert_string_equal(out.ptr, "{\"a\":\"1970-01-01T00:00:00.000000005Z\","
				     "\"b\":\"1970-01-01T00:00:01.999999999Z\","
				     "\"c\":\"1970-01-01T00:00:01.000000000Z\","
				     "\"d\":\"1970-01-02T00:00:00.000000000Z\"}\n");
	jsonw_free(&j);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_and_commas_are_right),
		cmocka_unit_test(control_characters_are_escaped),
		cmocka_unit_test(only_strict_utf8_passes),
		cmocka_unit_test(a_nul_is_kept_in_base64_as_what_is_no_utf8),
		cmocka_unit_test(invalid_bytes_are_kept_in_base64),
		cmocka_unit_test(a_masked_secret_is_said_by_its_kind),
		cmocka_unit_test(what_stays_the_same_is_written_once),
		cmocka_unit_test(what_is_said_of_each_line_is_not_kept),
		cmocka_unit_test(a_byte_is_escaped_wherever_it_stands),
		cmocka_unit_test(a_time_is_right_whichever_was_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
