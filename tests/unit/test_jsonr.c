/* test_jsonr.c: JSON is taken as Go takes it, and a cut loses nothing that came before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jsonr.h"

static struct buf said;

/* One line a value: path, type, text, flags. */
static void say(void *ctx, const struct json_value *v)
{
	(void)ctx;
	for (unsigned i = 0; i < v->depth; i++) {
		buf_byte(&said, '/');
		if (v->path[i].key.ptr)
			buf_add(&said, v->path[i].key.ptr, v->path[i].key.len);
		else
			buf_fmt(&said, "%u", v->path[i].index);
	}
	buf_byte(&said, "nftNS{["[v->type]);
	buf_add(&said, v->text.ptr, v->text.len);
	buf_str(&said, v->duplicate ? "!" : "");
	buf_str(&said, v->folded ? "~" : "");
	buf_byte(&said, ' ');
}

/* From a copy of exactly that length, so that ASan sees every step beyond. */
static void check(struct span text, enum json_end end, const char *want)
{
	char *copy = xcalloc(1, text.len);
	size_t at;

	memcpy(copy, text.ptr, text.len);
	buf_reset(&said);
	assert_int_equal(json_walk((struct span){ copy, text.len }, say, NULL, &at), end);
	assert_true(at <= text.len);
	assert_string_equal(said.ptr ? said.ptr : "", want);
	free(copy);
}

static void values_come_with_their_paths(void **state)
{
	(void)state;
	check(SPAN(" {\"a\":[1,{\"b\":null},[]],\"c\":{},\"d\":true,\"e\":false,\"\":-0.5e+2} "),
	      JSON_OK, "{ /a[ /a/0N1 /a/1{ /a/1/bn /a/2[ /c{ /dt /ef /N-0.5e+2 ");
	check(SPAN("12"), JSON_OK, "N12 ");
}

static void every_cut_keeps_what_came_before(void **state)
{
	const char all[] = "{\"a\":[10,\"x\\n\",true],\"b\":{\"c\":null}}";
	size_t last = 0;

	(void)state;
	for (size_t n = 0; n < sizeof(all) - 1; n++) {
		char *copy = xstrndup(all, n);

		buf_reset(&said);
		assert_int_equal(json_walk((struct span){ copy, n }, say, NULL, NULL), JSON_CUT);
		assert_true(said.len >= last);
		last = said.len;
		free(copy);
	}
	check(SPAN("[\"a\",\"b"), JSON_CUT, "[ /0Sa ");
	check(SPAN("[1,2"), JSON_CUT, "[ /0N1 ");
}

static void what_go_rejects_is_bad(void **state)
{
	static const char *const bad[] = { "[01]",     "[1.]",       "[.5]",          "[+1]",
					   "[1,]",     "{\"a\":1,}", "{a:1}",         "{\"a\" 1}",
					   "[\"\t\"]", "[\"\\x\"]",  "[\"\\u12g4\"]", "[tru]",
					   "[1}",      "]",          "['a']",         "[1 2]",
					   "[--1]" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		buf_reset(&said);
		assert_int_equal(json_walk(span_of(bad[i]), say, NULL, NULL), JSON_BAD);
	}
}

static void escapes_are_decoded(void **state)
{
	(void)state;
	check(SPAN("\"\\\"\\\\\\/\\t\\u00e9\\ud83d\\ude00\""), JSON_OK,
	      "S\"\\/\t\xc3\xa9\xf0\x9f\x98\x80 ");
	check(SPAN("\"\\ud83dx\\ude00\\ud83d\\u0041\""), JSON_OK,
	      "S\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd"
	      "A ");
	buf_reset(&said);
	assert_int_equal(json_walk(SPAN("\"a\\u0000b\""), say, NULL, NULL), JSON_OK);
	assert_int_equal(said.len, 5);
	assert_memory_equal(said.ptr, "Sa\0b ", 5);
}

static void a_masked_secret_survives(void **state)
{
	(void)state;
	check(SPAN("[\"\xff\x81\x82\x83\xff\"]"), JSON_OK, "[ /0S\xff\x81\x82\x83\xff ");
}

