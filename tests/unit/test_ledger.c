/* test_ledger.c: ownership by id, prefix, name and tag. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "ledger.h"

#define ID         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FOREIGN_ID "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void call(struct ledger *l, struct docker_call *c, const char *method, const char *path,
		 const char *query, const char *response)
{
	c->method = span_of(method);
	c->route = docker_route(c->method, span_of(path), &c->target, &c->endpoint);
	c->query = span_of(query);
	c->status = 200;
	c->response = span_of(response);
	c->response_complete = true;
	ledger_inspect(l, c);
	ledger_judge(l, c);
	ledger_learn(l, c);
}

static void a_name_like_a_foreign_id_does_not_give_it(void **s)
{
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { .created_id = SPAN(ID) };

	(void)s;
	c.route = docker_route(SPAN("POST"), SPAN("/containers/create"), &c.target, &c.endpoint);
	c.target = SPAN(FOREIGN_ID);
	c.status = 201;
	ledger_learn(l, &c);
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, SPAN("012345")), OWNER_OWN);
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, SPAN("012")), OWNER_FOREIGN);
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, SPAN(FOREIGN_ID)), OWNER_FOREIGN);
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/containers/012345/rename", "name=b", "");
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, SPAN("/b")), OWNER_OWN);
	ledger_free(l);
}

static void tagging_a_foreign_image_gives_the_tag_alone(void **s)
{
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { 0 };

	(void)s;
	call(l, &c, "POST", "/images/sha256:" FOREIGN_ID "/tag", "repo=mine&tag=1", "");
	assert_int_equal(ledger_owner(l, OBJ_IMAGE, SPAN("mine:1")), OWNER_OWN);
	assert_int_equal(ledger_owner(l, OBJ_IMAGE, SPAN("mine")), OWNER_FOREIGN);
	assert_int_equal(ledger_owner(l, OBJ_IMAGE, SPAN("sha256:" FOREIGN_ID)), OWNER_FOREIGN);
	ledger_free(l);
}

static void count(void *ctx, enum docker_object kind, struct span id, struct span name)
{
	(void)kind;
	(void)id;
	(void)name;
	++*(int *)ctx;
}

static int alive(const struct ledger *l)
{
	int n = 0;

	ledger_left(l, count, &n);
	return n;
}

static void what_was_pulled_has_its_digest_s_name_too(void **s)
{
	static const char new[] = "{\"status\":\"Digest: sha256:" ID "\"}\r\n"
				  "{\"status\":\"Status: Downloaded newer image for r/x:1\"}\r\n",
			  old[] = "{\"status\":\"Digest: sha256:" ID "\"}\r\n"
				  "{\"status\":\"Status: Image is up to date for r/x:1\"}\r\n";
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { 0 };

	(void)s;
	call(l, &c, "POST", "/images/create", "fromImage=r/x&tag=1", old);
	assert_int_equal(ledger_owner(l, OBJ_IMAGE, SPAN("r/x@sha256:" ID)), OWNER_FOREIGN);
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/images/create", "fromImage=r/x&tag=1", new);
	assert_int_equal(ledger_owner(l, OBJ_IMAGE, SPAN("r/x:1")), OWNER_OWN);
	assert_int_equal(ledger_owner(l, OBJ_IMAGE, SPAN("r/x@sha256:" ID)), OWNER_OWN);
	assert_int_equal(ledger_owner(l, OBJ_IMAGE, SPAN("r/y@sha256:" ID)), OWNER_FOREIGN);
	assert_int_equal(alive(l), 1);
	ledger_free(l);
	/* Pulled by its digest it has that name alone. */
	l = ledger_new(NULL, 0);
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/images/create", "fromImage=r/x&tag=sha256%3A" ID, new);
	assert_int_equal(ledger_owner(l, OBJ_IMAGE, SPAN("r/x@sha256:" ID)), OWNER_OWN);
	assert_int_equal(alive(l), 1);
	ledger_free(l);
}

