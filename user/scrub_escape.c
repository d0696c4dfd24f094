/* scrub_escape.c: masks secrets that stand behind escapes: \u0041, \/, \x41, \", %41, and two of these in a row. */
/*
 * A reader of JSON, a shell or a URL's server takes the escapes away again, and so do our own
 * detectors: what they would find is looked for in a decoded copy and masked where it came from.
 */
#include <stdlib.h>
#include <string.h>
#include "codec.h"
#include "scrub_state.h"
#include "secret_shape.h"
#include "utf8.h"

#define KIND_LEN 12
#define DEPTH    2 /* a JSON text inside of a string of another, or of a query */

/* Bytes and where each began among those they were decoded from; one more for the end. */
struct decoded {
	struct buf text;
	uint32_t *from;
};

typedef const char *step_fn(const char *p, const char *end, struct buf *out);

static const char *backslash_step(const char *p, const char *end, struct buf *out)
{
	if (end - p >= 2 && p[1] == '/') {
		buf_byte(out, '/');
		return p + 2;
	}
	return end - p >= 2 ? escape_one(p + 1, end, out) : NULL;
}

static const char *percent_step(const char *p, const char *end, struct buf *out)
{
	int high = end - p >= 3 ? hex_digit(p[1]) : -1, low = end - p >= 3 ? hex_digit(p[2]) : -1;

	if (high < 0 || low < 0)
		return NULL;
	buf_byte(out, (char)(high << 4 | low));
	return p + 3;
}

static const struct {
	char mark;
	step_fn *step;
} kinds[] = { { '\\', backslash_step }, { '%', percent_step } };

/* False: nothing was decoded. */
static bool decode(struct span in, char mark, step_fn *step, struct decoded *d)
{
	const char *end = in.ptr + in.len, *next;
	bool any = false;

	if (!memchr(in.ptr, mark, in.len))
		return false;
	/* What is decoded is never longer. */
	d->from = xcalloc(in.len + 1, sizeof(*d->from));
	for (const char *p = in.ptr; p < end; p = next) {
		size_t at = d->text.len;

		next = *p == mark ? step(p, end, &d->text) : NULL;
		any |= next != NULL;
		if (!next) {
			buf_byte(&d->text, *p);
			next = p + 1;
		}
		for (; at < d->text.len; at++)
			d->from[at] = (uint32_t)(p - in.ptr);
	}
	d->from[d->text.len] = (uint32_t)in.len;
	return any;
}

/* Masks in bytes what is masked in their decoded copy. */
static unsigned carry_back(struct masker *m, char *bytes, const struct decoded *d)
{
	const char *end = d->text.ptr + d->text.len, *p = d->text.ptr;
	unsigned done = 0;

	while (p < end && (p = memchr(p, 0xff, (size_t)(end - p)))) {
		const struct secret *which;
		size_t k = masker_at(m, (struct span){ p, (size_t)(end - p) }, &which);
		size_t at = d->from[p - d->text.ptr], stop = d->from[p + k - d->text.ptr];
		size_t room = stop - at;

		/* One without a name is of a full table. */
		if ((which || k >= MASK_MIN) &&
		    !masker_at(m, (struct span){ bytes + at, room }, NULL))
			done += mask_set(m, bytes + at, room, which ? which->kind : SECRET_VARIABLE,
					 which ? span_of(which->name) : SPAN(""));
		p += k;
	}
	return done;
}

/*
 * Private keys: what follows the first line and the dozen characters that say which kind of key it
 * is. Those stay, so that it is still seen that something is encoded here.
 */
static unsigned keys_mask(struct masker *m, char *bytes, size_t n)
{
	static const char begin[] = "-----BEGIN ";
	char *p = bytes, *end = bytes + n;
	unsigned done = 0;

	while ((p = memmem(p, (size_t)(end - p), begin, sizeof(begin) - 1))) {
		const char *kind = "", *line;
		size_t at = (size_t)(p - bytes),
		       k = secret_shape((struct span){ bytes, n }, at, &kind);

		p += sizeof(begin) - 1;
		line = k && !kind ? memmem(p, (size_t)(end - p), "-----", 5) : NULL;
		if (!line || (size_t)(line - bytes) + 5 + 1 + KIND_LEN + 8 >= at + k)
			continue;
		p = bytes + (line - bytes) + 5 + 1 + KIND_LEN;
		done += mask_set(m, p, at + k - (size_t)(p - bytes), SECRET_KEY, SPAN("private"));
		p = bytes + at + k;
	}
	return done;
}

/* Credentials of URLs. A literal & of a query is none of theirs: there a parameter ends. */
static unsigned urls_mask(struct masker *m, const char *bytes, char mark, const struct decoded *d)
{
	unsigned done = 0;
	size_t from = 0;

	for (size_t i = 0; i <= d->text.len; i++)
		if (i == d->text.len || (mark == '%' && bytes[d->from[i]] == '&')) {
			done += scrub_urls(m, d->text.ptr + from, i - from);
			from = i + 1;
		}
	return done;
}

static unsigned look(struct masker *m, char *bytes, size_t n, unsigned depth, bool urls)
{
	unsigned done = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct decoded d = { 0 };

		if (decode((struct span){ bytes, n }, kinds[i].mark, kinds[i].step, &d)) {
			unsigned found = scrub_known(m, d.text.ptr, d.text.len) +
					 keys_mask(m, d.text.ptr, d.text.len);

			if (urls)
				found += urls_mask(m, bytes, kinds[i].mark, &d);
			if (depth > 1)
				found += look(m, d.text.ptr, d.text.len, depth - 1, urls);
			if (found)
				done += carry_back(m, bytes, &d);
			explicit_bzero(d.text.ptr, d.text.len);
		}
		buf_free(&d.text);
		free(d.from);
	}
	return done;
}

unsigned scrub_escaped(struct masker *m, char *bytes, size_t n, bool urls)
{
	return n ? look(m, bytes, n, DEPTH, urls) : 0;
}
