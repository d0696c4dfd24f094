/* secret_learn.c: values of sensitive variables, and the encodings they may come back in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "ascii.h"
#include "scrub_state.h"

#define VALUE_LEARN_MAX 65536

bool is_placeholder(const char *p, size_t n)
{
	static const char *const words[] = {
		"null",     "true",      "false",     "none",     "undefined", "nil",
		"e30=",     "e30",       "bnVsbA==",  "<nil>",    "yes",       "no",
		"changeme", "change-me", "change_me", "changeit", "example",   "placeholder",
		"redacted", "dummy",     "todo",
	};
	bool digits = true;
	size_t i;

	if (!n)
		return true;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (n == strlen(words[i]) && !strncasecmp(p, words[i], n))
			return true;
	/* YOUR_API_KEY, your-token-here */
	if (n > 5 && !strncasecmp(p, "your", 4) && strchr("_- ", p[4]))
		return true;
	if ((p[0] == '<' && p[n - 1] == '>') || (p[0] == '[' && p[n - 1] == ']'))
		return true;
	if (n >= 2 && p[0] == '{' && p[1] == '{')
		return true;
	if (n >= 2 && p[0] == '$' && (p[1] == '{' || p[1] == '(' || p[1] == '$'))
		return p[n - 1] == '}' || p[n - 1] == ')' || n == 2 || p[1] != '$';
	if (p[0] == '$' && n > 1 && is_word(p[1]) && !is_digit(p[1])) {
		for (i = 1; i < n && is_word(p[i]); i++)
			;
		if (i == n)
			return true;
	}
	if (n == 2 && p[0] == '%')
		return true;
	for (i = 0; i < n; i++)
		digits = digits && is_digit(p[i]);
	if (digits && n <= 3)
		return true;
	for (i = 1; i < n && p[i] == p[0]; i++)
		;
	return i == n && strchr("xX*.-_?", p[0]) != NULL;
}

static bool is_common(const char *p, size_t n)
{
	static const char *const words[] = {
		"localhost",     "127.0.0.1",    "password",    "passw0rd",    "password1",
		"password123",   "changeme",     "change-me",   "change_me",   "changeit",
		"undefined",     "disabled",     "required",    "optional",    "postgres",
		"postgresql",    "mysecret",     "testtest",    "mypassword",  "testpassword",
		"test-password", "secretsecret", "notasecret",  "development", "production",
		"container",     "anonymous",    "username",    "default",     "administrator",
		"12345678",      "dev-token",    "fake-token",  "test-token",  "testtoken",
		"example.com",   "github.com",   "docker.io",   "registry",    "application/json",
		"/dev/null",     "systemd-run",  "credentials", "kerberos",    "certificate",
		"wordpress",     "nextcloud",    "minioadmin",  "keycloak",    "rabbitmq",
		"somewordpress", "my-secret-pw",
	};
	bool digits = true, same = true;

	if (n < MASK_MIN || is_placeholder(p, n))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (n == strlen(words[i]) && !strncasecmp(p, words[i], n))
			return true;
	for (size_t i = 0; i < n; i++) {
		digits = digits && is_digit(p[i]);
		same = same && p[i] == p[0];
	}
	return same || (digits && n < 12);
}

static void learn_base64(struct masker *m, const char *p, size_t n, struct span name, bool url)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t cap = (n + 2) * 8 / 6 + 1;
	char *out = xcalloc(cap, 1);

	for (size_t shift = 0; shift < 3; shift++) {
		/* Only digits made of the value's own bits. */
		size_t first = (shift * 8 + 5) / 6, end = (shift + n) * 8 / 6;

		for (size_t d = first; d < end; d++) {
			size_t bit = d * 6 - shift * 8;
			unsigned two = (uint8_t)p[bit / 8] << 8;
			unsigned v;

			if (bit / 8 + 1 < n)
				two |= (uint8_t)p[bit / 8 + 1];
			v = two >> (10 - bit % 8) & 0x3f;
			out[d - first] = v < 62    ? digits[v]
					 : v == 62 ? (url ? '-' : '+')
						   : (url ? '_' : '/');
		}
		masker_learn(m, out, end - first, name);
	}
	explicit_bzero(out, cap);
	free(out);
}