static void a_digest_goes_with_its_tag(void **s)
{
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { 0 };

	(void)s;
	call(l, &c, "POST", "/images/create", "fromImage=x", "{\"status\":\"Downloaded\"}");
	c = (struct docker_call){ 0 };
	call(l, &c, "DELETE", "/images/x", "",
	     "[{\"Untagged\":\"x:latest\"},{\"Untagged\":\"x@sha256:" ID "\"}]");
	assert_false(c.removed_names_foreign);
	call(l, &c, "POST", "/images/create", "fromImage=x", "{\"status\":\"Downloaded\"}");
	c = (struct docker_call){ 0 };
	call(l, &c, "DELETE", "/images/x", "",
	     "[{\"Untagged\":\"x:latest\"},{\"Untagged\":\"y:latest\"}]");
	assert_true(c.removed_names_foreign);
	ledger_free(l);
}

/* What a call of that path, query and body is to share, with '|' for each NUL. */
static void shares_are(const struct ledger *l, const char *path, const char *query,
		       const char *body, const char *wanted)
{
	struct docker_call c = { .query = span_of(query), .body = span_of(body) };
	struct buf out = { 0 };

	c.route = docker_route(SPAN("POST"), span_of(path), &c.target, &c.endpoint);
	ledger_shares(l, &c, &out);
	for (size_t i = 0; i < out.len; i++)
		if (!out.ptr[i])
			out.ptr[i] = '|';
	assert_string_equal(out.len ? out.ptr : "", wanted);
	buf_free(&out);
}

static enum owner inspected(struct ledger *l, const char *name, const char *containers)
{
	struct docker_call c = { .owner = OWNER_NONE };
	struct buf path = { 0 }, answer = { 0 };

	buf_fmt(&path, "/networks/%s", name);
	buf_fmt(&answer, "{\"Name\":\"%s\",\"Id\":\"" FOREIGN_ID "\",\"Containers\":{%s}}", name,
		containers);
	call(l, &c, "GET", path.ptr, "", answer.ptr);
	buf_free(&path);
	buf_free(&answer);
	return c.owner;
}

static void the_engine_s_own_networks_are_nobody_s_until_others_are_on_them(void **s)
{
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { .created_id = SPAN(ID) };

	(void)s;
	c.route = docker_route(SPAN("POST"), SPAN("/containers/create"), &c.target, &c.endpoint);
	c.status = 201;
	ledger_learn(l, &c);
	assert_int_equal(inspected(l, "none", ""), OWNER_NONE);
	assert_int_equal(inspected(l, "bridge", "\"" ID "\":{\"Name\":\"mine\"}"), OWNER_NONE);
	assert_int_equal(inspected(l, "bridge", "\"" FOREIGN_ID "\":{\"Name\":\"x\"}"),
			 OWNER_FOREIGN);
	assert_int_equal(inspected(l, "bridges", ""), OWNER_FOREIGN);
	ledger_free(l);
}

static void the_host_s_network_is_known_by_its_id(void **s)
{
	static const char body[] =
		"{\"TaskTemplate\":{\"Networks\":[{\"Target\":\"" FOREIGN_ID "\"}]}}";
	struct ledger *l = ledger_new(NULL, 0);

	(void)s;
	shares_are(l, "/services/create", "", body, "");
	inspected(l, "none", "");
	shares_are(l, "/services/create", "", body, "");
	inspected(l, "host", "");
	shares_are(l, "/services/create", "", body, SHARES_HOST "|");
	ledger_free(l);
}

static void a_container_of_a_build_is_its_own_when_its_step_was_seen(void **s)
{
	struct ledger *l = ledger_new(NULL, 0);

	(void)s;
	assert_true(ledger_build_container(l, SPAN("0123456789ab"), SPAN("busy:1"), false));
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, SPAN(ID)), OWNER_UNKNOWN);
	assert_false(ledger_build_container(l, SPAN(ID), SPAN(""), true));
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, SPAN(ID)), OWNER_OWN);
	assert_int_equal(alive(l), 1);
	ledger_build_gone(l, SPAN("0123456789ab"));
	assert_int_equal(alive(l), 0);
	/* Of a quiet build nobody says that its containers are removed. */
	assert_true(ledger_build_container(l, SPAN(FOREIGN_ID), SPAN(""), true));
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, SPAN(FOREIGN_ID)), OWNER_OWN);
	assert_int_equal(alive(l), 0);
	ledger_free(l);
}

