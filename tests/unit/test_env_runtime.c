/* test_env_runtime.c: ELF files, Go's function table, and what the table of runtimes makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "option.h"
#include "elf_build.h"
#include "env_runtime.h"
#include "event.h"
#include "go_table.h"

const struct command commands[] = { { 0 } };

#define SYMBOLS(type, names) elf_put_symbols(&b, type, names, sizeof(names))

static struct elf_build b;
static struct elf_file e;
static struct env_image image;

static void look(const char *name, bool c_only)
{
	assert_true(elf_open(&e, elf_done(&b)));
	env_image_read(&e, name, c_only, &image);
}

static int teardown(void **state)
{
	(void)state;
	env_image_free(&image);
	buf_free(&b.b);
	return 0;
}

static void a_library_that_exports_getenv_gets_one_probe_a_function(void **state)
{
	(void)state;
	elf_start(&b, ET_DYN);
	SYMBOLS(SHT_DYNSYM, "\0getenv\0malloc\0secure_getenv");
	SYMBOLS(SHT_SYMTAB, "\0getenv");
	look("libc.so.6", false);
	assert_int_equal(image.probes, 2);
	assert_int_equal(image.probe[0].address, ELF_BASE + 0x100);
	assert_int_equal(image.probe[0].cookie, ENV_GETENV);
	assert_int_equal(image.probe[1].address, ELF_BASE + 0x300);
	assert_int_equal(image.probe[1].cookie, ENV_SECURE);
	assert_null(image.unseen);
}

static void data_with_the_name_of_a_function_gets_no_probe(void **state)
{
	static const char names[] = "\0getenv\0system\0Py_BytesMain";

	(void)state;
	elf_start(&b, ET_DYN);
	elf_put_typed(&b, SHT_DYNSYM, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), names, sizeof(names));
	look("libx.so", false);
	assert_int_equal(image.probes, 0);
	assert_false(image.is_python);
}

static void local_symbols_count_in_a_static_program_only(void **state)
{
	(void)state;
	elf_start(&b, ET_DYN);
	SYMBOLS(SHT_SYMTAB, "\0getenv");
	look("libx.so", false);
	assert_int_equal(image.probes, 0);
	assert_null(image.unseen);
	teardown(NULL);
	elf_start(&b, ET_EXEC);
	SYMBOLS(SHT_SYMTAB, "\0getenv");
	look("prog", false);
	assert_int_equal(image.probes, 1);
}

static void a_static_program_without_symbols_is_said_not_to_be_seen(void **state)
{
	(void)state;
	elf_start(&b, ET_EXEC);
	look("prog", false);
	assert_int_equal(image.probes, 0);
	assert_string_equal(image.unseen, "a static program has no symbols");
}

static void what_no_probe_sees_is_said(void **state)
{
	(void)state;
	elf_start(&b, ET_DYN);
	SYMBOLS(SHT_DYNSYM, "\0Perl_sv_setsv_flags");
	look("perl5.36", false);
	assert_string_equal(image.unseen, "no probe sees what Perl reads");
}

static void bash_is_known_by_two_symbols(void **state)
{
	(void)state;
	elf_start(&b, ET_DYN);
	SYMBOLS(SHT_DYNSYM, "\0find_variable\0find_variable_tempenv");
	look("rbash", false);
	assert_int_equal(image.probes, 1);
	assert_int_equal(image.probe[0].cookie, ENV_SHELL);
	teardown(NULL);
	elf_start(&b, ET_DYN);
	SYMBOLS(SHT_DYNSYM, "\0find_variable");
	look("other", false);
	assert_int_equal(image.probes, 0);
}

static void only_c_means_only_c(void **state)
{
	(void)state;
	elf_start(&b, ET_DYN);
	SYMBOLS(SHT_DYNSYM, "\0find_variable\0find_variable_tempenv\0getenv");
	look("bash", true);
	assert_int_equal(image.probes, 1);
	assert_int_equal(image.probe[0].cookie, ENV_GETENV);
}

/* Its middle is what dash's is found by; the table for unwinding says where it begins. */
static void dash_start(unsigned times)
{
	static const unsigned char code[] = { 0xf6, 0x40, 0x08, 0x20, 0x75, 0x18, 0x48, 0x8b,
					      0x78, 0x10, 0xbe, 0x3d, 0,    0,    0,    0xe8,
					      1,    2,    3,    4,    0x48, 0x83, 0xc0, 1 };
	unsigned char bytes[2][96] = { 0 };
	int32_t unwind[] = { 0x3b031b01, 0, 3, 0, 0, 0, 0, 0, 0 };
	uint64_t at;

	elf_start(&b, ET_DYN);
	for (unsigned i = 0; i < times; i++)
		memcpy(bytes[i] + 32, code, sizeof(code));
	at = elf_put(&b, bytes, sizeof(bytes));
	b.unwind = elf_put(&b, unwind, sizeof(unwind));
	b.unwind_len = sizeof(unwind);
	for (unsigned i = 0; i < 3; i++)
		unwind[3 + 2 * i] = (int32_t)(at + 96 * i) - (int32_t)b.unwind;
	memcpy(b.b.ptr + b.unwind, unwind, sizeof(unwind));
	b.code = true;
}

