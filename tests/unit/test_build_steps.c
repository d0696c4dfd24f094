#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "build_steps.h"

/* Of the usual shell, and then (~) of any that an image may have. */
#define ANY(text) "/bin/sh|-c|" text "| ~" text "| "
#define MASK      "\xff\x80\x81\x82\x80\x80\xff\xff\xff\xff"
#define SIXTEEN   "sixteen-letters-"

/* What Docker 20.10 made of each, as its containers' processes showed it; here-documents: as moby/buildkit's sources say. */
static const struct {
	const char *dockerfile;
	const char *
		steps; /* words with '|' behind each; a ' ' behind each step; of a part '*' before it */
} rows[] = {
	{ "FROM a\nRUN echo x\n", ANY("echo x") },
	{ "FROM a\nrun  echo x  \n", ANY("echo x") },
	{ "FROM a\nRUN echo x; \\\n  # no\n\n    true\n", ANY("echo x;     true") },
	{ "FROM a\r\nRUN echo x \\\r\n y\r\n", ANY("echo x  y") },
	{ "FROM a\nRUN [\"/bin/busybox\", \"echo\", \"a b\"]\n", "/bin/busybox|echo|a b| " },
	{ "FROM a\nRUN [ is no list\n", ANY("[ is no list") },
	{ "FROM a\nSHELL [\"/s\", \"-x\"]\nRUN y\n", "/s|-x|y| " },
	{ "FROM a\nSHELL [\"/s\", \"-x\"]\nFROM b\nRUN y\n", ANY("y") },
	{ "FROM a\nRUN --mount=type=cache,target=/c --network=none y z\n", ANY("y z") },
	{ "# escape=`\nFROM a\nRUN a\\b `\n c\n", ANY("a\\b  c") },
	{ "FROM a\nCMD y\n", "" },
	{ "FROM a\nRUN y \\", ANY("y") },

	{ "FROM a\nRUN <<EOF\necho  x \n\ttrue\nEOF\nUSER x\n", ANY("echo  x \n\ttrue\n") },
	{ "FROM a\nRUN <<\"E.O-F\"\necho\n EOF\nE.O-F\nRUN y\n", ANY("echo\n EOF\n") ANY("y") },
	{ "FROM a\nRUN <<-EOF\n\techo\n\t\tx\n\tEOF\nRUN y\n", ANY("echo\nx\n") ANY("y") },
	{ "FROM a\nRUN <<EOF\n#!/bin/busybox awk\nx\nEOF\n", ANY("/dev/pipes/EOF") },
	{ "FROM a\nRUN cat <<EOF >/f\nhello\nEOF\nRUN y\n",
	  ANY("cat <<EOF >/f\nhello\nEOF") ANY("y") },
	{ "FROM a\nRUN --mount=type=cache,target=/c <<EOF\necho\nEOF\n", ANY("echo\n") },
	/* None of these is one. */
	{ "FROM a\nRUN echo $((1<<2))\nRUN y\n2\n", ANY("echo $((1<<2))") ANY("y") },
	{ "FROM a\nRUN echo '<<EOF'x\nRUN y\nEOF\n", ANY("echo '<<EOF'x") ANY("y") },
	{ "FROM a\nRUN cat <<<EOF\nRUN y\nEOF\n", ANY("cat <<<EOF") ANY("y") },
	{ "FROM a\nENV A=1 <<EOF\nRUN y\nEOF\n", ANY("y") },

	/* What stands before a secret, cut to a length that the kernel side asks for. */
	{ "FROM a\nRUN " SIXTEEN "x" MASK " y\n", "*/bin/sh|-c|sixte ~*" SIXTEEN " " },
	{ "FROM a\nRUN " SIXTEEN SIXTEEN MASK "\n",
	  "*/bin/sh|-c|" SIXTEEN "sixte ~*" SIXTEEN SIXTEEN " " },
	{ "FROM a\nRUN x " MASK "\n", "" },
	{ "FROM a\nRUN [\"/bin/" SIXTEEN "\", \"" MASK "\"]\n", "*/bin/sixteen-let " },
};

static void step_show(const struct build_step *s, struct buf *b)
{
	size_t n = s->len & ~(BUILD_STEP_PART | BUILD_STEP_TEXT);

	if (s->len & BUILD_STEP_TEXT)
		buf_byte(b, '~');
	if (s->len & BUILD_STEP_PART) {
		buf_byte(b, '*');
		for (n = sizeof(s->args); n && !s->args[n - 1];)
			n--;
	}
	for (size_t k = 0; k < n; k++)
		buf_byte(b, s->args[k] ? s->args[k] : '|');
	buf_byte(b, ' ');
}