static void a_prune_of_the_build_cache_takes_what_may_be_anybody_s(void **s)
{
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { 0 };

	(void)s;
	call(l, &c, "POST", "/build/prune", "",
	     "{\"CachesDeleted\":[\"a\",\"b\"],\"SpaceReclaimed\":1}");
	assert_int_equal(c.pruned_other, 2);
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/build/prune", "", "{\"CachesDeleted\":null,\"SpaceReclaimed\":0}");
	assert_int_equal(c.pruned_other, 0);
	assert_false(c.pruned_unreadable);
	ledger_free(l);
}

static void a_prune_counts_what_is_not_the_run_s(void **s)
{
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { 0 };

	(void)s;
	call(l, &c, "POST", "/images/create", "fromImage=x", "{\"status\":\"Downloaded\"}");
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/images/prune", "",
	     "{\"ImagesDeleted\":[{\"Untagged\":\"x:latest\"},"
	     "{\"Deleted\":\"sha256:" ID "\"},{\"Untagged\":\"y:latest\"}]}");
	assert_int_equal(c.pruned_own, 2);
	assert_int_equal(c.pruned_other, 1);
	assert_false(c.pruned_unreadable);
	ledger_free(l);
}

#define LOADED  "{\"stream\":\"Loaded image: x:1\\n\"}"
#define DELETED "{\"Deleted\":\"sha256:" FOREIGN_ID "\"}"

static enum owner removed_by_id(struct ledger *l, const char *response)
{
	struct docker_call c = { 0 };

	call(l, &c, "DELETE", "/images/" FOREIGN_ID, "force=1", response);
	return c.owner;
}

/* `docker rmi $(docker images -q x)`: a load and a pull tell a name alone. */
static void an_image_is_removed_by_an_id_that_no_answer_told(void **s)
{
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { 0 };

	(void)s;
	call(l, &c, "POST", "/images/load", "", LOADED);
	assert_int_equal(removed_by_id(l, "[{\"Untagged\":\"x:1\"}," DELETED "]"), OWNER_OWN);
	assert_int_equal(removed_by_id(l, "[{\"Untagged\":\"x:1\"}," DELETED "]"), OWNER_FOREIGN);
	call(l, &c, "POST", "/images/load", "", LOADED);
	assert_int_equal(removed_by_id(l, "[" DELETED "]"), OWNER_FOREIGN);
	assert_int_equal(
		removed_by_id(l, "[{\"Untagged\":\"x:1\"},{\"Untagged\":\"y:1\"}," DELETED "]"),
		OWNER_FOREIGN);
	ledger_free(l);
}

static void a_tag_of_the_run_s_does_not_make_a_foreign_image_its_own(void **s)
{
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { 0 };

	(void)s;
	call(l, &c, "POST", "/images/" FOREIGN_ID "/tag", "repo=mine&tag=1", "");
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/images/mine:1/tag", "repo=again", "");
	assert_int_equal(removed_by_id(l, "[{\"Untagged\":\"again:latest\"}," DELETED "]"),
			 OWNER_FOREIGN);
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/images/prune", "",
	     "{\"ImagesDeleted\":[{\"Untagged\":\"mine:1\"}," DELETED "]}");
	assert_int_equal(c.pruned_other, 1);
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/images/load", "", LOADED);
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/images/x:1/tag", "repo=y", "");
	assert_int_equal(removed_by_id(l, "[{\"Untagged\":\"y:latest\"}," DELETED "]"), OWNER_OWN);
	ledger_free(l);
}

static char left_at[256];

static void left_on(void *ctx, enum docker_object kind, struct span id, struct span name)
{
	struct span s = name.len ? name : id;
	size_t n = strlen(left_at);

	(void)ctx;
	snprintf(left_at + n, sizeof(left_at) - n, "%s%s %.*s", n ? ", " : "",
		 docker_object_text(kind), (int)(s.len > 20 ? 20 : s.len), s.ptr);
}

