/* test_docker.c: the route table and queries. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "docker.h"

static struct span name, endpoint;

static const char *route(const char *method, const char *path)
{
	return docker_route(span_of(method), span_of(path), &name, &endpoint)->text;
}

static void a_version_is_no_part_of_the_endpoint(void **s)
{
	(void)s;
	assert_string_equal(route("POST", "/v1.43/containers/create"), "container-create");
	assert_true(span_eq(endpoint, "/containers/create"));
	assert_string_equal(route("GET", "/version"), "system-version");
}

static void names_of_images_hold_slashes(void **s)
{
	(void)s;
	assert_string_equal(route("DELETE", "/v1.43/images/a/b:c"), "image-remove");
	assert_true(span_eq(name, "a/b:c"));
	assert_string_equal(route("POST", "/images/r:5000/x/push"), "image-push");
	assert_true(span_eq(name, "r:5000/x"));
	assert_string_equal(route("GET", "/images/json"), "image-list");
}

static void what_is_not_in_the_table_is_a_request(void **s)
{
	(void)s;
	assert_string_equal(route("GET", "/v1.43/nothing"), "docker-request");
	assert_string_equal(route("BREW", "/info"), "docker-request");
}

static void the_removal_of_a_checkpoint_is_no_removal_of_a_container(void **s)
{
	(void)s;
	assert_string_equal(route("DELETE", "/v1.51/containers/web/checkpoints/one"),
			    "container-checkpoint-remove");
	assert_true(span_eq(name, "web"));
	assert_string_equal(route("POST", "/containers/web/checkpoints"),
			    "container-checkpoint-create");
	assert_string_equal(route("GET", "/containers/web/checkpoints"),
			    "container-checkpoint-list");
	assert_string_equal(route("DELETE", "/containers/checkpoints"), "container-remove");
	assert_string_equal(route("DELETE", "/containers/web"), "container-remove");
	assert_true(span_eq(name, "web"));
}

static void queries_are_decoded(void **s)
{
	struct buf b = { 0 };

	(void)s;
	assert_true(docker_query(SPAN("t=a%3Ab&x&t=c+d"), "t", 0, &b));
	assert_string_equal(b.ptr, "a:b");
	assert_true(docker_query(SPAN("t=a%3Ab&x&t=c+d"), "t", 1, &b));
	assert_string_equal(b.ptr, "c d");
	assert_false(docker_query(SPAN("t=a%3Ab&x&t=c+d"), "t", 2, &b));
	buf_free(&b);
	assert_false(docker_bool(SPAN("None")));
	assert_true(docker_bool(SPAN("t")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_version_is_no_part_of_the_endpoint),
		cmocka_unit_test(names_of_images_hold_slashes),
		cmocka_unit_test(what_is_not_in_the_table_is_a_request),
		cmocka_unit_test(the_removal_of_a_checkpoint_is_no_removal_of_a_container),
		cmocka_unit_test(queries_are_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
