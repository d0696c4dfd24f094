/* dialogue.c: engine connections: bytes to HTTP messages to Docker calls, with the ownership ledger. */
#include "dialogue.h"
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "codec.h"
#include "gunzip.h"
#include "http.h"
#include "jsonr.h"
#include "tar.h"

#define POOL_MAX        (64u << 20)
#define CONNECTIONS_MAX 65536
#define PENDING_MAX     256
#define EARLY_MAX       (64u << 10)

/* One request and what became of it. */
struct call {
	struct call *next;
	const struct process *process;
	struct http_message request, response;
	struct buf path;
	const struct docker_route *route;
	bool head, requested, answered, reported;
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

static int conn_compare(const void *a, const void *b)
{
	const struct conn *x = a, *y = b;

	if (x->sk != y->sk)
		return x->sk < y->sk ? -1 : 1;
	return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

static void gap(struct conn *c, uint64_t time, const char *reason, uint64_t bytes)
{
	struct dialogue_gap g = { c->process, reason, bytes };

	ledger_blind(c->d->ledger);
	if (c->d->ops.gap)
		c->d->ops.gap(c->d->ops.ctx, time, &g);
}

/* ---- a finished call ---- */

static void value_skip(void *ctx, const struct json_value *v)
{
	(void)ctx;
	(void)v;
}

static void created_id(struct docker_call *c, struct buf *out)
{
	struct span rest = c->response;
	struct buf id = { 0 };
	size_t used;
	long at;

	buf_reset(out);
	switch (c->route->action) {
	case ACT_CONTAINER_CREATE:
	case ACT_EXEC_CREATE:
	case ACT_NETWORK_CREATE:
	case ACT_CONTAINER_COMMIT:
		json_string_at(c->response, "/Id", out);
		break;
	case ACT_VOLUME_CREATE:
		json_string_at(c->response, "/Name", out);
		break;
	case ACT_SWARM:
		if (c->route->change == CHANGE_CREATION)
			json_string_at(c->response, "/ID", out);
		break;
	case ACT_IMAGE_BUILD:
		/* A stream of objects: the last one counts. */
		while (rest.len) {
			struct buf text = { 0 };

			used = 0;
			if (json_string_at(rest, "/aux/ID", &id) && id.len) {
				buf_reset(out);
				buf_add(out, id.ptr, id.len);
			} else if (!span_starts((struct span){ out->ptr, out->len }, "sha256:") &&
				   json_string_at(rest, "/stream", &text)) {
				struct span s = { text.ptr, text.len };
				size_t n = 0;

				at = span_starts(s, "Successfully built ") ? 19
				     : span_starts(s, "sha256:")           ? 0
									   : -1;
				for (n = at == 0 ? 7 : 19;
				     at >= 0 && n < s.len && strchr("0123456789abcdef", s.ptr[n]);
				     n++)
					;
				if (at >= 0) {
					buf_reset(out);
					buf_add(out, s.ptr + at, n - at);
				}
			}
			buf_free(&text);
			if (json_walk(rest, value_skip, NULL, &used) != JSON_OK || !used ||
			    used > rest.len)
				break;
			rest.ptr += used;
			rest.len -= used;
			while (rest.len && strchr(" \t\r\n", *rest.ptr) && *rest.ptr) {
				rest.ptr++;
				rest.len--;
			}
		}
		break;
	default:
		break;
	}
	buf_free(&id);
}

static void target_of(struct docker_call *c, struct buf *out)
{
	const char *key = NULL;

	switch (c->route->action) {
	case ACT_CONTAINER_CREATE:
		key = "name";
		break;
	case ACT_CONTAINER_COMMIT:
		key = "container";
		break;
	case ACT_NETWORK_CREATE:
	case ACT_VOLUME_CREATE:
		json_string_at(c->body, "/Name", out);
		break;
	case ACT_SWARM:
		if (c->route->change == CHANGE_CREATION)
			json_string_at(c->body, "/Name", out);
		break;
	case ACT_PLUGIN:
		if (c->route->change == CHANGE_CREATION && !docker_query(c->query, "name", 0, out))
			key = "remote";
		break;
	default:
		return;
	}
	if (key)
		docker_query(c->query, key, 0, out);
	if (out->len)
		c->target = (struct span){ out->ptr, out->len };
}

static void scrub(struct dialogue *d, struct buf *b)
{
	if (d->ops.scrub && b->len)
		d->ops.scrub(d->ops.ctx, b->ptr, b->len);
}

/* unpacked: of a gzip'd context; what the masks could not see before is masked now. */
static void dockerfile_find(struct dialogue *d, struct docker_call *c, struct buf *unpacked)
{
	struct span context = c->body;
	struct buf name = { 0 };

	if (gunzip_looks(context)) {
		gunzip(context, DIALOGUE_UNPACKED_MAX, unpacked);
		scrub(d, unpacked);
		context = (struct span){ unpacked->ptr, unpacked->len };
	}

	if (!docker_query(c->query, "dockerfile", 0, &name) || !name.len) {
		buf_reset(&name);
		buf_str(&name, "Dockerfile");
	}
	tar_find(context, (struct span){ name.ptr, name.len }, &c->dockerfile,
		 &c->dockerfile_complete);
	buf_free(&name);
}

static struct span query_of(struct span target, struct span *path)
{
	const char *q;

	/* An absolute target names the host first. */
	if (target.len && *target.ptr != '/') {
		long at = span_find(target, SPAN("://"));

		if (at > 0) {
			const char *slash = memchr(target.ptr + at + 3, '/', target.len - at - 3);

			if (slash)
				target = (struct span){ slash, target.len - (slash - target.ptr) };
		}
	}
	q = target.len ? memchr(target.ptr, '?', target.len) : NULL;
	*path = (struct span){ target.ptr, q ? (size_t)(q - target.ptr) : target.len };
	return q ? (struct span){ q + 1, target.len - (q + 1 - target.ptr) }
		 : (struct span){ NULL, 0 };
}

static void report(struct conn *c, struct call *k)
{
	struct dialogue *d = c->d;
	struct http_message *q = k->requested      ? &k->request
				 : c->sending == k ? &c->dir[DATA_SEND].msg
						   : &k->request;
	struct http_message *r = k->answered         ? &k->response
				 : c->receiving == k ? &c->dir[DATA_RECV].msg
						     : &k->response;
	struct docker_call call = { 0 };
	struct buf target = { 0 }, id = { 0 }, image = { 0 }, unpacked = { 0 };
	struct span raw;

	if (k->reported || !q->head.len)
		return;
	k->reported = true;
	scrub(d, &q->head);
	scrub(d, &q->body);
	scrub(d, &r->body);
	call.query = query_of(q->target, &raw);
	buf_reset(&k->path);
	percent_decode(raw, &k->path);
	call.method = q->method;
	call.path = (struct span){ k->path.ptr, k->path.len };
	call.route = docker_route(call.method, call.path, &call.target, &call.endpoint);
	call.user_agent = http_header(q, "User-Agent", 0);
	call.content_type = http_header(q, "Content-Type", 0);
	call.body = (struct span){ q->body.ptr, q->body.len };
	call.request_bytes = q->bytes;
	call.request_complete = k->requested && q->complete;
	call.status = r->status;
	call.response = (struct span){ r->body.ptr, r->body.len };
	call.response_complete = k->answered && r->complete;
	call.date = http_header(r, "Date", 0);
	if (r->status) {
		call.response_time = c->dir[DATA_RECV].now;
		call.duration = call.response_time > q->begin ? call.response_time - q->begin : 0;
	}
	call.tcp = c->tcp;
	call.sk = c->sk;
	call.ino = c->ino;
	call.verified = c->verified;
	target_of(&call, &target);
	if (call.status >= 200 && call.status < 300) {
		created_id(&call, &id);
		call.created_id = (struct span){ id.ptr, id.len };
	}
	if (call.route->action == ACT_CONTAINER_CREATE &&
	    json_string_at(call.body, "/Image", &image))
		call.image_name = (struct span){ image.ptr, image.len };
	if (call.route->action == ACT_IMAGE_BUILD)
		dockerfile_find(d, &call, &unpacked);
	ledger_judge(d->ledger, &call);
	if (d->ops.call)
		d->ops.call(d->ops.ctx, k->process, q->begin, &call);
	ledger_learn(d->ledger, &call);
	buf_free(&target);
	buf_free(&id);
	buf_free(&image);
	buf_free(&unpacked);
}

/* Reports the first call if that was not done, and forgets it. */
static void call_pop(struct conn *c)
{
	struct call *k = c->calls;

	report(c, k);
	c->calls = k->next;
	c->pending--;
	if (c->sending == k)
		c->sending = NULL;
	if (c->receiving == k)
		c->receiving = NULL;
	http_message_free(&k->request, &c->d->pool);
	http_message_free(&k->response, &c->d->pool);
	buf_free(&k->path);
	if (k->process && c->d->ops.hold)
		c->d->ops.hold(c->d->ops.ctx, k->process, -1);
	free(k);
}

/* Those whose request and answer are over, in order. */
static void calls_settle(struct conn *c)
{
	while (c->calls && c->calls->answered && c->calls->requested)
		call_pop(c);
}

/* ---- messages ---- */

static bool path_is_docker(const struct conn *c, struct span method, struct span path)
{
	static const char *const steps[] = { "containers",   "images",  "exec",    "networks",
					     "volumes",      "build",   "info",    "version",
					     "events",       "system",  "auth",    "session",
					     "grpc",         "swarm",   "nodes",   "services",
					     "tasks",        "secrets", "configs", "plugins",
					     "distribution", "commit",  "_ping",   "libpod" };
	struct span name, rest;
	const struct docker_route *r = docker_route(method, path, &name, &rest);

	if (rest.ptr == path.ptr)
		/* Without a version: over TCP only what no other service is likely to have. */
		return r->action != ACT_REQUEST &&
		       (!c->tcp || span_starts(path, "/_ping") ||
			span_starts(path, "/containers/") || span_starts(path, "/images/") ||
			span_starts(path, "/exec/"));
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		size_t n = strlen(steps[i]);

		if (rest.len > n && !memcmp(rest.ptr + 1, steps[i], n) &&
		    (rest.len == n + 1 || rest.ptr[n + 1] == '/'))
			return true;
	}
	return false;
}

static void stop(struct conn *c)
{
	c->raw = true;
	http_stop(&c->dir[DATA_SEND]);
	http_stop(&c->dir[DATA_RECV]);
}

static void on_request_head(void *ctx, struct http *h)
{
	struct conn *c = ctx;
	struct span raw, name, rest;
	struct buf path = { 0 };
	struct call *k, **last;
	const struct docker_route *route;

	query_of(h->msg.target, &raw);
	percent_decode(raw, &path);
	route = docker_route(h->msg.method, (struct span){ path.ptr, path.len }, &name, &rest);
	if (!c->engine && !path_is_docker(c, h->msg.method, (struct span){ path.ptr, path.len })) {
		c->ignored = true;
		http_stop(h);
		buf_free(&path);
		return;
	}
	c->engine = true;
	if (c->sending) { /* its end was lost */
		c->sending->requested = true;
		c->sending = NULL;
	}
	/* Clients do not pipeline behind an answer whose end was lost. */
	if (c->receiving && c->dir[DATA_RECV].state == HTTP_LOST)
		http_end(&c->dir[DATA_RECV], h->now);
	calls_settle(c);
	if (c->pending >= PENDING_MAX) {
		gap(c, h->now, "stream cut", 0);
		call_pop(c);
	}
	k = xcalloc(1, sizeof(*k));
	k->process = c->process;
	k->path = path;
	k->route = route;
	k->head = span_eq(h->msg.method, "HEAD");
	if (k->process && c->d->ops.hold)
		c->d->ops.hold(c->d->ops.ctx, k->process, 1);
	for (last = &c->calls; *last; last = &(*last)->next)
		;
	*last = k;
	c->pending++;
	c->sending = k;
}

static void on_request_done(void *ctx, struct http *h)
{
	struct conn *c = ctx;

	if (!c->sending)
		return;
	c->sending->request = http_take(h);
	c->sending->requested = true;
	c->sending = NULL;
	calls_settle(c);
}

static bool streams(const struct call *k, const struct http_message *q)
{
	struct span path, query = query_of(q->target, &path);
	struct buf v = { 0 };
	bool yes = false, given;

	switch (k->route->action) {
	case ACT_SYSTEM_EVENTS:
	case ACT_CONTAINER_ATTACH:
		yes = true;
		break;
	case ACT_CONTAINER_LOGS:
		yes = docker_query(query, "follow", 0, &v) &&
		      docker_bool((struct span){ v.ptr, v.len });
		break;
	case ACT_CONTAINER_STATS:
		given = docker_query(query, "stream", 0, &v);
		yes = !given || docker_bool((struct span){ v.ptr, v.len });
		break;
	default:
		break;
	}
	buf_free(&v);
	return yes;
}

static void on_response_head(void *ctx, struct http *h)
{
	struct conn *c = ctx;
	struct call *k = c->calls;
	struct span type = http_header(&h->msg, "Content-Type", 0);
	bool raw;

	while (k && k->answered)
		k = k->next;
	c->receiving = k;
	if (!k) {
		h->budget = 0;
		return;
	}
	h->budget = DIALOGUE_RESPONSE_MAX;
	h->no_body = k->head;
	raw = h->msg.status == 101 ||
	      (!h->msg.chunked && !h->msg.has_length && !k->head &&
	       (span_ifind(type, "application/vnd.docker.raw-stream") >= 0 ||
		span_ifind(type, "application/vnd.docker.multiplexed-stream") >= 0));
	if (raw || (h->msg.status == 200 &&
		    streams(k, k->requested ? &k->request : &c->dir[DATA_SEND].msg))) {
		report(c, k);
		h->budget = 0;
	}
	if (raw)
		stop(c);
}

static void on_response_done(void *ctx, struct http *h)
{
	struct conn *c = ctx;

	if (!c->receiving)
		return;
	c->receiving->response = http_take(h);
	c->receiving->answered = true;
	c->receiving = NULL;
	/* A request whose framing was lost has no end to wait for. */
	if (c->sending && c->sending->answered && c->dir[DATA_SEND].state == HTTP_LOST) {
		c->sending->request = http_take(&c->dir[DATA_SEND]);
		c->sending->requested = true;
		c->sending = NULL;
	}
	calls_settle(c);
}

/* ---- connections ---- */

static void conn_reset(struct conn *c, uint64_t time)
{
	if (!c->raw)
		http_end(&c->dir[DATA_RECV], time);
	while (c->calls)
		call_pop(c);
	http_free(&c->dir[DATA_SEND]);
	http_free(&c->dir[DATA_RECV]);
	buf_free(&c->early);
	http_init(&c->dir[DATA_SEND], false, DIALOGUE_REQUEST_MAX, &c->d->pool);
	http_init(&c->dir[DATA_RECV], true, DIALOGUE_RESPONSE_MAX, &c->d->pool);
	for (int i = 0; i < 2; i++) {
		c->dir[i].ctx = c;
		c->dir[i].head = i == DATA_SEND ? on_request_head : on_response_head;
		c->dir[i].done = i == DATA_SEND ? on_request_done : on_response_done;
	}
	c->raw = c->ignored = c->shared = false;
	c->user = NULL;
}

static struct conn *conn_find(struct dialogue *d, uint64_t sk, uint64_t ino)
{
	struct conn key = { .sk = sk, .ino = ino }, **found = tfind(&key, &d->conns, conn_compare);

