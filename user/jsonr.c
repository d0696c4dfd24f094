/* jsonr.c: walks untrusted JSON once, without a tree and without recursion, as Go's decoder reads it. */
#include <string.h>
#include "json_keys.h"
#include "utf8.h"

struct level {
	uint64_t object; /* number of the object in this walk; 0: an array */
	bool folded;     /* as json_value.folded, of the path up to here */
	bool duplicate;  /* of the member that is being read */
	struct buf key;  /* the decoded key, when it had escapes */
};

struct walk {
	const char *p, *end;
	json_fn *fn;
	void *ctx;
	unsigned depth; /* open objects and arrays = steps of the path */
	uint64_t objects;
	struct json_step path[JSON_DEPTH];
	struct level level[JSON_DEPTH];
	struct buf string; /* a decoded value */
	struct json_keys keys;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_space(struct walk *w)
{
	while (w->p < w->end && is_space(*w->p))
		w->p++;
}

static void report(struct walk *w, enum json_type type, struct span s)
{
	const struct level *l = w->depth ? &w->level[w->depth - 1] : NULL;
	const struct json_value v = {
		.type = type,
		.text = s,
		.path = w->path,
		.depth = w->depth,
		.duplicate = l && l->duplicate,
		.folded = l && l->folded,
	};

	w->fn(w->ctx, &v);
}

/* The four digits of \uXXXX at p. */
static enum json_end read_unit(struct walk *w, uint32_t *v)
{
	*v = 0;
	for (int i = 0; i < 4; i++, w->p++) {
		int d;

		if (w->p == w->end)
			return JSON_CUT;
		d = hex_digit(*w->p);
		if (d < 0)
			return JSON_BAD;
		*v = *v << 4 | (uint32_t)d;
	}
	return JSON_OK;
}

/* p is behind the backslash. */
static enum json_end read_escape(struct walk *w, struct buf *to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	const char *at, *back;
	uint32_t v, low;
	enum json_end end;

	if (w->p == w->end)
		return JSON_CUT;
	if (*w->p != 'u') {
		at = *w->p ? strchr(from, *w->p) : NULL;
		if (!at)
			return JSON_BAD;
		w->p++;
		buf_byte(to, into[at - from]);
		return JSON_OK;
	}
	w->p++;
	end = read_unit(w, &v);
	if (end != JSON_OK)
		return end;
	if (v >= 0xd800 && v < 0xdc00 && w->end - w->p >= 6 && w->p[0] == '\\' && w->p[1] == 'u') {
		back = w->p;
		w->p += 2;
		/* What does not complete the pair is read again, for itself. */
		if (read_unit(w, &low) == JSON_OK && utf16_pair(v, low))
			v = utf16_pair(v, low);
		else
			w->p = back;
	}
	utf8_add(to, v);
	return JSON_OK;
}

/* p is at the quote. Without escapes *s points into the text, else into spare. */
static enum json_end read_string(struct walk *w, struct buf *spare, struct span *s)
{
	const char *from = ++w->p;
	bool decoded = false;
	enum json_end end;

	for (;;) {
		while (w->p < w->end && *w->p != '"' && *w->p != '\\' && (uint8_t)*w->p >= 0x20)
			w->p++;
		if (w->p == w->end)
			return JSON_CUT;
		if (*w->p == '"' && !decoded) {
			*s = (struct span){ from, (size_t)(w->p++ - from) };
			return JSON_OK;
		}
		if ((uint8_t)*w->p < 0x20)
			return JSON_BAD;
		if (!decoded)
			buf_reset(spare);
		decoded = true;
		buf_add(spare, from, (size_t)(w->p - from));
		if (*w->p++ == '"') {
			*s = (struct span){ spare->ptr, spare->len };
			return JSON_OK;
		}
		end = read_escape(w, spare);
		if (end != JSON_OK)
			return end;
		from = w->p;
	}
}

static enum json_end digits(struct walk *w)
{
	if (w->p == w->end)
		return JSON_CUT;
	if (!is_digit(*w->p))
		return JSON_BAD;
	while (w->p < w->end && is_digit(*w->p))
		w->p++;
	return JSON_OK;
}

static enum json_end read_number(struct walk *w)
{
	const char *from = w->p;
	enum json_end end;

	if (*w->p == '-')
		w->p++;
	if (w->p < w->end && *w->p == '0') {
		w->p++;
	} else {
		end = digits(w);
		if (end != JSON_OK)
			return end;
	}
	if (w->p < w->end && *w->p == '.') {
		w->p++;
		end = digits(w);
		if (end != JSON_OK)
			return end;
	}
	if (w->p < w->end && (*w->p == 'e' || *w->p == 'E')) {
		w->p++;
		if (w->p < w->end && (*w->p == '+' || *w->p == '-'))
			w->p++;
		end = digits(w);
		if (end != JSON_OK)
			return end;
	}
	/* More digits may have stood behind the cut. */
	if (w->p == w->end && w->depth)
		return JSON_CUT;
	report(w, JSON_NUMBER, (struct span){ from, (size_t)(w->p - from) });
	return JSON_OK;
}

static enum json_end read_word(struct walk *w, const char *word, enum json_type type)
{
	for (; *word; word++, w->p++) {
		if (w->p == w->end)
			return JSON_CUT;
		if (*w->p != *word)
			return JSON_BAD;
	}
	report(w, type, (struct span){ 0 });
	return JSON_OK;
}

static enum json_end level_open(struct walk *w, bool array)
{
	struct level *l;

