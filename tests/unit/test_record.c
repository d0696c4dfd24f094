/* test_record.c: decode of records, recordings and the begin record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "host_begin.h"
#include "option.h"
#include "record.h"
#include "recording.h"

const struct command commands[] = { { 0 } };

static _Alignas(8) char bytes[8192];

static size_t env_record(const char *name)
{
	struct ev_hdr h = { .time = 5, .start = 4, .type = EV_ENV, .run = 1, .pid = 9, .tid = 9 };
	struct ev_env e = { .mechanism = ENV_PYTHON };

	h.len = h.want = strlen(name);
	memcpy(bytes, &h, sizeof(h));
	memcpy(bytes + sizeof(h), &e, sizeof(e));
	memcpy(bytes + sizeof(h) + sizeof(e), name, h.len);
	return sizeof(h) + sizeof(e) + h.len;
}

static void a_whole_record_is_taken(void **state)
{
	struct record r;
	size_t n = env_record("TESTSERVER_BIND_LOCAL");

	(void)state;
	assert_true(record_decode(bytes, n, &r));
	assert_int_equal(r.h->len, 21);
	assert_memory_equal(r.tail, "TESTSERVER_BIND_LOCAL", 21);
	assert_int_equal(record_size(&r), n);
}

static void ring_slack_behind_a_record_is_no_error(void **state)
{
	struct record r;

	(void)state;
	assert_true(record_decode(bytes, env_record("A") + 100, &r));
}

static void slack_is_not_used_and_a_lie_about_the_length_uses_no_more_than_there_is(void **state)
{
	size_t n = env_record("ABC");

	(void)state;
	assert_int_equal(record_used(bytes, n + 100), n);
	assert_int_equal(record_used(bytes, n - 1), n - 1);
	((struct ev_hdr *)bytes)->len = UINT32_MAX;
	assert_int_equal(record_used(bytes, n + 100), n + 100);
	((struct ev_hdr *)bytes)->type = EV_TYPES;
	assert_int_equal(record_used(bytes, n), n);
	assert_int_equal(record_used(bytes, 3), 3);
}

static void a_tail_longer_than_the_bytes_is_rejected(void **state)
{
	struct record r;

	(void)state;
	assert_false(record_decode(bytes, env_record("ABC") - 1, &r));
}

static void an_unknown_type_or_mechanism_is_rejected(void **state)
{
	struct record r;
	size_t n = env_record("A");

	(void)state;
	((struct ev_hdr *)bytes)->type = EV_TYPES;
	assert_false(record_decode(bytes, n, &r));
	n = env_record("A");
	((struct ev_env *)(bytes + sizeof(struct ev_hdr)))->mechanism = ENV_MECHANISMS;
	assert_false(record_decode(bytes, n, &r));
}

static void an_attack_on_nobody_we_have_is_rejected(void **state)
{
	struct ev_hdr h = { .type = EV_ATTACK };
	struct ev_attack e = { .target = ATTACK_TARGETS - 1, .how = ATTACK_TRACE };
	struct record r;
	size_t n = sizeof(h) + sizeof(e);

	(void)state;
	memcpy(bytes, &h, sizeof(h));
	memcpy(bytes + sizeof(h), &e, sizeof(e));
	assert_true(record_decode(bytes, n, &r));
	e.target = ATTACK_TARGETS;
	memcpy(bytes + sizeof(h), &e, sizeof(e));
	assert_false(record_decode(bytes, n, &r));
	e.target = 0;
	e.how = ATTACK_HOWS;
	memcpy(bytes + sizeof(h), &e, sizeof(e));
	assert_false(record_decode(bytes, n, &r));
}

static void inner_lengths_of_an_exec_must_add_up(void **state)
{
	struct ev_hdr h = { .type = EV_EXEC, .len = 10, .want = 10 };
	struct ev_exec e = { .file_len = 4, .args_len = 6 };
	struct record r;
	size_t n = sizeof(h) + sizeof(e) + 10;

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, &h, sizeof(h));
	memcpy(bytes + sizeof(h), &e, sizeof(e));
	assert_true(record_decode(bytes, n, &r));
	e.args_len = 7;
	memcpy(bytes + sizeof(h), &e, sizeof(e));
	assert_false(record_decode(bytes, n, &r));
	e.args_len = UINT32_MAX - 3;
	memcpy(bytes + sizeof(h), &e, sizeof(e));
	assert_false(record_decode(bytes, n, &r));
	e.args_len = 6;
	e.exe_comps = EV_COMPS + 1;
	memcpy(bytes + sizeof(h), &e, sizeof(e));
	assert_false(record_decode(bytes, n, &r));
}

static void the_begin_record_fills_a_run(void **state)
{
	struct run run = { 0 };
	struct record r;

	(void)state;
	assert_true(record_decode(bytes, host_begin(bytes), &r));
	assert_true(begin_read((struct span){ r.tail, r.h->len }, &run));
	assert_string_equal(run.host_fqdn, "runner7.example.corp");
	assert_int_equal(run.uid, 1000);
	assert_int_equal(run.n_users, 1);
	assert_string_equal(run.users[0].name, "builder");
	run_free(&run);
}

static void what_covers_a_hook_is_that_hooks(void **state)
{
	static const char *const pairs[][2] = {
		{ "lacks", "of no hook" },     { "hook", "exec" },
		{ "tier", "tp_btf" },          { "hook", "file changes" },
		{ "tier", "inode times" },     { "lacks", "changes by io_uring" },
		{ "lacks", "said once more" }, { "limit", "of what is mapped" },
	};
	struct run run = { 0 };
	struct buf tail = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		begin_add(&tail, pairs[i][0], span_of(pairs[i][1]));
	begin_read((struct span){ tail.ptr, tail.len }, &run);
	assert_int_equal(run.n_coverage, 2);
	assert_string_equal(run.coverage[0].tier, "tp_btf");
	assert_null(run.coverage[0].lacks);
	assert_string_equal(run.coverage[1].hook, "file changes");
	assert_string_equal(run.coverage[1].lacks, "said once more");
	assert_string_equal(run.coverage[1].limit, "of what is mapped");
	assert_null(run.coverage[0].limit);
	run_free(&run);
	buf_free(&tail);
}

static void a_begin_record_without_its_seed_is_refused(void **state)
{
	struct run run = { 0 };
	struct buf tail = { 0 };

	(void)state;
	begin_add(&tail, "run.id", span_of("01920000-0000-7000-8000-000000000001"));
	assert_false(begin_read((struct span){ tail.ptr, tail.len }, &run));
	run_free(&run);
	buf_free(&tail);
}

static void a_recording_gives_back_what_it_took(void **state)
{
	static _Alignas(8) char back[RECORDING_RECORD_MAX];
	FILE *f = tmpfile();
	struct record r;
	size_t n, size = env_record("NAME");

	(void)state;
	assert_true(record_decode(bytes, size, &r));
	assert_int_equal(recording_begin(f), 0);
	assert_int_equal(recording_add(f, &r), 0);
	assert_int_equal(recording_end(f), 0);
	rewind(f);
	assert_null(recording_open(f));
	assert_int_equal(recording_read(f, back, &n), RECORDING_RECORD);
	assert_int_equal(n, size);
	assert_memory_equal(back, bytes, size);
	assert_int_equal(recording_read(f, back, &n), RECORDING_END);
	fclose(f);
}

static void a_truncated_recording_says_so(void **state)
{
	static _Alignas(8) char back[RECORDING_RECORD_MAX];
	FILE *f = tmpfile();
	struct record r;
	size_t n;

	(void)state;
	record_decode(bytes, env_record("NAME"), &r);
	recording_begin(f);
	recording_add(f, &r);
	rewind(f);
	assert_null(recording_open(f));
	assert_int_equal(recording_read(f, back, &n), RECORDING_RECORD);
	assert_int_equal(recording_read(f, back, &n), RECORDING_CUT);
	fclose(f);
}

static void random_bytes_are_no_recording(void **state)
{
	FILE *f = tmpfile();

	(void)state;
	fputs("GIF89a and some more bytes that are long enough", f);
	rewind(f);
	assert_non_null(recording_open(f));
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_record_is_taken),
		cmocka_unit_test(ring_slack_behind_a_record_is_no_error),
		cmocka_unit_test(
			slack_is_not_used_and_a_lie_about_the_length_uses_no_more_than_there_is),
		cmocka_unit_test(a_tail_longer_than_the_bytes_is_rejected),
		cmocka_unit_test(an_unknown_type_or_mechanism_is_rejected),
		cmocka_unit_test(an_attack_on_nobody_we_have_is_rejected),
		cmocka_unit_test(inner_lengths_of_an_exec_must_add_up),
		cmocka_unit_test(the_begin_record_fills_a_run),
		cmocka_unit_test(what_covers_a_hook_is_that_hooks),
		cmocka_unit_test(a_begin_record_without_its_seed_is_refused),
		cmocka_unit_test(a_recording_gives_back_what_it_took),
		cmocka_unit_test(a_truncated_recording_says_so),
		cmocka_unit_test(random_bytes_are_no_recording),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
