/* ledger_learn.c: what a good response says the run created, renamed, started or removed. */
#include "ledger_state.h"
#include <stdlib.h>
#include <string.h>
#include "engine_time.h"
#include "jsonr.h"
#include "object_name.h"

struct label_walk {
	const struct ledger *l;
	bool hit;
};

static void on_label(void *ctx, const struct json_value *v)
{
	struct label_walk *w = ctx;
	struct span key;

	if (v->type != JSON_STRING || v->depth < 2 || !v->path[v->depth - 2].key.ptr ||
	    !json_key_is(v->path[v->depth - 2].key, "Labels"))
		return;
	key = v->path[v->depth - 1].key;
	for (unsigned i = 0; i < w->l->n_own; i++) {
		const struct selector *s = &w->l->own[i];

		if (s->kind == OWN_LABEL && span_eq(key, s->key) &&
		    (!s->value || span_eq(v->text, s->value)))
			w->hit = true;
		if (s->kind == OWN_PROJECT && span_eq(key, "com.docker.compose.project") &&
		    span_eq(v->text, s->key))
			w->hit = true;
	}
}

/* A volume without a name gets one of 64 digits; only the container's inspection tells it. */
static void on_own_mount(void *ctx, const struct json_value *v)
{
	struct object *o;

	if (v->type != JSON_STRING || !json_path_is(v, "/Mounts/*/Name") || !id_is_full(v->text) ||
	    object_find(ctx, OBJ_VOLUME, v->text))
		return;
	o = object_add(ctx, OBJ_VOLUME, (struct span){ NULL, 0 }, v->text);
	if (o)
		o->created = false; /* it may go with its container */
}

/* By whatever an inspection says: it may have been asked for by another of its names. */
static void own_learn(struct ledger *l, const struct docker_call *c, struct span id,
		      struct span name, bool labelled)
{
	enum docker_object kind = c->route->object;
	struct object *o = object_find(l, kind, id);
	struct buf image = { 0 };

	if (!o && (labelled || ledger_owner(l, kind, id) == OWNER_OWN ||
		   ledger_owner(l, kind, name) == OWNER_OWN)) {
		o = object_add(l, kind, id, name);
		if (o)
			o->created = false;
	}
	if (!o || o->created)
		return;
	if (!o->name.len && name.len) {
		o->name = span_copy(name);
		key_set(l, kind, name, o);
	}
	if (!o->image.len && json_string_at(c->response, "/Config/Image", &image))
		o->image = span_copy((struct span){ image.ptr, image.len });
	buf_free(&image);
}

static bool is_inspection(enum docker_action a)
{
	return a == ACT_CONTAINER_INSPECT || a == ACT_NETWORK_INSPECT || a == ACT_VOLUME_INSPECT;
}

/* A client asks for its id, and names it by that to whoever makes a service. */
static void host_learn(struct ledger *l, const struct docker_call *c)
{
	struct buf name = { 0 };

	if (json_string_at(c->response, "/Name", &name) && !strcmp(name.ptr, "host"))
		json_string_at(c->response, "/Id", &l->host);
	buf_free(&name);
}

/* What existed before and is given by --own is told by its inspection. */
void ledger_inspect(struct ledger *l, const struct docker_call *c)
{
	struct label_walk w = { .l = l };
	enum docker_object kind = c->route->object;
	struct buf id = { 0 }, name = { 0 };
	struct object *o;

	if (!is_inspection(c->route->action) || !call_is_good(c))
		return;
	if (kind == OBJ_NETWORK)
		host_learn(l, c);
	o = object_find(l, kind, c->target);
	if (o && kind == OBJ_CONTAINER && o->owner == OWNER_OWN && !o->shares)
		json_walk(c->response, on_own_mount, l, NULL);
	if (!l->n_own || (o && o->name.len))
		return;
	json_walk(c->response, on_label, &w, NULL);
	json_string_at(c->response, "/Id", &id);
	json_string_at(c->response, "/Name", &name);
	own_learn(l, c, (struct span){ id.ptr, id.len },
		  slash_trim((struct span){ name.ptr, name.len }), w.hit);
	buf_free(&id);
	buf_free(&name);
}

struct volumes {
	struct ledger *l;
	struct object *of;
};

/* A named one is made where there is none; whether it was there nobody says. */
static void on_volume(void *ctx, const struct json_value *v)
{
	struct volumes *w = ctx;
	struct span name = v->text;
	struct object *o;
	const char *colon;

	if (v->type != JSON_STRING)
		return;
	if (json_path_is(v, "/HostConfig/VolumesFrom/*"))
		w->of->shares = true;
	if (!json_path_is(v, "/HostConfig/Binds/*") &&
	    !json_path_is(v, "/HostConfig/Mounts/*/Source"))
		return;
	colon = name.len ? memchr(name.ptr, ':', name.len) : NULL;
	if (colon)
		name.len = (size_t)(colon - name.ptr);
	if (!name.len || *name.ptr == '/' || object_find(w->l, OBJ_VOLUME, name))
		return;
	o = object_add(w->l, OBJ_VOLUME, (struct span){ NULL, 0 }, name);
	if (o) {
		o->created = false;
		o->unsure = true;
	}
}

