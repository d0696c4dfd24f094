/* http.c: HTTP/1.x messages out of one direction of a byte stream that may have gaps. */
#include "http.h"
#include <string.h>
#include <strings.h>

#define METHOD_MAX 32

void http_init(struct http *h, bool response, size_t budget, struct http_pool *pool)
{
	memset(h, 0, sizeof(*h));
	h->response = response;
	h->budget = budget;
	h->pool = pool;
}

void http_message_free(struct http_message *m, struct http_pool *pool)
{
	size_t n = m->head.len + m->body.len;

	if (pool) /* not yet initialised: nothing is held */
		pool->held -= n < pool->held ? n : pool->held;
	buf_free(&m->head);
	buf_free(&m->body);
	memset(m, 0, sizeof(*m));
}

void http_free(struct http *h)
{
	http_message_free(&h->msg, h->pool);
}

struct http_message http_take(struct http *h)
{
	struct http_message m = h->msg;

	memset(&h->msg, 0, sizeof(h->msg));
	return m;
}

/* Ready for the next message. */
static void http_next(struct http *h)
{
	http_message_free(&h->msg, h->pool);
	h->state = HTTP_START;
	h->no_body = h->unread = h->cut = h->open = false;
	h->counted = 0;
	h->need = 0;
	h->line = 0;
	h->size_len = 0;
}

static void http_done(struct http *h, bool whole)
{
	bool stopped = h->state == HTTP_STOPPED;

	if (h->open) {
		h->open = false;
		h->msg.complete = whole && !h->cut;
		h->msg.end = h->now;
		if (h->done)
			h->done(h->ctx, h);
	}
	stopped |= h->state == HTTP_STOPPED;
	http_next(h);
	if (stopped)
		h->state = HTTP_STOPPED;
}

/* Framing is gone. An open message stays open: its end is not seen, the next message's beginning may be. */
static void http_lose(struct http *h)
{
	if (!h->open)
		http_next(h);
	h->cut = true;
	h->state = HTTP_LOST;
}

void http_stop(struct http *h)
{
	h->state = HTTP_STOPPED;
}

void http_end(struct http *h, uint64_t time)
{
	h->now = time;
	if (h->open)
		http_done(h, h->state == HTTP_UNTIL_END);
	else if (h->state != HTTP_STOPPED)
		http_next(h);
}

static bool is_packed(struct span body)
{
	return span_starts(body, "\x1f\x8b") || span_starts(body, "BZh") ||
	       span_starts(body, "\xfd"
				 "7zXZ") ||
	       span_starts(body, "\x28\xb5\x2f\xfd");
}

static void body_add(struct http *h, char *bytes, size_t n)
{
	size_t room = h->counted < h->budget ? h->budget - h->counted : 0;
	size_t left = h->pool->held < h->pool->max ? h->pool->max - h->pool->held : 0;
	size_t take = n < room ? n : room;

	if (take > left && !h->unread)
		take = left;
	/* A body is a prefix: nothing is kept behind a hole. */
	if (h->cut)
		take = 0;
	if (take < n)
		h->cut = true;
	h->counted += take;
	if (take && !h->unread) {
		buf_add(&h->msg.body, bytes, take);
		h->pool->held += take;
	}
	if (h->msg.bytes <= UINT64_MAX - n && !h->msg.has_length)
		h->msg.bytes += n;
	if (!h->response && !h->msg.packed)
		h->msg.packed = is_packed((struct span){ h->msg.body.ptr, h->msg.body.len });
	if (h->msg.packed && n)
		memset(bytes, 0, n);
}

static bool token_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Can these be the first bytes of a message? A prefix of one can. */
static bool start_plausible(bool response, const char *p, size_t n)
{
	static const char version[] = "HTTP/1.";
	size_t i;

	if (response)
		return !memcmp(p, version, n < 7 ? n : 7);
	for (i = 0; i < n && i <= METHOD_MAX && token_char(p[i]); i++)
		;
	if (i > METHOD_MAX || (i < n && (!i || p[i] != ' ')))
		return false;
	return true;
}

static struct span line_trim(const char *p, size_t n)
{
	while (n && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	return (struct span){ p, n };
}

static struct span space_trim(struct span s)
{
	while (s.len && strchr(" \t\r\n", *s.ptr) && *s.ptr) {
		s.ptr++;
		s.len--;
	}
	while (s.len && strchr(" \t\r\n", s.ptr[s.len - 1]) && s.ptr[s.len - 1])
		s.len--;
	return s;
}

struct span http_header(const struct http_message *m, const char *name, unsigned n)
{
	const char *p = m->head.len ? m->head.ptr : "", *end = p + m->head.len, *eol;
	size_t len = strlen(name);

