/* payload_preview.c: shows what was decoded, without what may be a secret. */
#include <stdlib.h>
#include <string.h>
#include "codec.h"
#include "payload.h"
#include "secret_shape.h"

#define PREVIEW_LOOK 4096 /* bytes that are looked at */

static bool is_token_byte(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '+' || c == '-';
}

/* Letters and digits mixed: as passwords and tokens are, as few words are. */
static bool is_token(struct span word)
{
	bool digit = false, letter = false;

	for (size_t i = 0; i < word.len; i++) {
		bool d = word.ptr[i] >= '0' && word.ptr[i] <= '9';

		digit |= d;
		letter |= !d;
	}
	return word.len >= 8 && digit && letter;
}

/* The value behind a name at i: = or : and what follows up to white space or a quote. */
static size_t value_length(struct span s, size_t i)
{
	size_t from = i;

	while (i < s.len && i - from < 4 && s.ptr[i] && strchr("\"' \t", s.ptr[i]))
		i++;
	if (i >= s.len || (s.ptr[i] != '=' && s.ptr[i] != ':'))
		return 0;
	for (i++; i < s.len && s.ptr[i] && strchr("\"' \t", s.ptr[i]);)
		i++;
	while (i < s.len && (unsigned char)s.ptr[i] > 0x20 && s.ptr[i] != '"' && s.ptr[i] != '\'')
		i++;
	return i - from;
}

/* From i to the end, when a private key begins there; else 0. */
static size_t key_length(struct span s, size_t i)
{
	struct span rest = { s.ptr + i, s.len - i }, line = rest;
	const char *end = memchr(rest.ptr, '\n', rest.len);

	if (end)
		line.len = (size_t)(end - rest.ptr);
	return span_starts(rest, "-----BEGIN ") && span_ifind(line, "PRIVATE KEY") >= 0 ? rest.len
											: 0;
}

/* Length of the secret that begins at i, and the words to show for it; 0: none does. */
static size_t secret_at(const struct masker *looks, struct span s, size_t i, const char **shown)
{
	const char *kind;
	size_t n = masker_at(looks, (struct span){ s.ptr + i, s.len - i }, NULL);

	*shown = "...";
	if (n)
		return n;
	*shown = "<token>";
	n = secret_shape(s, i, &kind);
	if (n)
		return n;
	*shown = "<private key>";
	return key_length(s, i);
}

/* The word at i, or the one byte that begins none, as it may be shown. Returns its length. */
static size_t word_show(const struct masker *m, struct span s, size_t i, struct buf *safe)
{
	struct span word = { s.ptr + i, 0 };
	size_t value;
	char c = s.ptr[i];

	while (i + word.len < s.len && is_token_byte(s.ptr[i + word.len]))
		word.len++;
	if (!word.len) {
		buf_byte(safe, c == '\n' || c == '\t' || c == '\r' ? ' ' : c);
		return 1;
	}
	if (is_token(word))
		buf_str(safe, "...");
	else
		buf_add(safe, word.ptr, word.len);
	value = name_is_sensitive(m, word) ? value_length(s, i + word.len) : 0;
	if (value)
		buf_str(safe, "=...");
	return word.len + value;
}

void payload_preview(const struct masker *m, struct span s, size_t max, struct buf *out)
{
	static const uint8_t seed[32] = { 0 };
	struct masker looks; /* what decoding made, the run's own has never seen */
	struct buf safe = { 0 };
	char *copy;

	if (s.len > PREVIEW_LOOK)
		s.len = PREVIEW_LOOK;
	masker_init(&looks, seed);
	looks.extra_names = m->extra_names;
	copy = xstrndup(s.len ? s.ptr : "", s.len);
	scrub_bytes(&looks, copy, s.len);
	s.ptr = copy;
	for (size_t i = 0; i < s.len && safe.len <= max;) {
		const char *shown;
		size_t n = secret_at(&looks, s, i, &shown);

		if (n)
			buf_str(&safe, shown);
		else
			n = word_show(m, s, i, &safe);
		i += n;
	}
	text_escape((struct span){ safe.ptr, safe.len }, max, out);
	buf_free(&safe);
	free(copy);
	masker_free(&looks);
}
