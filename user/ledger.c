/* ledger.c: which engine objects this run created, by every id and name that responses gave. */
#include "ledger_state.h"
#include <fnmatch.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "object_name.h"

#define LEDGER_MAX 65536
#define PREFIX_MIN 4

struct key {
	enum docker_object kind;
	struct span text;
	struct object *object;
	char bytes[];
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
	buf_free(&l->host);
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

struct object *key_find(const struct ledger *l, enum docker_object kind, struct span text)
{
	struct key k = { .kind = kind, .text = text }, **found;

	found = text.len ? tfind(&k, &l->keys, key_compare) : NULL;
	return found ? (*found)->object : NULL;
}

void key_set(struct ledger *l, enum docker_object kind, struct span text, struct object *o)
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

void key_drop(struct ledger *l, enum docker_object kind, struct span text)
{
	struct key k = { .kind = kind, .text = text }, **found = tfind(&k, &l->keys, key_compare),
		   *old;

	if (!found)
		return;
	old = *found;
	tdelete(&k, &l->keys, key_compare);
	free(old);
}

struct span span_copy(struct span s)
{
	return (struct span){ s.len ? xstrndup(s.ptr, s.len) : NULL, s.len };
}

/* By a prefix of its id; of several the one that is alive, if it is the only one. */
static struct object *prefix_find(const struct ledger *l, enum docker_object kind, struct span p)
{
	struct object *live = NULL, *dead = NULL;
	unsigned lives = 0, deads = 0;

	if (kind == OBJ_IMAGE)
		p = digest_trim(p);
	if (p.len < PREFIX_MIN || p.len > 64 || !id_is_hex(p))
		return NULL;
	for (unsigned i = 0; i < l->n; i++) {
		struct object *o = l->at[i];
		struct span id = digest_trim(o->id);
		size_t n = id.len < p.len ? id.len : p.len;

		/* The classic builder gives 12 digits of an id only. */
		if (o->kind != kind || !id.len || (n < p.len && n < 12) || memcmp(id.ptr, p.ptr, n))
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

struct object *object_find(const struct ledger *l, enum docker_object kind, struct span name)
{
	struct object *o;
	struct buf ref = { 0 };

	if (!name.len)
		return NULL;
	if (kind == OBJ_CONTAINER)
		name = slash_trim(name);
	o = key_find(l, kind, name);
	if (!o && kind == OBJ_IMAGE && !id_is_full(name)) {
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
			yes = n >= PREFIX_MIN && id_is_hex(id) && !memcmp(key.ptr, id.ptr, n);
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
	if (o || l->blind || (kind == OBJ_IMAGE && l->blind_images) ||
	    (kind == OBJ_VOLUME && l->containers && id_is_full(name)))
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
	if (o->kind == OBJ_EXEC) { /* in a container that is known by what was asked for alone */
		*(id_is_full(o->name) ? id : display) = o->name;
		return true;
	}
	*id = o->id;
	*display = o->name;
	*image = o->image;
	return true;
}

struct object *object_add(struct ledger *l, enum docker_object kind, struct span id,
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
	if (kind == OBJ_VOLUME || !id_is_full(name))
		key_set(l, kind, name, o);
	return o;
}

struct keys {
	struct key **at;
	size_t n, cap;
};

static void key_gather(const void *node, VISIT visit, void *ctx)
{
	struct keys *all = ctx;

	if (visit != postorder && visit != leaf)
		return;
	if (all->n == all->cap) {
		all->cap = all->cap ? 2 * all->cap : 64;
		all->at = xrealloc(all->at, all->cap * sizeof(struct key *));
	}
	all->at[all->n++] = *(struct key *const *)node;
}

static void key_mask(struct ledger *l, struct masker *m, struct key *k)
{
	struct span masked = span_copy(k->text);
	struct key **slot;

	scrub_bytes(m, (char *)masked.ptr, masked.len);
	if (memcmp(masked.ptr, k->text.ptr, masked.len)) {
		tdelete(k, &l->keys, key_compare);
		memcpy(k->bytes, masked.ptr, masked.len);
		slot = tsearch(k, &l->keys, key_compare);
		if (*slot != k)
			free(k);
	}
	free((char *)masked.ptr);
}

void ledger_mask(struct ledger *l, struct masker *m)
{
	struct keys all = { 0 };

	twalk_r(l->keys, key_gather, &all);
	for (size_t i = 0; i < all.n; i++)
		key_mask(l, m, all.at[i]);
	free(all.at);
	for (unsigned i = 0; i < l->n; i++) {
		struct object *o = l->at[i];

		if (o->name.len)
			scrub_bytes(m, (char *)o->name.ptr, o->name.len);
		if (o->image.len)
			scrub_bytes(m, (char *)o->image.ptr, o->image.len);
	}
}

void object_remove(struct ledger *l, struct object *o)
{
	o->removed = true;
	/* The name is free: who takes it now is somebody else. */
	if (o->name.len && key_find(l, o->kind, o->name) == o)
		key_drop(l, o->kind, o->name);
}

void ledger_left(const struct ledger *l,
		 void (*fn)(void *ctx, enum docker_object kind, struct span id, struct span name),
		 void *ctx)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct object *o = l->at[i];

		if (o->removed || !o->created || o->kind == OBJ_EXEC)
			continue;
		if (o->kind == OBJ_IMAGE && !o->name.len && !o->nameless)
			continue; /* a layer, or it is told by its tags */
		if (o->auto_remove && o->started && o->stopped)
			continue;
		fn(ctx, o->kind, o->id, o->name);
	}
}
