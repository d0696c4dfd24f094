/* scrub_text.c: masks what looks like a secret where it stands. */
#include <string.h>
#include <strings.h>
#include "ascii.h"
#include "scrub_state.h"
#include "secret_shape.h"

#define NAME_MAX_LOOK 128

/* user:password@ of the URL whose authority begins at p. True: *at and *len say where the password
 * is. */
bool url_password(const char *p, size_t n, size_t *at, size_t *len)
{
	size_t colon = 0, sign = 0, i;
	bool digit = false, colon_seen = false, sign_seen = false;

	for (i = 0; i < n && i < 4096; i++) {
		unsigned char c = p[i];

		if (c <= ' ' || c == '/' || c == '"' || c == '\'' || c == '\\' || c == '<' ||
		    c == '>' || c == '?' || c == '`')
			break;
		if (c == ':' && !colon_seen) {
			colon = i;
			colon_seen = true;
		}
		if (c == '@') {
			sign = i;
			sign_seen = true;
		}
		if (!sign_seen)
			digit |= is_digit(c);
	}
	if (!sign_seen)
		return false;
	if (colon_seen && colon < sign) {
		*at = colon + 1;
		*len = sign - colon - 1;
		return !is_placeholder(p + *at, *len);
	}
	/* A token alone, as forges take it. */
	*at = 0;
	*len = sign;
	return sign >= 20 && digit;
}

static unsigned url_passwords(struct masker *m, char *b, size_t n)
{
	unsigned done = 0;
	size_t at, len;
	char *p = b, *end = b + n;

	while (p < end && (p = memchr(p, ':', (size_t)(end - p)))) {
		p++;
		if ((size_t)(end - p) < 3 || p[0] != '/' || p[1] != '/')
			continue;
		p += 2;
		if (!url_password(p, (size_t)(end - p), &at, &len))
			continue;
		done += mask_set(m, p + at, len, SECRET_URL, SPAN("password"));
		p += at + len;
	}
	return done;
}

/* user:password@registry.example/image, without a scheme. */
static unsigned scrub_references(struct masker *m, char *b, size_t n)
{
	static const char *const schemes[] = {
		"mailto", "npm", "git", "ssh", "sip", "xmpp", "acct"
	};
	unsigned done = 0;
	char *p = b, *end = b + n;

	while (p < end && (p = memchr(p, '@', (size_t)(end - p)))) {
		char *sign = p++, *colon = NULL, *user, *h = p;
		bool dot = false, port = false, known = false;

		while (h < end && h - p < 255 &&
		       (is_word(*h) || *h == '.' || *h == '-' || *h == ':')) {
			dot |= *h == '.';
			port |= *h == ':' && h + 1 < end && is_digit(h[1]);
			h++;
		}
		if (h >= end || *h != '/' || !(dot || port) || starts(p, (size_t)(end - p), "sha"))
			continue;
		if (is_digit(*p) && !port)
			continue;
		for (user = sign; user > b && sign - user < 256; user--) {
			unsigned char c = user[-1];

			if (c == ':')
				colon = user - 1;
			else if (c <= ' ' || c == '/' || c == '"' || c == '\'' || c == '=' ||
				 c == '\\' || c == ',' || c == '&' || c == '<' || c == '(' ||
				 c == '@')
				break;
		}
		if (!colon || colon == user || colon + 1 == sign)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
			known |= (size_t)(colon - user) == strlen(schemes[i]) &&
				 !memcmp(user, schemes[i], (size_t)(colon - user));
		for (char *u = user; u < colon; u++)
			known |= !(is_word(*u) || *u == '.' || *u == '-' || *u == '$');
		if (known || is_placeholder(colon + 1, (size_t)(sign - colon - 1)))
			continue;
		done += mask_set(m, colon + 1, (size_t)(sign - colon - 1), SECRET_URL,
				 SPAN("password"));
	}
	return done;
}

unsigned scrub_urls(struct masker *m, char *b, size_t n)
{
	unsigned done = url_passwords(m, b, n);

	return done + scrub_references(m, b, n);
}

unsigned scrub_tokens(struct masker *m, char *b, size_t n)
{
	struct span s = { b, n };
	unsigned done = 0;
	const char *kind;

	for (size_t i = 0; (i = secret_next(s, i)) + 12 < n;) {
		size_t len = secret_shape(s, i, &kind);

		if (!len) {
			i++;
			continue;
		}
		done += mask_set(m, b + i, len, kind ? SECRET_TOKEN : SECRET_KEY,
				 kind ? span_of(kind) : SPAN("private"));
		i += len;
	}
	return done;
}

/* Length of "Basic ", "Bearer " ... at the beginning of a credential. */
static size_t scheme_length(const char *p, size_t n)
{
	static const char *const schemes[] = { "Basic ",  "Bearer ",    "Token ",
					       "Digest ", "Negotiate ", "ApiKey " };

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t k = strlen(schemes[i]);

		if (n >= k && !strncasecmp(p, schemes[i], k))
			return k;
	}
	return 0;
}

