/* jsonw.c: writes one line of JSON, valid whatever bytes come in, and remembers what was not UTF-8. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "codec.h"
#include "jsonw.h"
#include "scrub.h"
#include "utf8.h"

#define RAW_MAX 4096

/* Heads a record in jsonw.raw; the path and the bytes follow. */
struct raw_head {
	uint32_t path_len;
	uint32_t len;
};

static bool in_array(const struct jsonw *j)
{
	return j->array >> j->depth & 1;
}

/* The comma and the key of the next member. A missing or surplus key never breaks the line. */
static void member(struct jsonw *j, const char *key)
{
	size_t n = key ? strlen(key) : 0;
	bool comma = j->comma >> j->depth & 1;
	char *to;

	j->comma |= 1u << j->depth;
	if (in_array(j)) {
		if (comma)
			buf_byte(j->out, ',');
		return;
	}
	to = buf_more(j->out, comma + n + 3);
	if (comma)
		*to++ = ',';
	*to++ = '"';
	if (n)
		memcpy(to, key, n);
	to[n] = '"';
	to[n + 1] = ':';
}

/* Written as it is: printable ASCII but for the quote and the backslash. */
static bool is_plain(char c)
{
	return (uint8_t)c - 0x20u < 0x5fu && c != '"' && c != '\\';
}

#define EACH(byte) (0x0101010101010101u * (byte))

/* How many bytes are plain, from the first on; by eights, which is most of the work on a line. */
static size_t plain_length(const char *p, size_t n)
{
	size_t i = 0;

	for (uint64_t x; n - i >= sizeof(x); i += sizeof(x)) {
		uint64_t quote, slash;

		memcpy(&x, p + i, sizeof(x));
		quote = x ^ EACH('"');
		slash = x ^ EACH('\\');
		/* A top bit: not ASCII, DEL, below the space, the quote, the backslash. Or behind such a one. */
		if ((x | (x + EACH(1)) | (x - EACH(0x20)) | (quote - EACH(1)) | (slash - EACH(1))) &
		    EACH(0x80))
			break;
	}
	while (i < n && is_plain(p[i]))
		i++;
	return i;
}

