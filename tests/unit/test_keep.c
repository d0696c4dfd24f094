/* test_keep.c: what a recording holds of each type of record: no secret, no old memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "host_begin.h"
#include "pipeline.h"
#include "record.h"

#define VALUE "s3cr3t/Value+42-of" /* base64 has slashes, too */
#define STALE "old-memory-of-another-record"

const struct command commands[] = { { 0 } };

static struct config config = { .fail_on = -1, .env_reads = "all" };
static struct pipeline *p;
static _Alignas(8) char bytes[1 << 18];
static char *kept;
static size_t kept_len;
static FILE *recording;
static struct buf stream;

static int sink(void *ctx, const char *line, size_t len)
{
	(void)ctx;
	buf_add(&stream, line, len);
	return 0;
}

static void take_cut(unsigned type, const void *body, size_t n, const void *tail, size_t len,
		     size_t want)
{
	struct ev_hdr h = { .time = 5, .start = 4, .type = type, .run = 1, .pid = 9, .tid = 9 };

	h.len = len;
	h.want = want;
	memcpy(bytes, &h, sizeof(h));
	memcpy(bytes + sizeof(h), body, n);
	memcpy(bytes + sizeof(h) + n, tail, len);
	pipeline_take(p, bytes, sizeof(h) + n + len);
}

static void take(unsigned type, const void *body, size_t n, const void *tail, size_t len)
{
	take_cut(type, body, n, tail, len, len);
}

static void name_put(struct ev_comp *c, const char *name)
{
	memset(c, 0, sizeof(*c));
	memset(c->name, 0x55, sizeof(c->name));
	memcpy(c->name + 128, STALE, sizeof(STALE));
	c->len = strlen(name);
	memcpy(c->name, name, c->len + 1);
	c->mode = 0100644;
}

/* A program in a directory that is named by the secret; its environment holds it. */
static void exec_take(const char *dir, const char *leaf, const char *comm)
{
	static const char env[] = "A=1\0API_TOKEN=" VALUE, args[] = "prog";
	struct ev_exec e = { .exe_comps = 3, .cwd_comps = 2, .file_len = 5 };
	struct {
		struct ev_comp c[5];
		char rest[5 + sizeof(args) + sizeof(env)];
	} t = { 0 };
	const char *slash = strchr(dir, '/');
	char first[64] = "";

	memcpy(first, dir, slash - dir);
	name_put(&t.c[0], leaf);
	name_put(&t.c[1], slash + 1);
	name_put(&t.c[2], first);
	name_put(&t.c[3], slash + 1);
	name_put(&t.c[4], first);
	memcpy(t.rest, "prog", 5);
	memcpy(t.rest + 5, args, sizeof(args));
	memcpy(t.rest + 5 + sizeof(args), env, sizeof(env));
	e.args_len = e.args_want = sizeof(args);
	e.env_len = e.env_want = sizeof(env);
	memcpy(e.comm, comm, strnlen(comm, EV_COMM_MAX - 1));
	take(EV_EXEC, &e, sizeof(e), &t, sizeof(t.c) + e.file_len + e.args_len + e.env_len);
}

static int begin(void **state)
{
	(void)state;
	p = pipeline_new(&config, sink, NULL);
	recording = open_memstream(&kept, &kept_len);
	pipeline_record_to(p, recording);
	pipeline_take(p, bytes, host_begin(bytes));
	exec_take("usr/bin", "prog", "prog");
	return 0;
}

static int end(void **state)
{
	(void)state;
	fclose(recording);
	free(kept);
	pipeline_free(p);
	buf_free(&stream);
	return 0;
}

static bool holds(const char *text)
{
	fflush(recording);
	return memmem(kept, kept_len, text, strlen(text));
}

