/* secret_shape.c: the table of well-known credential formats. */
#include <stdint.h>
#include <string.h>
#include "secret_shape.h"

#define PEM_MAX   16384 /* bytes of a private key looked at */
#define TOKEN_MAX 512

enum set { UPPER_DIGIT, ALNUM, ALNUM_U, ALNUM_D, ALNUM_UD };

static const struct shape {
	const char *prefix;
	const char *kind;
	enum set set;
	uint16_t min, max; /* bytes behind the prefix; max 0: no limit */
	bool mixed;        /* needs a digit and an upper-case letter: words have the same shape */
	bool crc;          /* any length of 20 and more when the last six carry its CRC-32 */
} shapes[] = {
	{ "AKIA", "aws", UPPER_DIGIT, 16, 16, false, false },
	{ "ASIA", "aws", UPPER_DIGIT, 16, 16, false, false },
	{ "ghp_", "github", ALNUM, 36, 36, false, true },
	{ "gho_", "github", ALNUM, 36, 36, false, true },
	{ "ghu_", "github", ALNUM, 36, 36, false, true },
	{ "ghs_", "github", ALNUM, 36, 36, false, true },
	{ "ghr_", "github", ALNUM, 36, 0, false, true },
	{ "github_pat_", "github", ALNUM_U, 36, 0, false, false },
	{ "glpat-", "gitlab", ALNUM_UD, 20, 0, false, false },
	{ "gldt-", "gitlab", ALNUM_UD, 20, 0, false, false },
	{ "glrt-", "gitlab", ALNUM_UD, 20, 0, false, false },
	{ "glcbt-", "gitlab", ALNUM_UD, 20, 0, false, false },
	{ "xoxa-", "slack", ALNUM_D, 10, 0, false, false },
	{ "xoxb-", "slack", ALNUM_D, 10, 0, false, false },
	{ "xoxp-", "slack", ALNUM_D, 10, 0, false, false },
	{ "xoxr-", "slack", ALNUM_D, 10, 0, false, false },
	{ "xoxs-", "slack", ALNUM_D, 10, 0, false, false },
	{ "npm_", "npm", ALNUM, 36, 36, false, true },
	{ "pypi-", "pypi", ALNUM_UD, 32, 0, true, false },
	{ "dckr_pat_", "docker", ALNUM_UD, 20, 0, false, false },
	{ "dckr_oat_", "docker", ALNUM_UD, 20, 0, false, false },
	{ "sk_live_", "stripe", ALNUM, 16, 0, false, false },
	{ "rk_live_", "stripe", ALNUM, 16, 0, false, false },
	{ "AIza", "google", ALNUM_UD, 35, 35, false, false },
	{ "SWMTKN-1-", "swarm", ALNUM_D, 40, 0, false, false },
	{ "hvs.", "vault", ALNUM_UD, 24, 0, true, false },
};

static unsigned pair(const char *p)
{
	uint16_t two;

	memcpy(&two, p, sizeof(two));
	return two;
}

/* By the first two bytes of a row: as good as no place of a text begins one. */
static uint64_t pairs[(1u << 16) / 64];

__attribute__((constructor)) static void pairs_fill(void)
{
	for (const struct shape *h = shapes; h < shapes + ARRAY_SIZE(shapes); h++)
		pairs[pair(h->prefix) / 64] |= 1ull << pair(h->prefix) % 64;
	pairs[pair("--") / 64] |= 1ull << pair("--") % 64;
}

