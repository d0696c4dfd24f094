/* attempt.c: tells a search for a program through PATH from attempts of their own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "attempt.h"
#include "record.h"

static struct span file_of(const struct record *r)
{
	const struct ev_attempt *e = r->body;

	return (struct span){ r->tail, strnlen(r->tail, e->file_len) };
}

static struct span args_of(const struct record *r)
{
	const struct ev_attempt *e = r->body;

	return (struct span){ r->tail + e->file_len, e->args_len };
}

static struct span last_step(struct span path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.ptr[i - 1] == '/')
			return (struct span){ path.ptr + i, path.len - i };
	return path;
}

bool attempt_same(struct span a, struct span b)
{
	return span_eq_span(last_step(a), last_step(b));
}

static void outcome_set(struct attempt *a, const struct record *r)
{
	const struct ev_attempt *e = r->body;
	struct span file = file_of(r);

	a->error = e->error;
	a->look = e->flags & ATTEMPT_LOOK;
	free(a->file);
	a->file = xstrndup(file.ptr, file.len);
}

struct attempt *attempt_new(const struct record *r)
{
	struct attempt *a = xcalloc(1, sizeof(*a));
	struct span args = args_of(r);

	a->time = r->h->time;
	a->tried = 1;
	a->args = xstrndup(args.len ? args.ptr : "", args.len);
	a->args_len = args.len;
	a->args_want = args.len + (r->h->want - r->h->len);
	outcome_set(a, r);
	return a;
}

void attempt_free(struct attempt *a)
{
	if (!a)
		return;
	free(a->file);
	free(a->args);
	free(a);
}

bool attempt_joins(struct attempt *a, const struct record *r)
{
	if (!attempt_same(span_of(a->file), file_of(r)) ||
	    !span_eq_span((struct span){ a->args, a->args_len }, args_of(r)))
		return false;
	a->time = r->h->time;
	a->tried++;
	/* execvp(3) goes on after it, and tells it in the end. */
	if (a->error != EACCES)
		outcome_set(a, r);
	return true;
}