static void the_path_of_a_program_and_its_directory_are_masked(void **state)
{
	(void)state;
	exec_take(VALUE, VALUE + 7, "Value+42-of");
	assert_false(holds("s3cr3t"));
	assert_false(holds("directory-" VALUE));
	exec_take("a/"
		  "API_TOKEN=abcdefgh-ijkl",
		  "x", "x");
	assert_false(holds("abcdefgh-ijkl"));
	assert_true(holds("API_TOKEN="));
}

static void the_name_of_a_thread_tells_no_beginning_of_a_secret(void **state)
{
	(void)state;
	exec_take("usr/bin", "aaaabbbbccccddddeeee", "aaaabbbbccccddd");
	assert_true(holds("aaaabbbbccccddddeeee"));
	assert_false(holds(STALE));
	take(EV_PEEK, &(struct ev_peek){ .target_comm = "x\0old memory" }, sizeof(struct ev_peek),
	     "", 0);
	assert_false(holds("old memory"));
}

static void both_names_of_a_connection_are_masked_and_end_where_they_end(void **state)
{
	struct ev_connect e = { .family = 1, .name_len = 26, .asked_len = 24 };
	char names[2 * EV_SUN_MAX];

	(void)state;
	memset(names, 0x55, sizeof(names));
	memcpy(names + 60, STALE, sizeof(STALE));
	memcpy(names + EV_SUN_MAX + 60, STALE, sizeof(STALE));
	memcpy(names, "/run/x/" VALUE, 26);
	memcpy(names + EV_SUN_MAX, "/tmp/" VALUE, 24);
	take(EV_CONNECT, &e, sizeof(e), names, sizeof(names));
	assert_true(holds("/run/x/"));
	assert_false(holds(VALUE));
	assert_false(holds(STALE));
}

static void a_variable_that_is_named_by_a_secret_is_masked(void **state)
{
	(void)state;
	take(EV_ENV, &(struct ev_env){ .mechanism = ENV_GETENV }, sizeof(struct ev_env), VALUE,
	     strlen(VALUE));
	assert_false(holds(VALUE));
}

static void a_test_case_and_a_link_are_masked(void **state)
{
	(void)state;
	take(EV_TEST, &(struct ev_test){ 0 }, sizeof(struct ev_test), "a::b[" VALUE "] (call)",
	     strlen("a::b[" VALUE "] (call)"));
	take(EV_LINK, &(struct ev_link){ 0 }, sizeof(struct ev_link), "/tmp/" VALUE,
	     strlen("/tmp/" VALUE));
	assert_false(holds(VALUE));
}

static void a_file_is_masked_though_its_path_has_several_names(void **state)
{
	struct ev_file e = { .comps = 2, .action = FILE_OPEN, .asked = "../" VALUE };
	struct ev_comp c[2];

	(void)state;
	memcpy(e.asked + 100, STALE, sizeof(STALE));
	name_put(&c[0], VALUE + 7);
	name_put(&c[1], "s3cr3t");
	take(EV_FILE, &e, sizeof(e), c, sizeof(c));
	assert_false(holds("s3cr3t"));
	assert_false(holds(VALUE + 7));
	assert_false(holds(STALE));
}

static void a_code_object_keeps_neither_secret_nor_the_rest_of_its_rooms(void **state)
{
	struct ev_code e = { .id = 1,
			     .version = 0x30b,
			     .file_room = EV_TEXT_ROOM,
			     .name_room = EV_TEXT_ROOM,
			     .file_kind = 1,
			     .name_kind = 1,
			     .table_len = 64 };
	char tail[2 * EV_TEXT_ROOM + 64];

	(void)state;
	memset(tail, 0x55, sizeof(tail));
	e.file_len = strlen("/tmp/" VALUE);
	memcpy(tail, "/tmp/" VALUE STALE, e.file_len + sizeof(STALE));
	e.name_len = strlen(VALUE);
	memcpy(tail + EV_TEXT_ROOM, VALUE STALE, e.name_len + sizeof(STALE));
	memcpy(tail + 2 * EV_TEXT_ROOM, VALUE, strlen(VALUE));
	take(EV_CODE, &e, sizeof(e), tail, sizeof(tail));
	assert_false(holds(VALUE));
	assert_false(holds(STALE));
}

