/* test_interpreter.c: the interpreter that a #! line or an ELF file asks for; no offset of theirs is trusted. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include "interpreter.h"

static char out[INTERPRETER_MAX];

static bool asks(const char *text)
{
	return interpreter_of(span_of(text), out);
}

static void a_script_asks_for_the_program_of_its_first_line(void **s)
{
	(void)s;
	assert_true(asks("#!/bin/sh\necho"));
	assert_string_equal(out, "/bin/sh");
	assert_true(asks("#! \t/usr/bin/env python3\n"));
	assert_string_equal(out, "/usr/bin/env");
	assert_true(asks("#!/bin/sh"));
	assert_string_equal(out, "/bin/sh");
	assert_true(asks("#!bin/relative\n"));
	assert_string_equal(out, "bin/relative");
	assert_false(asks("#!\n/bin/sh\n"));
	assert_false(asks("#/bin/sh\n"));
	assert_false(asks("#!"));
	assert_false(asks(""));
}

static void a_line_longer_than_the_kernel_reads_is_none(void **s)
{
	char text[INTERPRETER_MAX + 10] = "#!/";

	(void)s;
	memset(text + 3, 'x', sizeof(text) - 4);
	assert_true(interpreter_of((struct span){ text, sizeof(text) }, out));
	assert_int_equal(strlen(out), INTERPRETER_MAX - 2); /* as far as the kernel reads */
}

struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	char name[16];
};

static struct image image_make(void)
{
	struct image i = { .name = "/lib/ld.so" };

	memcpy(i.eh.e_ident, ELFMAG, SELFMAG);
	i.eh.e_ident[EI_CLASS] = ELFCLASS64;
	i.eh.e_phentsize = sizeof(Elf64_Phdr);
	i.eh.e_phnum = 2;
	i.eh.e_phoff = offsetof(struct image, ph);
	i.ph[0].p_type = PT_LOAD;
	i.ph[1].p_type = PT_INTERP;
	i.ph[1].p_offset = offsetof(struct image, name);
	i.ph[1].p_filesz = 11;
	return i;
}

/* In memory of exactly its size: what is read behind it is an error. */
static bool image_asks(const struct image *i, size_t n)
{
	char *copy = malloc(n + !n);
	bool yes;

	memcpy(copy, i, n);
	yes = interpreter_of((struct span){ copy, n }, out);
	free(copy);
	return yes;
}

static void a_program_asks_for_its_loader(void **s)
{
	struct image i = image_make();

	(void)s;
	assert_true(image_asks(&i, sizeof(i)));
	assert_string_equal(out, "/lib/ld.so");
	i.ph[1].p_type = PT_NOTE;
	assert_false(image_asks(&i, sizeof(i)));
}

static void a_loader_that_is_not_within_the_bytes_is_none(void **s)
{
	static const uint64_t wild[] = { sizeof(struct image), 1ull << 32, UINT64_MAX - 3,
					 UINT64_MAX };
	struct image i;

	(void)s;
	for (size_t k = 0; k < ARRAY_SIZE(wild); k++) {
		i = image_make();
		i.ph[1].p_offset = wild[k];
		assert_false(image_asks(&i, sizeof(i)));
		i = image_make();
		i.ph[1].p_filesz = wild[k];
		assert_false(image_asks(&i, sizeof(i)));
		i = image_make();
		i.eh.e_phoff = wild[k];
		assert_false(image_asks(&i, sizeof(i)));
	}
	i = image_make();
	for (size_t n = 0; n < offsetof(struct image, name) + 11; n++)
		assert_false(image_asks(&i, n));
}

static void no_byte_of_the_image_makes_it_read_elsewhere(void **s)
{
	(void)s;
	for (size_t at = 0; at < sizeof(struct image); at++)
		for (int v = 0; v < 256; v += 5) {
			struct image i = image_make();

			((unsigned char *)&i)[at] = v;
			if (image_asks(&i, sizeof(i)))
				assert_true(strlen(out) > 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_script_asks_for_the_program_of_its_first_line),
		cmocka_unit_test(a_line_longer_than_the_kernel_reads_is_none),
		cmocka_unit_test(a_program_asks_for_its_loader),
		cmocka_unit_test(a_loader_that_is_not_within_the_bytes_is_none),
		cmocka_unit_test(no_byte_of_the_image_makes_it_read_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
