/* ledger.c: which engine objects this run created, by every id and name that responses gave. */
#include "ledger.h"
#include <fnmatch.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "engine_time.h"
#include "jsonr.h"

#define LEDGER_MAX 65536
#define PREFIX_MIN 4

struct object {
	enum docker_object kind;
	struct span id, name, image; /* owned */
	enum owner owner;            /* of an exec: of its container */
	struct object *container;    /* of an exec; may be NULL */
	bool created;                /* by the run; false: named by --own */
	bool removed, auto_remove, started, stopped;
	bool unsure; /* the end of the answer was not seen */
};

struct key {
	enum docker_object kind;
	struct span text;
	struct object *object;
	char bytes[];
};

struct ledger {
	const struct selector *own;
	unsigned n_own;
	struct object **at;
	unsigned n, cap;
	void *keys; /* struct key */
	bool blind, blind_images;
};

struct ledger *ledger_new(const struct selector *own, unsigned n_own)
{
	struct ledger *l = xcalloc(1, sizeof(*l));

	l->own = own;
	l->n_own = n_own;
	return l;
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	tdestroy(l->keys, free);
	for (unsigned i = 0; i < l->n; i++) {
		free((char *)l->at[i]->id.ptr);
		free((char *)l->at[i]->name.ptr);
		free((char *)l->at[i]->image.ptr);
		free(l->at[i]);
	}
	free(l->at);
	free(l);
}

void ledger_blind(struct ledger *l)
{
	l->blind = true;
}

static int key_compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	size_t n = x->text.len < y->text.len ? x->text.len : y->text.len;
	int c;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	c = n ? memcmp(x->text.ptr, y->text.ptr, n) : 0;
	return c ? c : x->text.len == y->text.len ? 0 : x->text.len < y->text.len ? -1 : 1;
}

static struct object *key_find(const struct ledger *l, enum docker_object kind, struct span text)
{
	struct key k = { .kind = kind, .text = text }, **found;

	found = text.len ? tfind(&k, &l->keys, key_compare) : NULL;
	return found ? (*found)->object : NULL;
}

static void key_set(struct ledger *l, enum docker_object kind, struct span text, struct object *o)
{
	struct key *k, **slot;

	if (!text.len)
		return;
	k = xcalloc(1, sizeof(*k) + text.len);
	memcpy(k->bytes, text.ptr, text.len);
	k->kind = kind;
	k->text = (struct span){ k->bytes, text.len };
	k->object = o;
	slot = tsearch(k, &l->keys, key_compare);
	if (*slot != k) {
		(*slot)->object = o;
		free(k);
	}
}

static void key_drop(struct ledger *l, enum docker_object kind, struct span text)
{
	struct key k = { .kind = kind, .text = text }, **found = tfind(&k, &l->keys, key_compare),
		   *old;

	if (!found)
		return;
	old = *found;
	tdelete(&k, &l->keys, key_compare);
	free(old);
}

static struct span span_copy(struct span s)
{
	return (struct span){ s.len ? xstrndup(s.ptr, s.len) : NULL, s.len };
}

static void span_set(struct span *to, struct span s)
{
	char *old = (char *)to->ptr;

	*to = span_copy(s);
	free(old);
}

static struct span slash_trim(struct span s)
{
	while (s.len && *s.ptr == '/') {
		s.ptr++;
		s.len--;
	}
	return s;
}

static bool is_hex(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!strchr("0123456789abcdef", s.ptr[i]) || !s.ptr[i])
			return false;
	return s.len > 0;
}

static struct span digest_trim(struct span s)
{
	return span_starts(s, "sha256:") ? (struct span){ s.ptr + 7, s.len - 7 } : s;
}

/* "docker.io/library/a" is "a:latest"; a digest outdoes a tag. */
static void reference_normalise(struct span s, struct buf *out)
{
	static const char *const prefixes[] = { "docker.io/", "index.docker.io/",
						"registry-1.docker.io/" };
	const char *at, *colon = NULL, *slash;
	struct span digest = { NULL, 0 };

	buf_reset(out);
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (span_starts(s, prefixes[i])) {
			s.ptr += strlen(prefixes[i]);
			s.len -= strlen(prefixes[i]);
		}
	if (span_starts(s, "library/")) {
		s.ptr += 8;
		s.len -= 8;
	}
	at = s.len ? memchr(s.ptr, '@', s.len) : NULL;
	if (at) {
		digest = (struct span){ at, s.len - (at - s.ptr) };
		s.len = at - s.ptr;
	}
	slash = s.len ? memrchr(s.ptr, '/', s.len) : NULL;
	if (s.len)
		colon = memchr(slash ? slash : s.ptr, ':', s.len - (slash ? slash - s.ptr : 0));
	buf_add(out, s.len ? s.ptr : "", digest.len && colon ? (size_t)(colon - s.ptr) : s.len);
	if (digest.len)
		buf_add(out, digest.ptr, digest.len);
	else if (!colon)
		buf_str(out, ":latest");
}

