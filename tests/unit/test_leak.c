/* test_leak.c: secrets in what is written, however they are split, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "leak.h"

#define VALUE "s3cr3t-Value+42-of-the-run"

static const struct leak_place log_file = { .ino = 7, .dev = 1, .kind = FD_FILE };
static struct masker m;
static struct leaks *l;
static unsigned found, last;

static void on_secret(void *ctx, unsigned secret)
{
	(void)ctx;
	found++;
	last = secret;
}

static void put_at(const struct leak_place *place, const char *text)
{
	leaks_look(l, &m, place, text, strlen(text), on_secret, NULL);
}

static void put(const char *text)
{
	put_at(&log_file, text);
}

static int begin(void **state)
{
	static const uint8_t seed[32] = { 9 };
	char env[] = "API_TOKEN=" VALUE "\0DB_PASSWORD=changeme";

	(void)state;
	masker_init(&m, seed);
	scrub_environment(&m, env, sizeof(env));
	l = leaks_new();
	found = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	leaks_free(l);
	masker_free(&m);
	return 0;
}

/* What merely stood behind a name is no credential; by its own form it is, whatever was seen first. */
static void a_token_is_found_though_an_option_gave_it_before(void **state)
{
	char args[] = "tool\0--token=glpat-abcdefghij0123456789\0--password=of-no-known-form";

	(void)state;
	scrub_arguments(&m, args, sizeof(args));
	put("x of-no-known-form x");
	assert_int_equal(found, 0);
	put("x glpat-abcdefghij0123456789 x");
	assert_int_equal(found, 1);
}

/* More than a place remembers: those that stand in what is kept of it were told, too. */
static void what_is_kept_is_not_told_again(void **state)
{
	char line[1024] = "", env[2048], *at = env;

	(void)state;
	for (int i = 0; i < 40; i++) {
		at += sprintf(at, "T%d_TOKEN=tok-%02d-kept", i, i) + 1;
		sprintf(strchr(line, 0), "tok-%02d-kept ", i);
	}
	scrub_environment(&m, env, at - env);
	put(line);
	assert_int_equal(found, 40);
	put("and more\n");
	assert_int_equal(found, 40);
	put(line);
	assert_int_equal(found, 48); /* eight were not remembered */
}

static void a_value_is_found_however_it_is_split(void **state)
{
	(void)state;
	for (size_t at = 0; at <= strlen(VALUE); at++) {
		const struct leak_place place = { .ino = 100 + at, .dev = 1, .kind = FD_FILE };
		char first[64] = "line one\nx=", *tail = strchr(first, 0);

		found = 0;
		memcpy(tail, VALUE, at);
		put_at(&place, first);
		put_at(&place, VALUE + at);
		put_at(&place, "\n");
		assert_int_equal(found, 1);
		assert_string_equal(m.secrets[last].name, "API_TOKEN");
	}
}

static void one_byte_at_a_time_is_enough(void **state)
{
	(void)state;
	for (const char *p = "a " VALUE " b"; *p; p++)
		leaks_look(l, &m, &log_file, p, 1, on_secret, NULL);
	assert_int_equal(found, 1);
}

static void what_stands_apart_is_no_value(void **state)
{
	const struct leak_place other = { .ino = 8, .dev = 1, .kind = FD_FILE };

	(void)state;
	/* Halves in two files, and with something between them. */
	put("s3cr3t-Value+");
	put_at(&other, "42-of-the-run");
	put("x42-of-the-run");
	assert_int_equal(found, 0);
}

static void encodings_and_known_formats_count_and_mere_names_do_not(void **state)
{
	(void)state;
	put("Authorization: nothing\npassword=hunter2hunter2 DB_PASSWORD=changeme\n");
	assert_int_equal(found, 0);
	put("czNjcjN0LVZhbHVlKzQyLW9mLXRoZS1ydW4=\n"); /* base64 of VALUE */
	assert_int_equal(found, 1);
	put("key AKIA"
	    "Z7VRSQ5TJN2XMPLQ\n");
	assert_true(found >= 1);
}

static void a_secret_is_told_once_for_each_place(void **state)
{
	const struct leak_place other = { .ino = 8, .dev = 1, .kind = FD_FILE };

	(void)state;
	put(VALUE "\n");
	put(VALUE "\n");
	assert_int_equal(found, 1);
	put_at(&other, VALUE "\n");
	assert_int_equal(found, 2);
}

static void bytes_on_the_two_sides_of_a_hole_are_not_joined(void **state)
{
	(void)state;
	put("s3cr3t-Value+");
	assert_true(leaks_cut(l, &log_file));
	assert_false(leaks_cut(l, &log_file));
	put("42-of-the-run");
	assert_int_equal(found, 0);
}

static void many_places_are_bounded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		const struct leak_place place = { .ino = i, .dev = 2, .kind = FD_PIPE };

		put_at(&place, "s3cr3t-");
	}
	assert_int_equal(found, 0);
	put(VALUE);
	assert_int_equal(found, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(a_token_is_found_though_an_option_gave_it_before),
		T(what_is_kept_is_not_told_again),
		T(a_value_is_found_however_it_is_split),
		T(one_byte_at_a_time_is_enough),
		T(what_stands_apart_is_no_value),
		T(encodings_and_known_formats_count_and_mere_names_do_not),
		T(a_secret_is_told_once_for_each_place),
		T(bytes_on_the_two_sides_of_a_hole_are_not_joined),
		T(many_places_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
