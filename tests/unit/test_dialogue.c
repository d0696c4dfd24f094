/* test_dialogue.c: bytes of both directions become calls, judged by the ledger. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "dialogue.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct dialogue *d;
static struct ledger *l;
static unsigned n_calls, n_gaps;
static int status;
static enum owner owner;
static const char *text, *reason;
static char created[100];
static bool asked_whole, answered_whole, pruned_unreadable;

static void on_call(void *ctx, const struct process *p, uint64_t t, const struct docker_call *c)
{
	(void)ctx;
	(void)p;
	(void)t;
	n_calls++;
	status = c->status;
	owner = c->owner;
	asked_whole = c->request_complete;
	answered_whole = c->response_complete;
	pruned_unreadable = c->pruned_unreadable;
	text = c->route->text;
	memset(created, 0, sizeof(created));
	if (c->created_id.len < sizeof(created))
		memcpy(created, c->created_id.len ? c->created_id.ptr : "", c->created_id.len);
}

static void on_gap(void *ctx, uint64_t t, const struct dialogue_gap *g)
{
	(void)ctx;
	(void)t;
	n_gaps++;
	reason = g->reason;
}

static int begin(void **s)
{
	struct dialogue_ops ops = { .call = on_call, .gap = on_gap };

	(void)s;
	l = ledger_new(NULL, 0);
	d = dialogue_new(&ops, l);
	n_calls = n_gaps = 0;
	dialogue_connect(d, 1, 1, true, false);
	return 0;
}

static int end(void **s)
{
	(void)s;
	dialogue_free(d);
	ledger_free(l);
	return 0;
}

static bool say_at(uint64_t time, uint64_t sk, unsigned dir, const char *what)
{
	struct ev_data e = { .sk = sk, .sockino = 1, .dir = dir };
	char *copy = xstrdup(what);
	bool yes = dialogue_data(d, (void *)&n_calls, time, &e, copy, strlen(what), strlen(what));

	free(copy);
	return yes;
}

static bool say(uint64_t sk, unsigned dir, const char *what)
{
	return say_at(5, sk, dir, what);
}

/* As say(), and `more` bytes that were not kept. */
static void say_cut(unsigned dir, const char *what, size_t more)
{
	struct ev_data e = { .sk = 1, .sockino = 1, .dir = dir };
	char *copy = xstrdup(what);

	dialogue_data(d, (void *)&n_calls, 5, &e, copy, strlen(what), strlen(what) + more);
	free(copy);
}

static void create_own(void)
{
	say(1, DATA_SEND,
	    "POST /v1.43/containers/create?name=web HTTP/1.1\r\nContent-Length: 13\r\n\r\n");
	say(1, DATA_SEND, "{\"Image\":\"a\"}");
	say(1, DATA_RECV, "HTTP/1.1 201 Created\r\nContent-Length: 73\r\n\r\n{\"Id\":\"" ID "\"}");
}

