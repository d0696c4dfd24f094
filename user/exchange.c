/* exchange.c: requests and answers of one connection become calls, judged by the ledger. */
#include "exchange.h"
#include <stdlib.h>
#include "codec.h"
#include "docker_call.h"
#include "jsonr.h"

#define PENDING_MAX 256

void conn_gap(struct conn *c, uint64_t time, const char *reason, uint64_t bytes)
{
	struct dialogue_gap g = { c->process, reason, bytes };

	ledger_blind(c->d->ledger);
	if (c->d->ops.gap)
		c->d->ops.gap(c->d->ops.ctx, time, &g);
}

void conn_scrub(struct dialogue *d, struct buf *b)
{
	if (d->ops.scrub && b->len)
		d->ops.scrub(d->ops.ctx, b->ptr, b->len);
}

/* The path of the request, and what it asks for. */
static const struct docker_route *call_read(struct call *k, const struct http_message *q)
{
	struct span raw;

	target_split(q->target, &raw);
	buf_reset(&k->path);
	percent_decode(raw, &k->path);
	return docker_route(q->method, (struct span){ k->path.ptr, k->path.len }, &k->target,
			    &k->endpoint);
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
	struct buf target = { 0 }, id = { 0 }, image = { 0 }, shares = { 0 };
	struct span path;

	if (k->reported || !q->head.len)
		return;
	k->reported = true;
	call.route = k->route;
	if (q->joined) {
		conn_scrub(d, &q->head);
		conn_scrub(d, &q->body);
		call.route = call_read(k, q);
	}
	call.query = target_split(q->target, &path);
	call.method = q->method;
	call.path = (struct span){ k->path.ptr, k->path.len };
	call.target = k->target;
	call.endpoint = k->endpoint;
	call.user_agent = http_header(q, "User-Agent", 0);
	call.content_type = http_header(q, "Content-Type", 0);
	call.body = (struct span){ q->body.ptr, q->body.len };
	call.request_bytes = q->bytes;
	call.request_complete = k->requested && q->complete;
	call.status = r->status;
	if (ledger_reads(call.route)) {
		conn_scrub(d, &r->body);
		call.response = (struct span){ r->body.ptr, r->body.len };
		call.date = http_header(r, "Date", 0);
	}
	call.response_complete = k->answered && r->complete;
	if (r->status) {
		call.response_time = c->dir[DATA_RECV].now;
		call.duration = call.response_time > q->begin ? call.response_time - q->begin : 0;
	}
	call.tcp = c->tcp;
	call.sk = c->sk;
	call.ino = c->ino;
	call.verified = c->verified;
	call_target(&call, &target);
	if (call.status >= 200 && call.status < 300) {
		call_created_id(&call, &id);
		call.created_id = (struct span){ id.ptr, id.len };
	}
	if ((call.route->action == ACT_CONTAINER_CREATE &&
	     json_string_at(call.body, "/Image", &image)) ||
	    (call.route->action == ACT_SERVICE &&
	     json_string_at(call.body, "/TaskTemplate/ContainerSpec/Image", &image)))
		call.image_name = (struct span){ image.ptr, image.len };
	if (call.route->action == ACT_IMAGE_BUILD) {
		build_describe(c, k, &call);
		if (call.status == 200)
			build_watch(c, k, call.response);
	}
	ledger_inspect(d->ledger, &call);
	ledger_judge(d->ledger, &call);
	ledger_shares(d->ledger, &call, &shares);
	call.shares = (struct span){ shares.ptr, shares.len };
	if (d->ops.call)
		d->ops.call(d->ops.ctx, k->process, q->begin, &call);
	build_over(c, k);
	ledger_learn(d->ledger, &call);
	buf_free(&target);
	buf_free(&id);
	buf_free(&image);
	buf_free(&shares);
}

/* Reports the first call if that was not done, and forgets it. */
static void call_pop(struct conn *c)
{
	struct call *k = c->calls;

	report(c, k);
	build_over(c, k);
	c->calls = k->next;
	c->pending--;
	c->d->builds -= k->route->action == ACT_IMAGE_BUILD;
	if (c->sending == k)
		c->sending = NULL;
	if (c->receiving == k)
		c->receiving = NULL;
	http_message_free(&k->request, &c->d->pool);
	http_message_free(&k->response, &c->d->pool);
	buf_free(&k->path);
	buf_free(&k->dockerfile);
	buf_free(&k->text);
	build_stream_free(&k->build);
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
static void stop(struct conn *c, const struct call *k)
{
	c->raw = true;
	if (k->route->action == ACT_SESSION)
		session_begin(c, &k->request);
	http_stop(&c->dir[DATA_SEND]);
	http_stop(&c->dir[DATA_RECV]);
}

static void on_request_head(void *ctx, struct http *h)
{
	struct conn *c = ctx;
	struct call *k = xcalloc(1, sizeof(*k)), **last;

	k->route = call_read(k, &h->msg);
	if (!c->engine &&
	    !path_is_docker(c->tcp, h->msg.method, (struct span){ k->path.ptr, k->path.len })) {
		c->ignored = true;
		http_stop(h);
		buf_free(&k->path);
		free(k);
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
		conn_gap(c, h->now, "stream cut", 0);
		call_pop(c);
	}
	k->process = c->process;
	k->head = span_eq(h->msg.method, "HEAD");
	if (k->process && c->d->ops.hold)
		c->d->ops.hold(c->d->ops.ctx, k->process, 1);
	for (last = &c->calls; *last; last = &(*last)->next)
		;
	*last = k;
	c->pending++;
	c->d->builds += k->route->action == ACT_IMAGE_BUILD;
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
	h->unread = !ledger_reads(k->route);
	raw = h->msg.status == 101 ||
	      (!h->msg.chunked && !h->msg.has_length && !k->head &&
	       (span_ifind(type, "application/vnd.docker.raw-stream") >= 0 ||
		span_ifind(type, "application/vnd.docker.multiplexed-stream") >= 0));
	if (raw || (h->msg.status == 200 &&
		    route_streams(k->route,
				  (k->requested ? &k->request : &c->dir[DATA_SEND].msg)->target))) {
		report(c, k);
		h->budget = 0;
	}
	if (raw)
		stop(c, k);
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

void conn_reset(struct conn *c, uint64_t time)
{
	if (!c->raw)
		http_end(&c->dir[DATA_RECV], time);
	while (c->calls)
		call_pop(c);
	http_free(&c->dir[DATA_SEND]);
	http_free(&c->dir[DATA_RECV]);
	buf_free(&c->early);
	session_end(c);
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