static void dash_is_known_by_its_instructions(void **state)
{
	(void)state;
	dash_start(1);
	look("dash", false);
	assert_int_equal(image.probes, 1);
	assert_int_equal(image.probe[0].address, ELF_BASE + b.unwind - 192);
	assert_int_equal(image.probe[0].cookie, ENV_SHELL);
	assert_null(image.unseen);
	teardown(NULL);
	dash_start(1);
	look("other", false);
	assert_int_equal(image.probes, 0);
	teardown(NULL);
	/* Not in one place: which one it is is not known. */
	dash_start(2);
	look("dash", false);
	assert_int_equal(image.probes, 0);
	assert_string_equal(image.unseen, "no probe sees what this dash reads");
	teardown(NULL);
	/* The same bytes are other instructions there. */
	dash_start(1);
	b.machine = EM_AARCH64;
	look("dash", false);
	assert_int_equal(image.probes, 0);
	assert_string_equal(image.unseen, "no probe sees what this dash reads");
}

#define PYTHON "\0Py_BytesMain\0_PyRuntime\0PyCode_Type\0PyUnicode_Type\0PyUnicode_AsEncodedString"

static void python_is_probed_by_version_and_otherwise_said(void **state)
{
	(void)state;
	elf_start(&b, ET_DYN);
	SYMBOLS(SHT_DYNSYM, PYTHON);
	look("libpython3.9.so.1.0", false);
	assert_int_equal(image.probes, 2);
	assert_int_equal(image.probe[0].program, PROGRAM_PYTHON_START);
	assert_int_equal(image.probe[0].cookie, 0x100);
	assert_int_equal(image.probe[1].program, PROGRAM_PYTHON_ENCODE);
	assert_int_equal(image.probe[1].cookie, -(uint64_t)0x300);
	assert_int_equal(image.python.version, 0x0309);
	assert_int_equal(image.python.code_type, 0x100);
	assert_null(image.unseen);
	teardown(NULL);
	elf_start(&b, ET_DYN);
	SYMBOLS(SHT_DYNSYM, PYTHON);
	look("libpython3.99.so.1.0", false);
	assert_int_equal(image.probes, 1);
	assert_int_equal(image.python.layout, PYTHON_LAYOUTS);
	assert_string_equal(image.unseen, "this version of CPython is not known");
}

static void a_build_without_the_gil_is_another_layout(void **state)
{
	(void)state;
	elf_start(&b, ET_DYN);
	SYMBOLS(SHT_DYNSYM, PYTHON "\0_Py_MergeZeroLocalRefcount");
	look("libpython3.13t.so.1.0", false);
	assert_int_equal(image.probes, 1);
	assert_int_equal(image.python.layout, PYTHON_LAYOUTS);
	assert_int_equal(image.python.version, 0x030d | PYTHON_NO_GIL);
	assert_string_equal(image.unseen, "this version of CPython is not known");
}

/* 3.6 has no _PyRuntime: what we need of it is a symbol of its own. */
#define PYTHON_36                                                                                  \
	"\0Py_Main\0_PyThreadState_Current\0PyCode_Type\0PyUnicode_Type\0PyUnicode_AsEncodedString"

static const struct python_layout rows[] = {
#define LAYOUT(...) { __VA_ARGS__ },
#include "python_layout.def"
#undef LAYOUT
};

