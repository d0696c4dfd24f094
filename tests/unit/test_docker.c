/* test_docker.c: the route table and queries. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- every endpoint of every version, as it is published: data/engine-api.tsv ---- */

/* The pattern with text in the place of each {...}. */
static void path_of(const char *pattern, const char *text, char *path, size_t size)
{
	size_t n = 0;

	for (const char *p = pattern; *p && n + 1 < size; p++) {
		if (*p != '{') {
			path[n++] = *p;
			continue;
		}
		n += snprintf(path + n, size - n, "%s", text);
		p = strchr(p, '}');
	}
	path[n] = 0;
}

struct endpoint {
	int first, last; /* of 1.x */
	char method[8], path[96], action[40];
};

static bool endpoint_next(FILE *f, struct endpoint *e)
{
	char line[256];

	while (fgets(line, sizeof(line), f)) {
		if (*line == '#')
			continue;
		if (sscanf(line, "1.%d\t1.%d\t%7s\t%95s\t%39s", &e->first, &e->last, e->method,
			   e->path, e->action) != 5)
			fail_msg("not understood: %s", line);
		return true;
	}
	return false;
}

static FILE *endpoints_open(void)
{
	const char *dir = getenv("INVIGIL_TEST_DATA");
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/engine-api.tsv", dir ? dir : "tests/unit/data");
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s cannot be opened", path);
	return f;
}

/* Asked for by each version, and without one, by an id, and by names that are words of other paths. */
static void endpoint_ask(const struct endpoint *e)
{
	static const char *const names[] = {
		"web", "json", "create", "prune",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	};
	bool named = strchr(e->path, '{');

	for (size_t i = 0; i < (named ? ARRAY_SIZE(names) : 1); i++)
		for (int v = e->first - 1; v <= e->last; v++) {
			char path[256], whole[280];
			const struct docker_route *r;

			path_of(e->path, names[i], path, sizeof(path));
			snprintf(whole, sizeof(whole), "/v1.%d%s", v, path);
			r = docker_route(span_of(e->method), span_of(v < e->first ? path : whole),
					 &name, &endpoint);
			if (strcmp(r->text, e->action))
				fail_msg("%s %s is %s, not %s", e->method, whole, r->text,
					 e->action);
			assert_true(span_eq(endpoint, path));
			if (named && r->action != ACT_REQUEST && !span_eq(name, names[i]))
				fail_msg("%s %s: named %.*s", e->method, whole, (int)name.len,
					 name.ptr ? name.ptr : "");
		}
}

static void every_endpoint_of_every_version_has_its_action(void **s)
{
	unsigned of_version[64] = { 0 }, rows = 0;
	struct endpoint e;
	FILE *f = endpoints_open();

	(void)s;
	while (endpoint_next(f, &e)) {
		assert_in_range(e.first, 41, 51);
		assert_in_range(e.last, e.first, 51);
		endpoint_ask(&e);
		/* The same path by a method that it does not have is another endpoint, or none. */
		assert_string_equal(route("PATCH", e.path), "docker-request");
		for (int v = e.first; v <= e.last; v++)
			of_version[v]++;
		rows++;
	}
	fclose(f);
	/* What is published: 106 endpoints of 1.41, one more since; and 14 that only the routers tell. */
	assert_int_equal(rows, 107 + 14);
	for (int v = 41; v <= 51; v++)
		assert_int_equal(of_version[v], (v == 41 ? 106 : 107) + 14);
}

/* Two endpoints of one action are told from each other: by the row, or they do the same. */
static void no_two_endpoints_share_a_row(void **s)
{
	const struct docker_route *seen[256];
	unsigned n = 0;
	struct endpoint e;
	FILE *f = endpoints_open();

	(void)s;
	while (endpoint_next(f, &e)) {
		char path[256];
		const struct docker_route *r;

		path_of(e.path, "x", path, sizeof(path));
		r = docker_route(span_of(e.method), span_of(path), &name, &endpoint);
		for (unsigned i = 0; i < n; i++)
			if (seen[i] == r && *r->path)
				fail_msg("%s %s: has the row of another: %s", e.method, e.path,
					 r->path);
		assert_true(n < ARRAY_SIZE(seen));
		seen[n++] = r;
	}
	fclose(f);
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
		cmocka_unit_test(every_endpoint_of_every_version_has_its_action),
		cmocka_unit_test(no_two_endpoints_share_a_row),
		cmocka_unit_test(a_version_is_no_part_of_the_endpoint),
		cmocka_unit_test(names_of_images_hold_slashes),
		cmocka_unit_test(what_is_not_in_the_table_is_a_request),
		cmocka_unit_test(the_removal_of_a_checkpoint_is_no_removal_of_a_container),
		cmocka_unit_test(queries_are_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
