/* held.c: joins the records of a message, looks for secrets over their borders, and masks them where they lie. */
#include "held.h"
#include <stdlib.h>
#include <string.h>
#include "scrub_state.h"

#define FRAME_MAX 128 /* a chunk's size line, with what it says of itself (RFC 9112, 7.1.1) */

struct entry {
	struct entry *next;
	struct record r; /* of bytes; owned */
	char *raw;       /* its tail as it came; NULL: nothing waits for it any more */
	bool later;      /* what came before it has gone on its way */
};

/* The stream whose message was cut so: the next record of it begins in the middle. */
struct stream {
	uint64_t sk, ino;
	uint32_t dir;
};

struct held {
	struct masker *masker;
	held_out_fn *out;
	void *ctx;
	struct entry *first, **end;
	size_t bytes;
	struct stream cut[16]; /* the last, as a ring */
	unsigned n_cut;
};

/* The bytes of a message without the size lines between its chunks, and where each lies. */
struct joined {
	char *bytes, *raw; /* masked, and as they came */
	char **at;
	size_t n, room;
};

struct held *held_new(struct masker *m, held_out_fn *out, void *ctx)
{
	struct held *h = xcalloc(1, sizeof(*h));

	h->masker = m;
	h->out = out;
	h->ctx = ctx;
	h->end = &h->first;
	return h;
}

static void raw_free(struct entry *e)
{
	if (e->raw)
		explicit_bzero(e->raw, e->r.h->len);
	free(e->raw);
	e->raw = NULL;
}

static void entry_free(struct entry *e)
{
	raw_free(e);
	free((void *)e->r.h);
	free(e);
}

void held_free(struct held *h)
{
	while (h && h->first) {
		struct entry *e = h->first;

		h->first = e->next;
		entry_free(e);
	}
	free(h);
}

static struct stream stream_of(const struct record *r)
{
	const struct ev_data *e = r->body;

	return (struct stream){ e->sk, e->sockino, e->dir };
}

static bool same_stream(struct stream a, struct stream b)
{
	return a.sk == b.sk && a.ino == b.ino && a.dir == b.dir;
}

/* The length of what stands between two chunks: a line's end, the next one's size, another end. 0: it is none. */
static size_t frame_at(const char *p, size_t n)
{
	size_t i = 2, digits;

	if (n < 5 || p[0] != '\r' || p[1] != '\n')
		return 0;
	while (i < n && strchr("0123456789abcdefABCDEF", p[i]) && p[i])
		i++;
	digits = i - 2;
	if (!digits || digits > 16 || (i < n && p[i] != ';' && p[i] != '\r'))
		return 0;
	while (i < n && i < FRAME_MAX && p[i] != '\r')
		i++;
	return i + 1 < n && p[i] == '\r' && p[i + 1] == '\n' ? i + 2 : 0;
}

/* Every entry of the stream that waits, and where its bytes lie. Rooms that grow would leave copies behind. */
static void join(struct held *h, struct stream s, struct joined *j)
{
	size_t n = 0, all = 0;

	for (struct entry *e = h->first; e; e = e->next)
		if (e->raw && same_stream(stream_of(&e->r), s))
			all += e->r.h->len;
	j->bytes = xcalloc(all + 1, 1);
	j->raw = xcalloc(all + 1, 1);
	j->at = xcalloc(all + 1, sizeof(*j->at));
	for (struct entry *e = h->first; e; e = e->next)
		if (e->raw && same_stream(stream_of(&e->r), s))
			for (size_t i = 0; i < e->r.h->len; i++) {
				j->raw[n] = e->raw[i];
				j->at[n++] = e->r.tail + i;
			}
	for (size_t i = 0; i < all;) {
		size_t skip = frame_at(j->raw + i, all - i);

		if (!skip) {
			j->at[j->n] = j->at[i];
			j->raw[j->n++] = j->raw[i++];
		}
		i += skip;
	}
	memcpy(j->bytes, j->raw, j->n);
	j->room = all;
}

static void joined_free(struct joined *j)
{
	explicit_bzero(j->bytes, j->room);
	explicit_bzero(j->raw, j->room);
	free(j->bytes);
	free(j->raw);
	free(j->at);
}

/* What is masked in the whole is masked where it lies; what was blanked there stays so. */
static void put_back(const struct joined *j)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->bytes[i] != j->raw[i] && (*j->at[i] || !j->raw[i]))
			*j->at[i] = j->bytes[i];
}

/* Nothing more is waited for. cut: the message goes on; later: it began before. */
static void seal(struct held *h, struct stream s, bool cut, bool later)
{
	struct joined j = { 0 };

	join(h, s, &j);
	scrub_bytes(h->masker, j.bytes, j.n);
	if (cut)
		scrub_cut_end(h->masker, j.bytes, j.n);
	if (later)
		scrub_cut_begin(h->masker, j.bytes, j.n);
	put_back(&j);
	joined_free(&j);
	for (struct entry *e = h->first; e; e = e->next)
		if (e->raw && same_stream(stream_of(&e->r), s))
			raw_free(e);
}

static bool cut_take(struct held *h, struct stream s)
{
	for (unsigned i = 0; i < ARRAY_SIZE(h->cut); i++)
		if (h->cut[i].sk && same_stream(h->cut[i], s)) {
			h->cut[i] = (struct stream){ 0 };
			return true;
		}
	return false;
}

static bool is_later(const struct held *h, struct stream s)
{
	for (const struct entry *e = h->first; e; e = e->next)
		if (e->raw && same_stream(stream_of(&e->r), s))
			return e->later;
	return false;
}

/* What is first and waits too long, or for too much. */
static void force(struct held *h)
{
	struct stream s = stream_of(&h->first->r);

	seal(h, s, true, h->first->later);
	h->cut[h->n_cut++ % ARRAY_SIZE(h->cut)] = s;
}

static void release(struct held *h)
{
	while (h->first && !h->first->raw) {
		struct entry *e = h->first;

		h->first = e->next;
		if (!h->first)
			h->end = &h->first;
		h->bytes -= record_size(&e->r);
		h->out(h->ctx, &e->r);
		entry_free(e);
	}
}

static void entry_add(struct held *h, const struct record *r, const char *raw)
{
	struct entry *e = xcalloc(1, sizeof(*e));
	size_t n = record_size(r);
	char *copy = xcalloc(1, n);

	memcpy(copy, r->h, n);
	e->r.h = (const void *)copy;
	e->r.body = copy + ((const char *)r->body - (const char *)r->h);
	e->r.tail = copy + (r->tail - (const char *)r->h);
	if (raw) {
		e->raw = xstrndup(raw, r->h->len);
		e->later = cut_take(h, stream_of(r));
	}
	*h->end = e;
	h->end = &e->next;
	h->bytes += n;
}

void held_add(struct held *h, const struct record *r, const char *raw, bool open)
{
	if (!raw && !h->first) {
		h->out(h->ctx, r);
		return;
	}
	entry_add(h, r, raw);
	if (raw && !open)
		seal(h, stream_of(r), false, is_later(h, stream_of(r)));
	release(h);
	while (h->first && (h->bytes > HELD_MAX || r->h->time > h->first->r.h->time + HELD_TIME)) {
		force(h);
		release(h);
	}
}

void held_flush(struct held *h)
{
	while (h->first) {
		seal(h, stream_of(&h->first->r), true, h->first->later);
		release(h);
	}
}
