/* buf.h: a growable byte buffer; out of memory ends the program and says where. */
#ifndef INVIGIL_BUF_H
#define INVIGIL_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Bytes that somebody else owns; not NUL ended. ptr may be NULL when len is 0. */
struct span {
	const char *ptr;
	size_t len;
};

#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })

/* Owned bytes; ptr[len] is always NUL once anything was added. {0} is an empty one. */
struct buf {
	char *ptr;
	size_t len;
	size_t cap;
};

void buf_room(struct buf *b, size_t n); /* for n more bytes and the NUL */

/* These are most of what a line of the stream costs. The first: n more bytes, for the caller to fill. */
static inline char *buf_more(struct buf *b, size_t n)
{
	char *at;

	if (n >= b->cap - b->len)
		buf_room(b, n);
	at = b->ptr + b->len;
	b->len += n;
	at[n] = 0;
	return at;
}

static inline void buf_add(struct buf *b, const void *bytes, size_t n)
{
	char *to = buf_more(b, n);

	if (n)
		memcpy(to, bytes, n);
}

static inline void buf_byte(struct buf *b, char c)
{
	*buf_more(b, 1) = c;
}

void buf_str(struct buf *b, const char *s);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vfmt(struct buf *b, const char *fmt, va_list ap);
void buf_reset(struct buf *b);           /* keeps the memory */
void buf_u64(struct buf *b, uint64_t v); /* in decimal digits */
void buf_drop(struct buf *b, size_t n);  /* the first n bytes */
void buf_free(struct buf *b);

/* Allocation that cannot fail: on exhaustion prints "out of memory in FUNCTION" and exits 125. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n); /* copies exactly n bytes (NULs too) and ends with NUL */

struct span span_of(const char *s); /* NULL gives an empty span */
int span_eq(struct span a, const char *s);
int span_eq_span(struct span a, struct span b);
int span_starts(struct span a, const char *prefix);
int span_ends(struct span a, const char *suffix);
/* Index of the first occurrence, or -1. */
long span_find(struct span hay, struct span needle);
int span_ifind(struct span hay, const char *needle); /* ASCII case folded; -1 if absent */

#endif
