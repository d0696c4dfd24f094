#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "build_steps.h"

/* What Docker 20.10 made of each, as its containers' processes showed it. */
static const struct {
	const char *dockerfile, *args; /* words with '|' behind each; "" none */
} rows[] = {
	{ "FROM a\nRUN echo x\n", "/bin/sh|-c|echo x|" },
	{ "FROM a\nrun  echo x  \n", "/bin/sh|-c|echo x|" },
	{ "FROM a\nRUN echo x; \\\n  # no\n\n    true\n", "/bin/sh|-c|echo x;     true|" },
	{ "FROM a\r\nRUN echo x \\\r\n y\r\n", "/bin/sh|-c|echo x  y|" },
	{ "FROM a\nRUN [\"/bin/busybox\", \"echo\", \"a b\"]\n", "/bin/busybox|echo|a b|" },
	{ "FROM a\nRUN [ is no list\n", "/bin/sh|-c|[ is no list|" },
	{ "FROM a\nSHELL [\"/s\", \"-x\"]\nRUN y\n", "/s|-x|y|" },
	{ "FROM a\nSHELL [\"/s\", \"-x\"]\nFROM b\nRUN y\n", "/bin/sh|-c|y|" },
	{ "FROM a\nRUN --mount=type=cache,target=/c --network=none y z\n", "/bin/sh|-c|y z|" },
	{ "# escape=`\nFROM a\nRUN a\\b `\n c\n", "/bin/sh|-c|a\\b  c|" },
	{ "FROM a\nRUN <<EOF\necho\nEOF\n", "" },
	{ "FROM a\nCMD y\n", "" },
	{ "FROM a\nRUN y \\", "/bin/sh|-c|y|" },
};

static void steps_are_what_is_executed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static struct build_step steps[BUILD_STEPS_MAX];
		unsigned runs, n = build_steps(span_of(rows[i].dockerfile), steps, &runs);
		char text[BUILD_STEP_ARGS + 1] = "";

		if (!*rows[i].args) {
			assert_int_equal(n, 0);
			continue;
		}
		assert_int_equal(n, 1);
		assert_int_equal(runs, 1);
		memcpy(text, steps->args, steps->len);
		for (size_t k = 0; k < steps->len; k++)
			if (!text[k])
				text[k] = '|';
		assert_string_equal(text, rows[i].args);
	}
}

static void a_long_step_is_its_length_and_its_beginning(void **state)
{
	static struct build_step steps[BUILD_STEPS_MAX];
	struct buf file = { 0 };
	unsigned runs;

	(void)state;
	buf_str(&file, "FROM a\nRUN ");
	for (int i = 0; i < 500; i++)
		buf_byte(&file, 'x');
	assert_int_equal(build_steps((struct span){ file.ptr, file.len }, steps, &runs), 1);
	assert_int_equal(steps->len, 11 + 501);
	assert_memory_equal(steps->args, "/bin/sh\0-c\0xxx", 14);
	assert_int_equal(steps->args[BUILD_STEP_ARGS - 1], 'x');
	buf_reset(&file);
	for (int i = 0; i < 300; i++)
		buf_str(&file, "RUN true\n");
	assert_int_equal(build_steps((struct span){ file.ptr, file.len }, steps, &runs),
			 BUILD_STEPS_MAX);
	assert_int_equal(runs, 300);
	buf_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_what_is_executed),
		cmocka_unit_test(a_long_step_is_its_length_and_its_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
