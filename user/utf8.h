/* utf8.h: one step through bytes that should be UTF-8; shared by the JSON writer, the reader and the codecs. */
#ifndef INVIGIL_UTF8_H
#define INVIGIL_UTF8_H

#include <stddef.h>
#include <stdint.h>
#include "buf.h"

/*
 * Length of the well-formed sequence at p (RFC 3629: shortest form, no surrogates, at most U+10FFFF),
 * or minus the bytes that one U+FFFD stands for: the longest beginning of a sequence (Unicode 3.9).
 * n is at least 1.
 */
static inline int utf8_step(const char *s, size_t n)
{
	const uint8_t *p = (const uint8_t *)s;
	uint8_t low = 0x80, high = 0xbf;
	int want;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return -1;
	want = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	for (int i = 1; i < want; i++) {
		if ((size_t)i == n || p[i] < low || p[i] > high)
			return -i;
		low = 0x80;
		high = 0xbf;
	}
	return want;
}

/*
 * What the well-formed sequence at p stands for, when a terminal or an editor would obey it instead
 * of showing it: C1 controls, line and paragraph separators, marks that turn the direction of
 * writing. 0: it is shown.
 */
static inline unsigned utf8_steers(const char *s)
{
	const uint8_t *p = (const uint8_t *)s;
	unsigned c = 0;

	if (p[0] == 0xc2)
		c = p[1];
	else if (p[0] == 0xe2)
		c = 0x2000u | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	return (c >= 0x80 && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
			       (c >= 0x2066 && c <= 0x2069)
		       ? c
		       : 0;
}

/* Writes c, or U+FFFD when it is no scalar value, to to[4]; returns the length. */
static inline size_t utf8_put(uint32_t c, char *to)
{
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = 0xfffd;
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The same, behind what is in out. */
static inline void utf8_add(struct buf *out, uint32_t c)
{
	char bytes[4];
	size_t n = utf8_put(c, bytes);

	buf_add(out, bytes, n);
}

/* The scalar value of \uHIGH\uLOW, 0 when these two are no surrogate pair. */
static inline uint32_t utf16_pair(uint32_t high, uint32_t low)
{
	if (high < 0xd800 || high > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return 0;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif
