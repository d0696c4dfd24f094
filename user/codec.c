/* codec.c: decoders and encoders of bounded, untrusted bytes. */
#include <ctype.h>
#include <string.h>
#include "codec.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct span in, struct buf *out)
{
	for (size_t i = 0; i < in.len; i += 3) {
		size_t n = in.len - i > 3 ? 3 : in.len - i;
		uint32_t v = (uint8_t)in.ptr[i] << 16;

		if (n > 1)
			v |= (uint8_t)in.ptr[i + 1] << 8;
		if (n > 2)
			v |= (uint8_t)in.ptr[i + 2];
		buf_byte(out, alphabet[v >> 18]);
		buf_byte(out, alphabet[v >> 12 & 63]);
		buf_byte(out, n > 1 ? alphabet[v >> 6 & 63] : '=');
		buf_byte(out, n > 2 ? alphabet[v & 63] : '=');
	}
}

static int base64_digit(char c)
{
	const char *at = c ? strchr(alphabet, c == '-' ? '+' : c == '_' ? '/' : c) : NULL;

	return at ? at - alphabet : -1;
}

bool base64_decode(struct span in, struct buf *out)
{
	uint32_t v = 0;
	unsigned bits = 0;
	size_t i = 0;

	for (; i < in.len && in.ptr[i] != '='; i++) {
		int d = base64_digit(in.ptr[i]);

		if (d < 0)
			return false;
		v = v << 6 | d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_byte(out, v >> bits & 0xff);
		}
	}
	if (bits >= 6)
		return false; /* one digit too many */
	for (size_t pad = 0; i < in.len; i++)
		if (in.ptr[i] != '=' || ++pad > 2)
			return false;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(struct span in, struct buf *out)
{
	for (size_t i = 0; i + 1 < in.len; i += 2) {
		int hi = hex_digit(in.ptr[i]), lo = hex_digit(in.ptr[i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		buf_byte(out, hi << 4 | lo);
	}
	return in.len % 2 == 0;
}

static void utf8_add(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_byte(out, c);
	} else if (c < 0x800) {
		buf_byte(out, 0xc0 | c >> 6);
		buf_byte(out, 0x80 | (c & 63));
	} else {
		buf_byte(out, 0xe0 | c >> 12);
		buf_byte(out, 0x80 | (c >> 6 & 63));
		buf_byte(out, 0x80 | (c & 63));
	}
}

/* Digits of a base (8 or 16), at most max of them; *n gets how many. */
static uint32_t digits_read(struct span in, size_t at, unsigned base, unsigned max, unsigned *n)
{
	uint32_t v = 0;

	for (*n = 0; *n < max && at + *n < in.len; ++*n) {
		int d = hex_digit(in.ptr[at + *n]);

		if (d < 0 || (unsigned)d >= base)
			break;
		v = v * base + d;
	}
	return v;
}

/* One escape at in.ptr[at] == '\\'. Returns its length, or 0 when it is none. */
static size_t escape_one(struct span in, size_t at, struct buf *out)
{
	static const char letters[] = "abefnrtv\\'\"", values[] = "\a\b\033\f\n\r\t\v\\'\"";
	const char *letter;
	unsigned n;
	uint32_t v;
	char c;

	if (at + 1 >= in.len)
		return 0;
	c = in.ptr[at + 1];
	if (c == 'x') {
		v = digits_read(in, at + 2, 16, 2, &n);
		if (n)
			buf_byte(out, v);
		return n ? n + 2 : 0;
	}
	if (c == 'u' || c == 'U') {
		v = digits_read(in, at + 2, 16, 4, &n);
		if (n == 4)
			utf8_add(out, v);
		return n == 4 ? 6 : 0;
	}
	if (c >= '0' && c <= '7') {
		v = digits_read(in, at + 1, 8, c == '0' ? 4 : 3, &n);
		buf_byte(out, v);
		return n + 1;
	}
	letter = c ? strchr(letters, c) : NULL;
	if (!letter)
		return 0;
	buf_byte(out, values[letter - letters]);
	return 2;
}

unsigned escape_decode(struct span in, struct buf *out)
{
	unsigned count = 0;

	for (size_t i = 0; i < in.len;) {
		size_t n = in.ptr[i] == '\\' ? escape_one(in, i, out) : 0;

		if (n) {
			count++;
			i += n;
		} else {
			buf_byte(out, in.ptr[i++]);
		}
	}
	return count;
}

unsigned percent_decode(struct span in, struct buf *out)
{
	unsigned count = 0;

	for (size_t i = 0; i < in.len; i++) {
		int hi = -1, lo = -1;

		if (in.ptr[i] == '%' && i + 2 < in.len) {
			hi = hex_digit(in.ptr[i + 1]);
			lo = hex_digit(in.ptr[i + 2]);
		}
		if (hi >= 0 && lo >= 0) {
			buf_byte(out, hi << 4 | lo);
			count++;
			i += 2;
		} else {
			buf_byte(out, in.ptr[i]);
		}
	}
	return count;
}

/* Length of the well-formed UTF-8 sequence at p (RFC 3629), 0 when there is none. */
static size_t utf8_length(const uint8_t *p, size_t left)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < n)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool utf8_valid(struct span s)
{
	for (size_t i = 0; i < s.len;) {
		size_t n = utf8_length((const uint8_t *)s.ptr + i, s.len - i);

		if (!n)
			return false;
		i += n;
	}
	return true;
}

void text_escape(struct span in, size_t max, struct buf *out)
{
	size_t start = out->len;

	for (size_t i = 0; i < in.len;) {
		const uint8_t *p = (const uint8_t *)in.ptr + i;
		size_t n = utf8_length(p, in.len - i);
		bool plain = n > 1 || (n == 1 && p[0] >= 0x20 && p[0] < 0x7f);
		size_t need = plain ? n : 4;

		if (out->len - start + need > max)
			return;
		if (plain)
			buf_add(out, p, n);
		else
			buf_fmt(out, "\\x%02x", p[0]);
		i += plain ? n : 1;
	}
}
