/* build_stream.c: what the classic builder says of its steps, as its answer comes. */
#include "build_stream.h"
#include <string.h>

#define ID_SHORT 12

/*
 * The next line that is whole; lines of a JSON stream end in \r\n or \n, an escaped \n ends one, too. What
 * was looked at is not looked at again: an answer may come a byte at a time.
 */
static bool line_next(struct build_stream *b, struct span body, struct span *line)
{
	for (size_t i = b->at + b->looked; i < body.len; i++) {
		bool escaped = body.ptr[i] == '\\' && i + 1 < body.len && body.ptr[i + 1] == 'n';

		if (!escaped && body.ptr[i] != '\n')
			continue;
		*line = (struct span){ body.ptr + b->at, i - b->at };
		b->at = i + 1 + escaped;
		b->looked = 0;
		return true;
	}
	/* The last byte may be half of an escaped end. */
	b->looked = body.len > b->at ? body.len - b->at - 1 : 0;
	return false;
}

static struct span after(struct span line, const char *words)
{
	long at = span_find(line, span_of(words));
	size_t skip = at < 0 ? 0 : at + strlen(words);

	return at < 0 ? (struct span){ NULL, 0 }
		      : (struct span){ line.ptr + skip, line.len - skip };
}

static struct span id_after(struct span line, const char *words)
{
	struct span s = after(line, words);
	size_t n = 0;

	while (n < s.len && s.ptr[n] && strchr("0123456789abcdef", s.ptr[n]))
		n++;
	return (struct span){ s.ptr, n >= ID_SHORT ? n : 0 };
}

static void parent_set(struct build_stream *b, struct span s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[n] != ' ' && s.ptr[n] != '"' && s.ptr[n] != '\\')
		n++;
	buf_reset(&b->parent);
	buf_add(&b->parent, s.len ? s.ptr : "", n);
}

/* A step is over when the next one begins. */
static void step_begin(struct build_stream *b, struct span from, struct build_said *out)
{
	if (b->made) {
		buf_reset(&b->image);
		buf_add(&b->image, b->parent.ptr, b->parent.len);
		out->image = (struct span){ b->image.ptr, b->image.len };
	}
	b->own = !from.len;
	b->runs = b->made = false;
	if (from.len)
		parent_set(b, from);
}

static bool container_take(struct build_stream *b, struct span id, struct build_said *out)
{
	out->container = id;
	buf_reset(&b->container);
	buf_add(&b->container, id.ptr, id.len);
	return b->runs = true;
}

/* True when the line says an id. */
static bool line_take(struct build_stream *b, struct span line, struct build_said *out)
{
	struct span id;

	if (after(line, "\"Step ").len) {
		step_begin(b, after(line, " : FROM "), out);
		return out->image.len > 0;
	}
	if (after(line, "Using cache").ptr) {
		b->own = false;
		buf_reset(&b->parent);
		return false;
	}
	id = id_after(line, " ---\\u003e Running in ");
	if (id.len)
		return !b->runs && container_take(b, id, out);
	id = id_after(line, "Removing intermediate container ");
	if (id.len && span_eq_span(id, (struct span){ b->container.ptr, b->container.len })) {
		out->removed = id;
		buf_reset(&b->container);
		return true;
	}
	/* The build has failed: what was not removed stays. A client may not wait for the end of the answer. */
	if (span_starts(line, "{\"errorDetail\":"))
		buf_reset(&b->container);
	id = id_after(line, " ---\\u003e ");
	if (id.len && (b->own || !b->parent.len)) {
		parent_set(b, id);
		b->made = b->own;
	}
	return false;
}

bool build_stream_next(struct build_stream *b, struct span body, struct build_said *out)
{
	struct span line;
	bool said = false;

	*out = (struct build_said){ 0 };
	while (!said && line_next(b, body, &line))
		said = line_take(b, line, out);
	return said;
}

void build_stream_free(struct build_stream *b)
{
	buf_free(&b->parent);
	buf_free(&b->image);
	buf_free(&b->container);
}