size_t secret_next(struct span s, size_t at)
{
	while (at + 1 < s.len && !(pairs[pair(s.ptr + at) / 64] >> pair(s.ptr + at) % 64 & 1))
		at++;
	return at + 1 < s.len ? at : s.len;
}

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_hex(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

static bool in_set(unsigned char c, enum set set)
{
	switch (set) {
	case UPPER_DIGIT:
		return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
	case ALNUM:
		return is_alnum(c);
	case ALNUM_U:
		return is_alnum(c) || c == '_';
	case ALNUM_D:
		return is_alnum(c) || c == '-';
	case ALNUM_UD:
		return is_alnum(c) || c == '_' || c == '-';
	}
	return false;
}

bool word_begins(struct span s, size_t at)
{
	unsigned char c;

	if (at == 0)
		return true;
	c = s.ptr[at - 1];
	if (!is_alnum(c) && c != '_' && c != '+')
		return true;
	if (at >= 3 && s.ptr[at - 3] == '%' && is_hex(s.ptr[at - 2]) && is_hex(c))
		return true;
	return at >= 2 && s.ptr[at - 2] == '\\' && (c == 'n' || c == 'r' || c == 't');
}

static uint32_t crc32_of(const char *p, size_t n)
{
	uint32_t crc = ~0u;

	while (n--) {
		crc ^= (unsigned char)*p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
	}
	return ~crc;
}

/* GitHub and npm: the last six digits, base 62, are the CRC-32 of what stands before them. */
static bool crc_holds(const char *body, size_t n)
{
	static const char digits[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint64_t said = 0;

	if (n < 20 || n > 1024)
		return false;
	for (size_t i = n - 6; i < n; i++) {
		const char *d = strchr(digits, body[i]);

		if (!d || !body[i])
			return false;
		said = said * 62 + (uint64_t)(d - digits);
	}
	return said == crc32_of(body, n - 6);
}

static bool is_filler(const char *p, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (p[i] != p[0])
			return false;
	return true;
}

/* AKIAIOSFODNN7EXAMPLE and its kin stand in the provider's own manuals. */
static bool is_example(const char *p, size_t n)
{
	return n >= 7 && !memcmp(p + n - 7, "EXAMPLE", 7);
}

static bool is_mixed(const char *p, size_t n)
{
	bool digit = false, upper = false;

	for (size_t i = 0; i < n; i++) {
		digit |= p[i] >= '0' && p[i] <= '9';
		upper |= p[i] >= 'A' && p[i] <= 'Z';
	}
	return digit && upper;
}

static bool at_text(struct span s, size_t at, const char *text)
{
	size_t n = strlen(text);

	return s.len - at >= n && !memcmp(s.ptr + at, text, n);
}

/* Quotes and NUL end a key: what stands behind them belongs to somebody else's syntax. */
static size_t pem_length(struct span s, size_t at)
{
	size_t end = s.len - at > PEM_MAX ? at + PEM_MAX : s.len, head, i;
	size_t body = 0;
	bool private = false;

	if (!at_text(s, at, "-----BEGIN "))
		return 0;
	for (head = at + 11; head < end && head < at + 64 && s.ptr[head] != '-'; head++) {
		if (at_text(s, head, "PRIVATE KEY"))
		private = true;
		if ((unsigned char)s.ptr[head] < ' ')
			return 0;
	}
	if (!private || !at_text(s, head, "-----"))
		return 0;
	for (i = head + 5; i < end; i++) {
		if (at_text(s, i, "-----END ")) {
			size_t e = i + 9;

			while (e < end && e < i + 64 && s.ptr[e] >= ' ' && s.ptr[e] != '-' &&
			       s.ptr[e] != '"' && s.ptr[e] != '\'')
				e++;
			for (int k = 0; k < 5 && e < end && s.ptr[e] == '-'; k++)
				e++;
			i = e;
			break;
		}
		if (s.ptr[i] == '"' || s.ptr[i] == '\'' || s.ptr[i] == '\0' ||
		    (s.ptr[i] == '\\' && i + 1 < end && s.ptr[i + 1] == '"') ||
		    (unsigned char)s.ptr[i] >= 0x80)
			break;
		/* Half a pair would escape what follows the mask. */
		if (s.ptr[i] == '\\' && i + 1 < end && s.ptr[i + 1] == '\\')
			i++;
		body += is_alnum(s.ptr[i]);
	}
	return body >= 16 ? i - at : 0;
}

size_t secret_shape(struct span s, size_t at, const char **kind)
{
	if (at + 1 >= s.len)
		return 0;
	if (s.ptr[at] == '-') {
		*kind = NULL;
		return pem_length(s, at);
	}
	for (const struct shape *h = shapes; h < shapes + ARRAY_SIZE(shapes); h++) {
		size_t n, b, e;

		if (h->prefix[0] != s.ptr[at] || h->prefix[1] != s.ptr[at + 1] ||
		    !at_text(s, at, h->prefix))
			continue;
		b = e = at + strlen(h->prefix);
		while (e < s.len && e - b < TOKEN_MAX && in_set(s.ptr[e], h->set))
			e++;
		n = e - b;
		if (!word_begins(s, at) || n < 10 || is_filler(s.ptr + b, n) ||
		    is_example(s.ptr + b, n) || (h->mixed && !is_mixed(s.ptr + b, n)))
			continue;
		if ((n < h->min || (h->max && n > h->max)) && !(h->crc && crc_holds(s.ptr + b, n)))
			continue;
		*kind = h->kind;
		return e - at;
	}
	return 0;
}
