/* test_source.c: from code objects and stacks to API, script line and test; what is not known is not told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "source.h"

#define LIB    "/usr/lib/python3.11/"
#define SCRIPT "/work/tests/test_server.py"

static struct source_codes *codes;
static struct source *source;
static struct ev_stack stack;
static struct ev_frame frames[EV_FRAMES];
static unsigned n;

static int set_up(void **state)
{
	(void)state;
	codes = source_codes_new();
	source = NULL;
	memset(&stack, 0, sizeof(stack));
	n = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	source_drop(source);
	source_codes_free(codes);
	return 0;
}

/* One more frame outward, on the given line. */
static void frame(const char *file, const char *name, int line)
{
	struct ev_code e = { .id = n + 1,
			     .version = 0x0309,
			     .first_line = line,
			     .flags = CODE_SETTLED,
			     .file_len = strlen(file),
			     .name_len = strlen(name) };
	struct buf b = { 0 };

	buf_str(&b, file);
	buf_str(&b, name);
	assert_true(source_code_add(codes, &e, b.ptr));
	buf_free(&b);
	frames[n] = (struct ev_frame){ .code = n + 1 };
	n++;
}

static const struct source *made(void)
{
	source_drop(source);
	source = source_new(codes, &stack, frames, n, 7);
	return source;
}

static void popen_frames(void)
{
	frame(LIB "subprocess.py", "Popen._execute_child", 1);
	frame(LIB "subprocess.py", "Popen.__init__", 2);
}

static void the_outermost_frame_of_subprocess_is_the_api(void **state)
{
	(void)state;
	popen_frames();
	frame(SCRIPT, "test_it", 12);
	assert_string_equal(made()->api, "Popen");
}

static void wrappers_of_subprocess_are_told_apart(void **state)
{
	(void)state;
	popen_frames();
	frame(LIB "subprocess.py", "call", 3);
	frame(LIB "subprocess.py", "check_call", 4);
	frame(SCRIPT, "Server.start", 12);
	frame(SCRIPT, "test_start", 30);
	assert_string_equal(made()->api, "check_call");
	assert_int_equal(source_at(source)->line, 12);
	assert_int_equal(source->frame[source->test].line, 30);
	assert_true(source->exact);
	assert_false(source->cut);
}

static void a_module_of_the_script_is_no_standard_library(void **state)
{
	(void)state;
	frame("/work/subprocess.py", "check_call", 4);
	frame(SCRIPT, "test_start", 30);
	assert_string_equal(made()->api, "os.fork");
	assert_int_equal(source_at(source)->line, 4);
}

static void what_has_no_frame_of_its_own_is_told_by_the_kernel(void **state)
{
	(void)state;
	frame(SCRIPT, "<module>", 3);
	assert_string_equal(made()->api, "os.fork");
	stack.flags = STACK_SHARED;
	assert_string_equal(made()->api, "os.posix_spawn");
	stack.flags = STACK_SHARED | STACK_SYSTEM;
	assert_string_equal(made()->api, "os.system");
	assert_int_equal(source->test, -1);
}

static void popen_and_spawn_of_os_are_its_own_whether_frozen_or_not(void **state)
{
	(void)state;
	popen_frames();
	frame("<frozen os>", "popen", 3);
	frame(SCRIPT, "f", 9);
	assert_string_equal(made()->api, "os.popen");
	assert_int_equal(source_at(source)->line, 9);
}

static void spawnv_is_named(void **state)
{
	(void)state;
	frame(LIB "os.py", "_spawnvef", 3);
	frame(LIB "os.py", "spawnlp", 4);
	frame(SCRIPT, "f", 9);
	assert_string_equal(made()->api, "os.spawnlp");
}

static void asyncio_is_its_own_and_what_its_loop_calls_is_not(void **state)
{
	(void)state;
	popen_frames();
	frame(LIB "asyncio/unix_events.py", "_UnixSubprocessTransport._start", 3);
	frame(LIB "asyncio/subprocess.py", "create_subprocess_exec", 4);
	frame(SCRIPT, "coroutine", 9);
	assert_string_equal(made()->api, "asyncio");
	assert_int_equal(source_at(source)->line, 9);
}

static void a_callback_of_the_loop_keeps_its_api(void **state)
{
	(void)state;
	popen_frames();
	frame(LIB "asyncio/events.py", "Handle._run", 3);
	frame(SCRIPT, "<module>", 9);
	assert_string_equal(made()->api, "Popen");
}

static void packages_and_virtual_environments_are_skipped(void **state)
{
	(void)state;
	popen_frames();
	frame("/work/venv/lib/python3.12/site-packages/sh/__init__.py", "run", 3);
	frame("/usr/lib/python3/dist-packages/plumbum/x.py", "run", 4);
	frame(SCRIPT, "Case.testUnit", 9);
	assert_int_equal(made()->at, 4);
	assert_int_equal(source->test, 4);
}

