/* take_module.c: modules that Pythons of the run load: whether Cython compiled them, whose functions have no frame. */
#include "pipeline_state.h"

static const struct module unknown = { .is = MODULE_UNKNOWN };

static struct module *module_find(struct modules *m, uint32_t dev, uint64_t ino)
{
	for (struct module *k = m->known; k < m->known + m->n; k++)
		if (k->ino == ino && k->dev == dev)
			return k;
	return NULL;
}

static void told(struct pipeline *p, struct process *process, const struct module *k)
{
	if (k->is == MODULE_CYTHON)
		process->cython = CYTHON_LOADED;
	else if (k->is == MODULE_UNKNOWN && process->cython == CYTHON_NONE)
		process->cython = CYTHON_MAYBE;
	source_cython_say(p, process);
}

static void wait_end(struct pipeline *p, unsigned at, const struct module *k)
{
	struct modules *m = &p->modules;

	if (!m->waits[at].module)
		return;
	told(p, m->waits[at].process, k);
	process_drop(m->waits[at].process);
	m->waits[at].module = NULL;
}

/* Only the last are waited for. */
static void wait_for(struct pipeline *p, struct process *process, const struct module *k)
{
	struct modules *m = &p->modules;
	unsigned at = m->n_waits++ % ARRAY_SIZE(m->waits);

	wait_end(p, at, &unknown);
	process_hold(process);
	m->waits[at].module = k;
	m->waits[at].process = process;
}

void take_module(struct pipeline *p, struct process *process, const struct fact *f)
{
	struct modules *m = &p->modules;
	struct module *k = module_find(m, f->file.dev, f->file.ino);

	if (process->cython == CYTHON_LOADED)
		return;
	if (!k && m->n == ARRAY_SIZE(m->known)) {
		told(p, process, &unknown);
		return;
	}
	if (!k) {
		k = &m->known[m->n++];
		*k = (struct module){ .ino = f->file.ino, .dev = f->file.dev };
		module_want(p, process, f);
	}
	if (k->is == MODULE_ASKED)
		wait_for(p, process, k);
	else
		told(p, process, k);
}

bool module_answered(struct pipeline *p, const struct ev_hash *e)
{
	struct modules *m = &p->modules;
	struct module *k = module_find(m, e->dev, e->ino);

	if (!k || k->is != MODULE_ASKED)
		return false;
	k->is = e->cython ? MODULE_CYTHON : e->status == HASH_DONE ? MODULE_OTHER : MODULE_UNKNOWN;
	for (unsigned i = 0; i < ARRAY_SIZE(m->waits); i++)
		if (m->waits[i].module == k)
			wait_end(p, i, k);
	return true;
}

void modules_finish(struct pipeline *p)
{
	for (unsigned i = 0; i < ARRAY_SIZE(p->modules.waits); i++)
		wait_end(p, i, &unknown);
}