static void on_flag(void *ctx, const struct json_value *v)
{
	if (json_path_is(v, "/HostConfig/AutoRemove"))
		*(bool *)ctx = v->type == JSON_TRUE;
}

static void container_learn(struct ledger *l, const struct docker_call *c)
{
	struct buf image = { 0 };
	struct object *o;

	if (!c->created_id.len) {
		l->blind = true;
		return;
	}
	o = object_add(l, OBJ_CONTAINER, c->created_id, slash_trim(c->target));
	if (!o)
		return;
	l->containers = true;
	json_walk(c->body, on_flag, &o->auto_remove, NULL);
	json_walk(c->body, on_volume, &(struct volumes){ l, o }, NULL);
	json_string_at(c->body, "/Image", &image);
	o->image = span_copy(c->image_name.len ? c->image_name
					       : (struct span){ image.ptr, image.len });
	buf_free(&image);
}

static void on_prune_learn(void *ctx, const struct json_value *v)
{
	static const struct {
		const char *path;
		enum docker_object kind;
	} lists[] = {
		{ "/ContainersDeleted/*", OBJ_CONTAINER },
		{ "/VolumesDeleted/*", OBJ_VOLUME },
		{ "/NetworksDeleted/*", OBJ_NETWORK },
	};
	struct object *o;

	if (v->type != JSON_STRING)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (json_path_is(v, lists[i].path)) {
			o = object_find(ctx, lists[i].kind, v->text);
			if (o)
				object_remove(ctx, o);
		}
}

static void span_set(struct span *to, struct span s)
{
	char *old = (char *)to->ptr;

	*to = span_copy(s);
	free(old);
}

bool ledger_build_container(struct ledger *l, struct span id, struct span image, bool executed)
{
	struct object *o = object_find(l, OBJ_CONTAINER, id);
	bool known = o;

	if (!known) {
		o = object_add(l, OBJ_CONTAINER, id, (struct span){ NULL, 0 });
		if (!o)
			return false;
		/* A step can print another's id: that makes no container its own. */
		o->step = o->unsure = true;
		/* The builder removes it, and nobody may tell. */
		o->auto_remove = o->started = o->stopped = executed;
	}
	if (executed) {
		o->unsure = false;
	} else if (o->step) {
		o->auto_remove = false; /* who tells it tells its end, too */
		if (!o->image.len)
			o->image = span_copy(image);
	}
	return !known;
}

void ledger_build_gone(struct ledger *l, struct span id)
{
	struct object *o = object_find(l, OBJ_CONTAINER, id);

	if (o && o->step)
		object_remove(l, o);
}

bool ledger_given(struct ledger *l, struct span id)
{
	struct object *o = id_is_full(id) ? object_find(l, OBJ_CONTAINER, id) : NULL;

	if (!o && id_is_full(id) && ledger_owner(l, OBJ_CONTAINER, id) == OWNER_OWN) {
		o = object_add(l, OBJ_CONTAINER, id, (struct span){ NULL, 0 });
		if (o)
			o->created = false;
	}
	if (!o || o->created || o->given)
		return false;
	return o->given = true;
}

static void exec_learn(struct ledger *l, const struct docker_call *c)
{
	struct object *o =
		c->created_id.len ? object_add(l, OBJ_EXEC, c->created_id, (struct span){ NULL, 0 })
				  : NULL;

	if (!o)
		return;
	o->container = object_find(l, OBJ_CONTAINER, c->target);
	o->owner = c->owner;
	if (!o->container)
		o->name = span_copy(slash_trim(c->target));
}

static void rename_learn(struct ledger *l, const struct docker_call *c)
{
	struct object *o = object_find(l, OBJ_CONTAINER, c->target);
	struct buf name = { 0 };

	if (o && docker_query(c->query, "name", 0, &name) && name.len) {
		if (key_find(l, OBJ_CONTAINER, o->name) == o)
			key_drop(l, OBJ_CONTAINER, o->name);
		span_set(&o->name, slash_trim((struct span){ name.ptr, name.len }));
		if (!id_is_full(o->name))
			key_set(l, OBJ_CONTAINER, o->name, o);
	}
	buf_free(&name);
}

/* Creating a volume that exists succeeds, too: then it is older than the answer. */
static bool existed(const struct docker_call *c)
{
	struct buf created = { 0 };
	bool before;

	before = c->route->action == ACT_VOLUME_CREATE &&
		 json_string_at(c->response, "/CreatedAt", &created) &&
		 engine_made_before((struct span){ created.ptr, created.len }, c->date);
	buf_free(&created);
	return before;
}

