/* ledger_image.c: which images and tags the run made or removed, by builds, pulls, loads, tags and commits. */
#include "ledger_state.h"
#include <string.h>
#include "jsonr.h"
#include "object_name.h"

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
	image_add(l, c->created_id);
	for (unsigned i = 0; i < 1000 && docker_query(c->query, "t", i, &tag); i++)
		tag_add(l, (struct span){ tag.ptr, tag.len }, !c->response_complete);
	buf_free(&tag);
}

void ledger_build_image(struct ledger *l, struct span id)
{
	image_add(l, id);
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

/* {"status":"sha256:ID"}; a name is not needed. */
static void import_learn(struct ledger *l, const struct docker_call *c)
{
	struct span hex = hex_after(c->response, "\"sha256:");
	struct buf id = { 0 };

	buf_str(&id, "sha256:");
	buf_add(&id, hex.len ? hex.ptr : "", hex.len);
	if (hex.len == 64)
		image_add(l, (struct span){ id.ptr, id.len });
	buf_free(&id);
	repo_learn(l, c, "repo");
}

void pull_learn(struct ledger *l, const struct docker_call *c)
{
	struct buf from = { 0 };

	if (!stream_failed(c->response)) {
		if (docker_query(c->query, "fromSrc", 0, &from) && from.len)
			import_learn(l, c);
		else if (span_find(c->response, SPAN("Image is up to date")) <
			 0) /* else it was there before */
			repo_learn(l, c, "fromImage");
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

void tag_learn(struct ledger *l, const struct docker_call *c)
{
	repo_learn(l, c, "repo");
}

void commit_learn(struct ledger *l, const struct docker_call *c)
{
	image_add(l, c->created_id);
	repo_learn(l, c, "repo");
}

void images_removed_learn(struct ledger *l, const struct docker_call *c)
{
	json_walk(c->response, on_removed, l, NULL);
}
