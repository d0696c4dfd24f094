/* test_tar.c: the Dockerfile of a build context, also of a cut one. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <stdio.h>
#include "tar.h"

static char archive[4096];

static void member(char *b, const char *name, const char *text)
{
	unsigned sum = 0;

	memset(b, 0, 1024);
	strcpy(b, name);
	snprintf(b + 124, 12, "%011o", (unsigned)strlen(text));
	b[156] = '0';
	memcpy(b + 257, "ustar", 6);
	memset(b + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)b[i];
	snprintf(b + 148, 8, "%06o", sum);
	memcpy(b + 512, text, strlen(text));
}

static void the_file_is_found_and_a_cut_is_said(void **s)
{
	struct span c;
	bool whole;

	(void)s;
	memset(archive, 0, sizeof(archive));
	member(archive, "a", "other");
	member(archive + 1024, "./Dockerfile", "FROM x\n");
	assert_true(tar_find((struct span){ archive, 4096 }, SPAN("Dockerfile"), &c, &whole));
	assert_true(whole && span_eq(c, "FROM x\n"));
	assert_true(tar_find((struct span){ archive, 1024 + 515 }, SPAN("Dockerfile"), &c, &whole));
	assert_true(!whole && span_eq(c, "FRO"));
	assert_false(tar_find((struct span){ archive, 1000 }, SPAN("Dockerfile"), &c, &whole));
	archive[1024] = 'x';
	assert_false(tar_find((struct span){ archive, 4096 }, SPAN("Dockerfile"), &c, &whole));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_file_is_found_and_a_cut_is_said) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
