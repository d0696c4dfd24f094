/* take_startup.c: files that start-up variables point at: which to look at, and who can change them. */
#include <stdlib.h>
#include <string.h>
#include "pipeline_state.h"
#include "startup.h"

struct asking {
	struct pipeline *p;
	const struct process *process;
};

/* Once in a run, as long as it is remembered. */
static bool is_known(struct startups *q, const char *variable, struct span path)
{
	struct buf b = { 0 };

	buf_fmt(&b, "%s=", variable);
	buf_add(&b, path.ptr, path.len);
	for (unsigned i = 0; i < ARRAY_SIZE(q->known) && q->known[i]; i++)
		if (!strcmp(q->known[i], b.ptr)) {
			buf_free(&b);
			return true;
		}
	free(q->known[q->n_known % ARRAY_SIZE(q->known)]);
	q->known[q->n_known++ % ARRAY_SIZE(q->known)] = b.ptr;
	return false;
}

static bool ask(void *ctx, const char *variable, struct span path, bool directory)
{
	struct asking *x = ctx;
	struct startups *q = &x->p->startups;

	(void)directory;
	if (is_known(q, variable, path))
		return true;
	if (q->n - q->told == ARRAY_SIZE(q->asked)) {
		q->dropped++;
		return true;
	}
	q->asked[q->n++ % ARRAY_SIZE(q->asked)] = (struct startup_asked){
		.pid = x->process->pid,
		.start = x->process->start,
		.time = x->p->now,
		.exe_ino = x->process->exe_ino,
		.exe = xstrdup(x->process->exe.text),
		.path = xstrndup(path.ptr, path.len),
		.variable = variable,
	};
	return true;
}

void startup_want(struct pipeline *p, const struct process *process)
{
	struct asking x = { p, process };

	/* What a container sees at a path is not what the monitor sees there. */
	if (!p->replay && !p->finished && !process->container_id && process->exe.text &&
	    !process->exe.cut)
		startup_walk(process, ask, &x);
}

const struct startup_asked *pipeline_startup_asked(const struct pipeline *p)
{
	const struct startups *q = &p->startups;

	return q->told == q->n ? NULL : &q->asked[q->told % ARRAY_SIZE(q->asked)];
}

void pipeline_startup_told(struct pipeline *p)
{
	struct startups *q = &p->startups;
	struct startup_asked *a = &q->asked[q->told++ % ARRAY_SIZE(q->asked)];

	free(a->exe);
	free(a->path);
	*a = (struct startup_asked){ 0 };
}

unsigned pipeline_startup_dropped(struct pipeline *p)
{
	unsigned n = p->startups.dropped;

	p->startups.dropped = 0;
	return n;
}

void startups_free(struct pipeline *p)
{
	while (pipeline_startup_asked(p))
		pipeline_startup_told(p);
	for (unsigned i = 0; i < ARRAY_SIZE(p->startups.known); i++)
		free(p->startups.known[i]);
}
