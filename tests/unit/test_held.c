/* test_held.c: a secret over the border of two records of a message is masked in both, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "held.h"
#include "scrub_state.h"

#define VALUE "Correct-Horse-9-Battery"
#define LEFT  "Correct-Hors"
#define RIGHT "e-9-Battery"

static struct masker m;
static struct held *h;
static struct buf out;   /* the tails that came out, a '|' behind each */
static unsigned came;    /* how many records */
static uint64_t now = 5; /* of the next record, ns */

static void on_out(void *ctx, const struct record *r)
{
	(void)ctx;
	came++;
	if (r->h->len)
		buf_add(&out, r->tail, r->h->len);
	buf_byte(&out, '|');
}

static int begin(void **state)
{
	static const uint8_t seed[32] = { 9, 8, 7 };
	char env[] = "API_TOKEN=" VALUE;

	(void)state;
	masker_init(&m, seed);
	scrub_environment(&m, env, sizeof(env));
	h = held_new(&m, on_out, NULL);
	buf_reset(&out);
	came = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	held_free(h);
	masker_free(&m);
	buf_free(&out);
	return 0;
}

/* As the pipeline hands it over: scrubbed by itself first. */
static void sent_on(uint64_t sk, unsigned dir, const char *text, size_t n, bool open)
{
	static _Alignas(8) char bytes[1 << 17];
	struct ev_hdr head = { .time = now++, .type = EV_DATA, .len = n, .want = n };
	struct ev_data e = { .sk = sk, .sockino = 1, .dir = dir };
	struct record r;

	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), &e, sizeof(e));
	memcpy(bytes + sizeof(head) + sizeof(e), text, n);
	assert_true(record_decode(bytes, sizeof(bytes), &r));
	scrub_bytes(&m, r.tail, n);
	held_add(h, &r, text, open);
}

static void sent(const char *text, bool open)
{
	sent_on(1, DATA_SEND, text, strlen(text), open);
}

static void other(void)
{
	static _Alignas(8) char bytes[128];
	struct ev_hdr head = { .time = now++, .type = EV_EXIT };
	struct record r;

	memcpy(bytes, &head, sizeof(head));
	assert_true(record_decode(bytes, sizeof(bytes), &r));
	held_add(h, &r, NULL, false);
}

static bool told(const char *text)
{
	return memmem(out.ptr, out.len, text, strlen(text));
}

/* Is there one mask of the whole value when the records' borders are taken out? */
static bool is_one_mask(void)
{
	struct buf all = { 0 };
	const struct secret *which = NULL;

	for (size_t i = 0; i < out.len; i++)
		if (out.ptr[i] != '|')
			buf_byte(&all, out.ptr[i]);
	for (size_t i = 0, n; i < all.len && !which; i += n ? n : 1)
		n = masker_at(&m, (struct span){ all.ptr + i, all.len - i }, &which);
	buf_free(&all);
	return which && which->len == strlen(VALUE) && !strcmp(which->name, "API_TOKEN");
}

static void a_secret_over_a_border_is_masked_in_both_records(void **state)
{
	(void)state;
	sent("{\"Cmd\":[\"near-miss " LEFT, true);
	assert_int_equal(came, 0);
	sent(RIGHT " more\"]}", false);
	assert_int_equal(came, 2);
	assert_false(told(LEFT));
	assert_false(told(RIGHT));
	assert_true(told("{\"Cmd\":[\"near-miss "));
	assert_true(told(" more\"]}"));
	assert_true(is_one_mask());
}

static void halves_of_something_else_stay(void **state)
{
	(void)state;
	sent("x " LEFT, true);
	sent("E-9-Battery y", false);
	assert_string_equal(out.ptr, "x " LEFT "|E-9-Battery y|");
}

static void halves_of_two_messages_are_no_secret(void **state)
{
	(void)state;
	sent("x " LEFT, false);
	assert_int_equal(came, 1);
	sent(RIGHT " y", false);
	assert_string_equal(out.ptr, "x " LEFT "|" RIGHT " y|");
}

static void halves_of_two_connections_or_directions_are_no_secret(void **state)
{
	(void)state;
	sent_on(1, DATA_SEND, LEFT, strlen(LEFT), true);
	sent_on(2, DATA_SEND, RIGHT, strlen(RIGHT), false);
	sent_on(1, DATA_RECV, RIGHT, strlen(RIGHT), false);
	sent_on(1, DATA_SEND, " z", 2, false);
	assert_string_equal(out.ptr, LEFT "|" RIGHT "|" RIGHT "| z|");
}