static void named_learn(struct ledger *l, const struct docker_call *c)
{
	bool volume = c->route->object == OBJ_VOLUME;
	struct span id = volume ? (struct span){ NULL, 0 } : c->created_id;
	struct span name = volume && c->created_id.len ? c->created_id : c->target;

	if (!id.len && !name.len)
		l->blind = true;
	else if (!object_find(l, c->route->object, id.len ? id : name) && !existed(c))
		object_add(l, c->route->object, id, name);
}

static bool creates(enum docker_action a)
{
	return a == ACT_CONTAINER_CREATE || a == ACT_IMAGE_BUILD || a == ACT_NETWORK_CREATE ||
	       a == ACT_VOLUME_CREATE || a == ACT_CONTAINER_COMMIT || a == ACT_IMAGE_PULL ||
	       a == ACT_IMAGE_LOAD || a == ACT_IMAGE_TAG || a == ACT_EXEC_CREATE;
}

static void prune_learn(struct ledger *l, const struct docker_call *c)
{
	images_removed_learn(l, c);
	json_walk(c->response, on_prune_learn, l, NULL);
}

static void start_learn(struct ledger *l, const struct docker_call *c)
{
	struct object *o = object_find(l, OBJ_CONTAINER, c->target);

	if (o)
		o->started = true;
}

static void stop_learn(struct ledger *l, const struct docker_call *c)
{
	struct object *o = object_find(l, OBJ_CONTAINER, c->target);

	if (o)
		o->stopped = true;
}

static void remove_learn(struct ledger *l, const struct docker_call *c)
{
	struct object *o = object_find(l, c->route->object, c->target);

	if (o)
		object_remove(l, o);
}

static void swarm_learn(struct ledger *l, const struct docker_call *c)
{
	if (c->route->change == CHANGE_DELETION)
		remove_learn(l, c);
	else if (c->route->change == CHANGE_CREATION && (c->created_id.len || c->target.len))
		object_add(l, c->route->object, c->created_id, c->target);
}

static void member_learn(struct ledger *l, const struct docker_call *c)
{
	bool leaves = c->route->change == CHANGE_DELETION;
	bool made = leaves ? key_find(l, OBJ_SWARM, SWARM_MADE) != NULL
			   : c->route->change == CHANGE_CREATION;
	struct span name = made ? SWARM_MADE : SWARM_JOINED;
	struct object *o = key_find(l, OBJ_SWARM, name);

	if (!leaves && !o)
		object_add(l, OBJ_SWARM, (struct span){ NULL, 0 }, name);
	if (!leaves || !o)
		return;
	object_remove(l, o);
	for (unsigned i = 0; made && i < l->n; i++)
		if (l->at[i]->kind == OBJ_SWARM && !l->at[i]->removed)
			object_remove(l, l->at[i]);
}

static void (*const lessons[ACTIONS])(struct ledger *l, const struct docker_call *c) = {
	[ACT_CONTAINER_CREATE] = container_learn,
	[ACT_EXEC_CREATE] = exec_learn,
	[ACT_IMAGE_BUILD] = build_learn,
	[ACT_IMAGE_PULL] = pull_learn,
	[ACT_IMAGE_IMPORT] = pull_learn,
	[ACT_IMAGE_LOAD] = load_learn,
	[ACT_IMAGE_TAG] = tag_learn,
	[ACT_CONTAINER_COMMIT] = commit_learn,
	[ACT_NETWORK_CREATE] = named_learn,
	[ACT_VOLUME_CREATE] = named_learn,
	[ACT_CONTAINER_RENAME] = rename_learn,
	[ACT_CONTAINER_START] = start_learn,
	[ACT_CONTAINER_STOP] = stop_learn,
	[ACT_CONTAINER_KILL] = stop_learn,
	[ACT_CONTAINER_WAIT] = stop_learn,
	[ACT_IMAGE_REMOVE] = images_removed_learn,
	[ACT_CONTAINER_REMOVE] = remove_learn,
	[ACT_NETWORK_REMOVE] = remove_learn,
	[ACT_VOLUME_REMOVE] = remove_learn,
	[ACT_CONTAINER_PRUNE] = prune_learn,
	[ACT_IMAGE_PRUNE] = prune_learn,
	[ACT_VOLUME_PRUNE] = prune_learn,
	[ACT_NETWORK_PRUNE] = prune_learn,
	[ACT_SWARM] = swarm_learn,
	[ACT_SWARM_MEMBER] = member_learn,
	[ACT_SERVICE] = swarm_learn,
	[ACT_PLUGIN] = swarm_learn,
};

bool ledger_reads(const struct docker_route *route)
{
	return lessons[route->action] || is_inspection(route->action) ||
	       route->action == ACT_BUILD_PRUNE; /* judged alone */
}

void ledger_learn(struct ledger *l, const struct docker_call *c)
{
	if (!c->status && creates(c->route->action))
		l->blind = true; /* it may exist all the same */
	if (c->status == 101 && c->route->action == ACT_GRPC)
		l->blind_images = true; /* a build whose result is not seen */
	if (call_is_unknown_change(c))
		l->blind = true;
	if (call_is_good(c) && lessons[c->route->action])
		lessons[c->route->action](l, c);
}
