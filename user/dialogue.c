/* dialogue.c: the engine connections of a run, and the bytes that pass on them. */
#include "dialogue.h"
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "exchange.h"

#define POOL_MAX        (64u << 20)
#define CONNECTIONS_MAX 65536
#define EARLY_MAX       (64u << 10)
/*
 * Before its record is made the sending thread may have to wait for a processor. Once records were lost, what
 * comes so early may as well be the answer to a lost request: less is believed then.
 */
#define EARLY_NS       2000000000u
#define EARLY_HOLES_NS 100000000u

static int conn_compare(const void *a, const void *b)
{
	const struct conn *x = a, *y = b;

	if (x->sk != y->sk)
		return x->sk < y->sk ? -1 : 1;
	return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

struct conn *dialogue_conn(struct dialogue *d, uint64_t sk, uint64_t ino)
{
	struct conn key = { .sk = sk, .ino = ino }, **found = tfind(&key, &d->conns, conn_compare);

	return found ? *found : NULL;
}

static struct conn *conn_get(struct dialogue *d, uint64_t sk, uint64_t ino)
{
	struct conn *c = dialogue_conn(d, sk, ino);

	if (c)
		return c;
	if (d->n >= CONNECTIONS_MAX) {
		struct conn none = { .d = d };

		if (!d->full)
			conn_gap(&none, 0, "too many connections", 0);
		d->full = true;
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->sk = sk;
	c->ino = ino;
	c->d = d;
	c->dir[DATA_SEND].pool = c->dir[DATA_RECV].pool = &d->pool;
	conn_reset(c, 0);
	tsearch(c, &d->conns, conn_compare);
	d->n++;
	return c;
}

static void conn_free(void *p)
{
	struct conn *c = p;

	http_free(&c->dir[DATA_SEND]);
	http_free(&c->dir[DATA_RECV]);
	buf_free(&c->early);
	session_end(c);
	free(c);
}

struct dialogue *dialogue_new(const struct dialogue_ops *ops, struct ledger *ledger)
{
	struct dialogue *d = xcalloc(1, sizeof(*d));

	d->ops = *ops;
	d->ledger = ledger;
	d->pool.max = POOL_MAX;
	return d;
}

static void list_add(const void *node, VISIT which, void *ctx)
{
	struct conn_list *l = ctx;

	if (which == postorder || which == leaf)
		l->at[l->n++] = *(struct conn *const *)node;
}

struct conn_list dialogue_list(struct dialogue *d)
{
	struct conn_list l = { .at = xcalloc(d->n + 1, sizeof(struct conn *)) };

	twalk_r(d->conns, list_add, &l);
	return l;
}

void dialogue_free(struct dialogue *d)
{
	struct conn_list l;

	if (!d)
		return;
	/* Nothing is reported here: that is what dialogue_finish() is for. */
	d->ops.call = NULL;
	d->ops.gap = NULL;
	l = dialogue_list(d);
	for (unsigned i = 0; i < l.n; i++)
		conn_reset(l.at[i], 0);
	free(l.at);
	tdestroy(d->conns, conn_free);
	free(d);
}

void dialogue_connect(struct dialogue *d, uint64_t sk, uint64_t ino, bool verified, bool tcp)
{
	struct conn *c = conn_get(d, sk, ino);

	if (!c)
		return;
	if (c->connected || c->user)
		conn_reset(c, c->dir[DATA_RECV].now);
	c->connected = true;
	c->verified = c->engine = verified;
	c->tcp = tcp;
}

/* Says what the first bytes give away; true when nothing more can be decoded. */
static bool foreign_protocol(struct conn *c, uint64_t time, const char *b, size_t n, size_t want)
{
	if (c->tcp && n >= 2 && b[0] == 0x16 && b[1] == 0x03) {
		conn_gap(c, time, "TLS", want);
		return c->raw = true;
	}
	if (n >= 14 && !memcmp(b, "PRI * HTTP/2.0", 14) && c->engine) {
		conn_gap(c, time, "HTTP/2", want);
		return c->raw = true;
	}
	return false;
}

static void send_feed(struct conn *c, uint64_t time, char *bytes, size_t have, size_t want)
{
	struct http *h = &c->dir[DATA_SEND];

	http_feed(h, time, bytes, have, want);
	if (h->faulty) {
		h->faulty = false;
		if (c->engine)
			conn_gap(c, time, "not HTTP", want);
		else
			c->ignored = true;
	}
	/* Two threads: the answer's record may stand before that of the request. */
	if (c->calls && c->early.len) {
		struct buf early = c->early;

		c->early = (struct buf){ 0 };
		if (time - c->early_time < (c->d->holes ? EARLY_HOLES_NS : EARLY_NS))
			http_feed(&c->dir[DATA_RECV], time, early.ptr, early.len, early.len);
		buf_free(&early);
	}
}

bool dialogue_data(struct dialogue *d, const struct process *p, uint64_t time,
		   const struct ev_data *e, void *bytes, size_t have, size_t want)
{
	struct conn *c = conn_get(d, e->sk, e->sockino);
	struct http *h;
	bool lost;

	if (!c || c->ignored || e->dir > DATA_RECV)
		return false;
	if (have > want)
		want = have;
	if (e->flags & DATA_NODATA)
		have = 0;
	c->process = p;
	if (!c->user)
		c->user = p;
	else if (c->user != p)
		c->shared = true;
	if (c->raw) {
		if (e->dir == DATA_SEND)
			session_feed(c, bytes, have, want);
		return c->engine;
	}
	h = &c->dir[e->dir];
	lost = h->state == HTTP_LOST;
	if (h->state == HTTP_START && e->dir == DATA_SEND &&
	    foreign_protocol(c, time, bytes, have, want))
		return c->engine;
	if (e->dir == DATA_SEND) {
		send_feed(c, time, bytes, have, want);
		conn_begin_build(c);
	} else if (c->engine) {
		if (!c->calls && h->state == HTTP_START && c->connected && have == want && have &&
		    c->early.len + have <= EARLY_MAX) {
			buf_add(&c->early, bytes, have);
			c->early_time = time;
			return true;
		}
		http_feed(h, time, bytes, have, want);
		conn_watch_build(c);
		if (h->faulty) {
			h->faulty = false;
			conn_gap(c, time, "not HTTP", want);
		}
	}
	if (c->engine && !c->raw && want > have) {
		if (e->flags & DATA_NODATA)
			conn_gap(c, time, "bytes not readable", want);
		else if (!(e->flags & DATA_OVER) && !lost && h->state == HTTP_LOST)
			conn_gap(c, time, "stream cut", want - have);
	}
	return c->engine && !c->ignored;
}

bool dialogue_reads(struct dialogue *d, uint64_t sk, uint64_t ino)
{
	const struct conn *c = dialogue_conn(d, sk, ino);

	/* Without a call it waits for its request, whose record comes later. */
	if (!c || !c->calls)
		return true;
	for (const struct call *k = c->calls; k; k = k->next)
		if (ledger_reads(k->route))
			return true;
	return false;
}

bool dialogue_open(struct dialogue *d, uint64_t sk, uint64_t ino, unsigned dir)
{
	const struct conn *c = dialogue_conn(d, sk, ino);

	return c && dir <= DATA_RECV &&
	       (c->dir[dir].state != HTTP_START || (dir == DATA_RECV && c->early.len));
}

bool dialogue_building(const struct dialogue *d)
{
	return d->builds;
}

void dialogue_lost(struct dialogue *d)
{
	d->holes = true;
}

void dialogue_process_end(struct dialogue *d, const struct process *p, uint64_t time)
{
	struct conn_list l;

	if (!d->n)
		return;
	l = dialogue_list(d);
	for (unsigned i = 0; i < l.n; i++) {
		struct conn *c = l.at[i];

		if (c->process != p && c->user != p)
			continue;
		if (!c->shared)
			conn_reset(c, time);
		if (c->process == p)
			c->process = NULL;
		if (c->user == p)
			c->user = NULL;
		if (!c->shared && !c->verified) {
			tdelete(c, &d->conns, conn_compare);
			conn_free(c);
			d->n--;
		}
	}
	free(l.at);
}

void dialogue_finish(struct dialogue *d, uint64_t time)
{
	struct conn_list l = dialogue_list(d);

	for (unsigned i = 0; i < l.n; i++)
		conn_reset(l.at[i], time);
	free(l.at);
}