static void records_keep_their_order(void **state)
{
	(void)state;
	other();
	assert_int_equal(came, 1);
	sent("a", true);
	other();
	sent_on(2, DATA_SEND, "b", 1, false);
	assert_int_equal(came, 1);
	sent("c", false);
	assert_string_equal(out.ptr, "|a||b|c|");
}

static void a_value_whose_name_came_before_the_border_is_masked(void **state)
{
	(void)state;
	sent("{\"Env\":[\"DB_PASSWORD=", true);
	sent("swordfish-77\"],\"Image\":\"swordfish-78\"}", false);
	assert_false(told("swordfish-77"));
	assert_true(told("swordfish-78"));
}

static void a_byte_at_a_time_is_masked_too(void **state)
{
	static const char text[] = "<" VALUE ">";

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i++)
		sent_on(1, DATA_SEND, text + i, 1, i + 2 < sizeof(text));
	assert_int_equal(came, sizeof(text) - 1);
	assert_true(is_one_mask());
	assert_memory_equal(out.ptr, "<|", 2);
	assert_memory_equal(out.ptr + out.len - 2, ">|", 2);
}

static void size_lines_between_chunks_do_not_part_a_secret(void **state)
{
	(void)state;
	sent("c\r\n" LEFT "\r\nb;x=y\r\n" RIGHT "\r\n0\r\n\r\n", false);
	assert_false(told(LEFT));
	assert_false(told(RIGHT));
	assert_true(told("\r\nb;x=y\r\n"));
	assert_true(told("\r\n0\r\n\r\n"));
	buf_reset(&out);
	sent("c\r\n" LEFT "\r", true);
	sent("\nb\r\n" RIGHT "\r\n0\r\n\r\n", false);
	assert_false(told(LEFT));
	assert_false(told(RIGHT));
	assert_true(told("\nb\r\n"));
	buf_reset(&out);
	/* A line between them that is no size. */
	sent("c\r\n" LEFT "\r\nno\r\n" RIGHT "\r\n", false);
	assert_true(told(LEFT "\r\nno\r\n" RIGHT));
}

static void what_was_blanked_stays_blank(void **state)
{
	static _Alignas(8) char bytes[256];
	struct ev_hdr head = { .time = now++, .type = EV_DATA, .len = 23, .want = 23 };
	struct record r;

	(void)state;
	memcpy(bytes, &head, sizeof(head));
	assert_true(record_decode(bytes, sizeof(bytes), &r));
	held_add(h, &r, VALUE, false);
	assert_int_equal(out.len, 24);
	for (int i = 0; i < 23; i++)
		assert_int_equal(out.ptr[i], 0);
}

static void what_waits_too_long_goes_with_its_known_halves_masked(void **state)
{
	(void)state;
	sent("x " LEFT, true);
	now += HELD_TIME;
	other();
	assert_int_equal(came, 2);
	assert_true(told("x "));
	assert_false(told(LEFT));
	sent(RIGHT " y", false);
	assert_false(told(RIGHT));
	assert_true(told(" y"));
	/* The next message is whole again. */
	sent(RIGHT " z", false);
	assert_true(told(RIGHT " z"));
}

static void no_more_waits_than_is_allowed(void **state)
{
	static char much[1 << 16];

	(void)state;
	memset(much, 'x', sizeof(much));
	for (unsigned i = 0; i < HELD_MAX / sizeof(much) - 1; i++)
		sent_on(1, DATA_RECV, much, sizeof(much), true);
	assert_int_equal(came, 0);
	sent_on(1, DATA_RECV, much, sizeof(much), true);
	assert_int_equal(came, HELD_MAX / sizeof(much));
}

static void what_waits_at_the_end_comes_out(void **state)
{
	(void)state;
	sent("x " LEFT, true);
	other();
	held_flush(h);
	assert_int_equal(came, 2);
	assert_true(told("x "));
	assert_false(told(LEFT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
		T(a_secret_over_a_border_is_masked_in_both_records),
		T(halves_of_something_else_stay),
		T(halves_of_two_messages_are_no_secret),
		T(halves_of_two_connections_or_directions_are_no_secret),
		T(records_keep_their_order),
		T(a_value_whose_name_came_before_the_border_is_masked),
		T(a_byte_at_a_time_is_masked_too),
		T(size_lines_between_chunks_do_not_part_a_secret),
		T(what_was_blanked_stays_blank),
		T(what_waits_too_long_goes_with_its_known_halves_masked),
		T(no_more_waits_than_is_allowed),
		T(what_waits_at_the_end_comes_out),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
