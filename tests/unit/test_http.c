/* test_http.c: messages out of a byte stream, whole, in pieces, with gaps. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "http.h"

static unsigned n_done, n_whole;
static char body[256];
static uint64_t n_bytes;

static void on_done(void *ctx, struct http *h)
{
	(void)ctx;
	n_done++;
	n_whole += h->msg.complete;
	n_bytes = h->msg.bytes;
	snprintf(body, sizeof(body), "%.*s", (int)h->msg.body.len,
		 h->msg.body.len ? h->msg.body.ptr : "");
}

static struct http_pool pool = { 0, 1 << 20 };

static void start(struct http *h, bool response)
{
	http_init(h, response, 100, &pool);
	h->done = on_done;
	n_done = n_whole = 0;
	body[0] = 0;
}

static char two[] = "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloPOST /b HTTP/1.1\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";

static void pipelined_requests_are_told_apart(void **s)
{
	struct http h;

	(void)s;
	start(&h, false);
	http_feed(&h, 1, two, strlen(two), strlen(two));
	assert_int_equal(n_whole, 2);
	assert_string_equal(body, "abcde");
	http_free(&h);
	assert_int_equal(pool.held, 0);
}

static void one_byte_at_a_time_is_the_same(void **s)
{
	struct http h;

	(void)s;
	start(&h, false);
	for (size_t i = 0; two[i]; i++)
		http_feed(&h, 1, two + i, 1, 1);
	assert_int_equal(n_whole, 2);
	assert_string_equal(body, "abcde");
	http_free(&h);
}

static void a_gap_inside_a_body_is_skipped_exactly(void **s)
{
	struct http h;
	char *a = "POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nab",
	     *b = "GET /b HTTP/1.1\r\n\r\n";

	(void)s;
	start(&h, false);
	http_feed(&h, 1, a, strlen(a), strlen(a) + 8);
	assert_int_equal(n_done, 1);
	assert_int_equal(n_whole, 0);
	http_feed(&h, 1, b, strlen(b), strlen(b));
	assert_int_equal(n_whole, 1);
	http_free(&h);
}

static void a_gap_elsewhere_is_lost_until_a_message_begins(void **s)
{
	struct http h;
	char *a = "POST /a HTT", *b = "GET /b HTTP/1.1\r\n\r\n";

	(void)s;
	start(&h, false);
	http_feed(&h, 1, a, strlen(a), strlen(a) + 8);
	http_feed(&h, 1, "junk", 4, 4);
	http_feed(&h, 1, b, strlen(b), strlen(b));
	assert_int_equal(n_done, 1);
	assert_int_equal(n_whole, 1);
	http_free(&h);
}

static void nothing_is_kept_behind_a_hole(void **s)
{
	struct http h;
	char *a = "POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nab";

	(void)s;
	start(&h, false);
	http_feed(&h, 1, a, strlen(a), strlen(a) + 4);
	http_feed(&h, 1, "cdef", 4, 4);
	assert_int_equal(n_done, 1);
	assert_int_equal(n_whole, 0);
	assert_string_equal(body, "ab");
	http_free(&h);
}

static void answers_without_a_body_are_skipped_whatever_length_they_claim(void **s)
{
	struct http h;
	char *a = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
		  "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"
		  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxy";

	(void)s;
	start(&h, true);
	http_feed(&h, 1, a, strlen(a), strlen(a));
	assert_int_equal(n_whole, 2);
	assert_string_equal(body, "xy");
	http_free(&h);
}

static void continue_is_skipped_and_close_ends_a_body(void **s)
{
	struct http h;
	char *a =
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.0 200 OK\r\n\r\nxyz";

	(void)s;
	start(&h, true);
	http_feed(&h, 1, a, strlen(a), strlen(a));
	assert_int_equal(n_done, 1);
	http_end(&h, 2);
	assert_int_equal(n_whole, 2);
	assert_string_equal(body, "xyz");
	http_free(&h);
}

static void what_exceeds_the_budget_is_counted(void **s)
{
	struct http h;
	char a[300] = "POST /a HTTP/1.1\r\nContent-Length: 200\r\n\r\n";
	size_t n = strlen(a);

	(void)s;
	start(&h, false);
	memset(a + n, 'x', 200);
	http_feed(&h, 1, a, n + 200, n + 200);
	assert_int_equal(n_done, 1);
	assert_int_equal(n_whole, 0);
	assert_int_equal(strlen(body), 100);
	assert_int_equal(n_bytes, 200);
	http_free(&h);
}

/* In what is compressed nothing can be masked: it is read, and gone from the bytes; framing stays. */
static void a_packed_request_is_blanked_behind_its_framing(void **s)
{
	char a[] = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\x1f\x8b"
		   "\x08s\r\n3\r\necr\r\n0\r\n\r\n";
	char b[] = "POST /a HTTP/1.1\r\nContent-Length: 7\r\n\r\n\x1f-plain";
	char was[sizeof(a)];
	struct http h;

	(void)s;
	memcpy(was, a, sizeof(a));
	start(&h, false);
	http_feed(&h, 1, a, sizeof(a) - 1, sizeof(a) - 1);
	assert_string_equal(body, "\x1f\x8b\x08secr");
	assert_memory_equal(strstr(a, "\r\n\r\n"),
			    "\r\n\r\n4\r\n\0\0\0\0\r\n3\r\n\0\0\0\r\n0\r\n\r\n", 26);
	assert_memory_equal(a, was, strstr(was, "4\r\n") - was);
	memcpy(was, b, sizeof(b));
	body[0] = 0;
	http_feed(&h, 1, b, sizeof(b) - 1, sizeof(b) - 1);
	assert_memory_equal(b, was, sizeof(b));
	http_free(&h);
	/* An answer is the engine's. */
	start(&h, true);
	strcpy(a, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08");
	http_feed(&h, 1, a, strlen(a), strlen(a));
	assert_true(strstr(a, "\x1f\x8b\x08"));
	http_free(&h);
}

static void unread_set(void *ctx, struct http *h)
{
	(void)ctx;
	h->unread = true;
}

static void what_nobody_reads_is_counted_as_if_it_were_kept(void **s)
{
	char a[] =
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
	char large[200] = "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n";
	struct http h;

	(void)s;
	start(&h, true);
	h.head = unread_set;
	http_feed(&h, 1, a, sizeof(a) - 1, sizeof(a) - 1);
	assert_int_equal(n_whole, 1);
	assert_int_equal(n_bytes, 5);
	assert_string_equal(body, "");
	h.head = NULL; /* the next one is read */
	http_feed(&h, 1, a, sizeof(a) - 1, sizeof(a) - 1);
	assert_int_equal(n_whole, 2);
	assert_string_equal(body, "abcde");
	h.head = unread_set; /* over the budget, which is 100 */
	http_feed(&h, 1, large, strlen(large) + 101, strlen(large) + 101);
	assert_int_equal(n_done, 3);
	assert_int_equal(n_whole, 2);
	assert_int_equal(n_bytes, 101);
	http_free(&h);
	assert_int_equal(pool.held, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packed_request_is_blanked_behind_its_framing),
		cmocka_unit_test(pipelined_requests_are_told_apart),
		cmocka_unit_test(one_byte_at_a_time_is_the_same),
		cmocka_unit_test(a_gap_inside_a_body_is_skipped_exactly),
		cmocka_unit_test(a_gap_elsewhere_is_lost_until_a_message_begins),
		cmocka_unit_test(nothing_is_kept_behind_a_hole),
		cmocka_unit_test(answers_without_a_body_are_skipped_whatever_length_they_claim),
		cmocka_unit_test(continue_is_skipped_and_close_ends_a_body),
		cmocka_unit_test(what_exceeds_the_budget_is_counted),
		cmocka_unit_test(what_nobody_reads_is_counted_as_if_it_were_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
