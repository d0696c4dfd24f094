/* codec.c: base64, hex, percent and backslash codings of untrusted bytes, and a preview for people. */
#include <string.h>
#include "codec.h"
#include "utf8.h"

void base64_encode(struct span in, struct buf *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = (const uint8_t *)in.ptr;
	char four[4];

	buf_add(out, NULL, 0);
	for (size_t left = in.len; left;) {
		size_t n = left < 3 ? left : 3;
		uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) |
			     (n > 2 ? p[2] : 0);

		four[0] = digits[v >> 18];
		four[1] = digits[v >> 12 & 63];
		four[2] = n > 1 ? digits[v >> 6 & 63] : '=';
		four[3] = n > 2 ? digits[v & 63] : '=';
		buf_add(out, four, 4);
		p += n;
		left -= n;
	}
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

bool base64_decode(struct span in, struct buf *out)
{
	uint32_t v = 0;
	size_t i, pad;
	int d;

	buf_add(out, NULL, 0);
	/* Digits 2, 3 and 4 of each group complete a byte. */
	for (i = 0; i < in.len && (d = base64_digit(in.ptr[i])) >= 0; i++) {
		v = v << 6 | (uint32_t)d;
		if (i % 4)
			buf_byte(out, (char)(v >> (6 - 2 * (i % 4))));
	}
	if (i % 4 == 1)
		return false;
	pad = in.len - i;
	if (pad > (4 - i % 4) % 4)
		return false;
	while (i < in.len)
		if (in.ptr[i++] != '=')
			return false;
	return true;
}

bool base32_decode(struct span in, struct buf *out)
{
	uint32_t v = 0;
	unsigned bits = 0;
	size_t i;

	buf_add(out, NULL, 0);
	for (i = 0; i < in.len; i++) {
		char c = in.ptr[i];

		if (c >= 'A' && c <= 'Z')
			v = v << 5 | (uint32_t)(c - 'A');
		else if (c >= '2' && c <= '7')
			v = v << 5 | (uint32_t)(c - '2' + 26);
		else
			break;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			buf_byte(out, (char)(v >> bits));
		}
	}
	while (i < in.len && in.ptr[i] == '=')
		i++;
	return i == in.len;
}

bool hex_decode(struct span in, struct buf *out)
{
	buf_add(out, NULL, 0);
	for (size_t i = 0; i + 1 < in.len; i += 2) {
		int hi = hex_digit(in.ptr[i]), lo = hex_digit(in.ptr[i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		buf_byte(out, (char)(hi << 4 | lo));
	}
	return in.len % 2 == 0;
}

/* Up to max digits of the base (8 or 16) at *p; false: not one. Moves *p behind them. */
static bool number(const char **p, const char *end, int base, int max, uint32_t *v)
{
	int n = 0, d;

	*v = 0;
	while (n < max && *p < end && (d = hex_digit(**p)) >= 0 && d < base) {
		*v = *v * (uint32_t)base + (uint32_t)d;
		(*p)++;
		n++;
	}
	return n > 0;
}

const char *escape_one(const char *p, const char *end, struct buf *out)
{
	static const char from[] = "abeEfnrtv\\'\"?", to[] = "\a\b\033\033\f\n\r\t\v\\'\"?";
	const char *at = *p ? strchr(from, *p) : NULL;
	uint32_t v, low;
	const char *next;

	if (at) {
		buf_byte(out, to[at - from]);
		return p + 1;
	}
	switch (*p) {
	case 'x':
		p++;
		if (!number(&p, end, 16, 2, &v))
			return NULL;
		buf_byte(out, (char)v);
		return p;
	case '0': /* echo -e: three digits more */
		number(&p, end, 8, 4, &v);
		buf_byte(out, (char)v);
		return p;
	case '1' ... '7':
		number(&p, end, 8, 3, &v);
		buf_byte(out, (char)v);
		return p;
	case 'u':
		p++;
		if (!number(&p, end, 16, 4, &v))
			return NULL;
		/* Pairs are no business of a shell's, but of JavaScript's, Python's and JSON's. */
		if (end - p > 2 && p[0] == '\\' && p[1] == 'u') {
			next = p + 2;
			if (number(&next, end, 16, 4, &low) && utf16_pair(v, low)) {
				v = utf16_pair(v, low);
				p = next;
			}
		}
		utf8_add(out, v);
		return p;
	case 'U':
		p++;
		if (!number(&p, end, 16, 8, &v))
			return NULL;
		utf8_add(out, v);
		return p;
	case 'c': /* $'\cA' */
		if (end - p < 2)
			return NULL;
		buf_byte(out, p[1] == '?' ? 0x7f : (char)(p[1] & 0x1f));
		return p + 2;
	}
	return NULL;
}

unsigned escape_decode(struct span in, struct buf *out)
{
	const char *p = in.ptr, *end, *next;
	unsigned count = 0;

	buf_add(out, NULL, 0);
	if (!in.len)
		return 0;
	for (end = p + in.len; p < end;) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));

		if (!slash) {
			buf_add(out, p, (size_t)(end - p));
			break;
		}
		buf_add(out, p, (size_t)(slash - p));
		next = slash + 1 < end ? escape_one(slash + 1, end, out) : NULL;
		if (next) {
			count++;
		} else {
			buf_byte(out, '\\');
			next = slash + 1;
		}
		p = next;
	}
	return count;
}

