/* ledger_shares.c: foreign containers whose namespaces or volumes a container or a build is to share; the host's network. */
#include "ledger_state.h"
#include <string.h>
#include "jsonr.h"

struct shares {
	const struct ledger *l;
	struct buf *out;
	size_t skip; /* letters of a path that are not in the body */
};

/* value: "container:x", or of a volume "x:ro"; name: x */
static void share_add(const struct shares *s, const char *member, struct span value,
		      struct span name)
{
	if (ledger_owner(s->l, OBJ_CONTAINER, name) != OWNER_FOREIGN)
		return;
	buf_fmt(s->out, "%s=", member);
	buf_add(s->out, value.ptr, strnlen(value.ptr, value.len));
	buf_byte(s->out, 0);
}

/* As the Engine's container.NetworkMode, PidMode and IpcMode have it: the word's case counts. */
static void mode_look(const struct shares *s, const char *member, struct span mode)
{
	static const char word[] = "container:";
	size_t n = sizeof(word) - 1;

	if (span_starts(mode, word))
		share_add(s, member, mode, (struct span){ mode.ptr + n, mode.len - n });
}

static void on_member(void *ctx, const struct json_value *v)
{
	static const char *const modes[] = { "/HostConfig/NetworkMode", "/HostConfig/PidMode",
					     "/HostConfig/IpcMode" };
	const struct shares *s = ctx;
	struct span name = v->text;
	const char *colon;

	if (v->type != JSON_STRING)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (json_path_is(v, modes[i] + s->skip))
			mode_look(s, strrchr(modes[i], '/') + 1, name);
	if (!json_path_is(v, &"/HostConfig/VolumesFrom/*"[s->skip]))
		return;
	colon = name.len ? memchr(name.ptr, ':', name.len) : NULL;
	if (colon)
		name.len = (size_t)(colon - name.ptr);
	share_add(s, "VolumesFrom", v->text, name);
}

static void on_network(void *ctx, const struct json_value *v)
{
	const struct shares *s = ctx;
	struct span host = { s->l->host.ptr, s->l->host.len };

	if (v->type == JSON_STRING && host.len && span_eq_span(v->text, host) &&
	    json_path_is(v, "/TaskTemplate/Networks/*/Target"))
		buf_add(s->out, SHARES_HOST, sizeof(SHARES_HOST));
}

void ledger_shares(const struct ledger *l, const struct docker_call *call, struct buf *out)
{
	struct shares s = { .l = l, .out = out };
	struct buf mode = { 0 };

	buf_reset(out);
	switch (call->route->action) {
	case ACT_CONTAINER_START: /* before API 1.24: its body is a HostConfig */
		s.skip = strlen("/HostConfig");
		/* fall through */
	case ACT_CONTAINER_CREATE:
		json_walk(call->body, on_member, &s, NULL);
		break;
	case ACT_SERVICE:
		json_walk(call->body, on_network, &s, NULL);
		break;
	case ACT_IMAGE_BUILD:
		if (docker_query(call->query, "networkmode", 0, &mode))
			mode_look(&s, "networkmode", (struct span){ mode.ptr, mode.len });
		break;
	default:
		break;
	}
	buf_free(&mode);
}
