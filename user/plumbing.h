/* plumbing.h: which programs of the run stand at the two ends of a pipe, and the lines that they form. Pure. */
#ifndef INVIGIL_PLUMBING_H
#define INVIGIL_PLUMBING_H

#include "process.h"

#define PIPE_ENDS     256 /* the oldest is forgotten; an ended process stays until then */
#define PIPE_LINE_MAX 12

struct plumbing;

/* Programs joined by pipes, the first writes to the second and so on. */
struct pipe_line {
	struct process *at[PIPE_LINE_MAX];
	unsigned n;
};

struct plumbing *plumbing_new(void);
/* Before the process table goes. */
void plumbing_free(struct plumbing *u);
/* p has executed a program: its ends are known now. */
void plumbing_exec(struct plumbing *u, struct process *p);
/*
 * The line that ends in p. Where several processes write to one pipe, the one with origins is followed,
 * otherwise the last to come. p alone when nothing of the run writes to its standard input.
 */
void plumbing_line(const struct plumbing *u, struct process *p, struct pipe_line *line);
/* "curl -s URL | bash" from the first of them with origins, or from the beginning. */
void line_write(const struct pipe_line *line, unsigned origins, struct buf *out);
/* Calls fn for each process that reads what p writes to its standard output, and what these write ... */
void plumbing_readers(const struct plumbing *u, struct process *p,
		      void (*fn)(void *ctx, struct process *reader), void *ctx);

#endif