/* By a prefix of its id; of several the one that is alive, if it is the only one. */
static struct object *prefix_find(const struct ledger *l, enum docker_object kind, struct span p)
{
	struct object *live = NULL, *dead = NULL;
	unsigned lives = 0, deads = 0;

	if (kind == OBJ_IMAGE)
		p = digest_trim(p);
	if (p.len < PREFIX_MIN || p.len > 64 || !is_hex(p))
		return NULL;
	for (unsigned i = 0; i < l->n; i++) {
		struct object *o = l->at[i];
		struct span id = digest_trim(o->id);
		size_t n = id.len < p.len ? id.len : p.len;

		/* The classic builder gives 12 digits of an image's id only. */
		if (o->kind != kind || !id.len || (n < p.len && (kind != OBJ_IMAGE || n < 12)) ||
		    memcmp(id.ptr, p.ptr, n))
			continue;
		if (o->removed) {
			dead = o;
			deads++;
		} else {
			live = o;
			lives++;
		}
	}
	if (lives)
		return lives == 1 || kind == OBJ_IMAGE ? live : NULL;
	return deads == 1 ? dead : NULL;
}

static bool is_full_id(struct span s)
{
	s = digest_trim(s);
	return s.len == 64 && is_hex(s);
}

static struct object *object_find(const struct ledger *l, enum docker_object kind, struct span name)
{
	struct object *o;
	struct buf ref = { 0 };

	if (!name.len)
		return NULL;
	if (kind == OBJ_CONTAINER)
		name = slash_trim(name);
	o = key_find(l, kind, name);
	if (!o && kind == OBJ_IMAGE && !is_full_id(name)) {
		reference_normalise(name, &ref);
		o = key_find(l, kind, (struct span){ ref.ptr, ref.len });
		buf_free(&ref);
	}
	return o ? o : kind == OBJ_VOLUME ? NULL : prefix_find(l, kind, name);
}

static bool selected(const struct ledger *l, enum docker_object kind, struct span name,
		     const struct object *o)
{
	struct buf text = { 0 };
	bool yes = false;

	name = slash_trim(name);
	buf_add(&text, name.len ? name.ptr : "", name.len);
	for (unsigned i = 0; i < l->n_own && !yes; i++) {
		const struct selector *s = &l->own[i];
		struct span key = digest_trim(span_of(s->key)), id = digest_trim(name);
		size_t n;

		if (s->kind == OWN_NAME) {
			yes = !memchr(text.ptr, 0, text.len) && !fnmatch(s->key, text.ptr, 0);
			if (!yes && kind == OBJ_IMAGE) {
				struct buf ref = { 0 };

				reference_normalise(name, &ref);
				yes = !memchr(ref.ptr, 0, ref.len) && !fnmatch(s->key, ref.ptr, 0);
				buf_free(&ref);
			}
		} else if (s->kind == OWN_ID) {
			if (o && o->id.len)
				id = digest_trim(o->id);
			n = key.len < id.len ? key.len : id.len;
			yes = n >= PREFIX_MIN && is_hex(id) && !memcmp(key.ptr, id.ptr, n);
		}
	}
	buf_free(&text);
	return yes;
}

enum owner ledger_owner(const struct ledger *l, enum docker_object kind, struct span name)
{
	const struct object *o;

	if (!name.len || kind == OBJ_NONE || kind == OBJ_SYSTEM || kind == OBJ_BUILD)
		return OWNER_NONE;
	o = object_find(l, kind, name);
	if (o && !o->unsure)
		return o->owner;
	if (selected(l, kind, name, o))
		return OWNER_OWN;
	if (o || l->blind || (kind == OBJ_IMAGE && l->blind_images))
		return OWNER_UNKNOWN;
	return OWNER_FOREIGN;
}

bool ledger_lookup(const struct ledger *l, enum docker_object kind, struct span name,
		   struct span *id, struct span *display, struct span *image)
{
	const struct object *o = object_find(l, kind, name);

	*id = *display = *image = (struct span){ NULL, 0 };
	if (o && kind == OBJ_EXEC && o->container)
		o = o->container;
	if (!o)
		return false;
	*id = o->id;
	*display = o->name;
	*image = o->image;
	return true;
}