static const char *left(const struct ledger *l)
{
	*left_at = 0;
	ledger_left(l, left_on, NULL);
	return left_at;
}

static void an_image_without_a_name_is_left_behind_until_it_goes_or_gets_one(void **s)
{
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { .created_id = SPAN("sha256:" ID) };

	(void)s;
	ledger_build_image(l, SPAN(FOREIGN_ID)); /* a step's */
	assert_string_equal(left(l), "");
	call(l, &c, "POST", "/build", "", "");
	assert_string_equal(left(l), "image sha256:0123456789abc");
	c = (struct docker_call){ 0 };
	call(l, &c, "DELETE", "/images/" ID, "", "[{\"Deleted\":\"sha256:" ID "\"}]");
	assert_string_equal(left(l), "");
	c = (struct docker_call){ .created_id = SPAN("sha256:" ID) };
	call(l, &c, "POST", "/commit", "container=x", "");
	assert_string_equal(left(l), "image sha256:0123456789abc");
	call(l, &c, "POST", "/build", "t=x", "");
	assert_string_equal(left(l), "image x:latest");
	call(l, &c, "POST", "/build", "", ""); /* from its cache */
	assert_string_equal(left(l), "image x:latest");
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/images/load", "", "{\"stream\":\"Loaded image ID: sha256:f00\"}");
	assert_string_equal(left(l), "image x:latest, image f00");
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/images/f00/tag", "repo=y", "");
	assert_string_equal(left(l), "image x:latest, image y:latest");
	ledger_free(l);
}

static enum owner swarm_left(struct ledger *l)
{
	struct docker_call c = { 0 };

	call(l, &c, "POST", "/swarm/leave", "force=1", "");
	return c.owner;
}

static void swarm_call(struct ledger *l, const char *path, const char *name)
{
	struct docker_call c = { .target = span_of(name) };

	c.route = docker_route(SPAN("POST"), span_of(path), &c.target, &c.endpoint);
	c.target = span_of(name);
	c.status = 201;
	ledger_judge(l, &c);
	ledger_learn(l, &c);
}

static void what_is_in_a_swarm_of_the_run_s_ends_with_it(void **s)
{
	struct ledger *l = ledger_new(NULL, 0);

	(void)s;
	assert_int_equal(swarm_left(l), OWNER_FOREIGN);
	swarm_call(l, "/swarm/init", "");
	swarm_call(l, "/services/create", "web");
	assert_string_equal(left(l), "swarm of this engine, swarm web");
	assert_int_equal(swarm_left(l), OWNER_OWN);
	assert_string_equal(left(l), "");
	assert_int_equal(swarm_left(l), OWNER_FOREIGN);
	/* Another's goes on without this engine, and so does what was made in it. */
	swarm_call(l, "/swarm/join", "");
	swarm_call(l, "/services/create", "web");
	assert_string_equal(left(l), "swarm joined by this engin, swarm web");
	assert_int_equal(swarm_left(l), OWNER_OWN);
	assert_string_equal(left(l), "swarm web");
	ledger_blind(l);
	assert_int_equal(swarm_left(l), OWNER_UNKNOWN);
	ledger_free(l);
}

static void what_an_engine_s_own_call_makes_is_not_known(void **s)
{
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { 0 };

	(void)s;
	call(l, &c, "GET", "/v4.0.0/libpod/volumes/json", "", "[]");
	assert_false(call_is_unknown_change(&c));
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/v1.41/auth", "", "{}");
	assert_false(call_is_unknown_change(&c));
	assert_int_equal(ledger_owner(l, OBJ_VOLUME, SPAN("foo1")), OWNER_FOREIGN);
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/v4.0.0/libpod/volumes/create", "", "{\"Name\":\"foo1\"}");
	assert_true(call_is_unknown_change(&c));
	assert_int_equal(ledger_owner(l, OBJ_VOLUME, SPAN("foo1")), OWNER_UNKNOWN);
	c.status = 500;
	assert_false(call_is_unknown_change(&c));
	ledger_free(l);
}