static unsigned scrub_headers(struct masker *m, char *b, size_t n)
{
	static const struct span headers[] = {
		SPAN("Authorization"),     SPAN("Proxy-Authorization"), SPAN("X-Registry-Auth"),
		SPAN("X-Registry-Config"), SPAN("X-Vault-Token"),       SPAN("PRIVATE-TOKEN"),
		SPAN("JOB-TOKEN"),         SPAN("X-Api-Key"),           SPAN("X-Auth-Token"),
	};
	unsigned done = 0;
	char *p = b, *end = b + n;

	while (p < end && (p = memchr(p, ':', (size_t)(end - p)))) {
		char *colon = p++;

		if (colon == b || !is_word(colon[-1])) /* the quote of JSON's key */
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
			size_t k = headers[i].len;
			char *v = p, *e;

			/* Most differ in their last byte. */
			if ((size_t)(colon - b) < k ||
			    (colon[-1] | 32) != (headers[i].ptr[k - 1] | 32) ||
			    strncasecmp(colon - k, headers[i].ptr, k))
				continue;
			if ((size_t)(colon - b) > k &&
			    (is_word(colon[-(long)k - 1]) || colon[-(long)k - 1] == '-'))
				continue;
			while (v < end && *v == ' ')
				v++;
			v += scheme_length(v, (size_t)(end - v));
			for (e = v; e < end && *e && *e != '\r' && *e != '\n' && *e != '"' &&
				    *e != '\'' && *e != '\\';)
				e++;
			if (is_placeholder(v, (size_t)(e - v)))
				break;
			done += mask_set(m, v, (size_t)(e - v), SECRET_AUTH, headers[i]);
			p = e;
			break;
		}
	}
	return done;
}

/* A quote as it may stand: 1 ", 2 \", 3 %22. Zero when there is none at p. */
static size_t quote_at(const char *p, const char *end)
{
	if (p < end && *p == '"')
		return 1;
	if (end - p >= 2 && p[0] == '\\' && p[1] == '"')
		return 2;
	if (end - p >= 3 && p[0] == '%' && p[1] == '2' && p[2] == '2')
		return 3;
	return 0;
}

/* End of the value that begins at v and was opened with quote q: where the same quote closes it. */
char *quoted_end(char *v, char *end, size_t q)
{
	for (char *e = v; e < end; e++) {
		if (q == 1) {
			if (*e == '\\')
				e++;
			else if (*e == '"' || !*e)
				return e;
		} else if (q == 2) {
			if (*e == '"' || !*e) /* the outer string ends: broken, stop */
				return e;
			if (*e == '\\') {
				if (e + 1 < end && e[1] == '"')
					return e;
				e++;
				/* \\\" is an escaped quote of the inner string */
				if (end - e >= 3 && *e == '\\' && e[1] == '\\' && e[2] == '"')
					e += 2;
			}
		} else {
			if (is_space(*e) || !*e || *e == '&')
				return e;
			if (quote_at(e, end) == 3)
				return e;
			if (end - e >= 3 && !strncasecmp(e, "%5C", 3)) {
				e += 2;
				if (quote_at(e + 1, end) == 3)
					e += 3;
			}
		}
	}
	return end;
}

char *skip_blank(char *p, char *end, bool percent)
{
	for (;;) {
		if (p < end && (is_space(*p) || (percent && *p == '+')))
			p++;
		else if (percent && end - p >= 3 && !memcmp(p, "%20", 3))
			p += 3;
		else
			return p;
	}
}

/* Go takes a key in any case. */
static bool is_data(const char *k, size_t n)
{
	return n == 4 && !strncasecmp(k, "data", 4);
}

/*
 * The quote that closes a key stands at p: masks the string value behind the colon, if the key is sensitive; or, data,
 * if it is "Data".
 */
static unsigned scrub_member(struct masker *m, char *b, char *p, char *end, size_t q, bool data)
{
	char *k = p, *v = p + q, *e;
	bool percent = q == 3;

	/* Most quotes close no key. */
	v = skip_blank(v, end, percent);
	if (v < end && *v == ':')
		v++;
	else if (percent && end - v >= 3 && !strncasecmp(v, "%3A", 3))
		v += 3;
	else
		return 0;
	while (k > b && p - k <= NAME_MAX_LOOK && (is_word(k[-1]) || k[-1] == '-' || k[-1] == '.'))
		k--;
	if (percent && p - k >= 2 && k - b >= 1 && k[-1] == '%' && !memcmp(k, "22", 2))
		k += 2;
	else if (percent || k == b || k[-1] != '"')
		return 0;
	if (k == p)
		return 0;
	v = skip_blank(v, end, percent);
	if (quote_at(v, end) != q || (!name_is_sensitive(m, (struct span){ k, (size_t)(p - k) }) &&
				      !(data && is_data(k, (size_t)(p - k)))))
		return 0;
	v += q;
	v += scheme_length(v, (size_t)(end - v));
	e = quoted_end(v, end, q);
	/* A backslash that hangs over the end. */
	if (e > end)
		e = end;
	if (is_placeholder(v, (size_t)(e - v)))
		return 0;
	return mask_set(m, v, (size_t)(e - v), SECRET_NAMED, (struct span){ k, (size_t)(p - k) });
}