static struct object *object_add(struct ledger *l, enum docker_object kind, struct span id,
				 struct span name)
{
	struct object *o;

	if (l->n >= LEDGER_MAX) {
		l->blind = true;
		return NULL;
	}
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->at = xrealloc(l->at, l->cap * sizeof(struct object *));
	}
	o = xcalloc(1, sizeof(*o));
	o->kind = kind;
	o->owner = OWNER_OWN;
	o->created = true;
	o->id = span_copy(id);
	o->name = span_copy(name);
	l->at[l->n++] = o;
	key_set(l, kind, id, o);
	/* The engine takes a full id for an id, whatever is named so. */
	if (kind == OBJ_VOLUME || !is_full_id(name))
		key_set(l, kind, name, o);
	return o;
}

/* A tag of the run; a tag has no id of its own, so that the tag of a foreign image does not give that image. */
static void tag_add(struct ledger *l, struct span reference, bool unsure)
{
	struct buf ref = { 0 };
	struct object *o;
	struct span name;

	if (!reference.len)
		return;
	reference_normalise(reference, &ref);
	name = (struct span){ ref.ptr, ref.len };
	o = key_find(l, OBJ_IMAGE, name);
	if (!o)
		o = object_add(l, OBJ_IMAGE, (struct span){ NULL, 0 }, name);
	if (o)
		o->unsure = unsure;
	buf_free(&ref);
}

static void image_add(struct ledger *l, struct span id)
{
	if (id.len && !key_find(l, OBJ_IMAGE, id))
		object_add(l, OBJ_IMAGE, id, (struct span){ NULL, 0 });
}

static void object_remove(struct ledger *l, struct object *o)
{
	o->removed = true;
	/* The name is free: who takes it now is somebody else. */
	if (o->name.len && key_find(l, o->kind, o->name) == o)
		key_drop(l, o->kind, o->name);
}

/* ---- responses ---- */

struct prune {
	const struct ledger *l;
	unsigned own, other;
	bool group; /* the last Untagged was the run's own: its layers are, too */
	bool foreign_tag;
};

static void on_pruned(void *ctx, const struct json_value *v)
{
	struct prune *p = ctx;
	enum docker_object kind = OBJ_NONE;
	bool own;

	if (v->type != JSON_STRING)
		return;
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
		p->group = own;
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

	if (v->type == JSON_STRING && json_path_is(v, "/*/Untagged") &&
	    !memchr(v->text.ptr, '@', v->text.len) &&
	    ledger_owner(p->l, OBJ_IMAGE, v->text) == OWNER_FOREIGN)
		p->foreign_tag = true;
}

static bool good(const struct docker_call *c)
{
	return (c->status >= 200 && c->status < 300) || c->status == 304;
}

static void container_judge(const struct ledger *l, struct docker_call *c, enum docker_object kind)
{
	struct span image;

	if (ledger_lookup(l, kind, c->target, &c->container_id, &c->container_name, &image)) {
		if (!c->image_name.len)
			c->image_name = image;
	} else if (kind == OBJ_CONTAINER) {
		struct span t = slash_trim(c->target);

		if (t.len == 64 && is_hex(t))
			c->container_id = t;
		else
			c->container_name = t;
	}
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
		if (!good(c))
			return;
		c->pruned_unreadable = json_walk(c->response, on_pruned, &p, NULL) != JSON_OK ||
				       !c->response_complete;
		c->pruned_own = p.own;
		c->pruned_other = p.other;
		return;
	default:
		break;
	}
	if (!c->target.len || (c->route->change == CHANGE_CREATION && kind != OBJ_CONTAINER))
		return;
	c->owner = ledger_owner(l, kind, c->target);
	if (kind == OBJ_CONTAINER || kind == OBJ_EXEC)
		container_judge(l, c, kind);
	if (c->route->action == ACT_IMAGE_REMOVE && good(c)) {
		json_walk(c->response, on_untagged, &p, NULL);
		c->removed_names_foreign = p.foreign_tag;
	}
}

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

