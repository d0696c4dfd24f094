/* docker_body.c: what a call asks for a container, wherever that stands in its body. */
#include "docker_body.h"
#include <string.h>

#define TO_MAX 2

/* The first steps of a path, and what stands in their place. A path that is listed as it is stays. */
static const struct move {
	const char *from;
	unsigned steps;
	const char *to[TO_MAX];
} service[] = {
	{ "/Name", 1, { "Name" } },
	{ "/Labels", 1, { "Labels" } },
	{ "/EndpointSpec", 1, { "EndpointSpec" } },
	{ "/TaskTemplate/Networks", 2, { "TaskTemplate", "Networks" } },
	{ "/TaskTemplate/ContainerSpec/Privileges", 3, { "ContainerSpec", "Privileges" } },
	{ "/TaskTemplate/ContainerSpec/Image", 3, { "Image" } },
	{ "/TaskTemplate/ContainerSpec/Hostname", 3, { "Hostname" } },
	{ "/TaskTemplate/ContainerSpec/Labels", 3, { "Labels" } },
	{ "/TaskTemplate/ContainerSpec/Command", 3, { "Entrypoint" } },
	{ "/TaskTemplate/ContainerSpec/Args", 3, { "Cmd" } },
	{ "/TaskTemplate/ContainerSpec/Env", 3, { "Env" } },
	{ "/TaskTemplate/ContainerSpec/User", 3, { "User" } },
	{ "/TaskTemplate/ContainerSpec/Healthcheck", 3, { "Healthcheck" } },
	{ "/TaskTemplate/ContainerSpec/Mounts", 3, { "HostConfig", "Mounts" } },
	{ "/TaskTemplate/ContainerSpec/CapabilityAdd", 3, { "HostConfig", "CapAdd" } },
};

static const struct move start[] = { { "", 0, { "HostConfig" } } };

struct mover {
	const struct move *moves;
	size_t n;
	json_fn *fn;
	void *ctx;
};

static bool begins(const struct json_value *v, const struct move *m)
{
	struct json_value head = *v;

	head.depth = m->steps;
	return v->depth >= m->steps && (!m->steps || json_path_is(&head, m->from));
}

static void moved_value(void *ctx, const struct json_value *v)
{
	struct json_step path[JSON_DEPTH + TO_MAX] = { 0 };
	struct json_value to = *v;
	struct mover *mover = ctx;

	for (size_t i = 0; i < mover->n; i++) {
		const struct move *m = &mover->moves[i];
		unsigned k = 0;

		if (!begins(v, m))
			continue;
		for (; k < TO_MAX && m->to[k]; k++)
			path[k].key = span_of(m->to[k]);
		memcpy(path + k, v->path + m->steps, (v->depth - m->steps) * sizeof(*path));
		to.path = path;
		to.depth = v->depth - m->steps + k;
		mover->fn(mover->ctx, &to);
		return;
	}
}

enum json_end docker_body_walk(const struct docker_call *c, json_fn *fn, void *ctx)
{
	struct mover mover = { NULL, 0, fn, ctx };

	if (c->route->action == ACT_CONTAINER_START) {
		mover.moves = start;
		mover.n = ARRAY_SIZE(start);
	} else if (c->route->action == ACT_SERVICE) {
		mover.moves = service;
		mover.n = ARRAY_SIZE(service);
	} else {
		return json_walk(c->body, fn, ctx, NULL);
	}
	return json_walk(c->body, moved_value, &mover, NULL);
}