static void steps_are_what_is_executed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static struct build_step steps[BUILD_STEPS_MAX];
		unsigned runs, n = build_steps(span_of(rows[i].dockerfile), steps, &runs);
		struct buf b = { 0 };

		buf_str(&b, "");
		for (unsigned k = 0; k < n; k++)
			step_show(&steps[k], &b);
		assert_string_equal(b.ptr ? b.ptr : "", rows[i].steps);
		buf_free(&b);
	}
}

/* Of a part the length is that of the whole: it tells apart what begins alike. */
static void a_step_with_a_secret_keeps_its_length(void **state)
{
	static struct build_step steps[BUILD_STEPS_MAX];
	unsigned runs;

	(void)state;
	assert_int_equal(build_steps(SPAN("FROM a\nRUN " SIXTEEN MASK "\n"), steps, &runs), 2);
	assert_int_equal(steps[0].len, (11 + 16 + 10 + 1) | BUILD_STEP_PART);
	assert_int_equal(steps[1].len, (16 + 10 + 1) | BUILD_STEP_PART | BUILD_STEP_TEXT);
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
	assert_int_equal(build_steps((struct span){ file.ptr, file.len }, steps, &runs), 2);
	assert_int_equal(steps->len, 11 + 501);
	assert_memory_equal(steps->args, "/bin/sh\0-c\0xxx", 14);
	assert_int_equal(steps->args[BUILD_STEP_ARGS - 1], 'x');
	/* A secret behind what is compared anyway. */
	buf_str(&file, MASK);
	assert_int_equal(build_steps((struct span){ file.ptr, file.len }, steps, &runs), 2);
	assert_int_equal(steps->len, 11 + 511);
	buf_reset(&file);
	for (int i = 0; i < 300; i++)
		buf_str(&file, "RUN true\n");
	assert_int_equal(build_steps((struct span){ file.ptr, file.len }, steps, &runs),
			 BUILD_STEPS_MAX);
	assert_int_equal(runs, 300);
	buf_free(&file);
}

static struct masker m;

/* A Dockerfile with these words, in which the secret is masked as it would be on its way to the engine. */
static void file_make(struct buf *file, const char *before, const char *secret, const char *after)
{
	buf_reset(file);
	buf_fmt(file, "FROM a\nRUN %s%s%s\nRUN other\n", before, secret, after);
	scrub_bytes(&m, file->ptr, file->len);
}

static enum masked has(const struct buf *file, const char *words)
{
	struct buf args = { 0 };
	enum masked is;

	buf_str(&args, words);
	for (size_t i = 0; i < args.len; i++)
		if (args.ptr[i] == '|')
			args.ptr[i] = 0;
	is = build_has_step((struct span){ file->ptr, file->len }, &m,
			    (struct span){ args.ptr, args.len });
	buf_free(&args);
	return is;
}

#define TOKEN                                                                                      \
	"ghp_"                                                                                     \
	"0123456789abcdefghijklmnopqrstuvwxyz"
#define OTHER                                                                                      \
	"ghp_"                                                                                     \
	"0123456789abcdefghijklmnopqrstuvwxyZ"

static void the_secret_in_a_step_tells_whose_it_is(void **state)
{
	uint8_t seed[32] = { 7, 3, 1 };
	struct buf file = { 0 };

	(void)state;
	masker_init(&m, seed);
	file_make(&file, "login ", TOKEN, " now");
	assert_null(memmem(file.ptr, file.len, TOKEN, strlen(TOKEN)));
	assert_int_equal(has(&file, "/bin/sh|-c|login " TOKEN " now|"), MASKED_SAME);
	assert_int_equal(has(&file, "/bin/bash|-ec|login " TOKEN " now|"), MASKED_SAME);
	assert_int_equal(has(&file, "/bin/sh|-c|other|"), MASKED_SAME);
	assert_int_equal(has(&file, "/bin/sh|-c|login " OTHER " now|"), MASKED_OTHER);
	assert_int_equal(has(&file, "/bin/sh|-c|login " TOKEN " not|"), MASKED_OTHER);
	assert_int_equal(has(&file, "/bin/sh|-c|login " TOKEN " now"), MASKED_OTHER);
	assert_int_equal(has(&file, "login " TOKEN " now|"), MASKED_OTHER);
	/* Of a short one nothing is kept that could be compared. */
	file_make(&file, "PASSWORD=", "x1y2", " login");
	assert_null(memmem(file.ptr, file.len, "x1y2", 4));
	assert_int_equal(has(&file, "/bin/sh|-c|PASSWORD=x1y2 login|"), MASKED_MAYBE);
	assert_int_equal(has(&file, "/bin/sh|-c|PASSWORD=x1y2 logi_|"), MASKED_OTHER);
	buf_free(&file);
	masker_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_what_is_executed),
		cmocka_unit_test(a_step_with_a_secret_keeps_its_length),
		cmocka_unit_test(a_long_step_is_its_length_and_its_beginning),
		cmocka_unit_test(the_secret_in_a_step_tells_whose_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