/* What existed before and carries a label of --own is told by its inspection. */
static void inspect_learn(struct ledger *l, const struct docker_call *c)
{
	struct label_walk w = { .l = l };
	struct buf id = { 0 }, name = { 0 };
	struct object *o;

	if (!l->n_own || object_find(l, c->route->object, c->target))
		return;
	json_walk(c->response, on_label, &w, NULL);
	if (w.hit) {
		json_string_at(c->response, "/Id", &id);
		json_string_at(c->response, "/Name", &name);
		o = object_add(l, c->route->object, (struct span){ id.ptr, id.len },
			       slash_trim((struct span){ name.ptr, name.len }));
		if (o)
			o->created = false;
	}
	buf_free(&id);
	buf_free(&name);
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
	json_walk(c->body, on_flag, &o->auto_remove, NULL);
	json_string_at(c->body, "/Image", &image);
	o->image = span_copy(c->image_name.len ? c->image_name
					       : (struct span){ image.ptr, image.len });
	buf_free(&image);
}

/* Takes the next line off s; lines of a JSON stream end in \r\n or \n, an escaped \n ends one too. */
static bool line_next(struct span *s, struct span *line)
{
	size_t i = 0, skip = 1;

	if (!s->len)
		return false;
	for (; i < s->len && s->ptr[i] != '\n'; i++)
		if (s->ptr[i] == '\\' && i + 1 < s->len && s->ptr[i + 1] == 'n') {
			skip = 2;
			break;
		}
	*line = (struct span){ s->ptr, i };
	skip += i;
	s->ptr += skip < s->len ? skip : s->len;
	s->len -= skip < s->len ? skip : s->len;
	return true;
}

static struct span hex_after(struct span line, const char *words)
{
	long at = span_find(line, span_of(words));
	struct span s = { NULL, 0 };

	if (at < 0)
		return s;
	s.ptr = line.ptr + at + strlen(words);
	while (s.ptr + s.len < line.ptr + line.len && s.ptr[s.len] &&
	       strchr("0123456789abcdef", s.ptr[s.len]))
		s.len++;
	return s;
}

static bool stream_failed(struct span r)
{
	return span_find(r, SPAN("\"errorDetail\"")) >= 0 || span_find(r, SPAN("\"error\":")) >= 0;
}

/* The classic builder says the ids of what it made on the way; those of FROM and of the cache are not the run's. */
static void build_learn(struct ledger *l, const struct docker_call *c)
{
	struct span rest = c->response, line, id;
	struct buf tag = { 0 };
	bool own = false;

	if (c->status != 200)
		return;
	while (line_next(&rest, &line)) {
		if (span_find(line, SPAN("\"Step ")) >= 0)
			own = span_find(line, SPAN(" : FROM ")) < 0;
		if (span_find(line, SPAN("Using cache")) >= 0)
			own = false;
		id = hex_after(line, "Running in ");
		if (id.len >= 12 && !object_find(l, OBJ_CONTAINER, id)) {
			struct object *o =
				object_add(l, OBJ_CONTAINER, id, (struct span){ NULL, 0 });

			if (o)
				o->auto_remove = o->started = o->stopped = true;
		}
		id = hex_after(line, " ---\\u003e ");
		if (!id.len)
			id = hex_after(line, " ---> ");
		if (own && id.len >= 12)
			image_add(l, id);
	}
	if (stream_failed(c->response))
		return;
	image_add(l, c->created_id);
	for (unsigned i = 0; i < 1000 && docker_query(c->query, "t", i, &tag); i++)
		tag_add(l, (struct span){ tag.ptr, tag.len }, !c->response_complete);
	buf_free(&tag);
}

/* repo and tag of a query, joined. A tag may be a digest. */
static void repo_learn(struct ledger *l, const struct docker_call *c, const char *key)
{
	struct buf repo = { 0 }, tag = { 0 };

	if (docker_query(c->query, key, 0, &repo) && repo.len) {
		if (docker_query(c->query, "tag", 0, &tag) && tag.len) {
			buf_byte(&repo, memchr(tag.ptr, ':', tag.len) ? '@' : ':');
			buf_add(&repo, tag.ptr, tag.len);
		}
		tag_add(l, (struct span){ repo.ptr, repo.len },
			c->response.len && !c->response_complete);
	}
	buf_free(&repo);
	buf_free(&tag);
}

static void pull_learn(struct ledger *l, const struct docker_call *c)
{
	struct buf from = { 0 };

	if (!stream_failed(c->response)) {
		if (docker_query(c->query, "fromSrc", 0, &from) && from.len)
			repo_learn(l, c, "repo");
		else if (span_find(c->response, SPAN("Image is up to date")) <
			 0) /* else it was there before */
			repo_learn(l, c, "fromImage");
	}
	buf_free(&from);
}

