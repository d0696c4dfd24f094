/* jsonr.c: the streaming JSON walker with Go's idea of keys. */
#include <stdlib.h>
#include <string.h>
#include "jsonr.h"

/* Keys of one object that are remembered for telling duplicates; beyond it none is told. */
#define KEYS_MAX 512

struct level {
	bool array;
	size_t key_at;		/* start of this object's hashes in keys[] */
	unsigned index;
	struct buf key;		/* decoded key of the member at hand */
	bool folded, duplicate;
};

struct walk {
	struct span text;
	size_t at;
	json_fn *fn;
	void *ctx;
	unsigned depth;
	struct level level[JSON_DEPTH];
	struct json_step path[JSON_DEPTH];
	struct buf value;	/* decoded string */
	uint64_t *keys;
	size_t n_keys, cap_keys;
};

static int peek(const struct walk *w)
{
	return w->at < w->text.len ? (uint8_t)w->text.ptr[w->at] : -1;
}

static int peek_token(struct walk *w)
{
	int c;

	while ((c = peek(w)) == ' ' || c == '\t' || c == '\n' || c == '\r')
		w->at++;
	return c;
}

/* The next letter of a key as Go folds it; *odd is set when that is beyond ASCII case. */
static uint8_t fold_next(struct span key, size_t *i, bool *odd)
{
	const uint8_t *p = (const uint8_t *)key.ptr + *i;
	size_t left = key.len - *i;

	if (left >= 2 && p[0] == 0xc5 && p[1] == 0xbf) { /* U+017F, long s */
		*i += 2;
		*odd = true;
		return 's';
	}
	if (left >= 3 && p[0] == 0xe2 && p[1] == 0x84 && p[2] == 0xaa) { /* U+212A, Kelvin sign */
		*i += 3;
		*odd = true;
		return 'k';
	}
	++*i;
	return *p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p;
}

bool json_key_is(struct span key, const char *name)
{
	size_t i = 0, n = 0;
	bool odd;

	while (i < key.len) {
		uint8_t c = name[n];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (!name[n++] || fold_next(key, &i, &odd) != c)
			return false;
	}
	return !name[n];
}

static uint64_t key_hash(struct span key, bool *odd)
{
	uint64_t h = 0xcbf29ce484222325ull; /* FNV-1a */

	for (size_t i = 0; i < key.len;)
		h = (h ^ fold_next(key, &i, odd)) * 0x100000001b3ull;
	return h;
}

static void key_enter(struct walk *w, struct level *l)
{
	struct span key = { l->key.ptr, l->key.len };
	uint64_t h;

	l->folded = false;
	h = key_hash(key, &l->folded);
	l->duplicate = false;
	for (size_t i = l->key_at; i < w->n_keys && !l->duplicate; i++)
		l->duplicate = w->keys[i] == h;
	if (l->duplicate || w->n_keys - l->key_at >= KEYS_MAX)
		return;
	if (w->n_keys == w->cap_keys) {
		w->cap_keys = w->cap_keys ? 2 * w->cap_keys : 64;
		w->keys = xrealloc(w->keys, w->cap_keys * sizeof(*w->keys));
	}
	w->keys[w->n_keys++] = h;
}

static void report(struct walk *w, enum json_type type, struct span text)
{
	struct json_value v = { .type = type, .text = text, .path = w->path, .depth = w->depth };

	for (unsigned i = 0; i < w->depth; i++) {
		struct level *l = &w->level[i];

		w->path[i].key = l->array ? (struct span){ NULL, 0 } :
					    (struct span){ l->key.ptr ? l->key.ptr : "", l->key.len };
		w->path[i].index = l->index;
		v.folded |= !l->array && l->folded;
	}
	if (w->depth && !w->level[w->depth - 1].array)
		v.duplicate = w->level[w->depth - 1].duplicate;
	w->fn(w->ctx, &v);
}