static void a_container_that_the_run_created_is_its_own(void **s)
{
	(void)s;
	create_own();
	assert_int_equal(n_calls, 1);
	assert_string_equal(created, ID);
	say(1, DATA_SEND, "DELETE /v1.43/containers/01234567?force=1 HTTP/1.1\r\n\r\n");
	say(1, DATA_RECV, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_int_equal(n_calls, 2);
	assert_int_equal(owner, OWNER_OWN);
	say(1, DATA_SEND, "DELETE /v1.43/containers/other HTTP/1.1\r\n\r\n");
	say(1, DATA_RECV, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_int_equal(owner, OWNER_FOREIGN);
	ledger_blind(l);
	say(1, DATA_SEND, "DELETE /v1.43/containers/other HTTP/1.1\r\n\r\n");
	say(1, DATA_RECV, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_int_equal(owner, OWNER_UNKNOWN);
}

static void an_exec_belongs_to_its_container(void **s)
{
	(void)s;
	create_own();
	say(1, DATA_SEND,
	    "POST /v1.43/containers/web/exec HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
	say(1, DATA_RECV, "HTTP/1.1 201 Created\r\nContent-Length: 13\r\n\r\n{\"Id\":\"eeee\"}");
	say(1, DATA_SEND, "POST /v1.43/exec/eeee/start HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
	say(1, DATA_RECV, "HTTP/1.1 101 UPGRADED\r\n\r\nraw GET /info HTTP/1.1\r\n\r\n");
	assert_int_equal(n_calls, 3);
	assert_string_equal(text, "exec-start");
	assert_int_equal(owner, OWNER_OWN);
	say(1, DATA_SEND, "GET /info HTTP/1.1\r\n\r\n");
	dialogue_finish(d, 9);
	assert_int_equal(n_calls, 3);
}

static void the_id_of_a_build_stands_in_its_stream(void **s)
{
	(void)s;
	say(1, DATA_SEND, "POST /v1.43/build?t=x HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
	say(1, DATA_RECV,
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2f\r\n{\"stream\":\"Successfully built abcdef123456\\n\"}\n\r\n0\r\n\r\n");
	assert_int_equal(n_calls, 1);
	assert_string_equal(created, "abcdef123456");
	assert_int_equal(ledger_owner(l, OBJ_IMAGE, SPAN("docker.io/library/x:latest")), OWNER_OWN);
}

static void an_unanswered_call_has_no_status(void **s)
{
	(void)s;
	say(1, DATA_SEND, "GET /info HTTP/1.1\r\n\r\n");
	dialogue_process_end(d, (void *)&n_calls, 7);
	assert_int_equal(n_calls, 1);
	assert_int_equal(status, 0);
}

static void another_service_is_ignored_for_good(void **s)
{
	(void)s;
	dialogue_connect(d, 2, 1, false, false);
	assert_false(say(2, DATA_SEND, "GET /api HTTP/1.1\r\n\r\n"));
	assert_false(say(2, DATA_SEND, "GET /v1.43/info HTTP/1.1\r\n\r\n"));
	dialogue_connect(d, 3, 1, false, false);
	assert_true(say(3, DATA_SEND, "GET /v1.43/info HTTP/1.1\r\n\r\n"));
	assert_int_equal(n_gaps, 0);
}

static void tls_is_a_gap(void **s)
{
	(void)s;
	dialogue_connect(d, 2, 1, false, true);
	say(2, DATA_SEND, "\x16\x03\x01xxxx");
	assert_int_equal(n_gaps, 1);
	assert_string_equal(reason, "TLS");
}

static void an_answer_may_be_recorded_before_its_request(void **s)
{
	(void)s;
	say(1, DATA_RECV, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	say(1, DATA_SEND, "GET /info HTTP/1.1\r\n\r\n");
	assert_int_equal(n_calls, 1);
	assert_int_equal(status, 200);
}

#define MS 1000000ull

static void its_thread_may_have_waited_long_for_a_processor(void **s)
{
	(void)s;
	say_at(MS, 1, DATA_RECV, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	say_at(700 * MS, 1, DATA_SEND, "GET /info HTTP/1.1\r\n\r\n");
	assert_int_equal(n_calls, 1);
	assert_int_equal(status, 200);
}

static void after_a_loss_an_old_answer_is_that_of_a_lost_request(void **s)
{
	(void)s;
	dialogue_lost(d);
	say_at(MS, 1, DATA_RECV, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	say_at(700 * MS, 1, DATA_SEND, "GET /info HTTP/1.1\r\n\r\n");
	assert_int_equal(n_calls, 0);
	say_at(701 * MS, 1, DATA_RECV, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(n_calls, 1);
	assert_int_equal(status, 404);
}

static void a_prune_whose_answer_was_cut_cannot_be_read(void **s)
{
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{\"ContainersDeleted\":[]}";

	(void)s;
	say(1, DATA_SEND, "POST /containers/prune HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
	say_cut(DATA_RECV, answer, 16);
	assert_int_equal(n_calls, 1);
	assert_false(answered_whole);
	assert_true(pruned_unreadable);
	say(1, DATA_SEND, "POST /containers/prune HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
	say(1, DATA_RECV, answer);
	say(1, DATA_RECV, "                ");
	assert_int_equal(n_calls, 2);
	assert_true(answered_whole);
	assert_false(pruned_unreadable);
}

static void a_request_that_was_cut_is_not_complete(void **s)
{
	(void)s;
	say_cut(DATA_SEND,
		"POST /containers/create HTTP/1.1\r\nContent-Length: 20\r\n\r\n{\"Image\":\"a\"}",
		7);
	say(1, DATA_RECV, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
	assert_int_equal(n_calls, 1);
	assert_false(asked_whole);
	create_own();
	assert_true(asked_whole);
}

static void more_open_requests_than_are_kept_are_a_gap(void **s)
{
	unsigned i;

	(void)s;
	for (i = 0; i < 256; i++)
		say(1, DATA_SEND, "GET /info HTTP/1.1\r\n\r\n");
	assert_int_equal(n_gaps, 0);
	assert_int_equal(n_calls, 0);
	say(1, DATA_SEND, "GET /info HTTP/1.1\r\n\r\n");
	assert_int_equal(n_gaps, 1);
	assert_int_equal(n_calls, 1);
	assert_int_equal(status, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

/* Of what is open then a call may look through the connections for itself. */
static void a_process_may_end_with_a_session_and_its_build_open(void **s)
{
	(void)s;
	for (unsigned i = 2; i < 5; i++)
		dialogue_connect(d, i, 1, true, false);
	say(1, DATA_SEND,
	    "POST /session HTTP/1.1\r\nX-Docker-Expose-Session-Uuid: u1\r\nUpgrade: h2c\r\n\r\n");
	say(1, DATA_RECV, "HTTP/1.1 101 UPGRADED\r\n\r\n");
	for (unsigned i = 2; i < 5; i++)
		say(i, DATA_SEND, "POST /build?version=2&session=u1 HTTP/1.1\r\n\r\n");
	n_calls = 0;
	dialogue_process_end(d, (void *)&n_calls, 6);
	assert_int_equal(n_calls, 3);
}

static void only_answers_that_say_what_was_made_are_read(void **s)
{
	(void)s;
	assert_true(dialogue_reads(d, 1, 1)); /* the request may come yet */
	assert_true(dialogue_reads(d, 9, 9));
	say(1, DATA_SEND, "GET /v1.43/images/a/json HTTP/1.1\r\n\r\n");
	assert_false(dialogue_reads(d, 1, 1));
	say(1, DATA_SEND, "POST /v1.43/volumes/create HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
	assert_true(dialogue_reads(d, 1, 1));
	say(1, DATA_RECV, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
	assert_true(answered_whole);
	assert_true(dialogue_reads(d, 1, 1));
	say(1, DATA_RECV, "HTTP/1.1 201 Created\r\nContent-Length: 12\r\n\r\n{\"Name\":\"v\"}");
	assert_string_equal(created, "v");
	say(1, DATA_SEND, "POST /v1.43/build HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
	assert_true(dialogue_reads(d, 1, 1));
}

static unsigned n_scrubs;

static void on_scrub(void *ctx, char *bytes, size_t len)
{
	(void)ctx;
	n_scrubs += memmem(bytes, len, "se-cret", 7) != NULL;
}

/* What came in one piece was masked as that. */
static void a_request_in_pieces_is_scrubbed_as_a_whole(void **s)
{
	struct dialogue_ops ops = { .call = on_call, .gap = on_gap, .scrub = on_scrub };

	(void)s;
	dialogue_free(d);
	d = dialogue_new(&ops, l);
	dialogue_connect(d, 1, 1, true, false);
	n_scrubs = 0;
	say(1, DATA_SEND, "GET /info?se-cret HTTP/1.1\r\n\r\n");
	say(1, DATA_RECV, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_int_equal(n_scrubs, 0);
	say(1, DATA_SEND, "GET /info?se-");
	say(1, DATA_SEND, "cret HTTP/1.1\r\n\r\n");
	say(1, DATA_RECV, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_int_equal(n_scrubs, 1);
	say(1, DATA_SEND,
	    "POST /build HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nse-\r\n4\r\ncret\r\n0\r\n\r\n");
	say(1, DATA_RECV, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_int_equal(n_scrubs, 2);
	say(1, DATA_SEND, "POST /build HTTP/1.1\r\nContent-Length: 7\r\n\r\n");
	say(1, DATA_SEND, "se-cret");
	say(1, DATA_RECV, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_int_equal(n_scrubs, 3);
	assert_int_equal(n_calls, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_container_that_the_run_created_is_its_own),
		T(an_exec_belongs_to_its_container),
		T(the_id_of_a_build_stands_in_its_stream),
		T(an_unanswered_call_has_no_status),
		T(another_service_is_ignored_for_good),
		T(tls_is_a_gap),
		T(an_answer_may_be_recorded_before_its_request),
		T(its_thread_may_have_waited_long_for_a_processor),
		T(after_a_loss_an_old_answer_is_that_of_a_lost_request),
		T(a_prune_whose_answer_was_cut_cannot_be_read),
		T(a_request_that_was_cut_is_not_complete),
		T(more_open_requests_than_are_kept_are_a_gap),
		T(a_process_may_end_with_a_session_and_its_build_open),
		T(only_answers_that_say_what_was_made_are_read),
		T(a_request_in_pieces_is_scrubbed_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