static void load_learn(struct ledger *l, const struct docker_call *c)
{
	struct span rest = c->response, line;

	while (line_next(&rest, &line)) {
		long at = span_find(line, SPAN("Loaded image: "));
		size_t n = 0;

		if (at >= 0) {
			line.ptr += at + 14;
			line.len -= at + 14;
			while (n < line.len && !strchr("\"\\\r", line.ptr[n]))
				n++;
			tag_add(l, (struct span){ line.ptr, n }, false);
			continue;
		}
		image_add(l, hex_after(line, "Loaded image ID: sha256:"));
	}
}

static void on_removed(void *ctx, const struct json_value *v)
{
	struct ledger *l = ctx;
	struct object *o;

	if (v->type != JSON_STRING || !v->depth || !v->path[v->depth - 1].key.ptr)
		return;
	if (!json_key_is(v->path[v->depth - 1].key, "Untagged") &&
	    !json_key_is(v->path[v->depth - 1].key, "Deleted"))
		return;
	o = object_find(l, OBJ_IMAGE, v->text);
	if (o)
		object_remove(l, o);
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
	on_removed(ctx, v);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (json_path_is(v, lists[i].path)) {
			o = object_find(ctx, lists[i].kind, v->text);
			if (o)
				object_remove(ctx, o);
		}
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
		if (!is_full_id(o->name))
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

void ledger_learn(struct ledger *l, const struct docker_call *c)
{
	enum docker_object kind = c->route->object;
	struct object *o = kind == OBJ_CONTAINER ? object_find(l, kind, c->target) : NULL;

	if (!c->status && creates(c->route->action))
		l->blind = true; /* it may exist all the same */
	if (c->status == 101 && c->route->action == ACT_GRPC)
		l->blind_images = true; /* a build whose result is not seen */
	if (!good(c))
		return;
	switch (c->route->action) {
	case ACT_CONTAINER_CREATE:
		container_learn(l, c);
		break;
	case ACT_EXEC_CREATE:
		exec_learn(l, c);
		break;
	case ACT_IMAGE_BUILD:
		build_learn(l, c);
		break;
	case ACT_IMAGE_PULL:
	case ACT_IMAGE_IMPORT:
		pull_learn(l, c);
		break;
	case ACT_IMAGE_LOAD:
		load_learn(l, c);
		break;
	case ACT_IMAGE_TAG:
		repo_learn(l, c, "repo");
		break;
	case ACT_CONTAINER_COMMIT:
		image_add(l, c->created_id);
		repo_learn(l, c, "repo");
		break;
	case ACT_NETWORK_CREATE:
	case ACT_VOLUME_CREATE:
		named_learn(l, c);
		break;
	case ACT_CONTAINER_RENAME:
		rename_learn(l, c);
		break;
	case ACT_CONTAINER_START:
		if (o)
			o->started = true;
		break;
	case ACT_CONTAINER_STOP:
	case ACT_CONTAINER_KILL:
	case ACT_CONTAINER_WAIT:
		if (o)
			o->stopped = true;
		break;
	case ACT_CONTAINER_INSPECT:
	case ACT_NETWORK_INSPECT:
	case ACT_VOLUME_INSPECT:
		inspect_learn(l, c);
		break;
	case ACT_IMAGE_REMOVE:
		json_walk(c->response, on_removed, l, NULL);
		break;
	case ACT_CONTAINER_REMOVE:
	case ACT_NETWORK_REMOVE:
	case ACT_VOLUME_REMOVE:
		o = object_find(l, kind, c->target);
		if (o)
			object_remove(l, o);
		break;
	case ACT_CONTAINER_PRUNE:
	case ACT_IMAGE_PRUNE:
	case ACT_VOLUME_PRUNE:
	case ACT_NETWORK_PRUNE:
		json_walk(c->response, on_prune_learn, l, NULL);
		break;
	case ACT_SWARM:
	case ACT_PLUGIN:
		o = object_find(l, kind, c->target);
		if (c->route->change == CHANGE_DELETION && o)
			object_remove(l, o);
		else if (c->route->change == CHANGE_CREATION &&
			 (c->created_id.len || c->target.len))
			object_add(l, kind, c->created_id, c->target);
		break;
	default:
		break;
	}
}

void ledger_left(const struct ledger *l,
		 void (*fn)(void *ctx, enum docker_object kind, struct span id, struct span name),
		 void *ctx)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct object *o = l->at[i];

		if (o->removed || !o->created || o->kind == OBJ_EXEC)
			continue;
		if (o->kind == OBJ_IMAGE && !o->name.len)
			continue;
		if (o->auto_remove && o->started && o->stopped)
			continue;
		fn(ctx, o->kind, o->id, o->name);
	}
}