#define PART 12 /* bytes of VALUE that were still captured */

/* Head and last part of arguments that are too long meet in the middle of a secret. */
static void the_parts_of_a_secret_on_both_sides_of_a_cut_are_masked(void **state)
{
	size_t len = EV_ARGS_HEAD + EV_ARGS_LAST, room = sizeof(struct ev_comp) + 5 + len;
	struct ev_exec e = { .exe_comps = 1, .file_len = 5, .args_len = len, .args_want = len + 9 };
	char *tail = calloc(1, room), *args = tail + room - len;

	(void)state;
	name_put((struct ev_comp *)tail, "prog");
	memset(args, 'x', len);
	memcpy(args, "prog", 5);
	memcpy(args + EV_ARGS_HEAD - PART, VALUE, PART);
	memcpy(args + EV_ARGS_HEAD, VALUE + 6, PART);
	take_cut(EV_EXEC, &e, sizeof(e), tail, room, room + 9);
	assert_true(holds("xxxx"));
	assert_false(holds("s3cr3t/V"));
	assert_false(holds("e+42-of"));
	/* Whole arguments with the same bytes hold no secret. */
	e.args_want = len;
	take(EV_EXEC, &e, sizeof(e), tail, room);
	assert_true(holds("s3cr3t/V"));
	free(tail);
}

static void the_beginning_of_a_secret_at_the_end_of_a_cut_text_is_masked(void **state)
{
	struct ev_file e = { .comps = 1, .action = FILE_OPEN };
	struct ev_comp c;
	char test[EV_TEST_MAX - 1];

	(void)state;
	memset(test, 'x', sizeof(test));
	memcpy(test + sizeof(test) - PART, VALUE, PART);
	take_cut(EV_TEST, &(struct ev_test){ 0 }, sizeof(struct ev_test), test, sizeof(test),
		 sizeof(test) + 100);
	name_put(&c, "f");
	memset(e.asked, 'y', sizeof(e.asked) - 1);
	memcpy(e.asked + sizeof(e.asked) - 1 - PART, VALUE, PART);
	e.asked_len = sizeof(e.asked) - 1;
	take(EV_FILE, &e, sizeof(e), &c, sizeof(c));
	assert_true(holds("xxxx"));
	assert_true(holds("yyyy"));
	assert_false(holds("s3cr3t/V"));
	take(EV_TEST, &(struct ev_test){ 0 }, sizeof(struct ev_test), test, sizeof(test));
	assert_true(holds("s3cr3t/V"));
}

static void bytes_that_are_written_are_not_kept_at_all(void **state)
{
	(void)state;
	take(EV_WRITE, &(struct ev_write){ .ino = 7, .kind = FD_FILE }, sizeof(struct ev_write),
	     "plain " VALUE, strlen("plain " VALUE));
	assert_false(holds("plain"));
	assert_false(holds(VALUE));
}

static void nothing_is_kept_before_the_run_begins(void **state)
{
	struct pipeline *early = pipeline_new(&config, sink, NULL), *late = p;

	(void)state;
	pipeline_record_to(early, recording);
	p = early;
	take(EV_ENV, &(struct ev_env){ .mechanism = ENV_GETENV }, sizeof(struct ev_env), VALUE,
	     strlen(VALUE));
	p = late;
	pipeline_free(early);
	assert_false(holds(VALUE));
}

/* A whole request: nothing is waited for. */
static void said_to_an_engine(const char *text)
{
	struct ev_data e = { 0 };
	struct buf b = { 0 };

	buf_fmt(&b, "GET /_ping?%s HTTP/1.1\r\nHost: d\r\n\r\n", text);
	take(EV_DATA, &e, sizeof(e), b.ptr, b.len);
	buf_free(&b);
}

