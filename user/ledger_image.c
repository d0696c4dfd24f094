/* ledger_image.c: which images and tags the run made or removed, by builds, pulls, loads, tags and commits. */
#include "ledger_state.h"
#include <string.h>
#include "jsonr.h"
#include "object_name.h"

/* A tag of the run; a tag has no id of its own, so that the tag of a foreign image does not give that image. */
static struct object *tag_add(struct ledger *l, struct span reference, bool unsure, bool alias)
{
	struct buf ref = { 0 };
	struct object *o;
	struct span name;

	if (!reference.len)
		return NULL;
	reference_normalise(reference, &ref);
	name = (struct span){ ref.ptr, ref.len };
	o = key_find(l, OBJ_IMAGE, name);
	if (!o)
		o = object_add(l, OBJ_IMAGE, (struct span){ NULL, 0 }, name);
	if (o) {
		o->unsure = unsure;
		o->alias = alias;
	}
	buf_free(&ref);
	return o;
}

/* The same may come again after its removal: an id is its content's. NULL: without an id, or there are too many. */
static struct object *image_add(struct ledger *l, struct span id)
{
	struct object *o = key_find(l, OBJ_IMAGE, id);

	if (!o && id.len)
		o = object_add(l, OBJ_IMAGE, id, (struct span){ NULL, 0 });
	if (o)
		o->removed = false;
	return o;
}

/* What a call was asked to make: it has the name that the call gave it, or none. */
static void image_made(struct ledger *l, struct span id, bool named)
{
	const struct object *before = key_find(l, OBJ_IMAGE, id);
	bool has_name = named || (before && !before->removed && !before->nameless);
	struct object *o = image_add(l, id);

	if (o)
		o->nameless = !has_name;
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

void build_learn(struct ledger *l, const struct docker_call *c)
{
	struct buf tag = { 0 };

	if (c->status != 200 || stream_failed(c->response))
		return;
	image_made(l, c->created_id, docker_query(c->query, "t", 0, &tag) && tag.len);
	for (unsigned i = 0; i < 1000 && docker_query(c->query, "t", i, &tag); i++)
		tag_add(l, (struct span){ tag.ptr, tag.len }, !c->response_complete, false);
	buf_free(&tag);
}

void ledger_build_image(struct ledger *l, struct span id)
{
	image_add(l, id);
}

/* repo and tag of a query, joined. A tag may be a digest. False: there is none. */
static bool repo_learn(struct ledger *l, const struct docker_call *c, const char *key, bool alias)
{
	struct buf repo = { 0 }, tag = { 0 };
	bool named = docker_query(c->query, key, 0, &repo) && repo.len;

	if (named) {
		if (docker_query(c->query, "tag", 0, &tag) && tag.len) {
			buf_byte(&repo, memchr(tag.ptr, ':', tag.len) ? '@' : ':');
			buf_add(&repo, tag.ptr, tag.len);
		}
		tag_add(l, (struct span){ repo.ptr, repo.len },
			c->response.len && !c->response_complete, alias);
	}
	buf_free(&repo);
	buf_free(&tag);
	return named;
}

/* {"status":"sha256:ID"}; a name is not needed. */
static void import_learn(struct ledger *l, const struct docker_call *c)
{
	struct span hex = hex_after(c->response, "\"sha256:");
	bool named = repo_learn(l, c, "repo", false);
	struct buf id = { 0 };

	buf_str(&id, "sha256:");
	buf_add(&id, hex.len ? hex.ptr : "", hex.len);
	if (hex.len == 64)
		image_made(l, (struct span){ id.ptr, id.len }, named);
	buf_free(&id);
}

/* "Digest: sha256:…": what came has that name, too, by which it is not left behind a second time. */
static void digest_learn(struct ledger *l, const struct docker_call *c, struct span repo)
{
	struct span hex = hex_after(c->response, "Digest: sha256:");
	struct buf ref = { 0 };
	struct object *o = NULL;

	buf_add(&ref, repo.len ? repo.ptr : "", repo.len);
	buf_str(&ref, "@sha256:");
	buf_add(&ref, hex.len ? hex.ptr : "", hex.len);
	if (hex.len == 64 && !object_find(l, OBJ_IMAGE, (struct span){ ref.ptr, ref.len }))
		o = tag_add(l, (struct span){ ref.ptr, ref.len }, !c->response_complete, false);
	if (o)
		o->created = false;
	buf_free(&ref);
}

void pull_learn(struct ledger *l, const struct docker_call *c)
{
	struct buf from = { 0 };

	if (!stream_failed(c->response)) {
		if (docker_query(c->query, "fromSrc", 0, &from) && from.len)
			import_learn(l, c);
		else if (span_find(c->response, SPAN("Image is up to date")) <
			 0) { /* else it was there before */
			repo_learn(l, c, "fromImage", false);
			if (docker_query(c->query, "fromImage", 0, &from))
				digest_learn(l, c, (struct span){ from.ptr, from.len });
		}
	}
	buf_free(&from);
}

void load_learn(struct ledger *l, const struct docker_call *c)
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
			tag_add(l, (struct span){ line.ptr, n }, false, false);
			continue;
		}
		image_made(l, hex_after(line, "Loaded image ID: sha256:"), false);
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

void tag_learn(struct ledger *l, const struct docker_call *c)
{
	struct object *o = object_find(l, OBJ_IMAGE, c->target);
	bool alias = !o || o->alias || o->unsure;

	if (repo_learn(l, c, "repo", alias) && o)
		o->nameless = false;
}

void commit_learn(struct ledger *l, const struct docker_call *c)
{
	image_made(l, c->created_id, repo_learn(l, c, "repo", false));
}

void images_removed_learn(struct ledger *l, const struct docker_call *c)
{
	json_walk(c->response, on_removed, l, NULL);
}