	return found ? *found : NULL;
}

static struct conn *conn_get(struct dialogue *d, uint64_t sk, uint64_t ino)
{
	struct conn *c = conn_find(d, sk, ino);

	if (c)
		return c;
	if (d->n >= CONNECTIONS_MAX) {
		struct conn none = { .d = d };

		if (!d->full)
			gap(&none, 0, "too many connections", 0);
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
	struct dialogue *d = ctx;

	if (which == postorder || which == leaf)
		d->list[d->listed++] = *(struct conn *const *)node;
}

static void list_make(struct dialogue *d)
{
	d->list = xcalloc(d->n + 1, sizeof(struct conn *));
	d->listed = 0;
	twalk_r(d->conns, list_add, d);
}

void dialogue_free(struct dialogue *d)
{
	if (!d)
		return;
	/* Nothing is reported here: that is what dialogue_finish() is for. */
	d->ops.call = NULL;
	d->ops.gap = NULL;
	list_make(d);
	for (unsigned i = 0; i < d->listed; i++)
		conn_reset(d->list[i], 0);
	free(d->list);
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
		gap(c, time, "TLS", want);
		return c->raw = true;
	}
	if (n >= 14 && !memcmp(b, "PRI * HTTP/2.0", 14) && c->engine) {
		gap(c, time, "HTTP/2", want);
		return c->raw = true;
	}
	return false;
}

static void send_feed(struct conn *c, uint64_t time, const char *bytes, size_t have, size_t want)
{
	struct http *h = &c->dir[DATA_SEND];

	http_feed(h, time, bytes, have, want);
	if (h->faulty) {
		h->faulty = false;
		if (c->engine)
			gap(c, time, "not HTTP", want);
		else
			c->ignored = true;
	}
	/* Two threads: the answer's record may stand before that of the request. */
	if (c->calls && c->early.len) {
		struct buf early = c->early;

		c->early = (struct buf){ 0 };
		if (time - c->early_time < 100000000)
			http_feed(&c->dir[DATA_RECV], time, early.ptr, early.len, early.len);
		buf_free(&early);
	}
}

bool dialogue_data(struct dialogue *d, const struct process *p, uint64_t time,
		   const struct ev_data *e, const void *bytes, size_t have, size_t want)
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
	if (c->raw)
		return c->engine;
	h = &c->dir[e->dir];
	lost = h->state == HTTP_LOST;
	if (h->state == HTTP_START && e->dir == DATA_SEND &&
	    foreign_protocol(c, time, bytes, have, want))
		return c->engine;
	if (e->dir == DATA_SEND) {
		send_feed(c, time, bytes, have, want);
	} else if (c->engine) {
		if (!c->calls && h->state == HTTP_START && c->connected && have == want && have &&
		    c->early.len + have <= EARLY_MAX) {
			buf_add(&c->early, bytes, have);
			c->early_time = time;
			return true;
		}
		http_feed(h, time, bytes, have, want);
		if (h->faulty) {
			h->faulty = false;
			gap(c, time, "not HTTP", want);
		}
	}
	if (c->engine && !c->raw && want > have) {
		if (e->flags & DATA_NODATA)
			gap(c, time, "bytes not readable", want);
		else if (!(e->flags & DATA_OVER) && !lost && h->state == HTTP_LOST)
			gap(c, time, "stream cut", want - have);
	}
	return c->engine && !c->ignored;
}

void dialogue_process_end(struct dialogue *d, const struct process *p, uint64_t time)
{
	if (!d->n)
		return;
	list_make(d);
	for (unsigned i = 0; i < d->listed; i++) {
		struct conn *c = d->list[i];

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
	free(d->list);
	d->list = NULL;
}

void dialogue_finish(struct dialogue *d, uint64_t time)
{
	list_make(d);
	for (unsigned i = 0; i < d->listed; i++)
		conn_reset(d->list[i], time);
	free(d->list);
	d->list = NULL;
}