unsigned percent_decode(struct span in, struct buf *out)
{
	unsigned count = 0;

	if (!in.len || !memchr(in.ptr, '%', in.len)) {
		buf_add(out, in.ptr, in.len);
		return 0;
	}
	for (size_t i = 0; i < in.len; i++) {
		int hi, lo;

		if (in.ptr[i] == '%' && in.len - i > 2 && (hi = hex_digit(in.ptr[i + 1])) >= 0 &&
		    (lo = hex_digit(in.ptr[i + 2])) >= 0) {
			buf_byte(out, (char)(hi << 4 | lo));
			i += 2;
			count++;
		} else {
			buf_byte(out, in.ptr[i]);
		}
	}
	return count;
}

/* Does the well-formed sequence of n bytes change what a terminal shows around it? */
static bool is_control(const char *s, int n)
{
	const uint8_t *p = (const uint8_t *)s;

	switch (n) {
	case 1:
		return p[0] < 0x20 || p[0] == 0x7f;
	case 2: /* C1: U+009B is a CSI; U+061C turns the direction */
		return (p[0] == 0xc2 && p[1] < 0xa0) || (p[0] == 0xd8 && p[1] == 0x9c);
	case 3: /* U+200E, F, U+2028 … 202E, U+2066 … 2069: line ends and direction */
		return p[0] == 0xe2 && ((p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f ||
							  (p[2] >= 0xa8 && p[2] <= 0xae))) ||
					(p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
	default:
		return false;
	}
}

void text_escape(struct span in, size_t max, struct buf *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t used = 0;

	buf_add(out, NULL, 0);
	for (size_t i = 0; i < in.len;) {
		int n = utf8_step(in.ptr + i, in.len - i);
		bool plain = n > 0 && !is_control(in.ptr + i, n);
		size_t len = (size_t)(n > 0 ? n : -n), need = plain ? len : 4 * len;

		if (need > max - used)
			return;
		used += need;
		if (plain) {
			buf_add(out, in.ptr + i, len);
			i += len;
			continue;
		}
		for (; len; len--, i++) {
			uint8_t c = (uint8_t)in.ptr[i];

			buf_add(out, (char[]){ '\\', 'x', digits[c >> 4], digits[c & 15] }, 4);
		}
	}
}

bool utf8_valid(struct span s)
{
	for (size_t i = 0; i < s.len;) {
		int n = utf8_step(s.ptr + i, s.len - i);

		if (n < 0)
			return false;
		i += (size_t)n;
	}
	return true;
}