static void selectors_make_objects_own(void **s)
{
	struct selector own[] = { { OWN_NAME, "ci-*", NULL }, { OWN_ID, "fedcba", NULL } };
	struct ledger *l = ledger_new(own, 2);

	(void)s;
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, SPAN("/ci-1")), OWNER_OWN);
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, SPAN(FOREIGN_ID)), OWNER_OWN);
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, SPAN("x")), OWNER_FOREIGN);
	ledger_free(l);
}

static void an_answer_tells_what_a_selector_gives(void **s)
{
	struct selector own[] = { { OWN_NAME, "ci-*", NULL }, { OWN_ID, "fedcba", NULL } };
	struct ledger *l = ledger_new(own, 2);
	struct docker_call c = { .owner = OWNER_NONE };
	struct span id, name, image;

	(void)s;
	assert_false(ledger_given(l, SPAN(ID)));
	call(l, &c, "GET", "/containers/0123/json", "",
	     "{\"Id\":\"" ID "\",\"Name\":\"/ci-1\",\"Config\":{\"Image\":\"busy:1\"}}");
	assert_int_equal(c.owner, OWNER_OWN);
	/* Asked for by its id, and the selector has its name. */
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, SPAN("0123456")), OWNER_OWN);
	assert_true(ledger_lookup(l, OBJ_CONTAINER, SPAN("ci-1"), &id, &name, &image));
	assert_true(span_eq(id, ID) && span_eq(name, "ci-1") && span_eq(image, "busy:1"));
	assert_true(ledger_given(l, SPAN(ID)));
	assert_false(ledger_given(l, SPAN(ID)));
	/* Given by the beginning of its id, and never inspected; then asked for by its name. */
	assert_true(ledger_given(l, SPAN(FOREIGN_ID)));
	assert_false(ledger_given(l, SPAN("fedcba987654")));
	c = (struct docker_call){ 0 };
	call(l, &c, "GET", "/containers/web/json", "",
	     "{\"Id\":\"" FOREIGN_ID "\",\"Name\":\"/web\"}");
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, SPAN("web")), OWNER_OWN);
	assert_false(ledger_given(l, SPAN(FOREIGN_ID)));
	ledger_free(l);
}

static bool reads(const char *method, const char *path)
{
	struct span name, rest;

	return ledger_reads(docker_route(span_of(method), span_of(path), &name, &rest));
}

static void answers_that_tell_something_are_read(void **s)
{
	(void)s;
	assert_true(reads("GET", "/v1.41/containers/web/json"));
	assert_true(reads("POST", "/containers/create"));
	assert_true(reads("POST", "/build/prune"));
	assert_false(reads("GET", "/containers/json"));
	assert_false(reads("GET", "/version"));
}

static void what_the_run_creates_is_not_given(void **s)
{
	struct selector own[] = { { OWN_NAME, "*", NULL } };
	struct ledger *l = ledger_new(own, 1);
	struct docker_call c = { .created_id = SPAN(ID) };

	(void)s;
	c.route = docker_route(SPAN("POST"), SPAN("/containers/create"), &c.target, &c.endpoint);
	c.status = 201;
	ledger_learn(l, &c);
	assert_false(ledger_given(l, SPAN(ID)));
	ledger_free(l);
}

static void an_exec_in_a_container_that_is_not_known_has_not_its_own_id(void **s)
{
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { .created_id = SPAN(ID) };
	struct span id, name, image;

	(void)s;
	call(l, &c, "POST", "/containers/web/exec", "", "");
	assert_true(ledger_lookup(l, OBJ_EXEC, SPAN(ID), &id, &name, &image));
	assert_true(!id.len && span_eq(name, "web"));
	c = (struct docker_call){ .created_id = SPAN(ID) };
	ledger_free(l);
	l = ledger_new(NULL, 0);
	call(l, &c, "POST", "/containers/" FOREIGN_ID "/exec", "", "");
	assert_true(ledger_lookup(l, OBJ_EXEC, SPAN(ID), &id, &name, &image));
	assert_true(!name.len && span_eq(id, FOREIGN_ID));
	ledger_free(l);
}

