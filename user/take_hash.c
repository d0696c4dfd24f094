/* take_hash.c: programs that findings are about: which are to be hashed, and what was found. */
#include <stdlib.h>
#include <string.h>
#include "pipeline_state.h"

/* Asked for once in a run. */
static bool is_asked(const struct hashes *q, uint32_t dev, uint64_t ino)
{
	for (unsigned i = 0; i < q->n_seen; i++)
		if (q->seen[i].ino == ino && q->seen[i].dev == dev)
			return true;
	return false;
}

static void want(struct pipeline *p, const struct hash_asked *wanted, const struct path *path)
{
	struct hashes *q = &p->hashes;
	struct hash_asked *a;

	if (!path->text || is_asked(q, wanted->dev, wanted->ino))
		return;
	if (q->n - q->told == ARRAY_SIZE(q->asked) || q->n_seen == ARRAY_SIZE(q->seen)) {
		q->dropped++;
		return;
	}
	q->seen[q->n_seen].ino = wanted->ino;
	q->seen[q->n_seen++].dev = wanted->dev;
	a = &q->asked[q->n++ % ARRAY_SIZE(q->asked)];
	*a = *wanted;
	a->path = path->cut ? NULL : xstrdup(path->text);
}

void hash_want(struct pipeline *p, const struct fact *f)
{
	const struct process *process = f->process;
	struct hash_asked a;

	if (p->replay || p->finished || !process || !process->executed)
		return;
	a = (struct hash_asked){ .pid = process->pid, .start = process->start };
	if (process->exe_ino && !(process->flags & (EXEC_MEMFD | EXEC_DELETED))) {
		a.dev = process->exe_dev;
		a.ino = process->exe_ino;
		a.executed = wall(p, process->exec_time);
		want(p, &a, &process->exe);
	}
	if (f->kind == FACT_SCRIPT) {
		a.dev = f->file.dev;
		a.ino = f->file.ino;
		a.executed = f->time;
		a.script = true;
		want(p, &a, &f->file.path);
	}
}

void module_want(struct pipeline *p, const struct process *process, const struct fact *f)
{
	struct hash_asked a = { .pid = process->pid,
				.start = process->start,
				.dev = f->file.dev,
				.ino = f->file.ino,
				.script = true,
				.module = true };

	if (!p->replay && !p->finished)
		want(p, &a, &f->file.path);
}

bool pipeline_hash_asked(struct pipeline *p, struct hash_asked *out)
{
	struct hashes *q = &p->hashes;

	if (q->told == q->n)
		return false;
	*out = q->asked[q->told++ % ARRAY_SIZE(q->asked)];
	return true;
}

unsigned pipeline_hash_dropped(const struct pipeline *p)
{
	return p->hashes.dropped;
}

void hashes_free(struct pipeline *p)
{
	struct hash_asked a;

	while (pipeline_hash_asked(p, &a))
		free(a.path);
}

void take_hash(struct pipeline *p, const struct record *r)
{
	const struct ev_hash *e = r->body;
	struct fact f = { .kind = FACT_HASH, .time = wall(p, r->h->time) };

	if (module_answered(p, e))
		return;
	f.process = table_known(p->table, e->pid, e->start);
	f.hash.path = (struct span){ r->tail, r->h->len };
	f.hash.size = e->size;
	f.hash.status = e->status;
	f.hash.sha256 = e->sha256;
	fact_emit(p, &f);
}