static void repeated_keys_are_told(void **state)
{
	(void)state;
	check(SPAN("{\"a\":1,\"b\":{\"a\":2},\"A\":3,\"\\u0061\":4}"), JSON_OK,
	      "{ /aN1 /b{ /b/aN2 /AN3! /aN4! ");
	check(SPAN("[{\"k\":1},{\"k\":1},{\"k\":1,\"\xe2\x84\xaa\":2}]"), JSON_OK,
	      "[ /0{ /0/kN1 /1{ /1/kN1 /2{ /2/kN1 /2/\xe2\x84\xaaN2!~ ");
}

static void count(void *ctx, const struct json_value *v)
{
	*(unsigned *)ctx += v->duplicate;
}

static void many_keys_are_still_told_apart(void **state)
{
	struct buf b = { 0 };
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 50000; i++)
		buf_fmt(&b, "%c\"k%u\":0", i ? ',' : '{', i);
	buf_str(&b, ",\"K49999\":1}");
	assert_int_equal(json_walk((struct span){ b.ptr, b.len }, count, &n, NULL), JSON_OK);
	assert_int_equal(n, 1);
	buf_free(&b);
}

static void depth_is_bounded(void **state)
{
	char deep[JSON_DEPTH + 1];
	size_t at;

	(void)state;
	memset(deep, '[', sizeof(deep));
	assert_int_equal(json_walk((struct span){ deep, JSON_DEPTH }, say, NULL, NULL), JSON_CUT);
	assert_int_equal(json_walk((struct span){ deep, sizeof(deep) }, say, NULL, &at), JSON_DEEP);
	assert_int_equal(at, JSON_DEPTH);
}

struct hit {
	const char *pattern;
	unsigned n;
};

static void hit(void *ctx, const struct json_value *v)
{
	struct hit *h = ctx;

	h->n += json_path_is(v, h->pattern);
}

static unsigned hits(const char *text, const char *pattern)
{
	struct hit h = { pattern, 0 };

	json_walk(span_of(text), hit, &h, NULL);
	return h.n;
}

static void a_key_cannot_forge_a_path(void **state)
{
	(void)state;
	assert_int_equal(hits("{\"HostConfig/Privileged\":true}", "/HostConfig/Privileged"), 0);
	assert_int_equal(hits("{\"HostConfig\\u0000x\":true}", "/HostConfig"), 0);
	assert_int_equal(hits("{\"*\":{\"a\":1}}", "/b/a"), 0);
}

static void keys_fold_as_go_folds_them(void **state)
{
	(void)state;
	assert_int_equal(
		hits("{\"hostconfig\":{\"BIND\xc5\xbf\":[\"a\",\"b\"]}}", "/HostConfig/Binds/*"),
		2);
	assert_int_equal(
		hits("{\"hostconfig\":{\"bind\\u017f\":[\"a\",\"b\"]}}", "/HostConfig/Binds/1"), 1);
	assert_int_equal(hits("{\"Bind\":[1]}", "/Binds/*"), 0);
	assert_int_equal(hits("{\"Bindss\":[1]}", "/Binds/*"), 0);
	assert_true(json_key_is(SPAN("lin\xe2\x84\xaas"), "Links"));
	assert_false(json_key_is(SPAN("\xc3\xa9"), "e"));
	assert_int_equal(hits("1", ""), 1);
}

static void a_string_is_found_at_its_path(void **state)
{
	struct buf out = { 0 };

	(void)state;
	assert_true(json_string_at(SPAN("{\"Id\":\"a\\u0062\",\"x\":"), "/Id", &out));
	assert_string_equal(out.ptr, "ab");
	assert_false(json_string_at(SPAN("{\"Id\":1}"), "/Id", &out));
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

static int drop(void **state)
{
	(void)state;
	buf_free(&said);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_with_their_paths),
		cmocka_unit_test(every_cut_keeps_what_came_before),
		cmocka_unit_test(what_go_rejects_is_bad),
		cmocka_unit_test(escapes_are_decoded),
		cmocka_unit_test(a_masked_secret_survives),
		cmocka_unit_test(repeated_keys_are_told),
		cmocka_unit_test(many_keys_are_still_told_apart),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(a_key_cannot_forge_a_path),
		cmocka_unit_test(keys_fold_as_go_folds_them),
		cmocka_unit_test(a_string_is_found_at_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, drop);
}
