/* test_source_line.c: the three formats of line tables, by hand and for a whole standard library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "source_line.h"

#define TABLE(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static void address_and_line_increments_add_up(void **s)
{
	(void)s;
	/* Objects/lnotab_notes.txt: 0:1 6:2 50:7 350:207 361:208 */
#define NOTES TABLE(6, 1, 44, 5, 255, 0, 45, 100, 0, 100, 11, 1)
	assert_int_equal(source_line(0x0308, 1, NOTES, 0), 1);
	assert_int_equal(source_line(0x0308, 1, NOTES, 4), 1);
	assert_int_equal(source_line(0x0309, 1, NOTES, 6), 2);
	assert_int_equal(source_line(0x0309, 1, NOTES, 49), 2);
	assert_int_equal(source_line(0x0309, 1, NOTES, 50), 7);
	assert_int_equal(source_line(0x0309, 1, NOTES, 349), 7);
	assert_int_equal(source_line(0x0309, 1, NOTES, 350), 207);
	assert_int_equal(source_line(0x0309, 1, NOTES, 361), 208);
	assert_int_equal(source_line(0x0309, 100, TABLE(2, 3, 2, 0xfe), 4), 101);
}

static void a_range_without_a_line_has_none(void **s)
{
	(void)s;
	/* PEP 626; instructions count by two bytes */
#define RANGES TABLE(4, 1, 2, 0x80, 0, 100, 6, 100, 2, 0xff)
	assert_int_equal(source_line(0x030a, 10, RANGES, 0), 11);
	assert_int_equal(source_line(0x030a, 10, RANGES, 1), 11);
	assert_int_equal(source_line(0x030a, 10, RANGES, 2), 0);
	assert_int_equal(source_line(0x030a, 10, RANGES, 3), 211);
	assert_int_equal(source_line(0x030a, 10, RANGES, 6), 210);
	assert_int_equal(source_line(0x030a, 10, RANGES, 7), -1);
}

static void locations_are_of_four_kinds(void **s)
{
	(void)s;
	/* no columns +1, two units; short, one; one line +2, one; none, one; long -3, one */
#define LOCATIONS                                                                                  \
	TABLE(0x80 | 13 << 3 | 1, 2, 0x80 | 3 << 3, 0x12, 0x80 | 12 << 3, 4, 9, 0x80 | 15 << 3,    \
	      0x80 | 14 << 3, 7, 0, 1, 2)
	assert_int_equal(source_line(0x030b, 20, LOCATIONS, 0), 21);
	assert_int_equal(source_line(0x030b, 20, LOCATIONS, 2), 21);
	assert_int_equal(source_line(0x030c, 20, LOCATIONS, 4), 21);
	assert_int_equal(source_line(0x030c, 20, LOCATIONS, 6), 23);
	assert_int_equal(source_line(0x030d, 20, LOCATIONS, 8), 0);
	assert_int_equal(source_line(0x030d, 20, LOCATIONS, 10), 20);
	assert_int_equal(source_line(0x030d, 20, LOCATIONS, 12), -1);
	/* +100: 200 in two varints of six bits */
	assert_int_equal(source_line(0x030d, 1, TABLE(0x80 | 13 << 3, 0x48, 3), 0), 101);
}

static void what_does_not_add_up_gives_no_line(void **s)
{
	(void)s;
	/* no start of an entry; a varint that does not end; one of more than 32 bits; lines below zero */
	assert_int_equal(source_line(0x030b, 1, TABLE(0x12), 0), -1);
	assert_int_equal(source_line(0x030b, 1, TABLE(0x80 | 13 << 3, 0x40), 0), -1);
	assert_int_equal(source_line(0x030b, 1,
				     TABLE(0x80 | 13 << 3, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 1),
				     0),
			 -1);
	assert_int_equal(source_line(0x030b, 1, TABLE(0x80 | 13 << 3, 21), 0), -1);
	assert_int_equal(source_line(0x030a, 0x7fffffff, TABLE(4, 1), 0), -1);
	assert_int_equal(source_line(0x0308, 1, TABLE(0, 0x80), 0), -1);
	assert_int_equal(source_line(0x030d, 1, NULL, 0, 0), -1);
	assert_int_equal(source_line(0x030d, 1, TABLE(0x80 | 15 << 3), 0x7fffffff), -1);
}

static void a_frame_that_has_not_begun_stands_on_the_first_line(void **s)
{
	(void)s;
	assert_int_equal(source_line(0x0308, 7, TABLE(0, 1), -1), 7);
	assert_int_equal(source_line(0x030d, 7, NULL, 0, -2), 7);
}

/* SOURCE_TABLES: files of tests/python/tables.py, made by tests/e2e/lines.sh. */
static void every_instruction_of_a_standard_library_has_the_line_that_python_says(void **s)
{
	const char *path = getenv("SOURCE_TABLES");
	FILE *f = path ? fopen(path, "rb") : NULL;
	int32_t row[4], want;
	size_t codes = 0, units = 0;

	(void)s;
	if (!path)
		skip();
	assert_non_null(f);
	while (fread(row, sizeof(row), 1, f) == 1) {
		uint8_t *table = malloc(row[2] + 1);

		assert_int_equal(fread(table, 1, row[2], f), row[2]);
		for (int i = 0; i < row[3]; i++) {
			int at = row[0] == 0x030a ? i : 2 * i, got;

			assert_int_equal(fread(&want, sizeof(want), 1, f), 1);
			got = source_line(row[0], row[1], table, row[2], at);
			if (got != want)
				fail_msg("code %zu at %d: line %d, Python says %d", codes, at, got,
					 want);
		}
		codes++;
		units += row[3];
		free(table);
	}
	fclose(f);
	printf("%zu code objects, %zu instructions\n", codes, units);
	assert_true(codes > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_and_line_increments_add_up),
		cmocka_unit_test(a_range_without_a_line_has_none),
		cmocka_unit_test(locations_are_of_four_kinds),
		cmocka_unit_test(what_does_not_add_up_gives_no_line),
		cmocka_unit_test(a_frame_that_has_not_begun_stands_on_the_first_line),
		cmocka_unit_test(
			every_instruction_of_a_standard_library_has_the_line_that_python_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