	report(w, array ? JSON_ARRAY : JSON_OBJECT, (struct span){ 0 });
	if (w->depth == JSON_DEPTH)
		return JSON_DEEP;
	w->p++;
	l = &w->level[w->depth];
	l->object = array ? 0 : ++w->objects;
	l->folded = w->depth && w->level[w->depth - 1].folded;
	l->duplicate = false;
	w->path[w->depth] = (struct json_step){ .index = 0 };
	w->depth++;
	return JSON_OK;
}

/* A key and its colon; p is where the key has to begin. */
static enum json_end read_key(struct walk *w)
{
	struct level *l = &w->level[w->depth - 1];
	struct span key;
	enum json_end end;

	skip_space(w);
	if (w->p == w->end)
		return JSON_CUT;
	if (*w->p != '"')
		return JSON_BAD;
	end = read_string(w, &l->key, &key);
	if (end != JSON_OK)
		return end;
	w->path[w->depth - 1].key = key;
	l->duplicate = json_keys_note(&w->keys, l->object, key, &l->folded);
	l->folded |= w->depth > 1 && w->level[w->depth - 2].folded;
	skip_space(w);
	if (w->p == w->end)
		return JSON_CUT;
	if (*w->p != ':')
		return JSON_BAD;
	w->p++;
	return JSON_OK;
}

/*
 * One value, or the beginning of an object or array up to where its first member's value stands.
 * *open: a value has to follow.
 */
static enum json_end read_value(struct walk *w, bool *open)
{
	struct span s;
	enum json_end end;
	char close;

	*open = false;
	skip_space(w);
	if (w->p == w->end)
		return JSON_CUT;
	switch (*w->p) {
	case '"':
		end = read_string(w, &w->string, &s);
		if (end == JSON_OK)
			report(w, JSON_STRING, s);
		return end;
	case '{':
	case '[':
		close = *w->p == '{' ? '}' : ']';
		end = level_open(w, close == ']');
		if (end != JSON_OK)
			return end;
		skip_space(w);
		if (w->p == w->end)
			return JSON_CUT;
		if (*w->p == close) {
			w->p++;
			w->depth--;
			return JSON_OK;
		}
		*open = true;
		return close == '}' ? read_key(w) : JSON_OK;
	case 't':
		return read_word(w, "true", JSON_TRUE);
	case 'f':
		return read_word(w, "false", JSON_FALSE);
	case 'n':
		return read_word(w, "null", JSON_NULL);
	case '-':
	case '0' ... '9':
		return read_number(w);
	}
	return JSON_BAD;
}

/* Behind a value: closes what ends here, until a value has to follow or all is closed. */
static enum json_end read_next(struct walk *w)
{
	while (w->depth) {
		bool object = w->level[w->depth - 1].object;

		skip_space(w);
		if (w->p == w->end)
			return JSON_CUT;
		if (*w->p == ',') {
			w->p++;
			if (object)
				return read_key(w);
			w->path[w->depth - 1].index++;
			return JSON_OK;
		}
		if (*w->p != (object ? '}' : ']'))
			return JSON_BAD;
		w->p++;
		w->depth--;
	}
	return JSON_OK;
}

static enum json_end walk_all(struct span text, json_fn *fn, void *ctx, size_t *at,
			      const bool *stop)
{
	struct walk w = { .fn = fn, .ctx = ctx };
	const char *begin = text.len ? text.ptr : "";
	enum json_end end;
	bool open;

	w.p = begin;
	w.end = begin + text.len;
	json_keys_begin(&w.keys);
	do {
		end = read_value(&w, &open);
		if (end == JSON_OK && !open)
			end = read_next(&w);
	} while (end == JSON_OK && w.depth && !(stop && *stop));
	if (at)
		*at = (size_t)(w.p - begin);
	for (unsigned i = 0; i < JSON_DEPTH; i++)
		buf_free(&w.level[i].key);
	buf_free(&w.string);
	json_keys_free(&w.keys);
	return end;
}

enum json_end json_walk(struct span text, json_fn *fn, void *ctx, size_t *at)
{
	return walk_all(text, fn, ctx, at, NULL);
}

struct wanted {
	const char *pattern;
	struct buf *out;
	bool found;
};

static void string_look(void *ctx, const struct json_value *v)
{
	struct wanted *w = ctx;

	if (w->found || v->type != JSON_STRING || !json_path_is(v, w->pattern))
		return;
	w->found = true;
	buf_add(w->out, v->text.ptr, v->text.len);
}

bool json_string_at(struct span text, const char *pattern, struct buf *out)
{
	struct wanted w = { .pattern = pattern, .out = out };

	buf_reset(out);
	walk_all(text, string_look, &w, NULL, &w.found);
	return w.found;
}
