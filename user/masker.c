/* masker.c: the table of secrets of a run, their masks, and the search for what is known. */
#include <stdlib.h>
#include <string.h>
#include "ascii.h"
#include "scrub_state.h"
#include "siphash.h"

#define MASK_HEAD 6
#define PIECE_MAX 1024  /* longer values are known piece by piece: bounds the work of one look */
#define KNOWN_MAX 65536 /* what is known at most; more is counted as refused */
#define SHAPE_MAX                                                                                  \
	32768 /* the first rows: what was masked for its form leaves room for values of variables */
#define BITS 18

/* Where to look a digest up; the searched ones also stand in the bitmap of first eight bytes. */
struct known {
	uint64_t roll;
	uint64_t digest[2];
	uint64_t first, last; /* keyed hashes of the searched one's first and last eight bytes */
	uint32_t len;         /* 0: free slot */
	int32_t secret;       /* index into the table, -1: it was full */
	bool searched;
};

struct scrub_index {
	uint64_t filter[(1u << BITS) / 64]; /* of the first eight bytes */
	uint64_t ends[(1u << BITS) / 64];   /* of the last eight */
	bool lens[PIECE_MAX + 1];           /* lengths of what is searched */
	unsigned max_len;
	struct known *slots;
	size_t cap, used;
};

void masker_init(struct masker *m, const uint8_t seed[32])
{
	memset(m, 0, sizeof(*m));
	for (int i = 0; i < 3; i++)
		m->tag[i] = 0x80 | (seed[i] & 0x3f);
	memcpy(m->key, seed + 16, sizeof(m->key));
}

struct secret *masker_row(struct masker *m, unsigned at)
{
	/* Whole at once: pointers into it stay good. Untouched pages cost nothing. */
	if (!m->secrets)
		m->secrets = xcalloc(SECRETS_MAX, sizeof(*m->secrets));
	if (m->count <= at)
		m->count = at + 1;
	return &m->secrets[at];
}

void masker_free(struct masker *m)
{
	if (!m)
		return;
	if (m->index)
		free(m->index->slots);
	free(m->index);
	free(m->secrets);
	for (size_t i = 0; i < ARRAY_SIZE(m->clean); i++)
		buf_free(&m->clean[i].text);
	m->index = NULL;
	m->secrets = NULL;
	m->count = 0;
	memset(m->tag, 0, sizeof(m->tag));
}

static bool tag_at(const struct masker *m, const char *p, size_t n)
{
	return n >= 4 && (uint8_t)p[0] == 0xff && (uint8_t)p[1] == m->tag[0] &&
	       (uint8_t)p[2] == m->tag[1] && (uint8_t)p[3] == m->tag[2];
}

size_t masker_at(const struct masker *m, struct span s, const struct secret **which)
{
	size_t n = 4, max = s.len;
	uint8_t hi, lo;

	if (which)
		*which = NULL;
	if (!s.len || (uint8_t)s.ptr[0] != 0xff)
		return 0;
	if (!tag_at(m, s.ptr, s.len)) {
		/* A short one; a tagged one may follow at once. */
		for (n = 1; n < s.len && n < MASK_MIN - 1 && (uint8_t)s.ptr[n] == 0xff; n++)
			if (tag_at(m, s.ptr + n, s.len - n))
				break;
		return n;
	}
	if (s.len >= MASK_HEAD) {
		hi = s.ptr[4];
		lo = s.ptr[5];
		n = MASK_HEAD;
		if ((hi & 0xc0) == 0x80 && (lo & 0xc0) == 0x80) {
			unsigned at = (hi & 0x3fu) << 6 | (lo & 0x3fu);

			if (at < m->count) {
				if (which)
					*which = &m->secrets[at];
				if (m->secrets[at].len < max)
					max = m->secrets[at].len;
			}
		}
	}
	while (n < max && (uint8_t)s.ptr[n] == 0xff && !tag_at(m, s.ptr + n, s.len - n))
		n++;
	return n;
}

enum masked masker_compare(const struct masker *m, struct span masked, struct span raw)
{
	enum masked found = MASKED_SAME;

	if (masked.len != raw.len)
		return MASKED_OTHER;
	for (size_t i = 0, n; i < raw.len; i += n) {
		const struct secret *s;
		uint64_t digest[2];

		n = masker_at(m, (struct span){ masked.ptr + i, masked.len - i }, &s);
		if (!n) {
			n = 1;
			if (masked.ptr[i] != raw.ptr[i])
				return MASKED_OTHER;
		} else if (s && s->len == n) {
			siphash128(m->key, raw.ptr + i, n, digest);
			if (memcmp(digest, s->digest, sizeof(digest)))
				return MASKED_OTHER;
		} else {
			found = MASKED_MAYBE;
		}
	}
	return found;
}

