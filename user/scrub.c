/* scrub.c: finds secrets in bytes of the run and masks them in place. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "scrub.h"
#include "secret_shape.h"
#include "siphash.h"

#define MASK_HEAD       6
#define MASK_MIN        8
#define PIECE_MAX       1024 /* longer values are known piece by piece: bounds the work of one look */
#define KNOWN_MAX       65536 /* what is known at most; more is counted as refused */
#define NAME_MAX_LOOK   128
#define VALUE_LEARN_MAX 65536
#define BITS            18

/* Where to look a digest up; the searched ones also stand in the bitmap of first eight bytes. */
struct known {
	uint64_t roll;
	uint64_t digest[2];
	uint32_t len;   /* 0: free slot */
	int32_t secret; /* index into the table, -1: it was full */
	bool searched;
};

struct scrub_index {
	uint64_t filter[(1u << BITS) / 64];
	bool lens[PIECE_MAX + 1]; /* lengths of what is searched */
	unsigned max_len;
	struct known *slots;
	size_t cap, used;
};

static bool is_upper(unsigned char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(unsigned char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(unsigned char c)
{
	return is_upper(c) || is_lower(c) || is_digit(c) || c == '_';
}

static bool is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool starts(const char *p, size_t n, const char *text)
{
	size_t k = strlen(text);

	return n >= k && !memcmp(p, text, k);
}

/* --- names --- */

/* Whole words of upper-case names; an underscore inside stands for two words in a row. */
static const char *const name_words[] = {
	"TOKEN",       "TOKENS",     "SECRET",      "SECRETS",     "PASSWORD",
	"PASSWORDS",   "PASSWD",     "PASSPHRASE",  "PASS",        "PWD",
	"APIKEY",      "CREDENTIAL", "CREDENTIALS", "AUTH",        "API_KEY",
	"PRIVATE_KEY", "ACCESS_KEY", "SECRET_KEY",  "SIGNING_KEY", "ENCRYPTION_KEY",
	"ACCOUNT_KEY", "MASTER_KEY", "SSH_KEY",     "DEPLOY_KEY",  "JWT",
};

static const char *const name_exact[] = {
	"AWS_SECRET_ACCESS_KEY",
	"AWS_ACCESS_KEY_ID",
	"AWS_SESSION_TOKEN",
	"PGPASSWORD",
	"MYSQL_PWD",
	"KUBECONFIG",
	"DATABASE_URL",
	"DOCKER_AUTH_CONFIG",
	"CI_REPOSITORY_URL",
	"REDISCLI_AUTH",
	"SSHPASS",
	"RSYNC_PASSWORD",
};

static const char *const name_never[] = {
	"PWD", "OLDPWD", "SSH_AUTH_SOCK", "XAUTHORITY", "GPG_TTY", "TOKENIZERS_PARALLELISM",
};

static const char *const name_endings[] = {
	"_FILE",    "_PATH",   "_URL",  "_URI",      "_NAME",    "_ID",    "_DIR",      "_TTL",
	"_EXPIRY",  "_SOCK",   "_TYPE", "_METHOD",   "_HOST",    "_PORT",  "_ENABLED",  "_HELPER",
	"_TIMEOUT", "_LENGTH", "_USER", "_USERNAME", "_EXPIRES", "_COUNT", "_PROVIDER", "_SERVER",
};

/* Option and JSON names; compared in lower case and without '_' and '-'. */
static const char *const key_exact[] = {
	"password",        "passwd",
	"passphrase",      "secret",
	"token",           "identitytoken",
	"registrytoken",   "auth",
	"accesskey",       "secretkey",
	"secretaccesskey", "sessiontoken",
	"apikey",          "privatekey",
	"clientsecret",    "credentials",
	"authtoken",       "accesstoken",
	"refreshtoken",    "bearertoken",
	"authorization",   "proxyauthorization",
	"xregistryauth",   "xregistryconfig",
	"unlockkey",       "signingcakey",
};

/* Last words of lower-case names with separators: --github-token, db_password. */
static const char *const key_endings[] = {
	"password", "passwd",    "passphrase", "secret",     "token",
	"apikey",   "accesskey", "secretkey",  "privatekey",
};

static bool upper_is_sensitive(const char *n, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(name_never); i++)
		if (!strcmp(n, name_never[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(name_exact); i++)
		if (!strcmp(n, name_exact[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(name_endings); i++) {
		size_t k = strlen(name_endings[i]);

		if (len > k && !strcmp(n + len - k, name_endings[i]))
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(name_words); i++) {
		size_t k = strlen(name_words[i]);

		for (const char *at = n; (at = strstr(at, name_words[i])); at++)
			if ((at == n || !is_word(at[-1]) || at[-1] == '_') &&
			    (!is_word(at[k]) || at[k] == '_'))
				return true;
	}
	return false;
}

static bool lower_is_sensitive(const char *n, size_t len)
{
	char flat[NAME_MAX_LOOK + 1];
	size_t k = 0;
	bool parted = false;

	for (size_t i = 0; i < len; i++) {
		if (n[i] == '_' || n[i] == '-' || n[i] == '.')
			parted |= i > 0;
		else
			flat[k++] = n[i] | (is_upper(n[i]) ? 32 : 0);
	}
	flat[k] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(key_exact); i++)
		if (!strcmp(flat, key_exact[i]))
			return true;
	for (size_t i = 0; parted && i < ARRAY_SIZE(key_endings); i++) {
		size_t e = strlen(key_endings[i]), at = len, left = e;

		if (k <= e || strcmp(flat + k - e, key_endings[i]))
			continue;
		/* The ending has to begin behind a separator. */
		while (at > 0 && left > 0) {
			at--;
			left -= n[at] != '_' && n[at] != '-' && n[at] != '.';
		}
		if (at > 0 && (n[at - 1] == '_' || n[at - 1] == '-' || n[at - 1] == '.'))
			return true;
	}
	/* npm_config__authToken and the like. */
	return parted && k > 9 && !strcmp(flat + k - 9, "authtoken");
}

bool name_is_sensitive(const struct masker *m, struct span name)
{
	char n[NAME_MAX_LOOK + 1];
	bool lower = false;

	while (name.len && *name.ptr == '-') {
		name.ptr++;
		name.len--;
	}
	if (!name.len)
		return false;
	/* Of a long name the end says what it is. */
	if (name.len > NAME_MAX_LOOK) {
		name.ptr += name.len - NAME_MAX_LOOK;
		name.len = NAME_MAX_LOOK;
	}
	for (size_t i = 0; i < name.len; i++) {
		n[i] = name.ptr[i];
		if (!n[i])
			return false;
		lower |= is_lower(n[i]);
	}
	n[name.len] = '\0';
	for (size_t i = 0; m && m->extra_names && m->extra_names[i]; i++)
		if (!fnmatch(m->extra_names[i], n, 0))
			return true;
	return (!lower && upper_is_sensitive(n, name.len)) || lower_is_sensitive(n, name.len);
}

/* --- table and masks --- */

void masker_init(struct masker *m, const uint8_t seed[32])
{
	memset(m, 0, sizeof(*m));
	for (int i = 0; i < 3; i++)
		m->tag[i] = 0x80 | (seed[i] & 0x3f);
	memcpy(m->key, seed + 16, sizeof(m->key));
	/* Whole at once: pointers into it stay good. Untouched pages cost nothing. */
	m->secrets = xcalloc(SECRETS_MAX, sizeof(*m->secrets));
	m->index = xcalloc(1, sizeof(*m->index));
}

void masker_free(struct masker *m)
{
	if (!m)
		return;
	if (m->index)
		free(m->index->slots);
	free(m->index);
	free(m->secrets);
	m->index = NULL;
	m->secrets = NULL;
	m->count = 0;
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

static uint32_t filter_bit(const struct masker *m, const char *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return (uint32_t)(((x ^ m->key[1]) * 0x9e3779b97f4a7c15u) >> (64 - BITS));
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

	if (!x->cap)
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

	*fresh = false;
	for (size_t i = 0; i < len; i++)
		roll = roll_add(roll, base, p[i]);
	k = known_find(m, p, len, roll, false);
	if (!k) {
		size_t at;

		if (x->used >= KNOWN_MAX) {
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
			struct secret *s = &m->secrets[m->count];

			s->kind = kind;
			secret_name(s, name);
			s->len = (uint32_t)len;
			s->roll = roll;
			memcpy(s->digest, k->digest, sizeof(s->digest));
			k->secret = (int32_t)m->count++;
		} else {
			m->refused++;
		}
		*fresh = true;
	}
	if (searched && !k->searched) {
		uint32_t bit = filter_bit(m, p);

		k->searched = true;
		x->filter[bit / 64] |= 1ull << bit % 64;
		x->lens[len] = true;
		if (len > x->max_len)
			x->max_len = (unsigned)len;
		if (k->secret >= 0) {
			m->secrets[k->secret].kind = kind;
			secret_name(&m->secrets[k->secret], name);
		}
		*fresh = true;
	}
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
static unsigned mask_set(struct masker *m, char *p, size_t n, enum secret_kind kind,
			 struct span name)
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

/* --- learning --- */

static bool is_placeholder(const char *p, size_t n)
{
	static const char *const words[] = { "null",      "true",  "false", "none",
					     "undefined", "nil",   "e30=",  "e30",
					     "bnVsbA==",  "<nil>", "yes",   "no" };
	bool digits = true;
	size_t i;

	if (!n)
		return true;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (n == strlen(words[i]) && !strncasecmp(p, words[i], n))
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

/* Learns bytes to search for, in pieces. Returns whether any was new. */
static bool learn_bytes(struct masker *m, const char *p, size_t n, struct span name)
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
		learn_bytes(m, out, end - first, name);
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
	learn_bytes(m, out, 2 * n, name);
	explicit_bzero(out, 2 * n);
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
		learn_bytes(m, out, k, name);
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
		learn_bytes(m, out, k, name);
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
	if (!learn_bytes(m, p, n, name))
		return;
	learn_base64(m, p, n, name, false);
	learn_base64(m, p, n, name, true);
	learn_hex(m, p, n, name, lower);
	learn_hex(m, p, n, name, upper);
	learn_percent(m, p, n, name, upper, "-.~");
	learn_percent(m, p, n, name, upper, "-.~/");
	learn_percent(m, p, n, name, lower, "-.~");
	learn_json(m, p, n, name, false);
	learn_json(m, p, n, name, true);
}

/* --- what is found by its looks --- */

/* user:password@ of the URL whose authority begins at p. True: *at and *len say where the password
 * is. */
static bool url_password(const char *p, size_t n, size_t *at, size_t *len)
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

static unsigned scrub_urls(struct masker *m, char *b, size_t n)
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

static unsigned scrub_tokens(struct masker *m, char *b, size_t n)
{
	struct span s = { b, n };
	unsigned done = 0;
	const char *kind;

	for (size_t i = 0; i + 12 < n;) {
		size_t len = 0;

		switch (b[i]) {
		case 'A':
		case 'g':
		case 'x':
		case 'n':
		case 'p':
		case 'd':
		case 's':
		case 'r':
		case 'S':
		case 'h':
			len = secret_shape(s, i, &kind);
			break;
		case '-':
			if (starts(b + i, n - i, "-----BEGIN "))
				len = secret_shape(s, i, &kind);
			break;
		}
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
	static const char *const headers[] = {
		"Authorization",     "Proxy-Authorization", "X-Registry-Auth",
		"X-Registry-Config", "X-Vault-Token",       "PRIVATE-TOKEN",
		"JOB-TOKEN",         "X-Api-Key",           "X-Auth-Token",
	};
	unsigned done = 0;
	char *p = b, *end = b + n;

	while (p < end && (p = memchr(p, ':', (size_t)(end - p)))) {
		char *colon = p++;

		for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
			size_t k = strlen(headers[i]);
			char *v = p, *e;

			if ((size_t)(colon - b) < k || strncasecmp(colon - k, headers[i], k))
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
			done += mask_set(m, v, (size_t)(e - v), SECRET_AUTH, span_of(headers[i]));
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
static char *quoted_end(char *v, char *end, size_t q)
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

static char *skip_blank(char *p, char *end, bool percent)
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

/* The quote that closes a key stands at p: masks the string value behind the colon, if the key is
 * sensitive. */
static unsigned scrub_member(struct masker *m, char *b, char *p, char *end, size_t q)
{
	char *k = p, *v = p + q, *e;
	bool percent = q == 3;

	while (k > b && p - k <= NAME_MAX_LOOK && (is_word(k[-1]) || k[-1] == '-' || k[-1] == '.'))
		k--;
	if (percent && p - k >= 2 && k - b >= 1 && k[-1] == '%' && !memcmp(k, "22", 2))
		k += 2;
	else if (percent || k == b || k[-1] != '"')
		return 0;
	if (k == p)
		return 0;
	v = skip_blank(v, end, percent);
	if (v < end && *v == ':')
		v++;
	else if (percent && end - v >= 3 && !strncasecmp(v, "%3A", 3))
		v += 3;
	else
		return 0;
	v = skip_blank(v, end, percent);
	if (quote_at(v, end) != q || !name_is_sensitive(m, (struct span){ k, (size_t)(p - k) }))
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

static unsigned scrub_json(struct masker *m, char *b, size_t n)
{
	unsigned done = 0;
	char *end = b + n;

	for (char *p = b; p < end; p++) {
		size_t q;

		if (*p == '"')
			q = p > b && p[-1] == '\\' ? 2 : 1;
		else if (*p == '%' && quote_at(p, end) == 3)
			q = 3;
		else
			continue;
		done += scrub_member(m, b, q == 2 ? p - 1 : p, end, q);
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
	unsigned done = 0;
	char *p = b, *end = b + n;

	while (p < end) {
		char *sign, *k, *v, *e;
		size_t q;

		for (sign = p; sign < end && *sign != '='; sign++)
			if (*sign == '%' && end - sign >= 3 && sign[1] == '3' &&
			    (sign[2] | 32) == 'd')
				break;
		if (sign >= end)
			break;
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

/* --- what is known --- */

static unsigned scrub_known(struct masker *m, char *b, size_t n)
{
	const struct scrub_index *x = m->index;
	uint64_t base = roll_base(m);
	unsigned done = 0;

	if (!x->max_len)
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

unsigned scrub_bytes(struct masker *m, char *bytes, size_t len)
{
	unsigned done;

	if (!len || !m->index)
		return 0;
	done = scrub_known(m, bytes, len);
	done += scrub_tokens(m, bytes, len);
	done += scrub_headers(m, bytes, len);
	done += scrub_json(m, bytes, len);
	done += scrub_assignments(m, bytes, len);
	done += scrub_urls(m, bytes, len);
	done += scrub_references(m, bytes, len);
	return done;
}

static bool looks_like_path(const char *p, size_t n)
{
	return n && (p[0] == '/' || p[0] == '~' || (n > 1 && p[0] == '.' && p[1] == '/'));
}

static void learn_variable(struct masker *m, struct span name, char *v, size_t n)
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

size_t scrub_environment(struct masker *m, char *block, size_t len)
{
	size_t out = 0;

	if (!len)
		return 0;
	for (size_t i = 0; i < len;) {
		char *e = memchr(block + i, '\0', len - i), *sign;
		size_t end = e ? (size_t)(e - block) : len, n;
		bool sensitive;

		sign = memchr(block + i, '=', end - i);
		/* Without a sign nobody can say that it is not the rest of a value. */
		if (sign && sign != block + i) {
			n = (size_t)(sign - block) - i;
			sensitive = end - i - n > 1 &&
				    name_is_sensitive(m, (struct span){ block + i, n });
			if (sensitive)
				learn_variable(m, (struct span){ block + i, n }, sign + 1,
					       end - i - n - 1);
			/* A name cannot claim the mark that follows it. */
			while (n && block[i + n - 1] == '!')
				n--;
			if (n) {
				memmove(block + out, block + i, n);
				out += n;
				if (sensitive)
					block[out++] = '!';
				block[out++] = '\0';
			}
		}
		i = end + 1;
	}
	explicit_bzero(block + out, len - out);
	scrub_known(m, block, out);
	return out;
}

/* --- arguments --- */

/* Options that take a credential and do not say so by their name. */
static const struct short_option {
	const char *program;
	const char *option;
	bool userinfo; /* user:password */
} short_options[] = {
	{ "docker", "-p", false }, { "podman", "-p", false },  { "sshpass", "-p", false },
	{ "curl", "-u", true },    { "curl", "--user", true }, { "curl", "--proxy-user", true },
};

/* The span behind the last '/' of argv[0]. */
static struct span program_of(struct span arg)
{
	for (size_t i = arg.len; i > 0; i--)
		if (arg.ptr[i - 1] == '/')
			return (struct span){ arg.ptr + i, arg.len - i };
	return arg;
}

static bool is_engine_client(struct span program)
{
	return span_eq(program, "docker") || span_eq(program, "podman") ||
	       span_eq(program, "nerdctl") || span_eq(program, "buildah") ||
	       span_eq(program, "buildctl") || span_eq(program, "docker-buildx");
}

/* docker build --secret id=name,src=file names a secret and holds none. */
static bool names_secret(struct span program, struct span option, const char *v, size_t n)
{
	while (option.len && *option.ptr == '-') {
		option.ptr++;
		option.len--;
	}
	return span_eq(option, "secret") &&
	       (is_engine_client(program) || starts(v, n, "id=") || starts(v, n, "type=") ||
		starts(v, n, "src=") || starts(v, n, "source="));
}

static void mask_operand(struct masker *m, char *v, size_t n, struct span name, bool userinfo)
{
	if (userinfo) {
		char *colon = memchr(v, ':', n);

		if (!colon)
			return;
		n -= (size_t)(colon + 1 - v);
		v = colon + 1;
	}
	if (!is_placeholder(v, n))
		mask_set(m, v, n, SECRET_NAMED, name);
}

static void scrub_argument(struct masker *m, struct span program, struct span before, char *a,
			   size_t n, bool login)
{
	char *sign = memchr(a, '=', n);
	size_t k = sign ? (size_t)(sign - a) : 0;

	for (size_t i = 0; before.len && i < ARRAY_SIZE(short_options); i++) {
		const struct short_option *o = &short_options[i];

		/* docker run -p publishes a port. */
		if (span_eq(program, o->program) && span_eq(before, o->option) &&
		    (!is_engine_client(program) || login))
			mask_operand(m, a, n, before, o->userinfo);
	}
	if (before.len > 1 && before.ptr[0] == '-' && !memchr(before.ptr, '=', before.len) && n &&
	    a[0] != '-' && name_is_sensitive(m, before) && !names_secret(program, before, a, n))
		mask_operand(m, a, n, before, false);
	if (!sign || !k)
		return;
	for (size_t i = 0; i < k; i++)
		if (!is_word(a[i]) && a[i] != '-' && a[i] != '.')
			return;
	/* A script for a shell may begin with an assignment and go on. */
	if (a[0] != '-' && before.len > 1 && before.ptr[0] == '-' &&
	    before.ptr[before.len - 1] == 'c' && memchr(a, ' ', n))
		return;
	if (name_is_sensitive(m, (struct span){ a, k }) &&
	    !names_secret(program, (struct span){ a, k }, sign + 1, n - k - 1)) {
		/* A quote at both ends belongs to the value's own syntax; masking it is harmless
		 * here. */
		mask_operand(m, sign + 1, n - k - 1, (struct span){ a, k }, false);
	}
}

/* "--secret=id=…" would look like an assignment to the general pass. */
static bool argument_is_plain(struct span program, const char *a, size_t n)
{
	const char *sign = memchr(a, '=', n);

	return sign && a[0] == '-' &&
	       names_secret(program, (struct span){ a, (size_t)(sign - a) }, sign + 1,
			    n - (size_t)(sign - a) - 1);
}

void scrub_arguments(struct masker *m, char *args, size_t len)
{
	struct span program = { NULL, 0 }, before = { NULL, 0 };
	bool login = false, first = true;

	if (!len || !m->index)
		return;
	/* First what is known: a value may stand in the middle of what the looks would mask whole.
	 */
	scrub_known(m, args, len);
	for (size_t i = 0; i < len;) {
		char *e = memchr(args + i, '\0', len - i);
		size_t n = e ? (size_t)(e - args) - i : len - i;
		struct span arg = { args + i, n };

		if (first)
			program = program_of(arg);
		else
			scrub_argument(m, program, before, args + i, n, login);
		if (span_eq(arg, "login"))
			login = true;
		if (!argument_is_plain(program, args + i, n))
			scrub_bytes(m, args + i, n);
		first = false;
		before = arg;
		i += n + 1;
	}
}
