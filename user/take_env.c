/* take_env.c: environment variables that the run reads, at first sight. */
#include "pipeline_state.h"

void take_env(struct pipeline *p, const struct record *r)
{
	const struct ev_env *e = r->body;
	struct process *process = process_of(p, r);
	struct fact f = { .kind = FACT_ENV, .time = wall(p, r->h->time), .process = process };

	f.source = source_waiting(p, r->h->tid, STACK_ENV);
	f.env.name = (struct span){ r->tail, r->h->len };
	/* A shell looks at its own variables the same way. */
	if (e->mechanism == ENV_SHELL && process_env_has(process, f.env.name) != 1)
		return;
	process->env_reads++;
	if (!process_first_read(process, f.env.name))
		return;
	f.env.mechanism = e->mechanism;
	f.env.found = process_env_has(process, f.env.name);
	f.env.sensitive = name_is_sensitive(&p->run.masker, f.env.name);
	fact_emit(p, &f);
}