static void behind_a_frame_that_is_not_known_nothing_is(void **state)
{
	(void)state;
	popen_frames();
	frame(SCRIPT, "f", 9);
	frames[2].code = 99;
	assert_null(made());
	frames[2].code = 0;
	assert_null(made());
}

static void a_deep_stack_of_libraries_is_not_exact(void **state)
{
	(void)state;
	popen_frames();
	frame(LIB "unittest/case.py", "run", 9);
	assert_true(made()->exact);
	stack.flags = STACK_DEEPER;
	assert_false(made()->exact);
	assert_true(source->cut);
}

static void what_the_interpreter_reads_is_no_line(void **state)
{
	(void)state;
	stack.reason = STACK_ENV;
	frame("<frozen os>", "_Environ.__getitem__", 3);
	frame("<frozen site>", "main", 4);
	assert_false(made()->script);
	frame(SCRIPT, "f", 9);
	assert_int_equal(source_at(made())->line, 9);
	assert_true(source->script);
	assert_string_equal(source->api, "");
}

static void get_frames(void)
{
	stack.reason = STACK_ENV;
	frame("<frozen os>", "_Environ.__getitem__", 3);
	frame("<frozen _collections_abc>", "Mapping.get", 4);
}

static void a_read_of_the_script_itself_goes_through_os(void **state)
{
	(void)state;
	get_frames();
	frame(SCRIPT, "test_it", 9);
	assert_true(made()->script);
	assert_false(source->library);
}

static void a_library_that_the_script_called_reads_for_itself(void **state)
{
	(void)state;
	get_frames();
	frame("/usr/lib/python3/dist-packages/docker/utils/utils.py", "kwargs_from_env", 4);
	frame(SCRIPT, "test_it", 9);
	assert_true(made()->script);
	assert_true(source->library);
	assert_int_equal(source_at(source)->line, 9);
}

static void characters_of_every_width_are_utf8(void **state)
{
	static const uint16_t wide[] = { 'a', 0x76ee, 0xdcff };
	static const uint32_t widest[] = { 0x1d4bb, 0xd800 };
	struct buf b = { 0 };

	(void)state;
	source_text("a\xe9", 2, 1, &b);
	source_text((const char *)wide, sizeof(wide), 2, &b);
	source_text((const char *)widest, sizeof(widest), 4, &b);
	/* U+DCFF stands for the byte FF that was no UTF-8 (PEP 383); other surrogates for nothing */
	assert_string_equal(b.ptr, "a\xc3\xa9"
				   "a\xe7\x9b\xae\xff"
				   "\xf0\x9d\x92\xbb\xef\xbf\xbd");
	buf_free(&b);
}

static void a_phrase_names_api_place_and_function(void **state)
{
	struct buf b = { 0 };

	(void)state;
	frame(SCRIPT, "test_it", 12);
	stack.flags = STACK_SHARED | STACK_SYSTEM;
	source_phrase(made(), 7, "/work", &b);
	assert_string_equal(b.ptr, " (os.system at tests/test_server.py:12 in test_it)");
	buf_reset(&b);
	source_phrase(source, 8, "/work/tes", &b);
	assert_string_equal(b.ptr, " (from " SCRIPT ":12 in test_it)");
	buf_free(&b);
}

#define SOURCE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(the_outermost_frame_of_subprocess_is_the_api),
		SOURCE_TEST(wrappers_of_subprocess_are_told_apart),
		SOURCE_TEST(a_module_of_the_script_is_no_standard_library),
		SOURCE_TEST(what_has_no_frame_of_its_own_is_told_by_the_kernel),
		SOURCE_TEST(popen_and_spawn_of_os_are_its_own_whether_frozen_or_not),
		SOURCE_TEST(spawnv_is_named),
		SOURCE_TEST(asyncio_is_its_own_and_what_its_loop_calls_is_not),
		SOURCE_TEST(a_callback_of_the_loop_keeps_its_api),
		SOURCE_TEST(packages_and_virtual_environments_are_skipped),
		SOURCE_TEST(behind_a_frame_that_is_not_known_nothing_is),
		SOURCE_TEST(a_deep_stack_of_libraries_is_not_exact),
		SOURCE_TEST(what_the_interpreter_reads_is_no_line),
		SOURCE_TEST(a_read_of_the_script_itself_goes_through_os),
		SOURCE_TEST(a_library_that_the_script_called_reads_for_itself),
		SOURCE_TEST(characters_of_every_width_are_utf8),
		SOURCE_TEST(a_phrase_names_api_place_and_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
