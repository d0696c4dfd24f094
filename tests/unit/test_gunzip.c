/* test_gunzip.c: gzip streams that are whole, cut, too long and none. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "gunzip.h"

/* printf 'FROM a\n' | gzip -n */
static const char from[] =
	"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x73\x0b\xf2\xf7\x55\x48\xe4\x02"
	"\x00\xa1\x8c\x52\xec\x07\x00\x00\x00";
#define WHOLE ((struct span){ from, sizeof(from) - 1 })

static struct buf out;

static int end(void **s)
{
	(void)s;
	buf_free(&out);
	return 0;
}

static void a_stream_is_unpacked(void **s)
{
	(void)s;
	assert_true(gunzip_looks(WHOLE));
	assert_true(gunzip(WHOLE, 100, &out));
	assert_true(span_eq((struct span){ out.ptr, out.len }, "FROM a\n"));
}

static void what_is_there_of_a_cut_one_is_kept(void **s)
{
	(void)s;
	assert_false(gunzip((struct span){ from, sizeof(from) - 9 }, 100, &out));
	assert_true(span_starts((struct span){ out.ptr, out.len }, "FROM a"));
}

static void a_limit_holds(void **s)
{
	(void)s;
	assert_false(gunzip(WHOLE, 3, &out));
	assert_int_equal(out.len, 3);
}

static void what_is_no_stream_gives_nothing(void **s)
{
	(void)s;
	assert_false(gunzip_looks(SPAN("FROM a")));
	assert_false(gunzip(SPAN("\x1f\x8b\x08 and no more"), 100, &out));
	assert_false(gunzip(SPAN(""), 100, &out));
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_stream_is_unpacked, end),
		cmocka_unit_test_teardown(what_is_there_of_a_cut_one_is_kept, end),
		cmocka_unit_test_teardown(a_limit_holds, end),
		cmocka_unit_test_teardown(what_is_no_stream_gives_nothing, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
