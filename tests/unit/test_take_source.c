/* test_take_source.c: a stack is its own record's, whatever was lost between the two. */
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

#define SOCKET "/run/docker.sock"
#define ASK    "GET /info HTTP/1.1\r\nHost: x\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

const struct command commands[] = { { 0 } };

static struct config config = { .fail_on = -1, .env_reads = "all" };
static struct pipeline *p;
static _Alignas(8) char bytes[1 << 16];
static struct buf out;
static uint64_t now; /* time of the last record */
static uint32_t thread;

static int sink(void *ctx, const char *line, size_t len)
{
	(void)ctx;
	buf_add(&out, line, len);
	buf_byte(&out, '\n');
	return 0;
}

static void take(unsigned type, const void *body, size_t n, const void *tail, size_t len)
{
	struct ev_hdr h = {
		.time = ++now, .start = 4, .type = type, .run = 1, .pid = 9, .tid = thread
	};

	h.len = h.want = len;
	memcpy(bytes, &h, sizeof(h));
	memcpy(bytes + sizeof(h), body, n);
	memcpy(bytes + sizeof(h) + n, tail, len);
	pipeline_take(p, bytes, sizeof(h) + n + len);
}

/* A function on the given line, which is its code object's id, too. */
static void code_take(int line)
{
	struct ev_code e = { .id = line,
			     .version = 0x0309,
			     .first_line = line,
			     .file_len = 9,
			     .file_room = 9,
			     .name_len = 4,
			     .name_room = 4,
			     .file_kind = 1,
			     .name_kind = 1 };

	take(EV_CODE, &e, sizeof(e), "/src/t.pyfunc", 13);
}

/* Returns what its record would say of it. */
static uint64_t stack_take(enum stack_reason reason, int line)
{
	struct ev_stack e = { .reason = reason, .version = 0x0309 };
	struct ev_frame f = { .code = line };

	take(EV_STACK, &e, sizeof(e), &f, sizeof(f));
	return now;
}

/* The line of the last event of an action; 0: it has none. -1: there is no such event. */
static int line_of(const char *action)
{
	static const char file[] = "\"file\":\"/src/t.py\",\"line\":";
	char want[64], *line, *save;
	int n = -1;

	buf_byte(&out, '\0');
	snprintf(want, sizeof(want), "\"action\":\"%s\"", action);
	for (line = strtok_r(out.ptr, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strstr(line, want)) {
			const char *at = strstr(line, file);

			n = at ? atoi(at + sizeof(file) - 1) : 0;
		}
	out.len = 0;
	return n;
}

static void connect_take(uint64_t sk, uint64_t stack)
{
	struct ev_connect e = {
		.sk = sk, .sockino = sk, .family = 1, .name_len = sizeof(SOCKET) - 1, .stack = stack
	};
	char names[2 * EV_SUN_MAX] = SOCKET;

	take(EV_CONNECT, &e, sizeof(e), names, sizeof(names));
}

static void data_take(uint64_t sk, uint32_t dir, uint64_t stack, const char *text)
{
	struct ev_data e = { .sk = sk, .sockino = sk, .dir = dir, .stack = stack };

	take(EV_DATA, &e, sizeof(e), text, strlen(text));
}

static void read_take(uint64_t stack, const char *name)
{
	struct ev_env e = { .mechanism = ENV_PYTHON, .stack = stack };

	take(EV_ENV, &e, sizeof(e), name, strlen(name));
}

/* What the last connect's event says of its source. */
static void source_copy(char *to, size_t n)
{
	const char *at, *end;

	buf_byte(&out, '\0');
	at = strstr(out.ptr, "\"source\":{");
	assert_non_null(at);
	end = strstr(at, "]}");
	assert_true(end && (size_t)(end - at) < n);
	snprintf(to, n, "%.*s", (int)(end - at), at);
	out.len = 0;
}

static int begin(void **state)
{
	(void)state;
	p = pipeline_new(&config, sink, NULL);
	now = 1;
	thread = 9;
	pipeline_take(p, bytes, host_begin(bytes));
	code_take(12);
	code_take(34);
	return 0;
}

static int end(void **state)
{
	(void)state;
	pipeline_free(p);
	buf_free(&out);
	return 0;
}

static void each_record_has_the_stack_that_it_names(void **state)
{
	uint64_t first;

	(void)state;
	connect_take(1, stack_take(STACK_CONNECT, 12));
	assert_int_equal(line_of("docker-socket-connect"), 12);
	first = stack_take(STACK_SEND, 34);
	data_take(1, DATA_SEND, first, ASK);
	data_take(1, DATA_RECV, 0, ANSWER);
	assert_int_equal(line_of("system-info"), 34);
	read_take(stack_take(STACK_ENV, 12), "TESTSERVER_TOKEN");
	assert_int_equal(line_of("env-read"), 12);
}

static void the_stack_of_a_lost_record_is_not_given_to_the_next(void **state)
{
	(void)state;
	stack_take(STACK_CONNECT, 12); /* its connect is lost, and the next one's stack */
	connect_take(2, EV_STACK_LOST);
	assert_int_equal(line_of("docker-socket-connect"), 0);
	stack_take(STACK_SEND, 12);
	data_take(2, DATA_SEND, 0, ASK);
	data_take(2, DATA_RECV, 0, ANSWER);
	assert_int_equal(line_of("system-info"), 0);
	stack_take(STACK_ENV, 12);
	read_take(0, "TESTSERVER_TOKEN");
	assert_int_equal(line_of("env-read"), 0);
}

static void other_records_of_the_thread_between_the_two_do_not_matter(void **state)
{
	uint64_t asked = stack_take(STACK_SEND, 34), opened = stack_take(STACK_CONNECT, 12);

	(void)state;
	connect_take(3, opened);
	assert_int_equal(line_of("docker-socket-connect"), 12);
	data_take(3, DATA_SEND, asked, ASK);
	data_take(3, DATA_RECV, 0, ANSWER);
	assert_int_equal(line_of("system-info"), 34);
}

static void another_thread_s_stack_of_the_same_moment_is_not_its_own(void **state)
{
	uint64_t other = stack_take(STACK_CONNECT, 12);

	(void)state;
	thread = 10;
	connect_take(4, other);
	assert_int_equal(line_of("docker-socket-connect"), 0);
}

static void a_stack_that_is_seen_again_is_written_the_same_and_another_is_not(void **state)
{
	char first[512], again[512], other[512];

	(void)state;
	connect_take(5, stack_take(STACK_CONNECT, 12));
	source_copy(first, sizeof(first));
	connect_take(6, stack_take(STACK_CONNECT, 12));
	source_copy(again, sizeof(again));
	assert_string_equal(first, again);
	connect_take(7, stack_take(STACK_CONNECT, 34));
	source_copy(other, sizeof(other));
	assert_non_null(strstr(other, "\"line\":34"));
	assert_null(strstr(other, "\"line\":12"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(each_record_has_the_stack_that_it_names),
		T(the_stack_of_a_lost_record_is_not_given_to_the_next),
		T(other_records_of_the_thread_between_the_two_do_not_matter),
		T(another_thread_s_stack_of_the_same_moment_is_not_its_own),
		T(a_stack_that_is_seen_again_is_written_the_same_and_another_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