/* Any but NUL. */
static void escape(struct buf *out, uint8_t c)
{
	static const char digits[] = "0123456789abcdef", from[] = "\"\\\b\f\n\r\t",
			  to[] = "\"\\bfnrt";
	const char *at = strchr(from, c);

	if (at)
		buf_add(out, (char[]){ '\\', to[at - from] }, 2);
	else
		buf_add(out, (char[]){ '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] }, 6);
}

/*
 * The inside of a string; false: some bytes were not UTF-8 and no mask either, or NUL, which many a reader takes for the
 * end or refuses (PostgreSQL's jsonb: "\u0000 cannot be converted to text").
 */
static bool text(struct jsonw *j, const struct masker *m, struct span s)
{
	struct buf *out = j->out;
	bool clean = true;

	for (size_t i = 0; i < s.len;) {
		const char *p = s.ptr + i;
		size_t left = s.len - i, n = plain_length(p, left);
		int step;

		if (n) {
			buf_add(out, p, n);
			i += n;
			continue;
		}
		if (*p && (uint8_t)*p < 0x80) {
			escape(out, (uint8_t)*p);
			i++;
			continue;
		}
		step = *p ? utf8_step(p, left) : -1;
		if (step > 0) {
			unsigned steers = utf8_steers(p);

			if (steers)
				buf_fmt(out, "\\u%04x", steers);
			else
				buf_add(out, p, (size_t)step);
			i += (size_t)step;
			continue;
		}
		if (m && (uint8_t)*p == 0xff) {
			const struct secret *which = NULL;

			n = masker_at(m, (struct span){ p, left }, &which);
			/* Without its tag a mask cannot be told from bytes that came so: those are no UTF-8. */
			if (n && (which || n >= 8)) {
				struct buf label = { 0 };

				/* The label holds a name that somebody else chose. */
				j->masks++;
				secret_label(which, &label);
				buf_str(out, "<redacted:");
				text(j, NULL, (struct span){ label.ptr, label.len });
				buf_byte(out, '>');
				buf_free(&label);
				i += n < left ? n : left;
				continue;
			}
		}
		buf_add(out, "\xef\xbf\xbd", 3);
		clean = false;
		i += (size_t)-step;
	}
	return clean;
}

static void raw_keep(struct jsonw *j, const char *key, struct span s)
{
	struct raw_head h = { 0 };
	size_t at = j->raw.len;

	buf_add(&j->raw, &h, sizeof(h));
	buf_add(&j->raw, j->path.ptr, j->path.len);
	if (key && !in_array(j)) {
		if (j->path.len)
			buf_byte(&j->raw, '.');
		buf_str(&j->raw, key);
	}
	h.path_len = (uint32_t)(j->raw.len - at - sizeof(h));
	h.len = s.len < RAW_MAX ? (uint32_t)s.len : RAW_MAX;
	buf_add(&j->raw, s.ptr, h.len);
	memcpy(j->raw.ptr + at, &h, sizeof(h));
}

void jsonw_begin(struct jsonw *j, struct buf *out, const struct masker *m)
{
	j->out = out;
	j->masker = m;
	buf_reset(&j->path);
	buf_reset(&j->raw);
	j->depth = 0;
	j->comma = 0;
	j->array = 0;
	j->path_at[0] = 0;
	buf_byte(out, '{');
}

void jsonw_end(struct jsonw *j)
{
	while (j->depth)
		jsonw_close(j);
	buf_add(j->out, "}\n", 2);
}

void jsonw_free(struct jsonw *j)
{
	buf_free(&j->path);
	buf_free(&j->raw);
}

static void open_one(struct jsonw *j, const char *key, bool array)
{
	size_t before = j->path.len;

	/* How deep a line is, is decided by our code alone. */
	if (j->depth + 1 >= ARRAY_SIZE(j->path_at)) {
		fputs("invigil: a line of JSON is nested too deep\n", stderr);
		abort();
	}
	member(j, key);
	if (key && !in_array(j)) {
		if (before)
			buf_byte(&j->path, '.');
		buf_str(&j->path, key);
	}
	buf_byte(j->out, array ? '[' : '{');
	j->depth++;
	j->path_at[j->depth] = (unsigned)before;
	j->comma &= ~(1u << j->depth);
	j->array = (j->array & ~(1u << j->depth)) | (uint32_t)array << j->depth;
}

void jsonw_obj(struct jsonw *j, const char *key)
{
	open_one(j, key, false);
}

void jsonw_arr(struct jsonw *j, const char *key)
{
	open_one(j, key, true);
}

void jsonw_close(struct jsonw *j)
{
	if (!j->depth)
		return;
	buf_byte(j->out, in_array(j) ? ']' : '}');
	j->path.len = j->path_at[j->depth];
	j->depth--;
}

void jsonw_str(struct jsonw *j, const char *key, const char *s)
{
	if (s)
		jsonw_span(j, key, span_of(s));
}

void jsonw_span(struct jsonw *j, const char *key, struct span s)
{
	member(j, key);
	buf_byte(j->out, '"');
	if (!text(j, j->masker, s))
		raw_keep(j, key, s);
	buf_byte(j->out, '"');
}

void jsonw_fmt(struct jsonw *j, const char *key, const char *fmt, ...)
{
	struct buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	jsonw_span(j, key, (struct span){ b.ptr, b.len });
	buf_free(&b);
}

/* Writes v in exactly n digits. */
static void digits_put(char *to, unsigned n, uint64_t v)
{
	while (n--) {
		to[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

void jsonw_u64(struct jsonw *j, const char *key, uint64_t v)
{
	member(j, key);
	buf_u64(j->out, v);
}

void jsonw_i64(struct jsonw *j, const char *key, int64_t v)
{
	member(j, key);
	if (v < 0)
		buf_byte(j->out, '-');
	buf_u64(j->out, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void jsonw_bool(struct jsonw *j, const char *key, bool v)
{
	member(j, key);
	buf_str(j->out, v ? "true" : "false");
}

void jsonw_time(struct jsonw *j, const char *key, uint64_t unix_ns)
{
	static const char zero[] = "\"0000-00-00T00:00:00.000000000Z\"";
	time_t s = (time_t)(unix_ns / 1000000000);
	char *t = j->time;

	/* Most lines are of the second of the one before. */
	if (!t[0] || s != j->second) {
		struct tm tm = { 0 };

		gmtime_r(&s, &tm);
		j->second = s;
		memcpy(t, zero, sizeof(zero));
		digits_put(t + 1, 4, (uint64_t)tm.tm_year + 1900);
		digits_put(t + 6, 2, (uint64_t)tm.tm_mon + 1);
		digits_put(t + 9, 2, (uint64_t)tm.tm_mday);
		digits_put(t + 12, 2, (uint64_t)tm.tm_hour);
		digits_put(t + 15, 2, (uint64_t)tm.tm_min);
		digits_put(t + 18, 2, (uint64_t)tm.tm_sec);
	}
	digits_put(t + 21, 9, unix_ns % 1000000000);
	member(j, key);
	buf_add(j->out, t, sizeof(zero) - 1);
}

void jsonw_copy(struct jsonw *j, const char *bytes, size_t n)
{
	if (!n)
		return;
	if (j->comma >> j->depth & 1)
		buf_byte(j->out, ',');
	j->comma |= 1u << j->depth;
	buf_add(j->out, bytes, n);
}

void jsonw_once(struct jsonw *j, struct buf *kept, void (*write)(struct jsonw *j, const void *what),
		const void *what)
{
	size_t from = j->out->len, raw = j->raw.len;
	unsigned masks = j->masks;

	if (kept && kept->len) {
		jsonw_copy(j, kept->ptr, kept->len);
		return;
	}
	write(j, what);
	from += from < j->out->len && j->out->ptr[from] == ',';
	if (kept && j->raw.len == raw && j->masks == masks && j->out->len - from <= JSONW_KEPT)
		buf_add(kept, j->out->ptr + from, j->out->len - from);
}

void jsonw_raw(struct jsonw *j, const char *key)
{
	struct raw_head h;
	const char *p = j->raw.ptr, *end;

	if (!j->raw.len)
		return;
	jsonw_arr(j, key);
	for (end = p + j->raw.len; p < end; p += h.len) {
		memcpy(&h, p, sizeof(h));
		p += sizeof(h);
		jsonw_obj(j, NULL);
		member(j, "field");
		buf_byte(j->out, '"');
		text(j, NULL, (struct span){ p, h.path_len });
		buf_byte(j->out, '"');
		p += h.path_len;
		member(j, "base64");
		buf_byte(j->out, '"');
		base64_encode((struct span){ p, h.len }, j->out);
		buf_byte(j->out, '"');
		jsonw_close(j);
	}
	jsonw_close(j);
	buf_reset(&j->raw);
}