static void python_3_6_and_3_7_are_laid_out_as_their_headers_say(void **state)
{
	const struct python_layout *l;

	(void)state;
	elf_start(&b, ET_DYN);
	SYMBOLS(SHT_DYNSYM, PYTHON_36);
	look("libpython3.6m.so.1.0", false);
	assert_int_equal(image.probes, 2);
	assert_int_equal(image.probe[0].program, PROGRAM_PYTHON_START);
	assert_int_equal(image.probe[1].cookie, -(uint64_t)0x300);
	assert_int_equal(image.python.str_type, 0x200);
	assert_null(image.unseen);
	l = &rows[image.python.layout];
	assert_int_equal(l->version, 0x0306);
	/* What the symbol holds is the thread state itself; the interpreters are nobody's symbol. */
	assert_int_equal(l->gil_current, 0);
	assert_int_equal(l->interp_head, -1);
	/* PyThreadState.thread_id: 3.7 has a stack of exceptions in front of it, and a saved one less. */
	assert_int_equal(l->thread_id, 152);
	/* PyFrameObject.f_lasti: three pointers of a saved exception are in front of it until 3.6. */
	assert_int_equal(l->frame_at, 120);
	assert_int_equal(l->frame_code, 32);
	/* PyCodeObject until 3.7 has no co_posonlyargcount. */
	assert_int_equal(l->code_name, 104);
	assert_int_equal(l->code_file, 96);
	assert_int_equal(l->ascii, 48);
	l++;
	assert_int_equal(l->version, 0x0307);
	assert_int_equal(l->frame_at, 104);
	assert_int_equal(l->thread_id, 176);
	assert_int_equal(l->code_name, 104);
}

static void python_2_is_said_to_be_unseen(void **state)
{
	(void)state;
	elf_start(&b, ET_DYN);
	SYMBOLS(SHT_DYNSYM, "\0Py_Main\0PyString_FromString\0_PyThreadState_Current");
	look("libpython2.7.so.1.0", false);
	assert_string_equal(image.unseen, "no probe sees what Python 2 reads");
}

static void what_a_program_needs_is_named(void **state)
{
	static const char strings[] = "\0libc.so.6\0libm.so.6\0$ORIGIN/../lib\0libpython3.9.so.1.0";
	Elf64_Dyn d[] = { { DT_NEEDED, { 1 } },  { DT_NEEDED, { 11 } }, { DT_RUNPATH, { 21 } },
			  { DT_NEEDED, { 36 } }, { DT_STRTAB, { 0 } },  { DT_NULL, { 0 } },
			  { DT_NEEDED, { 11 } } };

	(void)state;
	elf_start(&b, ET_DYN);
	d[4].d_un.d_val = ELF_BASE + elf_put(&b, strings, sizeof(strings));
	b.dynamic = elf_put(&b, d, sizeof(d));
	b.dynamic_len = sizeof(d);
	b.interpreter = elf_put(&b, "/lib/ld-musl-x86_64.so.1", 25);
	b.interpreter_len = 25;
	look("prog", false);
	assert_int_equal(image.n_needed, 3);
	assert_string_equal(image.needed[0], "libc.so.6");
	assert_string_equal(image.needed[1], "libpython3.9.so.1.0");
	assert_string_equal(image.needed[2], "/lib/ld-musl-x86_64.so.1");
	assert_string_equal(image.run_path, "$ORIGIN/../lib");
}

static void the_build_id_is_found_among_notes(void **state)
{
	struct {
		Elf64_Nhdr first;
		char first_name[8], first_text[4];
		Elf64_Nhdr h;
		char name[4], id[4];
	} note = { { 5, 3, 7 }, "Go\0\0", "abc", { 4, 4, NT_GNU_BUILD_ID }, "GNU", "\1\2\3\4" };

	(void)state;
	elf_start(&b, ET_DYN);
	b.note = elf_put(&b, &note, sizeof(note));
	b.note_len = sizeof(note);
	assert_true(elf_open(&e, elf_done(&b)));
	assert_int_equal(elf_build_id(&e).len, 4);
	assert_memory_equal(elf_build_id(&e).ptr, "\1\2\3\4", 4);
}

/* ---- Go ---- */

enum { TEXT = 0x401000 };

