/* take_leak.c: secrets that the run writes to logs, to its own output and towards the network. */
#include <stdlib.h>
#include <string.h>
#include "pipeline_state.h"
#include "plumbing.h"

/* ---- live: bytes become records that name the secret ---- */

struct looking {
	struct pipeline *p;
	struct ev_hdr h;
	struct ev_leak e;
};

static void leak_record(struct pipeline *p, const struct ev_hdr *h, const struct ev_leak *e)
{
	struct {
		struct ev_hdr h;
		struct ev_leak e;
	} r = { *h, *e };

	r.h.type = EV_LEAK;
	r.h.len = r.h.want = 0;
	pipeline_take(p, &r, sizeof(r));
}

static void written_found(void *ctx, unsigned secret)
{
	struct looking *l = ctx;

	l->e.secret = secret;
	leak_record(l->p, &l->h, &l->e);
}

void written_look(struct pipeline *p, const struct record *r)
{
	const struct ev_write *e = r->body;
	struct leak_place place = { .ino = e->ino, .dev = e->dev, .kind = e->kind };
	struct looking l = { p, *r->h, { .ino = e->ino, .dev = e->dev, .kind = e->kind } };

	if (!p->begun)
		return;
	leaks_look(p->leaks, &p->run.masker, &place, r->tail, r->h->len, written_found, &l);
	/* Everybody fills pipes; that only their beginning is seen is said once, in the probe table. */
	if (r->h->want > r->h->len && e->kind != FD_PIPE && e->kind != FD_SOCKET &&
	    leaks_cut(p->leaks, &place)) {
		l.e.flags = LEAK_UNSEEN;
		leak_record(p, &l.h, &l.e);
	}
}

static void sent_found(void *ctx, unsigned secret)
{
	struct found *found = ctx;

	if (found->n < ARRAY_SIZE(found->secret))
		found->secret[found->n++] = secret;
}

void sent_look(struct pipeline *p, const struct record *r, struct found *found)
{
	const struct ev_data *e = r->body;
	struct leak_place place = { .kind = FD_SOCKET };

	if (!p->begun || r->h->type != EV_DATA || e->dir != DATA_SEND)
		return;
	if (e->sk && !link_is_foreign(p, e->sk, e->sockino))
		return; /* as take_leak() would */
	place.ino = e->sockino;
	found->h = *r->h;
	found->e = (struct ev_leak){ .ino = e->sockino, .sk = e->sk, .kind = FD_SOCKET };
	leaks_look(p->leaks, &p->run.masker, &place, r->tail, r->h->len, sent_found, found);
}

void sent_tell(struct pipeline *p, const struct found *found)
{
	for (unsigned i = 0; i < found->n; i++) {
		struct ev_leak e = found->e;

		e.secret = found->secret[i];
		leak_record(p, &found->h, &e);
	}
}

/* ---- what a record of that kind means ---- */

static void leak_emit(struct pipeline *p, const struct process *process, uint64_t time,
		      enum leak_where where, const char *path, unsigned secret)
{
	struct fact f = { .kind = FACT_LEAK, .time = time, .process = process };

	if (secret >= p->run.masker.count)
		return;
	f.leak.where = where;
	f.leak.path = path;
	f.leak.secret = &p->run.masker.secrets[secret];
	fact_emit(p, &f);
}

static bool is_output(const struct pipeline *p, const struct ev_leak *e)
{
	for (unsigned i = 0; i < ARRAY_SIZE(p->run.output); i++)
		if (p->run.output[i].kind && p->run.output[i].ino == e->ino &&
		    p->run.output[i].dev == e->dev)
			return true;
	return false;
}

static bool reads_pipe(const struct process *p, uint64_t ino, uint32_t dev)
{
	return p->roles & ROLE_NETWORK_CLIENT && p->fd[0].kind == FD_PIPE && p->fd[0].ino == ino &&
	       p->fd[0].dev == dev;
}

static void pipe_leak_add(struct pipeline *p, const struct ev_leak *e)
{
	p->pipe_leaks[p->n_pipe_leaks++ % ARRAY_SIZE(p->pipe_leaks)] =
		(struct pipe_leak){ e->ino, e->dev, e->secret };
}

void leak_exec(struct pipeline *p, struct process *process, uint64_t time)
{
	unsigned n = p->n_pipe_leaks < ARRAY_SIZE(p->pipe_leaks) ? p->n_pipe_leaks
								 : ARRAY_SIZE(p->pipe_leaks);

	for (unsigned i = 0; i < n; i++)
		if (reads_pipe(process, p->pipe_leaks[i].ino, p->pipe_leaks[i].dev))
			leak_emit(p, process, time, LEAK_NETWORK, NULL, p->pipe_leaks[i].secret);
}

/* A client that reads it already; one that comes later is told by leak_exec(). */
static void pipe_leak(struct pipeline *p, const struct ev_leak *e, uint64_t time)
{
	struct process **alive;
	unsigned n;

	alive = table_alive(p->table, &n);
	for (unsigned i = 0; i < n; i++)
		if (reads_pipe(alive[i], e->ino, e->dev))
			leak_emit(p, alive[i], time, LEAK_NETWORK, NULL, e->secret);
	free(alive);
	pipe_leak_add(p, e);
}

/* As of its open; NULL: forgotten. */
static const char *log_path(const struct pipeline *p, const struct ev_leak *e)
{
	const struct written *log = provenance_find(p->provenance, e->dev, e->ino);

	return log ? log->path : NULL;
}

static void log_leak(struct pipeline *p, const struct process *process, const struct ev_leak *e,
		     uint64_t time)
{
	struct file_known *known = file_note(&p->files, e->dev, e->ino);

	if (known)
		known->secret = true;
	leak_emit(p, process, time, LEAK_LOG, log_path(p, e), e->secret);
}

static void unseen_emit(struct pipeline *p, const struct process *process, const char *path)
{
	struct buf effect = { 0 };

	buf_fmt(&effect, "secrets in what %s holds beyond it", path ? path : "a log");
	health_emit(p, HEALTH_GAP, process, SPAN("bytes written"), SPAN("more than is looked at"),
		    span_of(effect.ptr), 1, NULL, false);
	buf_free(&effect);
}

void take_leak(struct pipeline *p, const struct record *r)
{
	const struct ev_leak *e = r->body;
	struct process *process = process_of(p, r);
	uint64_t time = wall(p, r->h->time);
	bool output = is_output(p, e);

	if (e->flags & LEAK_UNSEEN)
		unseen_emit(p, process, output ? "the run's output" : log_path(p, e));
	else if (output)
		leak_emit(p, process, time, LEAK_OUTPUT, NULL, e->secret);
	else if (e->kind == FD_FILE)
		log_leak(p, process, e, time);
	else if (e->kind == FD_PIPE)
		pipe_leak(p, e, time);
	else if (e->kind == FD_SOCKET && (!e->sk || link_is_foreign(p, e->sk, e->ino)))
		leak_emit(p, process, time, LEAK_NETWORK, NULL, e->secret);
}
