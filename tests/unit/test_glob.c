/* test_glob.c: glob_fits() says what fnmatch(3) says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "buf.h"
#include "glob.h"

static void it_says_what_fnmatch_says(void **state)
{
	static const char *const globs[] = { "",        "*",     "LC_*",     "LANG",
					     "PS[0-4]", "a?c",   "D_*RUBY*", "*_SIZE",
					     "*-gcc-*", "x\\*y", "a*",       "[!a]*" };
	static const char *const names[] = { "",         "LC_",     "LC_ALL", "LC",       "LANG",
					     "LANGUAGE", "LAN",     "PS1",    "PS5",      "PS",
					     "abc",      "ac",      "D_RUBY", "D_aRUBYb", "_SIZE",
					     "A_SIZE",   "x-gcc-1", "x*y",    "xay",      "a",
					     "b",        "*" };
	unsigned fits = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(globs); i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			bool want = !fnmatch(globs[i], names[k], 0);

			if (glob_fits(globs[i], names[k]) != want)
				fail_msg("%s on %s", globs[i], names[k]);
			fits += want;
		}
	assert_in_range(fits, 30, 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_fnmatch_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