static void who_has_no_more_rights_gets_what_their_own_programs_said_alone(void **state)
{
	struct ev_stranger stranger = { 0 };

	(void)state;
	pipeline_record_own(p, recording, 0); /* the program is of user 0 */
	said_to_an_engine("of-the-caller");
	take(EV_STRANGER, &stranger, sizeof(stranger), "", 0);
	assert_true(holds("of-the-caller"));
	assert_int_equal(pipeline_unrecorded(p), 1);
	pipeline_record_own(p, recording, 1000);
	said_to_an_engine("with-other-rights");
	assert_false(holds("with-other-rights"));
	assert_int_equal(pipeline_unrecorded(p), 2);
	exec_take("usr/bin", "after-all", "after-all");
	assert_true(holds("after-all"));
	assert_int_equal(pipeline_unrecorded(p), 2);
}

static void who_has_all_rights_gets_all(void **state)
{
	(void)state;
	said_to_an_engine("whoever-said-it");
	assert_true(holds("whoever-said-it"));
	assert_int_equal(pipeline_unrecorded(p), 0);
}

static void engine_bytes(unsigned dir, const char *text)
{
	struct ev_data e = { .sk = 7, .sockino = 7, .dir = dir };

	take(EV_DATA, &e, sizeof(e), text, strlen(text));
}

#define ASKED   "GET /v1.43/images/a/json HTTP/1.1\r\n\r\n"
#define CREATED "POST /v1.43/containers/create HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
#define ANSWER  "HTTP/1.1 201 Created\r\nContent-Length: 27\r\n\r\n{\"Id\":\"" VALUE "\"}"

/* What an answer says of an image nobody reads; a container's id stands in the stream. */
static void an_answer_shows_no_secret_whether_it_is_read_or_not(void **state)
{
	(void)state;
	for (int recorded = 0; recorded < 2; recorded++) {
		buf_reset(&stream);
		pipeline_record_to(p, recorded ? recording : NULL);
		engine_bytes(DATA_SEND, ASKED);
		engine_bytes(DATA_RECV, ANSWER);
		assert_non_null(strstr(stream.ptr, "image-inspect"));
		assert_null(strstr(stream.ptr, "redacted"));
		engine_bytes(DATA_SEND, CREATED);
		engine_bytes(DATA_RECV, ANSWER);
		assert_non_null(
			strstr(stream.ptr, "\"created_id\":\"<redacted:variable:API_TOKEN>\""));
		/* Both in one record; then the second one's in another. */
		engine_bytes(DATA_SEND, ASKED CREATED);
		engine_bytes(DATA_RECV, ANSWER ANSWER);
		engine_bytes(DATA_SEND, ASKED CREATED);
		engine_bytes(DATA_RECV, ANSWER);
		engine_bytes(DATA_RECV, ANSWER);
		assert_null(strstr(stream.ptr, VALUE));
		assert_false(holds(VALUE));
	}
	assert_true(holds("\"Id\":\""));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(who_has_no_more_rights_gets_what_their_own_programs_said_alone),
		T(who_has_all_rights_gets_all),
		T(the_path_of_a_program_and_its_directory_are_masked),
		T(the_name_of_a_thread_tells_no_beginning_of_a_secret),
		T(both_names_of_a_connection_are_masked_and_end_where_they_end),
		T(a_variable_that_is_named_by_a_secret_is_masked),
		T(a_test_case_and_a_link_are_masked),
		T(a_file_is_masked_though_its_path_has_several_names),
		T(a_code_object_keeps_neither_secret_nor_the_rest_of_its_rooms),
		T(the_parts_of_a_secret_on_both_sides_of_a_cut_are_masked),
		T(the_beginning_of_a_secret_at_the_end_of_a_cut_text_is_masked),
		T(bytes_that_are_written_are_not_kept_at_all),
		T(nothing_is_kept_before_the_run_begins),
		T(an_answer_shows_no_secret_whether_it_is_read_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
