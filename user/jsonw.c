/* jsonw.c: the streaming JSON writer. */
#include <string.h>
#include <time.h>
#include "codec.h"
#include "jsonw.h"
#include "scrub.h"

#define RAW_MAX	  4096	/* original bytes kept of one field that is not UTF-8 */
#define RAW_TOTAL 65536

void jsonw_begin(struct jsonw *j, struct buf *out, const struct masker *m)
{
	struct buf path = j->path, raw = j->raw;

	memset(j, 0, sizeof(*j));
	j->path = path;
	j->raw = raw;
	buf_reset(&j->path);
	buf_reset(&j->raw);
	j->out = out;
	j->masker = m;
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

static void comma(struct jsonw *j)
{
	if (j->comma & 1u << j->depth)
		buf_byte(j->out, ',');
	j->comma |= 1u << j->depth;
}

static void key_write(struct jsonw *j, const char *key)
{
	comma(j);
	if (!key)
		return;
	buf_byte(j->out, '"');
	buf_str(j->out, key);
	buf_add(j->out, "\":", 2);
}

static void open_level(struct jsonw *j, const char *key, bool array)
{
	key_write(j, key);
	buf_byte(j->out, array ? '[' : '{');
	if (j->depth < 31)
		j->depth++;
	j->path_at[j->depth] = j->path.len;
	if (key && j->path.len)
		buf_byte(&j->path, '.');
	if (key)
		buf_str(&j->path, key);
	j->comma &= ~(1u << j->depth);
	j->array = array ? j->array | 1u << j->depth : j->array & ~(1u << j->depth);
}

void jsonw_obj(struct jsonw *j, const char *key)
{
	open_level(j, key, false);
}

void jsonw_arr(struct jsonw *j, const char *key)
{
	open_level(j, key, true);
}

void jsonw_close(struct jsonw *j)
{
	if (!j->depth)
		return;
	buf_byte(j->out, j->array & 1u << j->depth ? ']' : '}');
	j->path.len = j->path_at[j->depth];
	if (j->path.ptr)
		j->path.ptr[j->path.len] = 0;
	j->depth--;
}

static size_t utf8_sequence(const char *p, size_t left)
{
	for (size_t n = 1; n <= 4 && n <= left; n++)
		if (utf8_valid((struct span){ p, n }))
			return n;
	return 0;
}

/* Remembers the original bytes of a field: "path" NUL length bytes, for jsonw_raw(). */
static void raw_note(struct jsonw *j, const char *key, struct span s)
{
	uint32_t n = s.len > RAW_MAX ? RAW_MAX : s.len;

	if (j->raw.len + n > RAW_TOTAL)
		return;
	if (j->path.len)
		buf_add(&j->raw, j->path.ptr, j->path.len);
	if (key && j->path.len)
		buf_byte(&j->raw, '.');
	if (key)
		buf_str(&j->raw, key);
	buf_byte(&j->raw, 0);
	buf_add(&j->raw, &n, sizeof(n));
	buf_add(&j->raw, s.ptr, n);
}

static void char_escape(struct buf *out, uint8_t c)
{
	static const char letters[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	const char *at = c ? strchr(letters, c) : NULL;

	if (at) {
		buf_byte(out, '\\');
		buf_byte(out, names[at - letters]);
	} else {
		buf_fmt(out, "\\u%04x", c);
	}
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void text_write(struct jsonw *j, const char *key, struct span s)
{
	const struct secret *secret;
	bool raw = false;

	buf_byte(j->out, '"');
	for (size_t i = 0; i < s.len;) {
		size_t run = i, n;

		while (run < s.len && is_plain(s.ptr[run]))
			run++;
		buf_add(j->out, s.ptr + i, run - i);
		i = run;
		if (i == s.len)
			break;
		if ((uint8_t)s.ptr[i] == 0xff && j->masker &&
		    (n = masker_at(j->masker, (struct span){ s.ptr + i, s.len - i }, &secret))) {
			buf_str(j->out, "<redacted");
			if (secret) {
				struct buf label = { 0 };

				secret_label(secret, &label);
				buf_byte(j->out, ':');
				for (size_t k = 0; k < label.len; k++)
					buf_byte(j->out, is_plain(label.ptr[k]) ? label.ptr[k] : '_');
				buf_free(&label);
			}
			buf_byte(j->out, '>');
		} else if ((uint8_t)s.ptr[i] < 0x80) {
			n = 1;
			char_escape(j->out, s.ptr[i]);
		} else if ((n = utf8_sequence(s.ptr + i, s.len - i))) {
			buf_add(j->out, s.ptr + i, n);
		} else {
			n = 1;
			raw = true;
			buf_str(j->out, "\xef\xbf\xbd");
		}
		i += n;
	}
	buf_byte(j->out, '"');
	if (raw)
		raw_note(j, key, s);
}

void jsonw_span(struct jsonw *j, const char *key, struct span s)
{
	key_write(j, key);
	text_write(j, key, s);
}

void jsonw_str(struct jsonw *j, const char *key, const char *s)
{
	if (s)
		jsonw_span(j, key, span_of(s));
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

static void decimal(struct buf *out, uint64_t v)
{
	char text[20];
	size_t at = sizeof(text);

	do
		text[--at] = '0' + v % 10;
	while (v /= 10);
	buf_add(out, text + at, sizeof(text) - at);
}

void jsonw_u64(struct jsonw *j, const char *key, uint64_t v)
{
	key_write(j, key);
	decimal(j->out, v);
}

void jsonw_i64(struct jsonw *j, const char *key, int64_t v)
{
	key_write(j, key);
	if (v < 0)
		buf_byte(j->out, '-');
	decimal(j->out, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void jsonw_bool(struct jsonw *j, const char *key, bool v)
{
	key_write(j, key);
	buf_str(j->out, v ? "true" : "false");
}

void jsonw_time(struct jsonw *j, const char *key, uint64_t unix_ns)
{
	time_t seconds = unix_ns / 1000000000;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	jsonw_fmt(j, key, "%04d-%02d-%02dT%02d:%02d:%02d.%09uZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		  tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(unix_ns % 1000000000));
}

void jsonw_copy(struct jsonw *j, const char *bytes, size_t n)
{
	if (!n)
		return;
	comma(j);
	buf_add(j->out, bytes, n);
}

void jsonw_raw(struct jsonw *j, const char *key)
{
	struct buf notes = j->raw, text = { 0 };

	if (!notes.len)
		return;
	j->raw = (struct buf){ 0 };
	jsonw_arr(j, key);
	for (size_t i = 0; i < notes.len;) {
		const char *field = notes.ptr + i;
		uint32_t n;

		i += strlen(field) + 1;
		memcpy(&n, notes.ptr + i, sizeof(n));
		i += sizeof(n);
		buf_reset(&text);
		base64_encode((struct span){ notes.ptr + i, n }, &text);
		i += n;
		jsonw_obj(j, NULL);
		jsonw_str(j, "field", field);
		jsonw_span(j, "base64", (struct span){ text.ptr, text.len });
		jsonw_close(j);
	}
	jsonw_close(j);
	buf_free(&text);
	buf_reset(&notes);
	buf_free(&j->raw);
	j->raw = notes;
}