const struct secret *masker_find(const struct masker *m, struct span s)
{
	const char *p = s.ptr, *end = s.ptr + s.len;
	const struct secret *which;

	while (p < end && (p = memchr(p, 0xff, (size_t)(end - p)))) {
		size_t n = masker_at(m, (struct span){ p, (size_t)(end - p) }, &which);

		if (which)
			return which;
		p += n;
	}
	return NULL;
}

void secret_label(const struct secret *s, struct buf *out)
{
	static const char *const kinds[SECRET_KINDS] = {
		[SECRET_VARIABLE] = "variable", [SECRET_NAMED] = "named", [SECRET_TOKEN] = "token",
		[SECRET_KEY] = "key",           [SECRET_URL] = "url",     [SECRET_AUTH] = "auth",
	};

	if (!s || s->kind >= SECRET_KINDS) {
		buf_str(out, "secret");
		return;
	}
	buf_str(out, kinds[s->kind]);
	if (s->name[0]) {
		buf_byte(out, ':');
		buf_add(out, s->name, strnlen(s->name, sizeof(s->name)));
	}
}

static uint64_t roll_base(const struct masker *m)
{
	return m->key[0] | 1;
}

static uint64_t roll_add(uint64_t roll, uint64_t base, char c)
{
	return roll * base + (uint8_t)c + 1;
}

static uint64_t eight_hash(const struct masker *m, const char *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return (x ^ m->key[1]) * 0x9e3779b97f4a7c15u;
}

static uint32_t filter_bit(const struct masker *m, const char *p)
{
	return (uint32_t)(eight_hash(m, p) >> (64 - BITS));
}

static size_t slot_of(const struct scrub_index *x, uint64_t roll)
{
	return (size_t)(roll * 0x9e3779b97f4a7c15u >> 20) & (x->cap - 1);
}

static struct known *known_find(const struct masker *m, const char *p, size_t len, uint64_t roll,
				bool searched)
{
	const struct scrub_index *x = m->index;
	uint64_t digest[2];
	bool have = false;

	if (!x || !x->cap)
		return NULL;
	for (size_t i = slot_of(x, roll); x->slots[i].len; i = (i + 1) & (x->cap - 1)) {
		struct known *k = &x->slots[i];

		if (k->roll != roll || k->len != len || (searched && !k->searched))
			continue;
		if (!have)
			siphash128(m->key, p, len, digest);
		have = true;
		if (k->digest[0] == digest[0] && k->digest[1] == digest[1])
			return k;
	}
	return NULL;
}

static void index_grow(struct scrub_index *x)
{
	struct known *old = x->slots;
	size_t cap = x->cap;

	x->cap = cap ? cap * 2 : 256;
	x->slots = xcalloc(x->cap, sizeof(*x->slots));
	for (size_t i = 0; i < cap; i++) {
		size_t at;

		if (!old[i].len)
			continue;
		for (at = slot_of(x, old[i].roll); x->slots[at].len;)
			at = (at + 1) & (x->cap - 1);
		x->slots[at] = old[i];
	}
	free(old);
}

static void secret_name(struct secret *s, struct span name)
{
	size_t n;

	while (name.len && *name.ptr == '-') {
		name.ptr++;
		name.len--;
	}
	n = name.len < sizeof(s->name) - 1 ? name.len : sizeof(s->name) - 1;
	for (size_t i = 0; i < n; i++)
		s->name[i] = is_word(name.ptr[i]) || name.ptr[i] == '-' || name.ptr[i] == '.'
				     ? name.ptr[i]
				     : '?';
	s->name[n] = '\0';
}

/* The row for these bytes, made if there is none. NULL when even the index is full. *fresh: new, or
 * new to search. */
static struct known *known_add(struct masker *m, const char *p, size_t len, enum secret_kind kind,
			       struct span name, bool searched, bool *fresh)
{
	struct scrub_index *x = m->index;
	uint64_t roll = 0, base = roll_base(m);
	struct known *k;

