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

	*beyond = false;
	buf_reset(&k->fold);
	for (size_t i = 0; i < key.len;)
		buf_byte(&k->fold, fold_next(key, &i, beyond));
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
