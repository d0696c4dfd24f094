/* config_secret.c: R6.9, secrets and keys in what the engine is asked for. */
#include <string.h>
#include <strings.h>
#include "codec.h"
#include "config_part.h"

bool config_is(struct span s, const char *word)
{
	return s.len == strlen(word) && !strncasecmp(s.ptr, word, s.len);
}

struct span config_clip(struct span s, size_t max)
{
	return (struct span){ s.ptr, s.len > max ? max : s.len };
}

bool config_mutable_tag(struct span s)
{
	const char *slash, *colon;
	size_t hex = 0;

	if (!s.len || memchr(s.ptr, '@', s.len) || span_starts(s, "sha256:"))
		return false;
	while (hex < s.len && strchr("0123456789abcdef", s.ptr[hex]) && s.ptr[hex])
		hex++;
	if (hex == s.len && s.len >= 12)
		return false; /* an id */
	slash = memrchr(s.ptr, '/', s.len);
	if (slash)
		s = (struct span){ slash + 1, (size_t)(s.ptr + s.len - slash - 1) };
	colon = memchr(s.ptr, ':', s.len);
	return !colon || span_ends(s, ":latest");
}

static bool is_base64(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '+' || c == '/';
}

/* A PEM private key: as it is, with its bytes escaped (\x2d\x2d…), or its beginning in base64. */
static bool holds_key(struct span s)
{
	static const char word[] = "PRIVATE KEY-----", base64[] = "LS0tLS1CRUdJTi";
	struct buf b = { 0 };
	bool found = span_find(s, SPAN(word)) >= 0;
	long at;

	if (!found && s.len && memchr(s.ptr, '\\', s.len) && escape_decode(s, &b))
		found = span_find((struct span){ b.ptr, b.len }, SPAN(word)) >= 0;
	at = found ? -1 : span_find(s, SPAN(base64));
	if (at >= 0) {
		size_t n = 0;

		while (n < 64 && (size_t)at + n < s.len && is_base64(s.ptr[(size_t)at + n]))
			n++;
		buf_reset(&b);
		base64_decode((struct span){ s.ptr + at, n & ~(size_t)3 }, &b);
		found = span_find((struct span){ b.ptr, b.len }, SPAN(word)) >= 0;
	}
	buf_free(&b);
	return found;
}

void config_value(const struct fact *f, struct report *out, struct span text, const char *where)
{
	if (!text.len)
		return;
	if (masker_find(&f->run->masker, text))
		finding(out, "R6.9", span_of(where), "%s holds a secret", where);
	else if (holds_key(text))
		finding(out, "R6.9", span_of(where), "%s holds a private key", where);
}

/* A name and its value: the value is never shown. */
void config_pair(const struct fact *f, struct report *out, struct span name, struct span value,
		 const char *where)
{
	if (name.len && value.len && name_is_sensitive(&f->run->masker, name))
		finding(out, "R6.9", config_clip(name, SUBJECT_MAX), "%s: the value of %.*s", where,
			SPANF(name));
	else
		config_value(f, out, value, where);
}

/* "NAME=value" with a sensitive name and a value, or a secret anywhere; a value that is told by its name is told once. */
void config_secret(const struct fact *f, struct report *out, struct span text, const char *where)
{
	const char *eq = text.len ? memchr(text.ptr, '=', text.len) : NULL;
	struct span name = text;

	if (eq) {
		name.len = (size_t)(eq - text.ptr);
		config_pair(f, out, name, (struct span){ eq + 1, text.len - name.len - 1 }, where);
	}
	config_value(f, out, name, where);
}
