/* json_keys.c: keys as Go's decoder compares them: folded, matched with a path, told from duplicates. */
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include "json_keys.h"
#include "siphash.h"

/*
 * Keys of one walk that are remembered to tell duplicates; it bounds memory to 2 MiB. Every further
 * key is called a duplicate: a body that has more is made to hide one.
 */
#define KEYS_MAX 65536u

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

/* Where name ends, at its NUL or the stop, when the key is it; else NULL. */
static const char *key_fits(struct span key, const char *name, char stop)
{
	size_t i = 0;
	bool beyond;

	for (; *name && *name != stop; name++) {
		char c = *name;

		if (c >= 'A' && c <= 'Z')
			c += 32;
		if (i == key.len || fold_next(key, &i, &beyond) != c)
			return NULL;
	}
	return i == key.len ? name : NULL;
}

bool json_key_is(struct span key, const char *name)
{
	return key_fits(key, name, 0);
}

/* The same of an index. */
static const char *index_fits(unsigned index, const char *name, char stop)
{
	size_t n = 0;
	unsigned v = 0;

	for (; name[n] && name[n] != stop; n++) {
		if (name[n] < '0' || name[n] > '9' || n == 9)
			return NULL;
		v = v * 10 + (unsigned)(name[n] - '0');
	}
	return n && v == index && (n == 1 || name[0] != '0') ? name + n : NULL;
}

bool json_path_is(const struct json_value *v, const char *pattern)
{
	for (unsigned i = 0; i < v->depth; i++) {
		const struct json_step *s = &v->path[i];

		if (*pattern++ != '/')
			return false;
		if (*pattern == '*' && (!pattern[1] || pattern[1] == '/'))
			pattern++;
		else
			pattern = s->key.ptr ? key_fits(s->key, pattern, '/')
					     : index_fits(s->index, pattern, '/');
		if (!pattern)
			return false;
	}
	return !*pattern;
}

void json_keys_begin(struct json_keys *k)
{
	k->slots = k->first;
	k->slot_count = KEYS_FIRST;
	/* Unpredictable, so that nobody can make keys that collide; it decides nothing else. */
	if (getauxval(AT_RANDOM))
		memcpy(k->seed, (const void *)getauxval(AT_RANDOM), sizeof(k->seed));
}

void json_keys_free(struct json_keys *k)
{
	buf_free(&k->fold);
	if (k->slots != k->first)
		free(k->slots);
}

static struct key_slot *slot_find(struct key_slot *slots, unsigned count, const uint64_t digest[2])
{
	unsigned i = (unsigned)digest[0] & (count - 1);

	while (slots[i].digest[1] && memcmp(slots[i].digest, digest, sizeof(slots[i].digest)))
		i = (i + 1) & (count - 1);
	return &slots[i];
}

static void slots_grow(struct json_keys *k)
{
	unsigned count = k->slot_count * 4;
	struct key_slot *slots = xcalloc(count, sizeof(*slots));

	for (unsigned i = 0; i < k->slot_count; i++)
		if (k->slots[i].digest[1])
			*slot_find(slots, count, k->slots[i].digest) = k->slots[i];
	if (k->slots != k->first)
		free(k->slots);
	k->slots = slots;
	k->slot_count = count;
}

bool json_keys_note(struct json_keys *k, uint64_t object, struct span key, bool *beyond)
{
	const uint64_t seed[2] = { k->seed[0] ^ object, k->seed[1] };
	struct key_slot *s;
	uint64_t digest[2];
	char *to;

	*beyond = false;
	buf_reset(&k->fold);
	to = buf_more(&k->fold, key.len); /* it grows no longer */
	for (size_t i = 0; i < key.len;)
		*to++ = fold_next(key, &i, beyond);
	k->fold.len = (size_t)(to - k->fold.ptr);
	siphash128(seed, k->fold.ptr, k->fold.len, digest);
	digest[1] |= 1; /* never a free slot */
	s = slot_find(k->slots, k->slot_count, digest);
	if (s->digest[1] || k->used == KEYS_MAX)
		return true;
	memcpy(s->digest, digest, sizeof(digest));
	if (++k->used > k->slot_count / 2)
		slots_grow(k);
	return false;
}
