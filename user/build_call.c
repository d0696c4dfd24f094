/* build_call.c: an image build: where its Dockerfile comes from, when it is under way, what its answer tells of its steps. */
#include <stdlib.h>
#include <string.h>
#include "build_steps.h"
#include "docker_call.h"
#include "exchange.h"
#include "gunzip.h"

void build_watch(struct conn *c, struct call *k, struct span body)
{
	struct dialogue *d = c->d;
	struct build_said said;

	while (build_stream_next(&k->build, body, &said)) {
		struct span on = { k->build.parent.ptr, k->build.parent.len };

		if (said.image.len)
			ledger_build_image(d->ledger, said.image);
		else if (said.removed.len)
			ledger_build_gone(d->ledger, said.removed);
		else if (ledger_build_container(d->ledger, said.container, on, false) &&
			 d->ops.container)
			d->ops.container(d->ops.ctx, said.container);
	}
}

void conn_watch_build(struct conn *c)
{
	struct http_message *m = &c->dir[DATA_RECV].msg;

	if (c->receiving && c->receiving->route->action == ACT_IMAGE_BUILD && m->status == 200)
		build_watch(c, c->receiving, (struct span){ m->body.ptr, m->body.len });
}

/* ---- Dockerfiles that the bytes themselves do not show: they are told as records of their own ---- */

static bool is_kit(struct span query)
{
	struct buf v = { 0 };
	bool yes = docker_query(query, "version", 0, &v) &&
		   span_eq((struct span){ v.ptr, v.len }, "2");

	buf_free(&v);
	return yes;
}

static struct span request_query(const struct conn *c, const struct call *k)
{
	struct span path;

	return target_split((k->requested ? &k->request : &c->dir[DATA_SEND].msg)->target, &path);
}

static struct span base_name(struct span path)
{
	const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;

	return slash ? (struct span){ slash + 1, path.len - (slash + 1 - path.ptr) } : path;
}

/* Calls fn for each connection, until it returns true. */
static bool conns_any(struct dialogue *d, bool (*fn)(struct conn *c, void *ctx), void *ctx)
{
	struct conn_list l = dialogue_list(d);
	bool found = false;

	for (unsigned i = 0; i < l.n && !found; i++)
		found = fn(l.at[i], ctx);
	free(l.at);
	return found;
}

/* A build by BuildKit names the session that its files come by. */
struct pair {
	const struct conn *session;
	struct span id; /* of the session */
	struct conn *conn;
	struct call *call;
};

static bool builds_by(struct conn *c, void *ctx)
{
	struct pair *pair = ctx;
	struct buf v = { 0 };

	for (struct call *k = c->calls; k && !pair->call; k = k->next)
		if (!k->reported && k->route->action == ACT_IMAGE_BUILD &&
		    docker_query(request_query(c, k), "session", 0, &v) &&
		    span_eq_span((struct span){ v.ptr, v.len }, pair->id)) {
			pair->conn = c;
			pair->call = k;
		}
	buf_free(&v);
	return pair->call;
}

static bool is_session(struct conn *c, void *ctx)
{
	struct pair *pair = ctx;

	if (c->session.len &&
	    span_eq_span((struct span){ c->session.ptr, c->session.len }, pair->id))
		pair->session = c;
	return pair->session;
}

void session_begin(struct conn *c, const struct http_message *request)
{
	struct span id = http_header(request, "X-Docker-Expose-Session-Uuid", 0);

	session_end(c);
	if (!id.len)
		return;
	buf_add(&c->session, id.ptr, id.len);
	c->kit = kit_new();
}

void session_end(struct conn *c)
{
	buf_free(&c->session);
	buf_free(&c->dockerfile);
	c->dockerfile_told = false;
	kit_free(c->kit);
	c->kit = NULL;
}

static bool is_wanted(void *ctx, struct span path)
{
	struct pair pair = { .id = { ((struct conn *)ctx)->session.ptr,
				     ((struct conn *)ctx)->session.len } };
	struct buf name = { 0 };
	bool yes;

	if (!conns_any(((struct conn *)ctx)->d, builds_by, &pair))
		return false;
	if (!docker_query(request_query(pair.conn, pair.call), "dockerfile", 0, &name) ||
	    !name.len) {
		buf_reset(&name);
		buf_str(&name, "Dockerfile");
	}
	yes = span_eq_span(base_name(path), base_name((struct span){ name.ptr, name.len }));
	buf_free(&name);
	return yes;
}

void session_feed(struct conn *c, char *bytes, size_t have, size_t want)
{
	struct span file;
	bool complete;

	if (!c->kit)
		return;
	if (kit_feed(c->kit, (struct span){ bytes, have }, is_wanted, c, &file, &complete) &&
	    c->d->ops.dockerfile)
		c->d->ops.dockerfile(c->d->ops.ctx, c->sk, c->ino, file, complete);
	/* No recording has what else passes there, as passwords of registries. */
	if (have)
		memset(bytes, 0, have);
	if (want > have) {
		kit_free(c->kit);
		c->kit = NULL;
	}
}

