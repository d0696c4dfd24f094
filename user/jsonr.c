/* jsonr.c: walks untrusted JSON once, without a tree and without recursion, as Go's decoder reads it. */
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include "jsonr.h"
#include "siphash.h"
#include "utf8.h"

/*
 * Keys of one walk that are remembered to tell duplicates; it bounds memory to 2 MiB. Every further
 * key is called a duplicate: a body that has more is made to hide one.
 */
#define KEYS_MAX   65536u
#define KEYS_FIRST 64u /* slots that need no allocation */

/* A key of an open or closed object: digest of the object's number and the folded key; {0}: free. */
struct key_slot {
	uint64_t digest[2];
};

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
	struct buf fold;   /* a folded key */
	uint64_t key[2];
	struct key_slot first[KEYS_FIRST];
	struct key_slot *slots;
	unsigned slot_count, used;
};

/* The next character of a key, folded; *i moves behind it. *beyond is set when it was not ASCII before. */
static char fold_next(struct span s, size_t *i, bool *beyond)
{
	const uint8_t *p = (const uint8_t *)s.ptr + *i;
	size_t left = s.len - *i;

	if (left >= 2 && p[0] == 0xc5 && p[1] == 0xbf) {
		*i += 2;
		*beyond = true;
		return 's';
	}
	if (left >= 3 && p[0] == 0xe2 && p[1] == 0x84 && p[2] == 0xaa) {
		*i += 3;
		*beyond = true;
		return 'k';
	}
	(*i)++;
	return (char)(p[0] >= 'A' && p[0] <= 'Z' ? p[0] + 32 : p[0]);
}

static bool key_is(struct span key, const char *name, size_t n)
{
	size_t i = 0, k = 0;
	bool beyond;

	while (i < key.len && k < n) {
		char c = name[k++];

		if (c >= 'A' && c <= 'Z')
			c += 32;
		if (fold_next(key, &i, &beyond) != c)
			return false;
	}
	return i == key.len && k == n;
}

bool json_key_is(struct span key, const char *name)
{
	return key_is(key, name, strlen(name));
}

static bool index_is(unsigned index, const char *name, size_t n)
{
	unsigned v = 0;

	if (!n || n > 9 || (n > 1 && name[0] == '0'))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		v = v * 10 + (unsigned)(name[i] - '0');
	}
	return v == index;
}

bool json_path_is(const struct json_value *v, const char *pattern)
{
	for (unsigned i = 0; i < v->depth; i++) {
		const struct json_step *s = &v->path[i];
		size_t n;

		if (*pattern++ != '/')
			return false;
		n = strcspn(pattern, "/");
		if (!(n == 1 && *pattern == '*') &&
		    !(s->key.ptr ? key_is(s->key, pattern, n) : index_is(s->index, pattern, n)))
			return false;
		pattern += n;
	}
	return !*pattern;
}

static struct key_slot *slot_find(struct key_slot *slots, unsigned count, const uint64_t digest[2])
{
	unsigned i = (unsigned)digest[0] & (count - 1);

	while (slots[i].digest[1] && memcmp(slots[i].digest, digest, sizeof(slots[i].digest)))
		i = (i + 1) & (count - 1);
	return &slots[i];
}

static void slots_grow(struct walk *w)
{
	unsigned count = w->slot_count * 4;
	struct key_slot *slots = xcalloc(count, sizeof(*slots));

	for (unsigned i = 0; i < w->slot_count; i++)
		if (w->slots[i].digest[1])
			*slot_find(slots, count, w->slots[i].digest) = w->slots[i];
	if (w->slots != w->first)
		free(w->slots);
	w->slots = slots;
	w->slot_count = count;
}

/* Notes the key just read in its object, and whether it stood there before. */
static void key_note(struct walk *w, struct span key)
{
	struct level *l = &w->level[w->depth - 1];
	const uint64_t k[2] = { w->key[0] ^ l->object, w->key[1] };
	bool beyond = false;
	struct key_slot *s;
	uint64_t digest[2];

	buf_reset(&w->fold);
	for (size_t i = 0; i < key.len;)
		buf_byte(&w->fold, fold_next(key, &i, &beyond));
	l->folded = beyond || (w->depth > 1 && w->level[w->depth - 2].folded);
	siphash128(k, w->fold.ptr, w->fold.len, digest);
	digest[1] |= 1; /* never a free slot */
	s = slot_find(w->slots, w->slot_count, digest);
	l->duplicate = s->digest[1] || w->used == KEYS_MAX;
	if (l->duplicate)
		return;
	memcpy(s->digest, digest, sizeof(digest));
	if (++w->used > w->slot_count / 2)
		slots_grow(w);
}

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
	char bytes[4];
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
	buf_add(to, bytes, utf8_put(v, bytes));
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
	key_note(w, key);
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
	w.slots = w.first;
	w.slot_count = KEYS_FIRST;
	/* Unpredictable, so that nobody can make keys that collide; it decides nothing else. */
	if (getauxval(AT_RANDOM))
		memcpy(w.key, (const void *)getauxval(AT_RANDOM), sizeof(w.key));
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
	buf_free(&w.fold);
	if (w.slots != w.first)
		free(w.slots);
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