static void what_is_a_foreign_container_s_is_shared_and_nothing_else(void **s)
{
	static const char create[] = "/containers/create", build[] = "/v1.41/build";
	struct selector own[] = { { OWN_NAME, "ci-*", NULL } };
	struct ledger *l = ledger_new(own, 1);
	struct docker_call c = { .created_id = SPAN(ID) };

	(void)s;
	c.route = docker_route(SPAN("POST"), SPAN(create), &c.target, &c.endpoint);
	c.target = SPAN("mine");
	c.status = 201;
	ledger_learn(l, &c);
	shares_are(l, create, "", "{\"HostConfig\":{\"NetworkMode\":\"container:x\"}}",
		   "NetworkMode=container:x|");
	shares_are(l, create, "", "{\"hostconfig\":{\"PIDMODE\":\"container:" FOREIGN_ID "\"}}",
		   "PidMode=container:" FOREIGN_ID "|");
	shares_are(
		l, create, "",
		"{\"HostConfig\":{\"IpcMode\":\"container:x\",\"VolumesFrom\":[\"mine\",\"y:ro\"]}}",
		"IpcMode=container:x|VolumesFrom=y:ro|");
	shares_are(l, build, "networkmode=container%3Ax", "", "networkmode=container:x|");
	shares_are(l, "/v1.23/containers/z/start", "", "{\"PidMode\":\"container:x\"}",
		   "PidMode=container:x|");
	/* Its own, by name, by the beginning of the id, by --own; and what names no container. */
	shares_are(
		l, create, "",
		"{\"HostConfig\":{\"NetworkMode\":\"container:mine\",\"PidMode\":\"container:012345\","
		"\"IpcMode\":\"shareable\",\"VolumesFrom\":[\"ci-1\",\"mine:ro\"]}}",
		"");
	shares_are(l, build, "networkmode=container:mine", "", "");
	shares_are(l, create, "", "{\"HostConfig\":{\"NetworkMode\":\"containers:x\"}}", "");
	shares_are(l, create, "", "{\"PidMode\":\"container:x\"}", "");
	/* Nobody knows whose it is. */
	ledger_blind(l);
	shares_are(l, create, "", "{\"HostConfig\":{\"NetworkMode\":\"container:x\"}}", "");
	ledger_free(l);
}

static enum owner volume_made(const char *created_at, const char *date)
{
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { .created_id = SPAN("data"), .date = span_of(date) };
	struct buf answer = { 0 };
	enum owner o;

	buf_fmt(&answer, "{\"CreatedAt\":\"%s\",\"Name\":\"data\"}", created_at);
	call(l, &c, "POST", "/volumes/create", "", answer.ptr);
	o = ledger_owner(l, OBJ_VOLUME, SPAN("data"));
	buf_free(&answer);
	ledger_free(l);
	return o;
}

static void a_volume_that_was_there_before_its_create_is_foreign(void **s)
{
	static const char date[] = "Tue, 24 Nov 2026 15:18:46 GMT";

	(void)s;
	assert_int_equal(volume_made("2026-11-24T15:18:46Z", date), OWNER_OWN);
	assert_int_equal(volume_made("2026-11-24T15:18:45.9Z", date), OWNER_OWN);
	assert_int_equal(volume_made("2026-11-24T17:18:46+02:00", date), OWNER_OWN);
	assert_int_equal(volume_made("2026-11-24T15:18:40Z", date), OWNER_FOREIGN);
	assert_int_equal(volume_made("2026-11-24T15:18:46+02:00", date), OWNER_FOREIGN);
	assert_int_equal(volume_made("2025-11-24T15:18:46Z", date), OWNER_FOREIGN);
	/* What is no time tells nothing. */
	assert_int_equal(volume_made("2025-11-24", date), OWNER_OWN);
	assert_int_equal(volume_made("2025-11-24T15:18:46Z", "yesterday"), OWNER_OWN);
}