static bool is_coded(const char *p, const char *end, char c)
{
	return *p == '%' && (c == '"' ? quote_at(p, end) == 3
				      : end - p >= 3 && p[1] == '3' && (p[2] | 32) == 'd');
}

/* The first c (" or =) from p on, or its %22 or %3D. Most texts have no percent sign at all. NULL: there is none. */
static char *sign_next(char *p, char *end, char c, bool percent)
{
	if (!percent)
		return p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
	while (p < end && *p != c && !is_coded(p, end, c))
		p++;
	return p < end ? p : NULL;
}

static unsigned scrub_json(struct masker *m, char *b, size_t n)
{
	static const struct span create = SPAN("/secrets/create");
	bool percent = memchr(b, '%', n);
	unsigned done = 0;
	char *end = b + n;
	/* What a swarm is to keep stands in the request behind it, in base64 (Engine API, SecretCreate). */
	const char *secret = memmem(b, n, create.ptr, create.len);

	for (char *p = b; (p = sign_next(p, end, '"', percent)); p++) {
		size_t q = *p == '%' ? 3 : p > b && p[-1] == '\\' ? 2 : 1;

		done += scrub_member(m, b, q == 2 ? p - 1 : p, end, q, secret && p > secret);
	}
	return done;
}

static char *assigned_end(char *v, char *end)
{
	char *e = v;

	/* <your token> is one word. */
	if (v < end && *v == '<') {
		while (e < end && e - v < 64 &&
		       (is_word(*e) || *e == '<' || *e == ' ' || *e == '-'))
			e++;
		if (e < end && *e == '>')
			return e + 1;
	}
	for (e = v; e < end; e++) {
		if (!*e || is_space(*e) || *e == '"' || *e == '\'' || *e == '&' || *e == ',')
			break;
		if (*e == '\\' && e + 1 < end && strchr("\"'nrt", e[1]) && e[1])
			break;
		/* Half a pair would escape what follows the mask. */
		if (*e == '\\' && e + 1 < end && e[1] == '\\')
			e++;
		if (quote_at(e, end) == 3)
			break;
	}
	return e;
}

static unsigned scrub_assignments(struct masker *m, char *b, size_t n)
{
	bool percent = memchr(b, '%', n);
	unsigned done = 0;
	char *p = b, *end = b + n, *sign;

	while ((sign = sign_next(p, end, '=', percent))) {
		char *k, *v, *e;
		size_t q;

		p = v = sign + (*sign == '=' ? 1 : 3);
		for (k = sign; k > b && sign - k <= NAME_MAX_LOOK &&
			       (is_word(k[-1]) || k[-1] == '-' || k[-1] == '.');)
			k--;
		/* \nNAME= and %22NAME%3D: what stands before is no part of the name. */
		if (k > b && k[-1] == '\\' && sign - k > 1)
			k++;
		if (k > b && k[-1] == '%' && sign - k > 2)
			k += 2;
		if (k == sign || v >= end || *v == '=' || *v == '>' || *v == '~' ||
		    !name_is_sensitive(m, (struct span){ k, (size_t)(sign - k) }))
			continue;
		q = quote_at(v, end);
		if (!q && *v == '\'') {
			e = memchr(v + 1, '\'', (size_t)(end - v - 1));
			v++;
			/* Not over the end of a surrounding string. */
			if (!e || memchr(v, '"', (size_t)(e - v)) ||
			    memchr(v, '\0', (size_t)(e - v)))
				e = assigned_end(v, end);
		} else if (q) {
			char *next = v + q;

			/* In JSON this quote closes the string, and punctuation follows. */
			if (q == 1 && (next >= end || is_space(*next) || strchr(",]}:", *next)))
				continue;
			if (q == 3 && (next >= end || *next == '%' || *next == '&'))
				continue;
			v = next;
			e = quoted_end(v, end, q);
			if (e > end)
				e = end;
		} else {
			e = assigned_end(v, end);
		}
		if (is_placeholder(v, (size_t)(e - v)))
			continue;
		done += mask_set(m, v, (size_t)(e - v), SECRET_NAMED,
				 (struct span){ k, (size_t)(sign - k) });
		p = e;
	}
	return done;
}

unsigned scrub_looks(struct masker *m, char *b, size_t n)
{
	unsigned done = scrub_tokens(m, b, n);

	/* In this order: a header's credential goes whole before its parts look like something. */
	done += scrub_headers(m, b, n);
	done += scrub_json(m, b, n);
	done += scrub_assignments(m, b, n);
	return done + scrub_urls(m, b, n);
}