static void learn_hex(struct masker *m, const char *p, size_t n, struct span name,
		      const char *digits)
{
	char *out = xcalloc(n, 2);

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[(uint8_t)p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	masker_learn(m, out, 2 * n, name);
	explicit_bzero(out, 2 * n);
	free(out);
}

/* As echo -e, printf and string literals take it: \x41, \101, \u0041. */
static void learn_escapes(struct masker *m, const char *p, size_t n, struct span name,
			  const char *format)
{
	size_t cap = n * 6 + 1, k = 0;
	char *out = xcalloc(cap, 1);

	for (size_t i = 0; i < n; i++)
		k += (size_t)snprintf(out + k, cap - k, format, (uint8_t)p[i]);
	masker_learn(m, out, k, name);
	explicit_bzero(out, cap);
	free(out);
}

static void learn_percent(struct masker *m, const char *p, size_t n, struct span name,
			  const char *digits, const char *kept)
{
	char *out = xcalloc(n, 3);
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_word(p[i]) || (p[i] && strchr(kept, p[i]))) {
			out[k++] = p[i];
		} else {
			out[k++] = '%';
			out[k++] = digits[(uint8_t)p[i] >> 4];
			out[k++] = digits[p[i] & 15];
		}
	}
	if (k != n)
		masker_learn(m, out, k, name);
	explicit_bzero(out, k);
	free(out);
}

/* As it stands inside a JSON string; Go also writes <, > and & as \u003c. */
static void learn_json(struct masker *m, const char *p, size_t n, struct span name, bool html)
{
	static const char hex[] = "0123456789abcdef";
	char *out = xcalloc(n, 6);
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		static const char plain[] = "\"\\\n\r\t", letter[] = "\"\\nrt";
		const char *e = p[i] ? strchr(plain, p[i]) : NULL;

		if (e) {
			out[k++] = '\\';
			out[k++] = letter[e - plain];
		} else if ((uint8_t)p[i] < ' ' || (html && strchr("<>&", p[i]))) {
			memcpy(out + k, "\\u00", 4);
			out[k + 4] = hex[(uint8_t)p[i] >> 4];
			out[k + 5] = hex[p[i] & 15];
			k += 6;
		} else {
			out[k++] = p[i];
		}
	}
	if (k != n)
		masker_learn(m, out, k, name);
	explicit_bzero(out, k);
	free(out);
}

static void learn_value(struct masker *m, struct span name, const char *p, size_t n)
{
	static const char upper[] = "0123456789ABCDEF", lower[] = "0123456789abcdef";

	while (n && is_space(p[n - 1]))
		n--;
	if (is_common(p, n))
		return;
	if (n > VALUE_LEARN_MAX)
		n = VALUE_LEARN_MAX;
	if (!masker_learn(m, p, n, name))
		return;
	learn_base64(m, p, n, name, false);
	learn_base64(m, p, n, name, true);
	learn_hex(m, p, n, name, lower);
	learn_hex(m, p, n, name, upper);
	learn_escapes(m, p, n, name, "\\x%02x");
	learn_escapes(m, p, n, name, "\\x%02X");
	learn_escapes(m, p, n, name, "\\%03o");
	learn_escapes(m, p, n, name, "\\u%04x");
	learn_percent(m, p, n, name, upper, "-.~");
	learn_percent(m, p, n, name, upper, "-.~/");
	learn_percent(m, p, n, name, lower, "-.~");
	learn_json(m, p, n, name, false);
	learn_json(m, p, n, name, true);
}

static bool looks_like_path(const char *p, size_t n)
{
	return n && (p[0] == '/' || p[0] == '~' || (n > 1 && p[0] == '.' && p[1] == '/'));
}

void learn_variable(struct masker *m, struct span name, char *v, size_t n)
{
	size_t at, len;
	long scheme;

	/* A place of secrets is no secret. */
	if (looks_like_path(v, n) && (span_ends(name, "CONFIG") || span_ends(name, "PWD") ||
				      span_ends(name, "CREDENTIALS") || span_ends(name, "AUTH")))
		return;
	learn_value(m, name, v, n);
	scheme = span_find((struct span){ v, n }, SPAN("://"));
	if (scheme >= 0 && url_password(v + scheme + 3, n - (size_t)scheme - 3, &at, &len))
		learn_value(m, name, v + scheme + 3 + at, len);
	/* The passwords of a JSON document, DOCKER_AUTH_CONFIG for one. */
	for (char *p = v; n && *v == '{' && p < v + n; p++) {
		static const char *const keys[] = { "\"auth\"", "\"password\"",
						    "\"identitytoken\"" };

		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			char *end = v + n, *s, *e;

			if (!starts(p, (size_t)(end - p), keys[i]))
				continue;
			s = skip_blank(p + strlen(keys[i]), end, false);
			if (s >= end || *s != ':')
				continue;
			s = skip_blank(s + 1, end, false);
			if (s >= end || *s != '"')
				continue;
			e = quoted_end(s + 1, end, 1);
			learn_value(m, name, s + 1, (size_t)((e > end ? end : e) - s - 1));
		}
	}
}
