/* buf.c: the growable buffer, allocation that cannot fail, and comparisons of spans. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "buf.h"

static void exhausted(const char *where)
{
	fprintf(stderr, "invigil: out of memory in %s\n", where);
	exit(125);
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		exhausted(__func__);
	return p;
}

void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		exhausted(__func__);
	return p;
}

char *xstrndup(const char *s, size_t n)
{
	char *p = xrealloc(NULL, n + 1);

	if (n)
		memcpy(p, s, n);
	p[n] = 0;
	return p;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

static void buf_room(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 64;

	if (n >= SIZE_MAX / 4 - b->len)
		exhausted(__func__);
	if (b->len + n < b->cap)
		return;
	while (cap <= b->len + n)
		cap *= 2;
	b->ptr = xrealloc(b->ptr, cap);
	b->cap = cap;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	buf_room(b, n);
	if (n)
		memcpy(b->ptr + b->len, bytes, n);
	b->len += n;
	b->ptr[b->len] = 0;
}

void buf_byte(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_vfmt(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return;
	buf_room(b, n);
	vsnprintf(b->ptr + b->len, n + 1, fmt, ap);
	b->len += n;
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(b, fmt, ap);
	va_end(ap);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	if (b->ptr)
		b->ptr[0] = 0;
}

void buf_free(struct buf *b)
{
	free(b->ptr);
	memset(b, 0, sizeof(*b));
}

struct span span_of(const char *s)
{
	return (struct span){ s, s ? strlen(s) : 0 };
}

int span_eq_span(struct span a, struct span b)
{
	return a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));
}

int span_eq(struct span a, const char *s)
{
	return span_eq_span(a, span_of(s));
}

int span_starts(struct span a, const char *prefix)
{
	size_t n = strlen(prefix);

	return a.len >= n && (!n || !memcmp(a.ptr, prefix, n));
}

int span_ends(struct span a, const char *suffix)
{
	size_t n = strlen(suffix);

	return a.len >= n && (!n || !memcmp(a.ptr + a.len - n, suffix, n));
}

long span_find(struct span hay, struct span needle)
{
	const char *at;

	if (!needle.len)
		return 0;
	if (hay.len < needle.len)
		return -1;
	at = memmem(hay.ptr, hay.len, needle.ptr, needle.len);
	return at ? at - hay.ptr : -1;
}

int span_ifind(struct span hay, const char *needle)
{
	size_t n = strlen(needle);

	for (size_t i = 0; i + n <= hay.len; i++)
		if (!strncasecmp(hay.ptr + i, needle, n))
			return i;
	return -1;
}
