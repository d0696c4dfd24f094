/* ascii.h: classes of bytes, whatever the locale. */
#ifndef INVIGIL_ASCII_H
#define INVIGIL_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool is_upper(unsigned char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool is_lower(unsigned char c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* Of a variable's name. */
static inline bool is_word(unsigned char c)
{
	return is_upper(c) || is_lower(c) || is_digit(c) || c == '_';
}

static inline bool is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Do the n bytes at p begin with text? */
static inline bool starts(const char *p, size_t n, const char *text)
{
	size_t k = strlen(text);

	return n >= k && !memcmp(p, text, k);
}

#endif