/* ---- builds under way ---- */

static void build_tell(struct dialogue *d, struct call *k, struct span dockerfile)
{
	if (k->building || !d->ops.build)
		return;
	k->building = true;
	buf_add(&k->dockerfile, dockerfile.len ? dockerfile.ptr : "", dockerfile.len);
	conn_scrub(d, &k->dockerfile);
	d->ops.build(d->ops.ctx, (struct span){ k->dockerfile.ptr, k->dockerfile.len }, false);
}

void build_over(struct conn *c, struct call *k)
{
	if (k->building)
		c->d->ops.build(c->d->ops.ctx,
				(struct span){ k->dockerfile.ptr, k->dockerfile.len }, true);
	k->building = false;
	if (k->route->action == ACT_IMAGE_BUILD)
		c->dockerfile_told = false;
	/* Of the last container it was not seen whether it went. */
	if (!k->answered || !k->response.complete)
		ledger_build_gone(c->d->ledger,
				  (struct span){ k->build.container.ptr, k->build.container.len });
}

void dialogue_dockerfile(struct dialogue *d, uint64_t sk, uint64_t ino, struct span text,
			 bool complete)
{
	struct conn *c = dialogue_conn(d, sk, ino);
	struct pair pair = { 0 };

	if (!c)
		return;
	buf_reset(&c->dockerfile);
	buf_add(&c->dockerfile, text.len ? text.ptr : "", text.len);
	c->dockerfile_told = true;
	c->dockerfile_complete = complete;
	pair.id = (struct span){ c->session.ptr, c->session.len };
	if (pair.id.len && conns_any(d, builds_by, &pair))
		build_tell(d, pair.call, text);
}

struct step_look {
	const struct masker *masker;
	struct span args;
	enum masked found;
};

static bool has_step(struct conn *c, void *ctx)
{
	struct step_look *look = ctx;
	enum masked is;

	for (struct call *k = c->calls; k; k = k->next) {
		is = k->building
			     ? build_has_step((struct span){ k->dockerfile.ptr, k->dockerfile.len },
					      look->masker, look->args)
			     : MASKED_OTHER;
		if (is > look->found)
			look->found = is;
	}
	return look->found == MASKED_SAME;
}

enum masked dialogue_builds(struct dialogue *d, const struct masker *m, struct span args)
{
	struct step_look look = { m, args, MASKED_OTHER };

	conns_any(d, has_step, &look);
	return look.found;
}

/* A packed context is looked into, once. */
static void context_unpack(struct conn *c, const struct docker_call *call)
{
	struct docker_call inner = *call;
	struct buf unpacked = { 0 };

	if (c->dockerfile_told || !gunzip_looks(call->body))
		return;
	gunzip(call->body, DIALOGUE_UNPACKED_MAX, &unpacked);
	call_dockerfile(&inner, (struct span){ unpacked.ptr, unpacked.len });
	if (inner.dockerfile.len && c->d->ops.dockerfile)
		c->d->ops.dockerfile(c->d->ops.ctx, c->sk, c->ino, inner.dockerfile,
				     inner.dockerfile_complete);
	buf_free(&unpacked);
}

void build_describe(struct conn *c, struct call *k, struct docker_call *call)
{
	struct pair pair = { .session = c };
	struct buf id = { 0 };

	context_unpack(c, call);
	if (docker_query(call->query, "session", 0, &id) && id.len) {
		pair.id = (struct span){ id.ptr, id.len };
		pair.session = NULL;
		conns_any(c->d, is_session, &pair);
	}
	if (pair.session && pair.session->dockerfile_told) {
		buf_reset(&k->text);
		buf_add(&k->text, pair.session->dockerfile.len ? pair.session->dockerfile.ptr : "",
			pair.session->dockerfile.len);
		call->dockerfile = (struct span){ k->text.ptr, k->text.len };
		call->dockerfile_complete = pair.session->dockerfile_complete;
	} else {
		call_dockerfile(call, call->body);
	}
	buf_free(&id);
}

void conn_begin_build(struct conn *c)
{
	struct http *h = &c->dir[DATA_SEND];
	struct call *k = c->calls;
	struct docker_call call = { 0 };
	struct http_message *q;

	while (k && k->next)
		k = k->next;
	if (!k || k->building || k->reported || k->route->action != ACT_IMAGE_BUILD ||
	    !(k->requested || h->state == HTTP_LOST) || is_kit(request_query(c, k)))
		return;
	q = k->requested ? &k->request : &h->msg;
	call.query = request_query(c, k);
	call.body = (struct span){ q->body.ptr, q->body.len };
	build_describe(c, k, &call);
	build_tell(c->d, k, call.dockerfile);
}
