/* test_build_stream.c: the containers and images of a classic build, as its answer says them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "build_stream.h"

/* As dockerd 20.10 writes it; the first RUN step prints lines that look like the builder's. */
static const char answer[] =
	"{\"stream\":\"Step 1/3 : FROM invigil/base:1\"}\r\n{\"stream\":\"\\n\"}\r\n"
	"{\"stream\":\" ---\\u003e 1a1a1a1a1a1a\\n\"}\r\n"
	"{\"stream\":\"Step 2/3 : RUN echo Running in cafecafecafe\"}\r\n{\"stream\":\"\\n\"}\r\n"
	"{\"stream\":\" ---\\u003e Running in 2b2b2b2b2b2b\\n\"}\r\n"
	"{\"stream\":\"Running in cafecafecafe\\n\"}\r\n"
	"{\"stream\":\" ---\\u003e Running in cafecafecafe\\n\"}\r\n"
	"{\"stream\":\" ---\\u003e cafecafecafe\\n\"}\r\n"
	"{\"stream\":\"Removing intermediate container cafecafecafe\\n\"}\r\n"
	"{\"stream\":\"Removing intermediate container 2b2b2b2b2b2b\\n\"}\r\n"
	"{\"stream\":\" ---\\u003e 3c3c3c3c3c3c\\n\"}\r\n"
	"{\"stream\":\"Step 3/3 : RUN true\"}\r\n{\"stream\":\"\\n\"}\r\n"
	"{\"stream\":\" ---\\u003e Running in 4d4d4d4d4d4d\\n\"}\r\n"
	"{\"stream\":\" ---\\u003e 5e5e5e5e5e5e\\n\"}\r\n";

static void said_add(struct buf *all, struct build_stream *b, struct span body)
{
	struct build_said s;

	while (build_stream_next(b, body, &s))
		buf_fmt(all, "%.12s-%.12s=%.12s on %s;", s.container.len ? s.container.ptr : "",
			s.removed.len ? s.removed.ptr : "", s.image.len ? s.image.ptr : "",
			b->parent.ptr);
}

static const char expected[] = "2b2b2b2b2b2b-= on invigil/base:1;"
			       "-2b2b2b2b2b2b= on cafecafecafe;"
			       "-=3c3c3c3c3c3c on 3c3c3c3c3c3c;"
			       "4d4d4d4d4d4d-= on 3c3c3c3c3c3c;";

static void steps_are_told_with_what_they_stand_on(void **state)
{
	struct build_stream b = { 0 };
	struct buf all = { 0 };

	(void)state;
	said_add(&all, &b, span_of(answer));
	assert_string_equal(all.ptr, expected);
	buf_free(&all);
	build_stream_free(&b);
}

static void an_answer_may_come_a_byte_at_a_time(void **state)
{
	struct build_stream b = { 0 };
	struct buf all = { 0 };

	(void)state;
	for (size_t n = 1; n <= strlen(answer); n++)
		said_add(&all, &b, (struct span){ answer, n });
	assert_string_equal(all.ptr, expected);
	buf_free(&all);
	build_stream_free(&b);
}

static void of_a_build_that_failed_nothing_more_is_removed(void **state)
{
	static const char
		running[] = "{\"stream\":\" ---\\u003e Running in 2b2b2b2b2b2b\\n\"}\r\n",
		error[] = "{\"errorDetail\":{\"code\":1},\"error\":\"non-zero code: 1\"}\r\n",
		printed[] = "{\"stream\":\"{\\\"errorDetail\\\":\\n\"}\r\n";
	struct buf body = { 0 }, all = { 0 };
	struct build_stream b = { 0 };

	(void)state;
	buf_str(&body, running);
	buf_str(&body, printed);
	said_add(&all, &b, (struct span){ body.ptr, body.len });
	assert_string_equal(b.container.ptr, "2b2b2b2b2b2b");
	buf_str(&body, error);
	said_add(&all, &b, (struct span){ body.ptr, body.len });
	assert_int_equal(b.container.len, 0);
	buf_free(&body);
	buf_free(&all);
	build_stream_free(&b);
}

static void what_the_cache_had_is_not_made_here(void **state)
{
	struct build_stream b = { 0 };
	struct build_said s;

	(void)state;
	assert_false(build_stream_next(&b,
				       SPAN("{\"stream\":\"Step 2/2 : RUN true\"}\r\n"
					    "{\"stream\":\" ---\\u003e Using cache\\n\"}\r\n"
					    "{\"stream\":\" ---\\u003e 3c3c3c3c3c3c\\n\"}\r\n"),
				       &s));
	build_stream_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_told_with_what_they_stand_on),
		cmocka_unit_test(an_answer_may_come_a_byte_at_a_time),
		cmocka_unit_test(of_a_build_that_failed_nothing_more_is_removed),
		cmocka_unit_test(what_the_cache_had_is_not_made_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