/* A table as 1.18 and later write it: three functions; the second name is a part of the third. */
static size_t go_118(char *out, uint64_t text)
{
	static const char names[] = "\0main.main\0syscall.Getenv\0x/syscall.Getenv";
	uint64_t head[9] = { 0x08010000ull << 32 | 0xfffffff1, 3, 0, text, 72, 128, 0, 0, 128 };
	uint32_t table[] = {
		0x00, 40, 0x10, 48, 0x20, 56, 0, 0, 0, 0, 0x00, 1, 0x10, 26, 0x20, 11
	};

	/* The second function is the longer name, so that a match inside it would be seen. */
	memset(out, 0, 256);
	memcpy(out, head, sizeof(head));
	memcpy(out + 72, names, sizeof(names));
	memcpy(out + 128, table, sizeof(table));
	return 256;
}

static void go_start(uint16_t type, const char *table, size_t n, const char *info)
{
	char build[32] = "\xff Go buildinf:";

	build[14] = 8;
	build[15] = info ? 0 : 2;
	elf_start(&b, type);
	if (info) {
		uint64_t string[2] = { ELF_BASE + elf_put(&b, info, strlen(info)), strlen(info) };
		uint64_t at = ELF_BASE + elf_put(&b, string, sizeof(string));

		memcpy(build + 16, &at, sizeof(at));
	}
	elf_put_section(&b, ".go.buildinfo", SHT_PROGBITS, build, sizeof(build), 0);
	elf_put(&b, table, n);
}

static void a_go_function_is_found_without_symbols(void **state)
{
	char table[256];
	struct go_table t;
	uint64_t address = 0;

	(void)state;
	go_start(ET_EXEC, table, go_118(table, TEXT), NULL);
	assert_true(elf_open(&e, elf_done(&b)));
	assert_true(go_open(&t, &e));
	assert_true(go_function(&t, "syscall.Getenv", &address));
	assert_int_equal(address, TEXT + 0x20);
	assert_true(go_function(&t, "main.main", &address));
	assert_int_equal(address, TEXT);
	assert_false(go_function(&t, "syscall.Environ", &address));
	assert_false(go_function(&t, "Getenv", &address));
	env_image_read(&e, "docker", false, &image);
	assert_int_equal(image.probes, 1);
	assert_int_equal(image.probe[0].program, PROGRAM_GO);
	assert_null(image.unseen);
}

static void the_start_of_the_text_may_be_a_relocation(void **state)
{
	Elf64_Rela r[] = { { ELF_BASE, R_X86_64_RELATIVE, 1 }, { 0, R_X86_64_RELATIVE, TEXT } };
	Elf64_Dyn d[] = { { DT_RELA, { 0 } }, { DT_RELASZ, { sizeof(r) } }, { DT_NULL, { 0 } } };
	char table[256];
	struct go_table t;
	uint64_t address = 0;

	(void)state;
	go_start(ET_DYN, table, go_118(table, 0), NULL);
	r[1].r_offset = ELF_BASE + b.b.len - 256 + 24;
	d[0].d_un.d_val = ELF_BASE + elf_put(&b, r, sizeof(r));
	b.dynamic = elf_put(&b, d, sizeof(d));
	b.dynamic_len = sizeof(d);
	assert_true(elf_open(&e, elf_done(&b)));
	assert_true(go_open(&t, &e));
	assert_true(go_function(&t, "syscall.Getenv", &address));
	assert_int_equal(address, TEXT + 0x20);
}

/* 1.16 and 1.17 share a layout; only the later one passes arguments in registers. */
static void go_1_17_is_taken_and_1_16_is_said(void **state)
{
	static const char names[] = "\0syscall.Getenv";
	uint64_t head[8] = { 0x08010000ull << 32 | 0xfffffffa, 1, 0, 64, 96, 0, 0, 96 };
	uint64_t table[] = { TEXT, 32, 0, 0, TEXT, 1 };
	char bytes[256] = { 0 };
	uint64_t address = 0;
	struct go_table t;

	(void)state;
	memcpy(bytes, head, sizeof(head));
	memcpy(bytes + 64, names, sizeof(names));
	memcpy(bytes + 96, table, sizeof(table));
	go_start(ET_EXEC, bytes, sizeof(bytes), "go1.17.13");
	assert_true(elf_open(&e, elf_done(&b)));
	assert_true(go_open(&t, &e));
	assert_true(go_function(&t, "syscall.Getenv", &address));
	assert_int_equal(address, TEXT);
	teardown(NULL);
	go_start(ET_EXEC, bytes, sizeof(bytes), "go1.16.15");
	look("prog", false);
	assert_int_equal(image.probes, 0);
	assert_string_equal(image.unseen, "this version of Go is not known");
}

