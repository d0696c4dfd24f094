/* build_stream.c: what the classic builder says of its steps, as its answer comes. */
#include "build_stream.h"
#include <string.h>

#define ID_SHORT 12

/* Takes the next line off s; lines of a JSON stream end in \r\n or \n, an escaped \n ends one, too. */
static bool line_next(struct span *s, struct span *line)
{
	size_t i = 0, skip = 1;

	for (; i < s->len && s->ptr[i] != '\n'; i++)
		if (s->ptr[i] == '\\' && i + 1 < s->len && s->ptr[i + 1] == 'n') {
			skip = 2;
			break;
		}
	if (i >= s->len)
		return false;
	*line = (struct span){ s->ptr, i };
	s->ptr += i + skip;
	s->len -= i + skip;
	return true;
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
	if (id.len) {
		out->container = b->runs ? (struct span){ NULL, 0 } : id;
		b->runs = true;
		return out->container.len > 0;
	}
	id = id_after(line, " ---\\u003e ");
	if (id.len && (b->own || !b->parent.len)) {
		parent_set(b, id);
		b->made = b->own;
	}
	return false;
}

bool build_stream_next(struct build_stream *b, struct span body, struct build_said *out)
{
	struct span rest = { body.ptr + b->at, body.len > b->at ? body.len - b->at : 0 }, line;
	bool said = false;

	*out = (struct build_said){ 0 };
	while (!said && rest.len && line_next(&rest, &line))
		said = line_take(b, line, out);
	b->at = body.len - rest.len;
	return said;
}

void build_stream_free(struct build_stream *b)
{
	buf_free(&b->parent);
	buf_free(&b->image);
}