static long hex4(const struct walk *w, size_t at)
{
	long v = 0;

	for (int i = 0; i < 4; i++) {
		uint8_t c = w->text.ptr[at + i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v << 4 | ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return v;
}

static void rune_add(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_byte(out, c);
	} else if (c < 0x800) {
		buf_byte(out, 0xc0 | c >> 6);
		buf_byte(out, 0x80 | (c & 63));
	} else if (c < 0x10000) {
		buf_byte(out, 0xe0 | c >> 12);
		buf_byte(out, 0x80 | (c >> 6 & 63));
		buf_byte(out, 0x80 | (c & 63));
	} else {
		buf_byte(out, 0xf0 | c >> 18);
		buf_byte(out, 0x80 | (c >> 12 & 63));
		buf_byte(out, 0x80 | (c >> 6 & 63));
		buf_byte(out, 0x80 | (c & 63));
	}
}

/* Behind "\u": a surrogate pair is one rune, a lone half is U+FFFD, as Go takes it. */
static enum json_end unicode_read(struct walk *w, struct buf *out)
{
	long c, low;

	if (w->text.len - w->at < 4)
		return JSON_CUT;
	c = hex4(w, w->at);
	if (c < 0)
		return JSON_BAD;
	w->at += 4;
	if (c >= 0xd800 && c < 0xe000) {
		low = -1;
		if (c < 0xdc00 && w->text.len - w->at >= 6 && w->text.ptr[w->at] == '\\' &&
		    w->text.ptr[w->at + 1] == 'u')
			low = hex4(w, w->at + 2);
		if (low >= 0xdc00 && low < 0xe000) {
			w->at += 6;
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		} else {
			c = 0xfffd;
		}
	}
	rune_add(out, c);
	return JSON_OK;
}

/* At the opening quote. Bytes that are not UTF-8 are kept: masked secrets are made of them. */
static enum json_end string_read(struct walk *w, struct buf *out)
{
	static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";

	buf_reset(out);
	w->at++;
	for (;;) {
		size_t run = w->at;
		const char *letter;
		enum json_end end;
		int c;

		while (run < w->text.len && (uint8_t)w->text.ptr[run] >= 0x20 && w->text.ptr[run] != '"' &&
		       w->text.ptr[run] != '\\')
			run++;
		buf_add(out, w->text.ptr + w->at, run - w->at);
		w->at = run;
		c = peek(w);
		if (c < 0)
			return JSON_CUT;
		if (c < 0x20)
			return JSON_BAD;
		w->at++;
		if (c == '"')
			return JSON_OK;
		c = peek(w);
		if (c < 0)
			return JSON_CUT;
		w->at++;
		if (c == 'u') {
			end = unicode_read(w, out);
			if (end != JSON_OK)
				return end;
			continue;
		}
		letter = c ? strchr(letters, c) : NULL;
		if (!letter)
			return JSON_BAD;
		buf_byte(out, values[letter - letters]);
	}
}

static size_t digits(struct walk *w)
{
	size_t start = w->at;

	while (peek(w) >= '0' && peek(w) <= '9')
		w->at++;
	return w->at - start;
}

static enum json_end number_read(struct walk *w)
{
	size_t start = w->at;

	if (peek(w) == '-')
		w->at++;
	if (peek(w) == '0')
		w->at++;
	else if (!digits(w))
		return peek(w) < 0 ? JSON_CUT : JSON_BAD;
	if (peek(w) == '.') {
		w->at++;
		if (!digits(w))
			return peek(w) < 0 ? JSON_CUT : JSON_BAD;
	}
	if ((peek(w) | 0x20) == 'e') {
		w->at++;
		if (peek(w) == '+' || peek(w) == '-')
			w->at++;
		if (!digits(w))
			return peek(w) < 0 ? JSON_CUT : JSON_BAD;
	}
	if (peek(w) < 0 && w->depth)
		return JSON_CUT; /* there may have been more digits */
	report(w, JSON_NUMBER, (struct span){ w->text.ptr + start, w->at - start });
	return JSON_OK;
}

static enum json_end word_read(struct walk *w, const char *word, enum json_type type)
{
	size_t n = strlen(word), left = w->text.len - w->at;

	if (memcmp(w->text.ptr + w->at, word, left < n ? left : n))
		return JSON_BAD;
	if (left < n)
		return JSON_CUT;
	w->at += n;
	report(w, type, (struct span){ "", 0 });
	return JSON_OK;
}

static enum json_end open_read(struct walk *w, bool array)
{
	struct level *l;

	if (w->depth == JSON_DEPTH)
		return JSON_DEEP;
	report(w, array ? JSON_ARRAY : JSON_OBJECT, (struct span){ "", 0 });
	w->at++;
	l = &w->level[w->depth++];
	l->array = array;
	l->index = 0;
	l->key_at = w->n_keys;
	l->folded = l->duplicate = false;
	return JSON_OK;
}

static enum json_end value_read(struct walk *w, bool *opened)
{
	enum json_end end;
	int c = peek_token(w);

	*opened = c == '{' || c == '[';
	switch (c) {
	case -1:
		return JSON_CUT;
	case '{':
	case '[':
		return open_read(w, c == '[');
	case '"':
		end = string_read(w, &w->value);
		if (end == JSON_OK)
			report(w, JSON_STRING, (struct span){ w->value.ptr ? w->value.ptr : "", w->value.len });
		return end;
	case 't':
		return word_read(w, "true", JSON_TRUE);
	case 'f':
		return word_read(w, "false", JSON_FALSE);
	case 'n':
		return word_read(w, "null", JSON_NULL);
	}
	return number_read(w);
}

/* The key and colon of the next member. */
static enum json_end member_read(struct walk *w, struct level *l)
{
	enum json_end end;
	int c = peek_token(w);

	if (c != '"')
		return c < 0 ? JSON_CUT : JSON_BAD;
	end = string_read(w, &l->key);
	if (end != JSON_OK)
		return end;
	c = peek_token(w);
	if (c != ':')
		return c < 0 ? JSON_CUT : JSON_BAD;
	w->at++;
	key_enter(w, l);
	return JSON_OK;
}

/* Closes levels and passes commas until the next value is due. *done: the outermost value is whole. */
static enum json_end next_due(struct walk *w, bool fresh, bool *done)
{
	*done = false;
	while (w->depth) {
		struct level *l = &w->level[w->depth - 1];
		int c = peek_token(w), close = l->array ? ']' : '}';

		if (c < 0)
			return JSON_CUT;
		if (c == close) {
			w->at++;
			w->n_keys = l->key_at;
			w->depth--;
			fresh = false;
			continue;
		}
		if (!fresh) {
			if (c != ',')
				return JSON_BAD;
			w->at++;
			l->index++;
		}
		return l->array ? JSON_OK : member_read(w, l);
	}
	*done = true;
	return JSON_OK;
}

enum json_end json_walk(struct span text, json_fn *fn, void *ctx, size_t *at)
{
	struct walk *w = xcalloc(1, sizeof(*w));
	enum json_end end;
	bool opened, done = false;

	w->text = text;
	w->fn = fn;
	w->ctx = ctx;
	do {
		end = value_read(w, &opened);
		if (end == JSON_OK)
			end = next_due(w, opened, &done);
	} while (end == JSON_OK && !done);
	if (at)
		*at = w->at;
	for (unsigned i = 0; i < JSON_DEPTH; i++)
		buf_free(&w->level[i].key);
	buf_free(&w->value);
	free(w->keys);
	free(w);
	return end;
}

/* One step against one pattern step of n bytes. */
static bool step_is(const struct json_step *s, const char *pattern, size_t n)
{
	char name[128];

	if (n == 1 && *pattern == '*')
		return true;
	if (n >= sizeof(name))
		return false;
	memcpy(name, pattern, n);
	name[n] = 0;
	if (s->key.ptr)
		return json_key_is(s->key, name);
	return n && strspn(name, "0123456789") == n && strtoul(name, NULL, 10) == s->index;
}

bool json_path_is(const struct json_value *v, const char *pattern)
{
	unsigned i = 0;

	while (*pattern == '/') {
		size_t n = strcspn(++pattern, "/");

		if (i == v->depth || !step_is(&v->path[i], pattern, n))
			return false;
		i++;
		pattern += n;
	}
	return i == v->depth;
}

struct wanted {
	const char *pattern;
	struct buf *out;
	bool found;
};

static void string_take(void *ctx, const struct json_value *v)
{
	struct wanted *want = ctx;

	if (want->found || v->type != JSON_STRING || !json_path_is(v, want->pattern))
		return;
	buf_reset(want->out);
	buf_add(want->out, v->text.ptr, v->text.len);
	want->found = true;
}

bool json_string_at(struct span text, const char *pattern, struct buf *out)
{
	struct wanted want = { pattern, out, false };

	json_walk(text, string_take, &want, NULL);
	return want.found;
}
