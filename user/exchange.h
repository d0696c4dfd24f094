/* exchange.h: what dialogue.c and exchange.c share: one engine connection and the calls on it. */
#ifndef INVIGIL_EXCHANGE_H
#define INVIGIL_EXCHANGE_H

#include "build_stream.h"
#include "dialogue.h"
#include "http.h"
#include "kit_session.h"

/* One request and what became of it. */
struct call {
	struct call *next;
	const struct process *process;
	struct http_message request, response;
	struct buf path;
	const struct docker_route *route;
	struct span target, endpoint; /* parts of path */
	struct build_stream build;
	struct buf dockerfile; /* as it was told when the build began */
	struct buf text;       /* of one that the request's bytes do not show */
	bool head, requested, answered, reported, building;
};

struct conn {
	uint64_t sk, ino;
	struct dialogue *d;
	bool verified, tcp, connected, engine, ignored, raw;
	struct http dir[2];
	struct call *calls; /* in the order of the requests */
	unsigned pending;
	struct call *sending, *receiving;
	const struct process *process; /* who uses it now */
	const struct process *user;    /* who used it first; compared, never read */
	bool shared;
	struct buf early; /* an answer whose request's record comes later */
	uint64_t early_time;
	struct buf session; /* its id: a BuildKit session, by which a build's files come */
	struct kit_session *kit;
	struct buf
		dockerfile; /* told apart from the bytes: out of a packed context, or of a session */
	bool dockerfile_told, dockerfile_complete;
};

struct dialogue {
	struct dialogue_ops ops;
	struct ledger *ledger;
	struct http_pool pool;
	void *conns;
	unsigned n;
	unsigned builds; /* calls that build an image, and are not over */
	bool full;
	bool holes; /* records were lost */
};

/* Of one walk: what is done with a connection may begin another. */
struct conn_list {
	struct conn **at;
	unsigned n;
};

void conn_gap(struct conn *c, uint64_t time, const char *reason, uint64_t bytes);
void conn_scrub(struct dialogue *d, struct buf *b);
struct conn *dialogue_conn(struct dialogue *d, uint64_t sk, uint64_t ino); /* NULL: not known */
struct conn_list dialogue_list(struct dialogue *d);                        /* the caller frees at */

/* build_call.c. Of a build whose answer still comes: its steps are told as soon as they are said. */
void conn_watch_build(struct conn *c);
void build_watch(struct conn *c, struct call *k, struct span body);
/* Of a build whose request was read: its Dockerfile is told. */
void conn_begin_build(struct conn *c);
void build_over(struct conn *c, struct call *k);
/* Sets the call's Dockerfile, wherever it comes from; it lives as long as k and the call's body. */
void build_describe(struct conn *c, struct call *k, struct docker_call *call);
/* The connection becomes a session's; its client sends bytes, which are looked at and blanked; it ends. */
void session_begin(struct conn *c, const struct http_message *request);
void session_feed(struct conn *c, char *bytes, size_t have, size_t want);
void session_end(struct conn *c);
/* Ends what is open on it, each call reported, and begins anew. */
void conn_reset(struct conn *c, uint64_t time);

#endif
