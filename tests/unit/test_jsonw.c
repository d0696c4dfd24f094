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
	check(SPAN("\"\\\n\t\0\033\x7f/"), "{\"a\":\"\\\"\\\\\\n\\t\\u0000\\u001b\\u007f/\"}\n");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_and_commas_are_right),
		cmocka_unit_test(control_characters_are_escaped),
		cmocka_unit_test(only_strict_utf8_passes),
		cmocka_unit_test(invalid_bytes_are_kept_in_base64),
		cmocka_unit_test(a_masked_secret_is_said_by_its_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
