/* docker_call.c: what one request to the Engine and its answer say: target, created object, Dockerfile. */
#include "docker_call.h"
#include <string.h>
#include "jsonr.h"
#include "tar.h"

static void value_skip(void *ctx, const struct json_value *v)
{
	(void)ctx;
	(void)v;
}

/* "Successfully built ID", or with quiet the id alone. */
static struct span said_id(struct span s)
{
	size_t from = span_starts(s, "Successfully built ") ? 19 : 0;
	size_t n = span_starts(s, "sha256:") ? 7 : from;

	if (!n)
		return (struct span){ NULL, 0 };
	while (n < s.len && s.ptr[n] && strchr("0123456789abcdef", s.ptr[n]))
		n++;
	return (struct span){ s.ptr + from, n - from };
}

/* Of a build's stream of objects: the last id in it counts. */
static void build_id(struct span rest, struct buf *out)
{
	struct buf id = { 0 }, text = { 0 };
	size_t used = 0;

	while (rest.len) {
		if (json_string_at(rest, "/aux/ID", &id) && id.len) {
			buf_reset(out);
			buf_add(out, id.ptr, id.len);
		} else if (!span_starts((struct span){ out->ptr, out->len }, "sha256:") &&
			   json_string_at(rest, "/stream", &text)) {
			struct span s = said_id((struct span){ text.ptr, text.len });

			if (s.len) {
				buf_reset(out);
				buf_add(out, s.ptr, s.len);
			}
		}
		if (json_walk(rest, value_skip, NULL, &used) != JSON_OK || !used || used > rest.len)
			break;
		rest.ptr += used;
		rest.len -= used;
		while (rest.len && *rest.ptr && strchr(" \t\r\n", *rest.ptr)) {
			rest.ptr++;
			rest.len--;
		}
	}
	buf_free(&id);
	buf_free(&text);
}

void call_created_id(const struct docker_call *c, struct buf *out)
{
	buf_reset(out);
	switch (c->route->action) {
	case ACT_CONTAINER_CREATE:
	case ACT_EXEC_CREATE:
	case ACT_NETWORK_CREATE:
	case ACT_CONTAINER_COMMIT:
		json_string_at(c->response, "/Id", out);
		break;
	case ACT_VOLUME_CREATE:
		json_string_at(c->response, "/Name", out);
		break;
	case ACT_SWARM:
	case ACT_SERVICE:
		if (c->route->change == CHANGE_CREATION)
			json_string_at(c->response, "/ID", out);
		break;
	case ACT_IMAGE_BUILD:
		build_id(c->response, out);
		break;
	default:
		break;
	}
}

void call_target(struct docker_call *c, struct buf *out)
{
	const char *key = NULL;

	switch (c->route->action) {
	case ACT_CONTAINER_CREATE:
		key = "name";
		break;
	case ACT_CONTAINER_COMMIT:
		key = "container";
		break;
	case ACT_NETWORK_CREATE:
	case ACT_VOLUME_CREATE:
		json_string_at(c->body, "/Name", out);
		break;
	case ACT_SWARM:
	case ACT_SERVICE:
		if (c->route->change == CHANGE_CREATION)
			json_string_at(c->body, "/Name", out);
		break;
	case ACT_PLUGIN:
		if (c->route->change == CHANGE_CREATION && !docker_query(c->query, "name", 0, out))
			key = "remote";
		break;
	default:
		return;
	}
	if (key)
		docker_query(c->query, key, 0, out);
	if (out->len)
		c->target = (struct span){ out->ptr, out->len };
}

void call_dockerfile(struct docker_call *c, struct span context)
{
	struct buf name = { 0 };

	if (!docker_query(c->query, "dockerfile", 0, &name) || !name.len) {
		buf_reset(&name);
		buf_str(&name, "Dockerfile");
	}
	tar_find(context, (struct span){ name.ptr, name.len }, &c->dockerfile,
		 &c->dockerfile_complete);
	buf_free(&name);
}

struct span target_split(struct span target, struct span *path)
{
	const char *q;

	/* An absolute target names the host first. */
	if (target.len && *target.ptr != '/') {
		long at = span_find(target, SPAN("://"));

		if (at > 0) {
			const char *slash = memchr(target.ptr + at + 3, '/', target.len - at - 3);

			if (slash)
				target = (struct span){ slash, target.len - (slash - target.ptr) };
		}
	}
	q = target.len ? memchr(target.ptr, '?', target.len) : NULL;
	*path = (struct span){ target.ptr, q ? (size_t)(q - target.ptr) : target.len };
	return q ? (struct span){ q + 1, target.len - (q + 1 - target.ptr) }
		 : (struct span){ NULL, 0 };
}

bool path_is_docker(bool tcp, struct span method, struct span path)
{
	static const char *const steps[] = { "containers",   "images",  "exec",    "networks",
					     "volumes",      "build",   "info",    "version",
					     "events",       "system",  "auth",    "session",
					     "grpc",         "swarm",   "nodes",   "services",
					     "tasks",        "secrets", "configs", "plugins",
					     "distribution", "commit",  "_ping",   "libpod" };
	struct span name, rest;
	const struct docker_route *r = docker_route(method, path, &name, &rest);

	if (rest.ptr == path.ptr)
		/* Without a version: over TCP only what no other service is likely to have. */
		return r->action != ACT_REQUEST &&
		       (!tcp || span_starts(path, "/_ping") || span_starts(path, "/containers/") ||
			span_starts(path, "/images/") || span_starts(path, "/exec/"));
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		size_t n = strlen(steps[i]);

		if (rest.len > n && !memcmp(rest.ptr + 1, steps[i], n) &&
		    (rest.len == n + 1 || rest.ptr[n + 1] == '/'))
			return true;
	}
	return false;
}

bool route_streams(const struct docker_route *route, struct span target)
{
	struct span path, query = target_split(target, &path);
	struct buf v = { 0 };
	bool yes = false, given;

	switch (route->action) {
	case ACT_SYSTEM_EVENTS:
	case ACT_CONTAINER_ATTACH:
		yes = true;
		break;
	case ACT_CONTAINER_LOGS:
		yes = docker_query(query, "follow", 0, &v) &&
		      docker_bool((struct span){ v.ptr, v.len });
		break;
	case ACT_CONTAINER_STATS:
		given = docker_query(query, "stream", 0, &v);
		yes = !given || docker_bool((struct span){ v.ptr, v.len });
		break;
	default:
		break;
	}
	buf_free(&v);
	return yes;
}
