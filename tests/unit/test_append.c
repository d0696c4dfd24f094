/* test_append.c: files that are appended to: taken over, rotated by size and by time, moved by others. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "output.h"

static char dir[64], path[96];
static const char *why;

static int begin(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/invigil-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/events", dir);
	return 0;
}

static int end(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void file_write(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* What PATH or PATH.N holds. */
static const char *content(unsigned n)
{
	static char text[4096];
	char name[128];
	FILE *f;
	size_t got;

	snprintf(name, sizeof(name), n ? "%s.%u" : "%s", path, n);
	f = fopen(name, "r");
	if (!f)
		return NULL;
	got = fread(text, 1, sizeof(text) - 1, f);
	text[got] = 0;
	fclose(f);
	return text;
}

static void say(struct output *o, const char *line)
{
	output_line(o, line, strlen(line));
	output_flush(o);
}

static void what_was_there_stays_but_for_half_a_line(void **state)
{
	struct output o;
	struct stat st;

	(void)state;
	file_write(path, "one\ntwo\nthr");
	assert_int_equal(output_append(&o, path, getegid(), NULL, &why), 0);
	say(&o, "four\n");
	output_close(&o);
	assert_string_equal(content(0), "one\ntwo\nfour\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	file_write(path, "never ended");
	assert_int_equal(output_append(&o, path, getegid(), NULL, &why), 0);
	output_close(&o);
	assert_string_equal(content(0), "");
}

static void a_file_of_the_size_makes_room(void **state)
{
	static const struct rotation r = { .size = 10, .keep = 2 };
	struct output o;

	(void)state;
	assert_int_equal(output_append(&o, path, getegid(), &r, &why), 0);
	say(&o, "1234\n");
	say(&o, "5678\n");
	assert_null(content(1));
	say(&o, "a\n");
	assert_string_equal(content(1), "1234\n5678\n");
	assert_string_equal(content(0), "a\n");
	say(&o, "a line longer than a file may be\n");
	say(&o, "b\n");
	assert_string_equal(content(0), "b\n");
	assert_string_equal(content(1), "a line longer than a file may be\n");
	assert_string_equal(content(2), "a\n");
	assert_null(content(3));
	output_close(&o);
}

static void a_file_of_an_earlier_hour_makes_room_also_after_a_restart(void **state)
{
	struct rotation r = { .keep = 1 };
	struct timespec then[2];
	struct output o;

	(void)state;
	file_write(path, "old\n");
	clock_gettime(CLOCK_REALTIME, &then[0]);
	/* The only border that is near lies half an hour back: none is passed while this works. */
	r.every = then[0].tv_sec - 1800;
	then[0].tv_sec -= 3600;
	then[1] = then[0];
	assert_int_equal(utimensat(0, path, then, 0), 0);
	assert_int_equal(output_append(&o, path, getegid(), &r, &why), 0);
	say(&o, "new\n");
	output_close(&o);
	assert_string_equal(content(1), "old\n");
	assert_int_equal(output_append(&o, path, getegid(), &r, &why), 0);
	say(&o, "newer\n");
	output_close(&o);
	assert_string_equal(content(0), "new\nnewer\n");
}

static void a_file_that_was_moved_is_made_anew(void **state)
{
	struct output o;
	char moved[128];

	(void)state;
	assert_int_equal(output_append(&o, path, getegid(), NULL, &why), 0);
	say(&o, "one\n");
	output_reopen(&o);
	say(&o, "two\n");
	snprintf(moved, sizeof(moved), "%s.1", path);
	assert_int_equal(rename(path, moved), 0);
	say(&o, "three\n");
	output_line(&o, "four\n", 5);
	output_reopen(&o);
	say(&o, "five\n");
	assert_string_equal(content(1), "one\ntwo\nthree\nfour\n");
	assert_string_equal(content(0), "five\n");
	output_close(&o);
}

static void links_second_names_and_second_writers_are_refused(void **state)
{
	struct output o, second;
	char other[128];

	(void)state;
	snprintf(other, sizeof(other), "%s.other", path);
	file_write(other, "x\n");
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(output_append(&o, path, getegid(), NULL, &why), -ELOOP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(link(other, path), 0);
	assert_int_equal(output_append(&o, path, getegid(), NULL, &why), -EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(output_append(&o, path, getegid(), NULL, &why), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(output_append(&o, path, getegid(), NULL, &why), 0);
	assert_int_equal(output_append(&second, path, getegid(), NULL, &why), -EBUSY);
	output_close(&o);
}

static void a_full_disk_costs_whole_lines_which_are_counted_and_it_goes_on(void **state)
{
	struct rlimit was, little;
	struct output o;

	(void)state;
	assert_int_equal(output_append(&o, path, getegid(), NULL, &why), 0);
	say(&o, "first\n");
	getrlimit(RLIMIT_FSIZE, &was);
	little = was;
	little.rlim_cur = 15;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	output_line(&o, "second\n", 7);
	output_line(&o, "third\n", 6);
	output_line(&o, "fourth\n", 7);
	assert_int_equal(output_lines(&o).waiting, 3);
	assert_int_equal(output_flush(&o), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(output_lines(&o).seen, 4);
	assert_int_equal(output_lines(&o).delivered, 2);
	assert_int_equal(output_lines(&o).dropped, 2);
	assert_int_equal(output_lines(&o).waiting, 0);
	say(&o, "fifth\n");
	assert_string_equal(content(0), "first\nsecond\nfifth\n");
	output_close(&o);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_was_there_stays_but_for_half_a_line),
		T(a_file_of_the_size_makes_room),
		T(a_file_of_an_earlier_hour_makes_room_also_after_a_restart),
		T(a_file_that_was_moved_is_made_anew),
		T(links_second_names_and_second_writers_are_refused),
		T(a_full_disk_costs_whole_lines_which_are_counted_and_it_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
