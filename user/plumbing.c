/* plumbing.c: ends of pipes by inode, as processes had them when they executed their programs. */
#include <stdlib.h>
#include <string.h>
#include "plumbing.h"
#include "process_table.h"

#define PIPES_OF 8 /* of one process, that are followed to their readers */

struct end {
	struct process *process;
	uint64_t ino;
	bool writes;
	bool made; /* for a child: none of its own standard streams */
};

struct plumbing {
	struct end ring[PIPE_ENDS];
	unsigned n;
};

struct plumbing *plumbing_new(void)
{
	return xcalloc(1, sizeof(struct plumbing));
}

void plumbing_free(struct plumbing *u)
{
	for (unsigned i = 0; u && i < PIPE_ENDS; i++)
		if (u->ring[i].process)
			process_drop(u->ring[i].process);
	free(u);
}

static struct end *end_add(struct plumbing *u, struct process *p, uint64_t ino, bool writes)
{
	struct end *e = &u->ring[u->n++ % PIPE_ENDS];
	struct process *old = e->process;

	process_hold(p);
	*e = (struct end){ p, ino, writes, false };
	if (old)
		process_drop(old);
	return e;
}

void plumbing_exec(struct plumbing *u, struct process *p)
{
	/*
	 * A pipe that a one-liner made for its child. What a test gives to its children is taken to be
	 * its own, although it talks to the network, too.
	 */
	if (p->fd[0].kind == FD_PIPE && p->parent && p->fd[0].peer_pid == p->parent->pid &&
	    program_code(p->parent).len)
		end_add(u, p->parent, p->fd[0].ino, true)->made = true;
	for (unsigned i = 0; i < 2; i++)
		if (p->fd[i].kind == FD_PIPE)
			end_add(u, p, p->fd[i].ino, i > 0);
	if (p->fd[2].kind == FD_PIPE && p->fd[2].ino != p->fd[1].ino)
		end_add(u, p, p->fd[2].ino, true);
}

static bool line_has(const struct pipe_line *line, const struct process *p)
{
	for (unsigned i = 0; i < line->n; i++)
		if (line->at[i] == p)
			return true;
	return false;
}

/* Who writes to the pipe on p's standard input: with origins first, then the youngest entry. */
static struct process *writer_of(const struct plumbing *u, const struct process *p,
				 const struct pipe_line *line)
{
	struct process *best = NULL;

	if (p->fd[0].kind != FD_PIPE)
		return NULL;
	for (unsigned k = 0; k < PIPE_ENDS && k < u->n; k++) {
		const struct end *e = &u->ring[(u->n - 1 - k) % PIPE_ENDS];

		if (!e->writes || e->ino != p->fd[0].ino || line_has(line, e->process))
			continue;
		if (!best || (e->process->origins && !best->origins))
			best = e->process;
	}
	return best;
}

void plumbing_line(const struct plumbing *u, struct process *p, struct pipe_line *line)
{
	struct pipe_line up = { .at = { p }, .n = 1 };
	struct process *w = p;

	while (up.n < PIPE_LINE_MAX && (w = writer_of(u, w, &up)))
		up.at[up.n++] = w;
	line->n = up.n;
	for (unsigned i = 0; i < up.n; i++)
		line->at[i] = up.at[up.n - 1 - i];
}

static void argument_write(struct span a, struct buf *out)
{
	bool plain = a.len > 0;

	for (size_t i = 0; i < a.len; i++)
		plain &= (unsigned char)a.ptr[i] > 0x20 && !strchr("'\"\\$`;&|<>()", a.ptr[i]);
	if (!plain)
		buf_byte(out, '\'');
	if (a.len)
		buf_add(out, a.ptr, a.len);
	if (!plain)
		buf_byte(out, '\'');
}

#define LINE_TEXT_MAX 400

void line_write(const struct pipe_line *line, unsigned origins, struct buf *out)
{
	unsigned from = 0;

	for (unsigned i = 0; i < line->n && !from; i++)
		if (line->at[i]->origins & origins)
			from = i + 1;
	for (unsigned i = from ? from - 1 : 0; i < line->n; i++) {
		const struct process *p = line->at[i];

		if (out->len)
			buf_str(out, " | ");
		for (unsigned k = 0; k < p->argc && out->len < LINE_TEXT_MAX; k++) {
			if (k)
				buf_byte(out, ' ');
			argument_write(process_arg(p, k), out);
		}
	}
}

/* Pipes that p writes to: its standard output, and what it made for its children. */
static unsigned written_by(const struct plumbing *u, const struct process *p,
			   uint64_t ino[PIPES_OF])
{
	unsigned n = 0;

	if (p->fd[1].kind == FD_PIPE)
		ino[n++] = p->fd[1].ino;
	for (unsigned i = 0; i < PIPE_ENDS && i < u->n && n < PIPES_OF; i++)
		if (u->ring[i].made && u->ring[i].process == p)
			ino[n++] = u->ring[i].ino;
	return n;
}

static void readers(const struct plumbing *u, struct process *p, struct pipe_line *seen,
		    void (*fn)(void *ctx, struct process *reader), void *ctx)
{
	uint64_t ino[PIPES_OF];
	unsigned n = written_by(u, p, ino);

	if (!n || seen->n == PIPE_LINE_MAX)
		return;
	seen->at[seen->n++] = p;
	for (unsigned i = 0; i < PIPE_ENDS && i < u->n; i++) {
		const struct end *e = &u->ring[i];
		bool reads = false;

		for (unsigned k = 0; k < n; k++)
			reads |= e->ino == ino[k];
		if (e->writes || !reads || line_has(seen, e->process))
			continue;
		fn(ctx, e->process);
		readers(u, e->process, seen, fn, ctx);
	}
}

void plumbing_readers(const struct plumbing *u, struct process *p,
		      void (*fn)(void *ctx, struct process *reader), void *ctx)
{
	struct pipe_line seen = { .n = 0 };

	readers(u, p, &seen, fn, ctx);
}