/* arm64 passes them in registers since 1.18; the table has instructions of four bytes. */
static void on_arm64_go_1_18_is_taken_and_1_17_is_said(void **state)
{
	static const char names[] = "\0syscall.Getenv";
	uint64_t head[8] = { 0x08040000ull << 32 | 0xfffffffa, 1, 0, 64, 96, 0, 0, 96 };
	uint64_t table[] = { TEXT, 32, 0, 0, TEXT, 1 };
	uint32_t quantum = 0x08040000;
	char bytes[256] = { 0 };

	(void)state;
	memcpy(bytes, head, sizeof(head));
	memcpy(bytes + 64, names, sizeof(names));
	memcpy(bytes + 96, table, sizeof(table));
	go_start(ET_EXEC, bytes, sizeof(bytes), "go1.17.13");
	b.machine = EM_AARCH64;
	look("prog", false);
	assert_int_equal(image.probes, 0);
	assert_string_equal(image.unseen, "this version of Go is not known");
	teardown(NULL);
	go_118(bytes, TEXT);
	memcpy(bytes + 4, &quantum, sizeof(quantum));
	go_start(ET_EXEC, bytes, sizeof(bytes), NULL);
	b.machine = EM_AARCH64;
	look("prog", false);
	assert_int_equal(image.probes, 1);
	assert_int_equal(image.probe[0].program, PROGRAM_GO);
	assert_null(image.unseen);
}

static bool beginning_only(void *ctx, uint64_t offset, uint64_t n)
{
	return offset + n <= *(uint64_t *)ctx;
}

static void what_cannot_be_fetched_is_absent(void **state)
{
	struct span bytes;
	uint64_t there;

	(void)state;
	elf_start(&b, ET_DYN);
	SYMBOLS(SHT_DYNSYM, "\0getenv");
	bytes = elf_done(&b);
	there = bytes.len;
	assert_true(elf_open_by(&e, bytes, beginning_only, &there));
	env_image_read(&e, "libc.so.6", false, &image);
	assert_int_equal(image.probes, 1);
	teardown(NULL);
	elf_start(&b, ET_DYN);
	SYMBOLS(SHT_DYNSYM, "\0getenv");
	there = sizeof(Elf64_Ehdr);
	assert_true(elf_open_by(&e, elf_done(&b), beginning_only, &there));
	env_image_read(&e, "libc.so.6", false, &image);
	assert_int_equal(image.probes, 0);
}

static void every_cut_of_a_file_is_read_without_harm(void **state)
{
	char table[256];
	struct span all;

	(void)state;
	go_start(ET_EXEC, table, go_118(table, TEXT), NULL);
	SYMBOLS(SHT_DYNSYM, "\0getenv\0PyUnicode_AsEncodedString\0_PyRuntime\0Py_Version");
	all = elf_done(&b);
	for (size_t n = 0; n < all.len; n++) {
		/* Exactly so many bytes, for the sanitizer to see a step beyond. */
		char *copy = malloc(n + 1);

		memcpy(copy, all.ptr, n);
		copy = realloc(copy, n ? n : 1);
		if (elf_open(&e, (struct span){ copy, n })) {
			env_image_read(&e, "x", false, &image);
			env_image_free(&image);
		}
		free(copy);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		T(a_library_that_exports_getenv_gets_one_probe_a_function),
		T(data_with_the_name_of_a_function_gets_no_probe),
		T(local_symbols_count_in_a_static_program_only),
		T(a_static_program_without_symbols_is_said_not_to_be_seen),
		T(what_no_probe_sees_is_said),
		T(bash_is_known_by_two_symbols),
		T(only_c_means_only_c),
		T(dash_is_known_by_its_instructions),
		T(python_is_probed_by_version_and_otherwise_said),
		T(a_build_without_the_gil_is_another_layout),
		T(python_3_6_and_3_7_are_laid_out_as_their_headers_say),
		T(python_2_is_said_to_be_unseen),
		T(what_a_program_needs_is_named),
		T(the_build_id_is_found_among_notes),
		T(a_go_function_is_found_without_symbols),
		T(the_start_of_the_text_may_be_a_relocation),
		T(go_1_17_is_taken_and_1_16_is_said),
		T(on_arm64_go_1_18_is_taken_and_1_17_is_said),
		T(what_cannot_be_fetched_is_absent),
		T(every_cut_of_a_file_is_read_without_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
