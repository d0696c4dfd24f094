/* take_unseen.c: programs of which no probe sees what they read by name: told by file, said of each process. */
#include <stdlib.h>
#include <string.h>
#include "pipeline_state.h"

#define UNSEEN_MAX 1024

struct unseen {
	uint64_t ino;
	uint32_t dev;
	char *why;
};

const char *unseen_of(const struct pipeline *p, const struct process *process)
{
	for (unsigned i = 0; i < p->n_unseen; i++)
		if (p->unseen[i].ino == process->exe_ino && p->unseen[i].dev == process->exe_dev)
			return p->unseen[i].why;
	return NULL;
}

/* Without an exec gate its first programs run already. */
static void running_tell(struct pipeline *p, const struct unseen *u)
{
	struct process **alive;
	unsigned n;

	alive = table_alive(p->table, &n);
	for (unsigned i = 0; i < n; i++)
		if (alive[i]->exe_ino == u->ino && alive[i]->exe_dev == u->dev)
			alive[i]->env_unseen = u->why;
	free(alive);
}

void take_unseen(struct pipeline *p, const struct record *r)
{
	const struct ev_unseen *e = r->body;
	struct process file = { .exe_ino = e->ino, .exe_dev = e->dev };
	struct unseen *u;

	if (unseen_of(p, &file))
		return;
	if (p->n_unseen == UNSEEN_MAX) {
		health_emit(p, HEALTH_GAP, NULL, SPAN("environment reads"),
			    SPAN("so many programs that no probe sees"),
			    SPAN("which of their processes they are"), 1, NULL, false);
		return;
	}
	if (!p->unseen)
		p->unseen = xcalloc(UNSEEN_MAX, sizeof(*p->unseen));
	u = &p->unseen[p->n_unseen++];
	*u = (struct unseen){ e->ino, e->dev, xstrndup(r->tail, r->h->len) };
	running_tell(p, u);
}

void unseen_free(struct pipeline *p)
{
	for (unsigned i = 0; i < p->n_unseen; i++)
		free(p->unseen[i].why);
	free(p->unseen);
}