	if (!x)
		x = m->index = xcalloc(1, sizeof(*x));
	*fresh = false;
	for (size_t i = 0; i < len; i++)
		roll = roll_add(roll, base, p[i]);
	k = known_find(m, p, len, roll, false);
	if (!k) {
		size_t at;

		if (x->used >= (searched ? KNOWN_MAX : SHAPE_MAX)) {
			m->refused++;
			return NULL;
		}
		if ((x->used + 1) * 2 > x->cap)
			index_grow(x);
		for (at = slot_of(x, roll); x->slots[at].len;)
			at = (at + 1) & (x->cap - 1);
		k = &x->slots[at];
		k->roll = roll;
		k->len = (uint32_t)len;
		k->secret = -1;
		siphash128(m->key, p, len, k->digest);
		x->used++;
		if (m->count < SECRETS_MAX) {
			struct secret *s;

			k->secret = (int32_t)m->count;
			s = masker_row(m, m->count);
			s->kind = kind;
			secret_name(s, name);
			s->len = (uint32_t)len;
			s->roll = roll;
			memcpy(s->digest, k->digest, sizeof(s->digest));
		} else {
			m->refused++;
		}
		*fresh = true;
	}
	if (searched && !k->searched) {
		uint32_t bit = filter_bit(m, p), end = filter_bit(m, p + len - MASK_MIN);

		k->searched = true;
		k->first = eight_hash(m, p);
		k->last = eight_hash(m, p + len - MASK_MIN);
		x->filter[bit / 64] |= 1ull << bit % 64;
		x->ends[end / 64] |= 1ull << end % 64;
		x->lens[len] = true;
		if (len > x->max_len)
			x->max_len = (unsigned)len;
		if (k->secret >= 0) {
			m->secrets[k->secret].kind = kind;
			secret_name(&m->secrets[k->secret], name);
		}
		*fresh = true;
	}
	m->learned += *fresh;
	return k;
}

static void mask_write(const struct masker *m, char *p, size_t n, int32_t secret)
{
	memset(p, 0xff, n);
	if (n < MASK_MIN)
		return;
	memcpy(p + 1, m->tag, 3);
	if (secret >= 0) {
		p[4] = (char)(0x80 | (secret >> 6));
		p[5] = (char)(0x80 | (secret & 0x3f));
	}
}

/* Masks n bytes that are not masked yet. Returns 1 when it did. */
unsigned mask_set(struct masker *m, char *p, size_t n, enum secret_kind kind, struct span name)
{
	struct known *k = NULL;
	bool fresh;

	if (!n || masker_at(m, (struct span){ p, n }, NULL) == n)
		return 0;
	if (n >= MASK_MIN)
		k = known_add(m, p, n, kind, name, false, &fresh);
	mask_write(m, p, n, k ? k->secret : -1);
	return 1;
}

/* Learns bytes to search for, in pieces. Returns whether any was new. */
bool masker_learn(struct masker *m, const char *p, size_t n, struct span name)
{
	bool any = false, fresh;

	while (n >= MASK_MIN) {
		size_t k = n > PIECE_MAX ? PIECE_MAX : n;

		if (n > k && n - k < MASK_MIN)
			k -= MASK_MIN;
		known_add(m, p, k, SECRET_VARIABLE, name, true, &fresh);
		any |= fresh;
		p += k;
		n -= k;
	}
	return any;
}

unsigned scrub_known(struct masker *m, char *b, size_t n)
{
	const struct scrub_index *x = m->index;
	uint64_t base = roll_base(m);
	unsigned done = 0;

	if (!x || !x->max_len)
		return 0;
	for (size_t i = 0; i + MASK_MIN <= n;) {
		uint32_t bit = filter_bit(m, b + i);
		struct known *best = NULL, *k;
		uint64_t roll = 0;

		if (!(x->filter[bit / 64] >> bit % 64 & 1)) {
			i++;
			continue;
		}
		for (size_t len = 1; len <= x->max_len && i + len <= n; len++) {
			roll = roll_add(roll, base, b[i + len - 1]);
			if (x->lens[len] && (k = known_find(m, b + i, len, roll, true)))
				best = k;
		}
		if (!best) {
			i++;
			continue;
		}
		mask_write(m, b + i, best->len, best->secret);
		i += best->len;
		done++;
	}
	return done;
}

/* Is there a known value of more than n bytes that begins (or ends) with these eight? */
static bool is_part(const struct masker *m, const char *eight, size_t n, bool begins)
{
	const struct scrub_index *x = m->index;
	const uint64_t *filter = begins ? x->filter : x->ends;
	uint32_t bit = filter_bit(m, eight);
	uint64_t hash = eight_hash(m, eight);

	if (!(filter[bit / 64] >> bit % 64 & 1))
		return false;
	for (size_t i = 0; i < x->cap; i++) {
		const struct known *k = &x->slots[i];

		if (k->len > n && k->searched && (begins ? k->first : k->last) == hash)
			return true;
	}
	return false;
}

void scrub_cut_end(struct masker *m, char *b, size_t n)
{
	size_t max = m->index ? m->index->max_len : 0;

	for (size_t i = n > max ? n - max : 0; max && i + MASK_MIN <= n; i++)
		if (is_part(m, b + i, n - i, true)) {
			mask_write(m, b + i, n - i, -1);
			return;
		}
}

void scrub_cut_begin(struct masker *m, char *b, size_t n)
{
	size_t max = m->index ? m->index->max_len : 0;

	for (size_t i = n < max ? n : max; i >= MASK_MIN; i--)
		if (is_part(m, b + i - MASK_MIN, i, false)) {
			mask_write(m, b, i, -1);
			return;
		}
}
