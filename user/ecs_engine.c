/* ecs_engine.c: connections to engines, their calls, and containers as ECS field sets. */
#include <sys/socket.h>
#include "ecs_parts.h"

void ecs_container(struct jsonw *j, struct span id, struct span name, struct span image)
{
	if (!id.len && !name.len && !image.len)
		return;
	jsonw_obj(j, "container");
	ecs_text(j, "id", id);
	ecs_text(j, "name", name);
	if (image.len) {
		jsonw_obj(j, "image");
		jsonw_span(j, "name", image);
		jsonw_close(j);
	}
	jsonw_close(j);
}

void ecs_docker(struct jsonw *j, const struct docker_call *c)
{
	jsonw_obj(j, "http");
	jsonw_obj(j, "request");
	ecs_text(j, "method", c->method);
	jsonw_u64(j, "bytes", c->request_bytes);
	jsonw_close(j);
	if (c->status) {
		jsonw_obj(j, "response");
		jsonw_i64(j, "status_code", c->status);
		jsonw_close(j);
	}
	jsonw_close(j);
	jsonw_obj(j, "url");
	ecs_text(j, "path", c->path);
	ecs_text(j, "query", c->query);
	jsonw_close(j);
	if (c->user_agent.len) {
		jsonw_obj(j, "user_agent");
		jsonw_span(j, "original", c->user_agent);
		jsonw_close(j);
	}
	jsonw_obj(j, "network");
	jsonw_str(j, "transport", c->tcp ? "tcp" : "unix");
	jsonw_str(j, "application", "docker");
	jsonw_close(j);
	ecs_container(j, c->container_id, c->container_name, c->image_name);
}

void ecs_connect(struct jsonw *j, const struct fact *f)
{
	bool tcp = f->connect.family != AF_UNIX;

	jsonw_obj(j, "network");
	jsonw_str(j, "transport", tcp ? "tcp" : "unix");
	if (tcp)
		jsonw_str(j, "type", f->connect.family == AF_INET6 ? "ipv6" : "ipv4");
	jsonw_str(j, "application", "docker");
	jsonw_close(j);
	if (f->connect.address.len || tcp) {
		jsonw_obj(j, "destination");
		ecs_text(j, "address", f->connect.address);
		if (tcp)
			jsonw_u64(j, "port", f->connect.port);
		jsonw_close(j);
	}
	if (f->connect.error)
		ecs_error(j, f->connect.error, NULL);
}

static void config_write(struct jsonw *j, const struct docker_call *c)
{
	struct span body = c->body;

	switch (c->route->action) {
	case ACT_CONTAINER_CREATE:
	case ACT_CONTAINER_UPDATE:
	case ACT_EXEC_CREATE:
	case ACT_EXEC_START:
	case ACT_NETWORK_CREATE:
	case ACT_NETWORK_CONNECT:
	case ACT_NETWORK_DISCONNECT:
	case ACT_VOLUME_CREATE:
		break;
	default:
		return;
	}
	if (body.len > ECS_CONFIG) {
		body.len = ECS_CONFIG;
		jsonw_bool(j, "config_cut", true);
	}
	ecs_text(j, "config", body);
}

void ecs_docker_invigil(struct jsonw *j, const struct docker_call *c, bool whole)
{
	jsonw_obj(j, "docker");
	ecs_text(j, "endpoint", c->endpoint);
	jsonw_str(j, "object",
		  c->route->object == OBJ_NONE ? NULL : docker_object_text(c->route->object));
	ecs_text(j, "target", c->target);
	jsonw_str(j, "owner", owner_text(c->owner));
	jsonw_bool(j, "complete", c->request_complete);
	if (c->status)
		jsonw_bool(j, "response_complete", c->response_complete);
	jsonw_bool(j, "verified", c->verified);
	ecs_text(j, "created_id", c->created_id);
	if (c->pruned_own || c->pruned_other) {
		jsonw_obj(j, "pruned");
		jsonw_u64(j, "own", c->pruned_own);
		jsonw_u64(j, "other", c->pruned_other);
		jsonw_close(j);
	}
	if (whole)
		config_write(j, c);
	jsonw_close(j);
}

void ecs_connect_invigil(struct jsonw *j, const struct fact *f)
{
	jsonw_obj(j, "docker");
	ecs_text(j, "asked_path", f->connect.asked);
	if (f->connect.listener_pid)
		jsonw_u64(j, "listener_pid", f->connect.listener_pid);
	if (f->connect.listener_name && f->connect.listener_name[0])
		jsonw_str(j, "listener_name", f->connect.listener_name);
	jsonw_bool(j, "verified", f->connect.verified);
	jsonw_bool(j, "late", f->connect.late);
	jsonw_close(j);
}
