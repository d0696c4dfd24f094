/* buf.c: growable bytes, spans, and allocation that ends the program when it fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "buf.h"

static _Noreturn void no_memory(const char *where)
{
	/* stderr is unbuffered: nothing is allocated on the way out. */
	fputs("invigil: out of memory in ", stderr);
	fputs(where, stderr);
	fputs("\n", stderr);
	exit(125);
}

void buf_room(struct buf *b, size_t n)
{
	size_t need, cap = b->cap ? b->cap : 64;
	char *p;

	if (__builtin_add_overflow(b->len, n, &need) || __builtin_add_overflow(need, 1, &need))
		no_memory(__func__);
	if (need <= b->cap)
		return;
	while (cap < need)
		if (__builtin_mul_overflow(cap, 2, &cap))
			cap = need;
	p = realloc(b->ptr, cap);
	if (!p)
		no_memory(__func__);
	b->ptr = p;
	b->cap = cap;
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
	buf_room(b, 0);
	n = vsnprintf(b->ptr + b->len, b->cap - b->len, fmt, ap);
	if (n > 0 && (size_t)n >= b->cap - b->len) {
		buf_room(b, (size_t)n);
		n = vsnprintf(b->ptr + b->len, b->cap - b->len, fmt, again);
	}
	va_end(again);
	if (n > 0)
		b->len += (size_t)n;
	b->ptr[b->len] = 0;
}

void buf_u64(struct buf *b, uint64_t v)
{
	char d[20], *at = d + sizeof(d);

	do
		*--at = (char)('0' + v % 10);
	while (v /= 10);
	buf_add(b, at, d + sizeof(d) - at);
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

void buf_drop(struct buf *b, size_t n)
{
	if (!n)
		return;
	memmove(b->ptr, b->ptr + n, b->len - n + 1); /* with its NUL */
	b->len -= n;
}

void buf_free(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf){ 0 };
}

void *xcalloc(size_t n, size_t size)
{
	size_t total;
	void *p;

	if (__builtin_mul_overflow(n, size, &total))
		no_memory(__func__);
	p = calloc(1, total ? total : 1);
	if (!p)
		no_memory(__func__);
	return p;
}

void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		no_memory(__func__);
	return p;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t n)
{
	size_t size;
	char *p;

	if (__builtin_add_overflow(n, 1, &size))
		no_memory(__func__);
	p = malloc(size);
	if (!p)
		no_memory(__func__);
	if (n)
		memcpy(p, s, n);
	p[n] = 0;
	return p;
}

struct span span_of(const char *s)
{
	return (struct span){ s, s ? strlen(s) : 0 };
}

int span_eq(struct span a, const char *s)
{
	return span_eq_span(a, span_of(s));
}

int span_eq_span(struct span a, struct span b)
{
	return a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));
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
	const char *p;

	if (!needle.len)
		return 0;
	if (hay.len < needle.len)
		return -1;
	p = memmem(hay.ptr, hay.len, needle.ptr, needle.len);
	return p ? (long)(p - hay.ptr) : -1;
}

int span_ifind(struct span hay, const char *needle)
{
	size_t n = strlen(needle);

	if (!n)
		return 0;
	for (size_t i = 0; i + n <= hay.len; i++)
		if (!strncasecmp(hay.ptr + i, needle, n))
			return (int)i;
	return -1;
}
