/* http.h: HTTP/1.x messages out of one direction of a byte stream that may have gaps. Pure. */
#ifndef INVIGIL_HTTP_H
#define INVIGIL_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"

/* Go's server takes 1 MiB of header; a longer one is answered 431. */
#define HTTP_HEAD_MAX ((1u << 20) + 8192)

struct http_message {
	struct buf head;            /* start line and header lines, as they came */
	struct buf body;            /* decoded of chunks, as far as the budget went */
	struct span method, target; /* of a request; they point into head */
	int status;                 /* of a response */
	uint64_t bytes;             /* of the body, seen or announced, whichever is more */
	uint64_t begin, end;        /* time of the first and of the last byte */
	bool chunked, has_length;
	bool joined;   /* of several segments or chunks */
	bool packed;   /* of a request: compressed */
	bool complete; /* nothing of it is missing; set when done */
};

/* Bytes held by all parsers that share it; when it is full bodies are only counted. */
struct http_pool {
	size_t held, max;
};

enum http_state {
	HTTP_START,
	HTTP_HEAD,
	HTTP_LENGTH,
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK,
	HTTP_CHUNK_END,
	HTTP_TRAILER,
	HTTP_UNTIL_END,
	HTTP_LOST,
	HTTP_STOPPED
};

struct http {
	bool response;
	size_t budget;
	struct http_pool *pool;
	/*
	 * head: the header is whole; may set no_body and unread, and may call http_stop(). done: the message is over
	 * (complete says whether it came whole); may move it out with http_take(). Never for 1xx but 101.
	 */
	void (*head)(void *ctx, struct http *h);
	void (*done)(void *ctx, struct http *h);
	void *ctx;
	struct http_message msg;
	enum http_state state;
	bool no_body;
	bool unread;        /* the body is counted up to the budget, and not kept */
	size_t counted;     /* of the body so far */
	bool open;          /* head was called and done not yet */
	bool cut;           /* of the open message */
	bool faulty;        /* no HTTP where a message should have begun; reset by the reader */
	uint64_t need;      /* of a body with a length, or of a chunk */
	size_t line;        /* where the last line of msg.head begins */
	char size_line[64]; /* of a chunk */
	unsigned size_len;
	uint64_t now;
};

void http_init(struct http *h, bool response, size_t budget, struct http_pool *pool);
void http_free(struct http *h);
/* have of want bytes; the missing ones are at the end. Those of a packed request's body are blanked. */
void http_feed(struct http *h, uint64_t time, char *bytes, size_t have, size_t want);
/* The stream ends here: a body without a length is complete, everything else that is open is not. */
void http_end(struct http *h, uint64_t time);
/* What follows is no HTTP; an open message is not finished by it. */
void http_stop(struct http *h);
/* Moves the message out; it still counts in the pool until http_message_free(). */
struct http_message http_take(struct http *h);
void http_message_free(struct http_message *m, struct http_pool *pool);
/* n-th value of a header, trimmed; NULL pointer when absent. */
struct span http_header(const struct http_message *m, const char *name, unsigned n);

#endif
