/* take_stdio.c: an engine behind a program's standard input and output: docker -H ssh:// and its `docker system dial-stdio`. */
#include <sys/socket.h>
#include <string.h>
#include "pipeline_state.h"

/* "ssh … HOST docker system dial-stdio": what runs elsewhere; here docker itself would connect. */
static bool dials(const struct process *p)
{
	static const char *const last[] = { "docker", "system", "dial-stdio" };

	if (p->argc < 5 || p->args_len != p->args_want || !strcmp(p->name, "docker"))
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(last); i++)
		if (!span_eq(process_arg(p, p->argc - ARRAY_SIZE(last) + i), last[i]))
			return false;
	return p->fd[0].kind == FD_PIPE && p->fd[1].kind == FD_PIPE;
}

static const struct stdio_link *stdio_find(const struct pipeline *p, uint64_t ino, uint32_t dev)
{
	unsigned n = p->n_stdio < ARRAY_SIZE(p->stdio) ? p->n_stdio : ARRAY_SIZE(p->stdio);

	for (unsigned i = 0; i < n; i++)
		if (p->stdio[i].dev == dev && (p->stdio[i].in == ino || p->stdio[i].out == ino))
			return &p->stdio[i];
	return NULL;
}

void stdio_exec(struct pipeline *p, struct process *process, uint64_t time)
{
	const struct ev_fd *in = &process->fd[0], *out = &process->fd[1];
	struct ev_connect e = { .sk = out->ino, .sockino = in->ino, .family = AF_UNIX };

	/* A wrapper executes the program itself: the pipes are known. */
	if (!dials(process) || stdio_find(p, in->ino, in->dev))
		return;
	p->stdio[p->n_stdio++ % ARRAY_SIZE(p->stdio)] =
		(struct stdio_link){ in->ino, out->ino, in->dev };
	link_stdio(p, &e, process_arg(process, process->argc - 4), time);
	/* More of them than of other pipes. */
	if (p->live.log) {
		p->live.log(p->live.ctx, in->ino, in->dev);
		p->live.log(p->live.ctx, out->ino, out->dev);
	}
}

void stdio_written(struct pipeline *p, const struct record *r)
{
	const struct ev_write *e = r->body;
	const struct stdio_link *l = e->kind == FD_PIPE ? stdio_find(p, e->ino, e->dev) : NULL;
	struct buf bytes = { 0 };
	struct ev_hdr h = *r->h;
	struct ev_data data = { 0 };

	if (!l)
		return;
	h.type = EV_DATA;
	data.sk = l->out;
	data.sockino = l->in;
	data.dir = e->ino == l->in ? DATA_SEND : DATA_RECV;
	buf_add(&bytes, (const char *)&h, sizeof(h));
	buf_add(&bytes, (const char *)&data, sizeof(data));
	buf_add(&bytes, r->tail, h.len);
	pipeline_take(p, bytes.ptr, bytes.len);
	buf_free(&bytes);
}
