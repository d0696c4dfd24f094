/* test_docker.c: the route table and queries. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
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

/* All of the Engine API 1.41, as it is published, and what 1.42 to 1.51 added: PUT /volumes/{name}. */
/* clang-format off */
static const char *const published[] = {
	"GET /containers/json",
	"POST /containers/create",
	"GET /containers/{id}/json",
	"GET /containers/{id}/top",
	"GET /containers/{id}/logs",
	"GET /containers/{id}/changes",
	"GET /containers/{id}/export",
	"GET /containers/{id}/stats",
	"POST /containers/{id}/resize",
	"POST /containers/{id}/start",
	"POST /containers/{id}/stop",
	"POST /containers/{id}/restart",
	"POST /containers/{id}/kill",
	"POST /containers/{id}/update",
	"POST /containers/{id}/rename",
	"POST /containers/{id}/pause",
	"POST /containers/{id}/unpause",
	"POST /containers/{id}/attach",
	"GET /containers/{id}/attach/ws",
	"POST /containers/{id}/wait",
	"DELETE /containers/{id}",
	"HEAD /containers/{id}/archive",
	"GET /containers/{id}/archive",
	"PUT /containers/{id}/archive",
	"POST /containers/prune",
	"GET /images/json",
	"POST /build",
	"POST /build/prune",
	"POST /images/create",
	"GET /images/{name}/json",
	"GET /images/{name}/history",
	"POST /images/{name}/push",
	"POST /images/{name}/tag",
	"DELETE /images/{name}",
	"GET /images/search",
	"POST /images/prune",
	"POST /auth",
	"GET /info",
	"GET /version",
	"GET /_ping",
	"HEAD /_ping",
	"POST /commit",
	"GET /events",
	"GET /system/df",
	"GET /images/{name}/get",
	"GET /images/get",
	"POST /images/load",
	"POST /containers/{id}/exec",
	"POST /exec/{id}/start",
	"POST /exec/{id}/resize",
	"GET /exec/{id}/json",
	"GET /volumes",
	"POST /volumes/create",
	"GET /volumes/{name}",
	"DELETE /volumes/{name}",
	"PUT /volumes/{name}",
	"POST /volumes/prune",
	"GET /networks",
	"GET /networks/{id}",
	"DELETE /networks/{id}",
	"POST /networks/create",
	"POST /networks/{id}/connect",
	"POST /networks/{id}/disconnect",
	"POST /networks/prune",
	"GET /plugins",
	"GET /plugins/privileges",
	"POST /plugins/pull",
	"GET /plugins/{name}/json",
	"DELETE /plugins/{name}",
	"POST /plugins/{name}/enable",
	"POST /plugins/{name}/disable",
	"POST /plugins/{name}/upgrade",
	"POST /plugins/create",
	"POST /plugins/{name}/push",
	"POST /plugins/{name}/set",
	"GET /nodes",
	"GET /nodes/{id}",
	"DELETE /nodes/{id}",
	"POST /nodes/{id}/update",
	"GET /swarm",
	"POST /swarm/init",
	"POST /swarm/join",
	"POST /swarm/leave",
	"POST /swarm/update",
	"GET /swarm/unlockkey",
	"POST /swarm/unlock",
	"GET /services",
	"POST /services/create",
	"GET /services/{id}",
	"DELETE /services/{id}",
	"POST /services/{id}/update",
	"GET /services/{id}/logs",
	"GET /tasks",
	"GET /tasks/{id}",
	"GET /tasks/{id}/logs",
	"GET /secrets",
	"POST /secrets/create",
	"GET /secrets/{id}",
	"DELETE /secrets/{id}",
	"POST /secrets/{id}/update",
	"GET /configs",
	"POST /configs/create",
	"GET /configs/{id}",
	"DELETE /configs/{id}",
	"POST /configs/{id}/update",
	"GET /distribution/{name}/json",
	"POST /session",
};
/* clang-format on */

/* With a name in the place of each {…}. */
static void path_of(const char *pattern, char *path, size_t size)
{
	size_t n = 0;

	for (const char *p = pattern; *p && n + 1 < size; p++) {
		path[n++] = *p == '{' ? 'x' : *p;
		if (*p == '{')
			p = strchr(p, '}');
	}
	path[n] = 0;
}

static void every_published_endpoint_has_a_row_of_its_own(void **s)
{
	const struct docker_route *seen[ARRAY_SIZE(published)];

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(published); i++) {
		const char *pattern = strchr(published[i], ' ') + 1;
		char path[128], row[128], with_version[160];
		struct span method = { published[i], (size_t)(pattern - published[i] - 1) };

		path_of(pattern, path, sizeof(path));
		snprintf(with_version, sizeof(with_version), "/v1.51%s", path);
		seen[i] = docker_route(method, span_of(with_version), &name, &endpoint);
		if (seen[i]->action == ACT_REQUEST)
			fail_msg("%s: no action", published[i]);
		path_of(seen[i]->path, row, sizeof(row));
		if (strcmp(row, path))
			fail_msg("%s: taken for %s", published[i], seen[i]->path);
		for (size_t k = 0; k < i; k++)
			if (seen[k] == seen[i])
				fail_msg("%s: the same as %s", published[i], published[k]);
	}
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
		cmocka_unit_test(every_published_endpoint_has_a_row_of_its_own),
		cmocka_unit_test(a_version_is_no_part_of_the_endpoint),
		cmocka_unit_test(names_of_images_hold_slashes),
		cmocka_unit_test(what_is_not_in_the_table_is_a_request),
		cmocka_unit_test(the_removal_of_a_checkpoint_is_no_removal_of_a_container),
		cmocka_unit_test(queries_are_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