/* A value becomes a secret when a container gets it as its password; what was made before has it in its name. */
static void a_name_is_found_again_when_a_part_of_it_has_become_a_secret(void **s)
{
	static const uint8_t seed[32] = { 1 };
	struct masker m = { 0 };
	struct ledger *l = ledger_new(NULL, 0);
	struct docker_call c = { .created_id = SPAN(ID) };
	char secret[] = "DB_PASSWORD=salamander", name[] = "shop_salamander_db_1",
	     other[] = "shop_salamandre_db_1", image[] = "salamander:1";
	struct span id, display, from;

	(void)s;
	masker_init(&m, seed);
	c.route = docker_route(SPAN("POST"), SPAN("/containers/create"), &c.target, &c.endpoint);
	c.target = SPAN("shop_salamander_db_1");
	c.image_name = SPAN("salamander:1");
	c.status = 201;
	ledger_learn(l, &c);
	c = (struct docker_call){ 0 };
	call(l, &c, "POST", "/images/sha256:" FOREIGN_ID "/tag", "repo=salamander&tag=1", "");
	scrub_environment(&m, secret, sizeof(secret));
	assert_int_equal(scrub_bytes(&m, name, strlen(name)), 1);
	scrub_bytes(&m, other, strlen(other));
	scrub_bytes(&m, image, strlen(image));
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, span_of(name)), OWNER_FOREIGN);
	ledger_mask(l, &m);
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, span_of(name)), OWNER_OWN);
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, span_of(other)), OWNER_FOREIGN);
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, SPAN(ID)), OWNER_OWN);
	assert_int_equal(ledger_owner(l, OBJ_IMAGE, span_of(image)), OWNER_OWN);
	assert_true(ledger_lookup(l, OBJ_CONTAINER, SPAN(ID), &id, &display, &from));
	assert_true(masker_find(&m, display) && masker_find(&m, from));
	/* Removed by that name it is gone. */
	c = (struct docker_call){ 0 };
	c.route = docker_route(SPAN("DELETE"), SPAN("/containers/x"), &c.target, &c.endpoint);
	c.target = span_of(name);
	c.status = 204;
	ledger_learn(l, &c);
	assert_int_equal(ledger_owner(l, OBJ_CONTAINER, span_of(name)), OWNER_FOREIGN);
	ledger_free(l);
	masker_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_like_a_foreign_id_does_not_give_it),
		cmocka_unit_test(tagging_a_foreign_image_gives_the_tag_alone),
		cmocka_unit_test(what_was_pulled_has_its_digest_s_name_too),
		cmocka_unit_test(a_digest_goes_with_its_tag),
		cmocka_unit_test(the_engine_s_own_networks_are_nobody_s_until_others_are_on_them),
		cmocka_unit_test(the_host_s_network_is_known_by_its_id),
		cmocka_unit_test(a_container_of_a_build_is_its_own_when_its_step_was_seen),
		cmocka_unit_test(a_prune_of_the_build_cache_takes_what_may_be_anybody_s),
		cmocka_unit_test(a_prune_counts_what_is_not_the_run_s),
		cmocka_unit_test(an_image_is_removed_by_an_id_that_no_answer_told),
		cmocka_unit_test(a_tag_of_the_run_s_does_not_make_a_foreign_image_its_own),
		cmocka_unit_test(an_image_without_a_name_is_left_behind_until_it_goes_or_gets_one),
		cmocka_unit_test(what_is_in_a_swarm_of_the_run_s_ends_with_it),
		cmocka_unit_test(what_an_engine_s_own_call_makes_is_not_known),
		cmocka_unit_test(selectors_make_objects_own),
		cmocka_unit_test(an_answer_tells_what_a_selector_gives),
		cmocka_unit_test(answers_that_tell_something_are_read),
		cmocka_unit_test(what_the_run_creates_is_not_given),
		cmocka_unit_test(an_exec_in_a_container_that_is_not_known_has_not_its_own_id),
		cmocka_unit_test(what_is_a_foreign_container_s_is_shared_and_nothing_else),
		cmocka_unit_test(a_volume_that_was_there_before_its_create_is_foreign),
		cmocka_unit_test(a_name_is_found_again_when_a_part_of_it_has_become_a_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
