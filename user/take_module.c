/* take_module.c: modules that Pythons of the run load: whether Cython compiled them, whose functions have no frame. */
#include <stdlib.h>
#include <string.h>
#include "pipeline_state.h"

static struct module *module_find(struct modules *m, uint32_t dev, uint64_t ino)
{
	for (struct module *k = m->known; k < m->known + m->n; k++)
		if (k->ino == ino && k->dev == dev)
			return k;
	return NULL;
}

static void cython_found(struct pipeline *p, struct process *process)
{
	process->has_cython = true;
	source_cython_say(p, process);
}

void take_module(struct pipeline *p, struct process *process, const struct fact *f)
{
	struct modules *m = &p->modules;
	struct module *k = module_find(m, f->file.dev, f->file.ino);

	if (process->has_cython)
		return;
	if (!k && m->n == ARRAY_SIZE(m->known)) {
		p->hashes.dropped++;
		return;
	}
	if (!k) {
		k = &m->known[m->n++];
		*k = (struct module){ .ino = f->file.ino, .dev = f->file.dev };
		module_want(p, process, f);
	}
	if (k->is == MODULE_CYTHON)
		cython_found(p, process);
	if (k->is != MODULE_ASKED)
		return;
	m->waits[m->n_waits].module = k;
	m->waits[m->n_waits].pid = process->pid;
	m->waits[m->n_waits].start = process->start;
	m->n_waits = (m->n_waits + 1) % ARRAY_SIZE(m->waits);
}

bool module_answered(struct pipeline *p, const struct ev_hash *e)
{
	struct modules *m = &p->modules;
	struct module *k = module_find(m, e->dev, e->ino);
	struct process *process;

	if (!k || k->is != MODULE_ASKED)
		return false;
	k->is = e->cython ? MODULE_CYTHON : MODULE_OTHER;
	for (unsigned i = 0; i < ARRAY_SIZE(m->waits); i++) {
		if (m->waits[i].module != k)
			continue;
		m->waits[i].module = NULL;
		process = table_known(p->table, m->waits[i].pid, m->waits[i].start);
		if (process && e->cython)
			cython_found(p, process);
	}
	return true;
}
