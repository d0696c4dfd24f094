/* ledger_judge.c: whose object a call is about, and what a prune took, before its effect is learned. */
#include "ledger_state.h"
#include <string.h>
#include "jsonr.h"
#include "object_name.h"

struct prune {
	const struct ledger *l;
	unsigned own, other;
	bool group; /* the last Untagged was the run's own: its layers are, too */
	bool foreign_tag, own_tag;
};

/* A tag that came with its image: what a pull or a load says of it is its name alone. */
static bool is_whole(const struct ledger *l, struct span tag)
{
	const struct object *o = object_find(l, OBJ_IMAGE, tag);

	return !(o && o->alias) && ledger_owner(l, OBJ_IMAGE, tag) == OWNER_OWN;
}

static void on_pruned(void *ctx, const struct json_value *v)
{
	struct prune *p = ctx;
	enum docker_object kind = OBJ_NONE;
	bool own;

	if (v->type != JSON_STRING)
		return;
	/* Whose build left it there nobody says. */
	if (json_path_is(v, "/CachesDeleted/*"))
		p->other++;
	if (json_path_is(v, "/ContainersDeleted/*"))
		kind = OBJ_CONTAINER;
	else if (json_path_is(v, "/VolumesDeleted/*"))
		kind = OBJ_VOLUME;
	else if (json_path_is(v, "/NetworksDeleted/*"))
		kind = OBJ_NETWORK;
	else if (json_path_is(v, "/ImagesDeleted/*/Untagged") ||
		 json_path_is(v, "/ImagesDeleted/*/Deleted"))
		kind = OBJ_IMAGE;
	if (kind == OBJ_NONE)
		return;
	own = ledger_owner(p->l, kind, v->text) == OWNER_OWN;
	if (kind == OBJ_IMAGE && json_key_is(v->path[v->depth - 1].key, "Untagged"))
		p->group = is_whole(p->l, v->text);
	else if (kind == OBJ_IMAGE && p->group)
		own = true;
	if (own)
		p->own++;
	else
		p->other++;
}

static void on_untagged(void *ctx, const struct json_value *v)
{
	struct prune *p = ctx;

	if (v->type != JSON_STRING || !json_path_is(v, "/*/Untagged") ||
	    memchr(v->text.ptr, '@', v->text.len))
		return;
	p->foreign_tag |= ledger_owner(p->l, OBJ_IMAGE, v->text) == OWNER_FOREIGN;
	p->own_tag |= is_whole(p->l, v->text);
}

bool call_is_good(const struct docker_call *c)
{
	return (c->status >= 200 && c->status < 300) || c->status == 304;
}

bool call_is_unknown_change(const struct docker_call *c)
{
	return c->route->action == ACT_REQUEST && call_is_good(c) && !span_eq(c->method, "GET") &&
	       !span_eq(c->method, "HEAD");
}

static void container_judge(const struct ledger *l, struct docker_call *c, enum docker_object kind)
{
	struct span image;

	if (ledger_lookup(l, kind, c->target, &c->container_id, &c->container_name, &image)) {
		if (!c->image_name.len)
			c->image_name = image;
	} else if (kind == OBJ_CONTAINER) {
		struct span t = slash_trim(c->target);

		if (t.len == 64 && id_is_hex(t))
			c->container_id = t;
		else
			c->container_name = t;
	}
}

struct members {
	const struct ledger *l;
	bool others; /* not all of them are the run's own */
};

static void on_endpoint(void *ctx, const struct json_value *v)
{
	struct members *m = ctx;

	if (v->depth == 2 && json_key_is(v->path[0].key, "Containers"))
		m->others |= ledger_owner(m->l, OBJ_CONTAINER, v->path[1].key) != OWNER_OWN;
}

/*
 * Networks that every engine has under these names: nobody has made them, and they tell of others only where a
 * container of others is on them.
 */
static bool is_everybodys(const struct ledger *l, const struct docker_call *c)
{
	static const char *const names[] = { "bridge", "host", "none" };
	struct members m = { .l = l };
	struct buf name = { 0 };
	bool yes = false;

	if (c->route->action != ACT_NETWORK_INSPECT || !call_is_good(c) || !c->response_complete ||
	    json_walk(c->response, on_endpoint, &m, NULL) != JSON_OK)
		return false;
	if (json_string_at(c->response, "/Name", &name))
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			yes |= !strcmp(name.ptr, names[i]);
	buf_free(&name);
	return yes && !m.others;
}

void ledger_judge(const struct ledger *l, struct docker_call *c)
{
	struct prune p = { .l = l };
	enum docker_object kind = c->route->object;

	c->owner = OWNER_NONE;
	switch (c->route->action) {
	case ACT_CONTAINER_CREATE:
		c->image_own = ledger_owner(l, OBJ_IMAGE, c->image_name) == OWNER_OWN;
		return;
	case ACT_SERVICE:
		c->image_own = ledger_owner(l, OBJ_IMAGE, c->image_name) == OWNER_OWN;
		break;
	case ACT_NETWORK_CREATE:
	case ACT_VOLUME_CREATE:
	case ACT_IMAGE_BUILD:
	case ACT_IMAGE_PULL:
	case ACT_IMAGE_LOAD:
	case ACT_IMAGE_IMPORT:
		return;
	case ACT_CONTAINER_PRUNE:
	case ACT_IMAGE_PRUNE:
	case ACT_VOLUME_PRUNE:
	case ACT_NETWORK_PRUNE:
	case ACT_BUILD_PRUNE:
		if (!call_is_good(c))
			return;
		c->pruned_unreadable = json_walk(c->response, on_pruned, &p, NULL) != JSON_OK ||
				       !c->response_complete;
		c->pruned_own = p.own;
		c->pruned_other = p.other;
		return;
	case ACT_SWARM_MEMBER:
		if (c->route->change == CHANGE_DELETION)
			c->owner = key_find(l, OBJ_SWARM, SWARM_MADE) ||
						   key_find(l, OBJ_SWARM, SWARM_JOINED)
					   ? OWNER_OWN
				   : l->blind ? OWNER_UNKNOWN
					      : OWNER_FOREIGN;
		return;
	default:
		break;
	}
	if (!c->target.len || (c->route->change == CHANGE_CREATION && kind != OBJ_CONTAINER))
		return;
	c->owner = is_everybodys(l, c) ? OWNER_NONE : ledger_owner(l, kind, c->target);
	if (kind == OBJ_CONTAINER || kind == OBJ_EXEC)
		container_judge(l, c, kind);
	if (c->route->action == ACT_IMAGE_REMOVE && call_is_good(c)) {
		json_walk(c->response, on_untagged, &p, NULL);
		c->removed_names_foreign = p.foreign_tag;
		/* By an id that no answer told, but its names did. */
		if (c->owner == OWNER_FOREIGN && p.own_tag && !p.foreign_tag)
			c->owner = OWNER_OWN;
	}
}
