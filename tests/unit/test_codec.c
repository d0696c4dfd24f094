/* test_codec.c: codings, the keyed hash and buffers, on good, bad and cut input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "codec.h"
#include "siphash.h"

static struct buf out;

static void out_is(const char *want, size_t n)
{
	assert_int_equal(out.len, n);
	assert_memory_equal(out.ptr, want, n);
	buf_reset(&out);
}
#define OUT_IS(s) out_is(s, sizeof(s) - 1)

static void base64_goes_both_ways(void **state)
{
	(void)state;
	base64_encode(SPAN("a\xff\0b"), &out);
	OUT_IS("Yf8AYg==");
	assert_true(base64_decode(SPAN("Yf8AYg=="), &out));
	OUT_IS("a\xff\0b");
	assert_true(base64_decode(SPAN("-_-_"), &out));
	OUT_IS("\xfb\xff\xbf");
	assert_true(base64_decode(SPAN("YWI"), &out));
	OUT_IS("ab");
	assert_true(base64_decode((struct span){ 0 }, &out));
	OUT_IS("");
}

static void bad_base64_gives_what_came_before(void **state)
{
	(void)state;
	assert_false(base64_decode(SPAN("YWJj YWJj"), &out));
	OUT_IS("abc");
	assert_false(base64_decode(SPAN("YWJjY"), &out));
	OUT_IS("abc");
	assert_false(base64_decode(SPAN("YWJj="), &out));
	OUT_IS("abc");
	assert_false(base64_decode(SPAN("YQ=x"), &out));
	OUT_IS("a");
}

static void hex_is_pairs(void **state)
{
	(void)state;
	assert_true(hex_decode(SPAN("00fF"), &out));
	OUT_IS("\0\xff");
	assert_false(hex_decode(SPAN("61626"), &out));
	OUT_IS("ab");
	assert_false(hex_decode(SPAN("61zz"), &out));
	OUT_IS("a");
}

static void escapes_are_those_of_the_shell(void **state)
{
	(void)state;
	assert_int_equal(escape_decode(SPAN("\\x41\\0101\\101\\u00e9\\n\\e\\\\"), &out), 7);
	OUT_IS("AAA\xc3\xa9\n\033\\");
	assert_int_equal(escape_decode(SPAN("\\U0001F600\\ud83d\\ude00\\ud800"), &out), 3);
	OUT_IS("\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xef\xbf\xbd");
	assert_int_equal(escape_decode(SPAN("a\\q\\x\\"), &out), 0);
	OUT_IS("a\\q\\x\\");
}

static void percent_keeps_what_is_no_code(void **state)
{
	(void)state;
	assert_int_equal(percent_decode(SPAN("a%2Fb%zz%4"), &out), 1);
	OUT_IS("a/b%zz%4");
	assert_int_equal(percent_decode(SPAN("%252F"), &out), 1);
	OUT_IS("%2F");
}

static void a_preview_steers_no_terminal(void **state)
{
	(void)state;
	text_escape(SPAN("a\033[\xc2\x9b\xff\xc3\xa9\xe2\x80\xae"), 100, &out);
	OUT_IS("a\\x1b[\\xc2\\x9b\\xff\xc3\xa9\\xe2\\x80\\xae");
	text_escape(SPAN("ab\xc3\xa9"), 3, &out);
	OUT_IS("ab");
}

static void utf8_is_strict(void **state)
{
	(void)state;
	assert_true(utf8_valid(SPAN("a\xf4\x8f\xbf\xbf\xed\x9f\xbf")));
	assert_false(utf8_valid(SPAN("\xf4\x90\x80\x80")));
	assert_false(utf8_valid(SPAN("\xed\xa0\x80")));
	assert_false(utf8_valid(SPAN("\xe0\x80\xaf")));
	assert_false(utf8_valid(SPAN("\xc3")));
}

static void siphash_is_that_of_its_authors(void **state)
{
	const uint64_t key[2] = { 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL };
	uint8_t in[64];
	uint64_t h[2];

	(void)state;
	for (int i = 0; i < 64; i++)
		in[i] = (uint8_t)i;
	siphash128(key, in, 0, h);
	assert_true(h[0] == 0xe6a825ba047f81a3ULL && h[1] == 0x930255c71472f66dULL);
	siphash128(key, in, 1, h);
	assert_true(h[0] == 0x44af996bd8c187daULL && h[1] == 0x45fc229b11597634ULL);
}

static void buffers_grow_and_stay_ended(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_str(&b, "");
	assert_string_equal(b.ptr, "");
	for (int i = 0; i < 1000; i++)
		buf_byte(&b, 'x');
	buf_fmt(&b, "%0500d", 7);
	assert_int_equal(b.len, 1500);
	assert_int_equal(b.ptr[1500], 0);
	assert_int_equal(b.ptr[1499], '7');
	buf_free(&b);
	assert_int_equal(span_find(SPAN("abc"), SPAN("bc")), 1);
	assert_int_equal(span_find(SPAN("abc"), SPAN("bd")), -1);
	assert_int_equal(span_ifind(SPAN("xaBc"), "AbC"), 1);
	assert_int_equal(span_ifind(SPAN("ab"), "abc"), -1);
	assert_true(span_starts(SPAN("abc"), "ab") && span_ends(SPAN("abc"), "bc"));
	assert_true(span_eq((struct span){ 0 }, ""));
}

static void exhausted_memory_ends_the_program(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (!pid) {
		close(2);
		xcalloc(SIZE_MAX / 2, 4);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 125);
}

static int drop(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_goes_both_ways),
		cmocka_unit_test(bad_base64_gives_what_came_before),
		cmocka_unit_test(hex_is_pairs),
		cmocka_unit_test(escapes_are_those_of_the_shell),
		cmocka_unit_test(percent_keeps_what_is_no_code),
		cmocka_unit_test(a_preview_steers_no_terminal),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(siphash_is_that_of_its_authors),
		cmocka_unit_test(buffers_grow_and_stay_ended),
		cmocka_unit_test(exhausted_memory_ends_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, drop);
}
