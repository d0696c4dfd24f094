/* exchange.h: what dialogue.c and exchange.c share: one engine connection and the calls on it. */
#ifndef INVIGIL_EXCHANGE_H
#define INVIGIL_EXCHANGE_H

#include "build_stream.h"
#include "dialogue.h"
#include "http.h"

/* One request and what became of it. */
struct call {
	struct call *next;
	const struct process *process;
	struct http_message request, response;
	struct buf path;
	const struct docker_route *route;
	struct build_stream build;
	struct buf dockerfile; /* as it was told when the build began */
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
};

struct dialogue {
	struct dialogue_ops ops;
	struct ledger *ledger;
	struct http_pool pool;
	void *conns;
	unsigned n;
	bool full;
	struct conn **list; /* of a walk */
	unsigned listed;
};

void conn_gap(struct conn *c, uint64_t time, const char *reason, uint64_t bytes);
/* Of a build whose answer still comes: its steps are told as soon as they are said. */
void conn_watch_build(struct conn *c);
/* Of a build whose request was read: its Dockerfile is told. */
void conn_begin_build(struct conn *c);
/* Ends what is open on it, each call reported, and begins anew. */
void conn_reset(struct conn *c, uint64_t time);

#endif