	for (; p < end; p = eol + 1) {
		eol = memchr(p, '\n', end - p);
		if (!eol)
			break;
		if (p == m->head.ptr || (size_t)(eol - p) <= len || p[len] != ':' ||
		    strncasecmp(p, name, len))
			continue;
		/* Folded lines belong to it, as Go takes them. */
		while (eol + 1 < end && (eol[1] == ' ' || eol[1] == '\t')) {
			const char *more = memchr(eol + 1, '\n', end - eol - 1);

			if (!more)
				break;
			eol = more;
		}
		if (!n--)
			return space_trim((struct span){ p + len + 1, eol - p - len - 1 });
	}
	return (struct span){ NULL, 0 };
}

static bool request_line(struct http_message *m, struct span line)
{
	const char *a = memchr(line.ptr, ' ', line.len), *b;
	struct span version;

	if (!a || a == line.ptr)
		return false;
	b = memchr(a + 1, ' ', line.len - (a + 1 - line.ptr));
	if (!b || b == a + 1)
		return false;
	version = (struct span){ b + 1, line.len - (b + 1 - line.ptr) };
	if (version.len != 8 || memcmp(version.ptr, "HTTP/1.", 7))
		return false;
	m->method = (struct span){ line.ptr, a - line.ptr };
	m->target = (struct span){ a + 1, b - a - 1 };
	return true;
}

static bool status_line(struct http_message *m, struct span line)
{
	const char *p = line.ptr;

	if (line.len < 12 || memcmp(p, "HTTP/1.", 7) || p[8] != ' ')
		return false;
	for (int i = 9; i < 12; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	m->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
	return m->status >= 100 && (line.len == 12 || p[12] == ' ');
}

static bool length_parse(struct span s, uint64_t *out)
{
	uint64_t v = 0;

	if (!s.len || s.len > 18)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		v = v * 10 + (s.ptr[i] - '0');
	}
	*out = v;
	return true;
}

/* The blank line was read: what comes next? */
static void head_done(struct http *h)
{
	struct http_message *m = &h->msg;
	const char *eol = memchr(m->head.ptr, '\n', m->head.len);
	struct span first = line_trim(m->head.ptr, eol + 1 - m->head.ptr), te, cl;
	uint64_t length = 0;

	if (!(h->response ? status_line(m, first) : request_line(m, first))) {
		h->faulty = true;
		http_lose(h);
		return;
	}
	if (h->response && m->status < 200 && m->status != 101) {
		http_next(h);
		return;
	}
	te = http_header(m, "Transfer-Encoding", 0);
	cl = http_header(m, "Content-Length", 0);
	m->chunked = te.len == 7 && !strncasecmp(te.ptr, "chunked", 7);
	m->joined |= m->chunked;
	if (!m->chunked && length_parse(cl, &length)) {
		m->has_length = true;
		m->bytes = length;
	}
	h->open = true;
	h->cut = false;
	h->state = HTTP_LENGTH;
	if (h->head)
		h->head(h->ctx, h);
	if (h->state == HTTP_STOPPED)
		return;
	if (h->no_body ||
	    (h->response && (m->status == 101 || m->status == 204 || m->status == 304))) {
		m->bytes = 0;
		http_done(h, true);
	} else if (m->chunked) {
		h->state = HTTP_CHUNK_SIZE;
	} else if (m->has_length || !h->response) {
		h->need = length;
		if (!length)
			http_done(h, true);
	} else {
		h->state = HTTP_UNTIL_END;
	}
}

/* Takes one line at most; returns the bytes used. */
static size_t head_feed(struct http *h, const char *p, size_t n)
{
	const char *eol = memchr(p, '\n', n);
	size_t take = eol ? (size_t)(eol + 1 - p) : n;
	struct buf *head = &h->msg.head;
	struct span line;

	if (head->len + take > HTTP_HEAD_MAX || h->pool->held + take > h->pool->max) {
		h->faulty = true;
		http_lose(h);
		return n;
	}
	buf_add(head, p, take);
	h->pool->held += take;
	if (!h->line && !start_plausible(h->response, head->ptr, head->len)) {
		h->faulty = true;
		http_lose(h);
		return n;
	}
	if (!eol)
		return take;
	line = line_trim(head->ptr + h->line, head->len - h->line);
	h->line = head->len;
	if (!line.len)
		head_done(h);
	return take;
}

static bool size_parse(struct http *h, uint64_t *out)
{
	uint64_t v = 0;
	unsigned i;

	for (i = 0; i < h->size_len && i < 16; i++) {
		char c = h->size_line[i];
		int d = c >= '0' && c <= '9'                 ? c - '0'
			: (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
							     : -1;

		if (d < 0)
			break;
		v = v << 4 | d;
	}
	if (!i || v > INT64_MAX)
		return false;
	if (i < h->size_len && !strchr("; \t\r", h->size_line[i]))
		return false;
	*out = v;
	return true;
}

/* The line with a chunk's size, the line end behind a chunk, and trailers. */
static size_t line_feed(struct http *h, const char *p, size_t n)
{
	const char *eol = memchr(p, '\n', n);
	size_t take = eol ? (size_t)(eol + 1 - p) : n;
	size_t text = eol ? take - 1 : take;

	for (size_t i = 0; i < text; i++)
		if (h->size_len < sizeof(h->size_line)) /* what a chunk extension says is dropped */
			h->size_line[h->size_len++] = p[i];
	if (!eol)
		return take;
	if (h->size_len && h->size_len < sizeof(h->size_line) &&
	    h->size_line[h->size_len - 1] == '\r')
		h->size_len--;
	if (h->state == HTTP_CHUNK_END) {
		if (h->size_len)
			http_lose(h);
		else
			h->state = HTTP_CHUNK_SIZE;
	} else if (h->state == HTTP_TRAILER) {
		if (!h->size_len) {
			http_done(h, true);
			return take;
		}
	} else if (!size_parse(h, &h->need)) {
		http_lose(h);
	} else {
		h->state = h->need ? HTTP_CHUNK : HTTP_TRAILER;
	}
	h->size_len = 0;
	return take;
}

static size_t data_feed(struct http *h, char *p, size_t n)
{
	size_t take = h->need < n ? h->need : n;

	body_add(h, p, take);
	h->need -= take;
	if (!h->need) {
		if (h->state == HTTP_CHUNK)
			h->state = HTTP_CHUNK_END;
		else
			http_done(h, true);
	}
	return take;
}

static size_t step(struct http *h, char *p, size_t n)
{
	switch (h->state) {
	case HTTP_START:
		if (*p == '\r' || *p == '\n')
			return 1;
		h->state = HTTP_HEAD;
		h->msg.begin = h->now;
		return 0;
	case HTTP_HEAD:
		return head_feed(h, p, n);
	case HTTP_LENGTH:
	case HTTP_CHUNK:
		return data_feed(h, p, n);
	case HTTP_CHUNK_SIZE:
	case HTTP_CHUNK_END:
	case HTTP_TRAILER:
		return line_feed(h, p, n);
	case HTTP_UNTIL_END:
		body_add(h, p, n);
		return n;
	default:
		return n;
	}
}

/* Bytes that nobody read. */
static void gap_feed(struct http *h, size_t gap)
{
	if (h->state == HTTP_STOPPED || h->state == HTTP_LOST)
		return;
	if (h->state == HTTP_UNTIL_END) {
		h->cut = true;
		h->msg.bytes += gap;
		return;
	}
	if (h->state == HTTP_LENGTH || (h->state == HTTP_CHUNK && gap <= h->need)) {
		size_t skip = gap < h->need ? gap : h->need;

		h->cut = true;
		h->need -= skip;
		gap -= skip;
		if (!h->msg.has_length)
			h->msg.bytes += skip;
		if (!h->need) {
			if (h->state == HTTP_CHUNK)
				h->state = HTTP_CHUNK_END;
			else
				http_done(h, true);
		}
		if (!gap || h->state == HTTP_STOPPED)
			return;
	}
	http_lose(h);
}

/* Does a message begin here, so surely that what was lost ends here? */
static bool start_certain(bool response, const char *p, size_t n)
{
	static const char *const methods[] = { "GET /",    "POST /",    "HEAD /", "PUT /",
					       "DELETE /", "OPTIONS /", "PATCH /" };

	if (response)
		return n >= 12 && !memcmp(p, "HTTP/1.", 7) && p[8] == ' ';
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (n >= strlen(methods[i]) && !memcmp(p, methods[i], strlen(methods[i])))
			return true;
	return false;
}

void http_feed(struct http *h, uint64_t time, char *bytes, size_t have, size_t want)
{
	size_t at = 0;

	h->now = time;
	h->msg.joined |= h->state != HTTP_START;
	if (have > want)
		want = have;
	if (h->state == HTTP_LOST && start_certain(h->response, bytes, have))
		http_done(h, false);
	while (at < have && h->state != HTTP_STOPPED && h->state != HTTP_LOST)
		at += step(h, bytes + at, have - at);
	if (want > have)
		gap_feed(h, want - have);
}
