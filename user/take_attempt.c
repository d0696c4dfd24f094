/* take_attempt.c: programs that were to be executed and were not: a line each, and none for a search that found it. */
#include <stdlib.h>
#include <string.h>
#include "attempt.h"
#include "pipeline_state.h"

void attempt_settle(struct pipeline *p, struct process *process)
{
	struct fact f = { .kind = FACT_ATTEMPT };
	struct attempt *a = process->attempt;
	struct buf path = { 0 };
	struct process asked;
	const char *slash;

	if (!a)
		return;
	process->attempt = NULL;
	/* As it would have been. */
	asked = *process;
	asked.json = NULL;
	/* Where a relative one began is not known: the directory may have been changed since the exec. */
	path_resolve(span_of(a->file), NULL, &path);
	slash = strrchr(a->file, '/');
	asked.exe = (struct path){ .text = path.ptr };
	asked.name = (char *)(slash ? slash + 1 : a->file);
	asked.file = a->file;
	asked.args = a->args;
	asked.args_len = a->args_len;
	asked.args_want = a->args_want;
	asked.argc = 0;
	for (size_t i = 0; i < a->args_len; i++)
		asked.argc += !a->args[i];
	asked.tried = a->tried;
	asked.roles = asked.flags = asked.path_entry = 0;
	asked.env = NULL;
	asked.env_len = asked.ended = 0;
	asked.env_cut = false;
	f.time = wall(p, a->time);
	f.process = &asked;
	f.attempt.error = a->error;
	f.attempt.look = a->look;
	fact_emit(p, &f);
	buf_free(&path);
	attempt_free(a);
}

unsigned attempt_executed(struct pipeline *p, const struct record *exec)
{
	struct process *process = table_known(p->table, exec->h->pid, exec->h->start);
	struct exec_parts parts;
	unsigned tried;

	if (!process || !process->attempt)
		return 0;
	exec_parts(exec, &parts);
	if (process->attempt->time > exec->h->time ||
	    !attempt_same(span_of(process->attempt->file), span_of(parts.file)))
		attempt_settle(p, process);
	if (!process->attempt)
		return 0;
	tried = process->attempt->tried;
	/* The exec gate was wrong about this very file. */
	if (process->attempt->look && span_eq(span_of(process->attempt->file), parts.file))
		tried--;
	attempt_free(process->attempt);
	process->attempt = NULL;
	return tried;
}

void take_attempt(struct pipeline *p, const struct record *r)
{
	struct process *process =
		r->h->start ? process_of(p, r) : table_newest(p->table, r->h->pid);
	bool executed;

	if (!process) {
		health_emit(p, HEALTH_GAP, NULL, SPAN("failed execs"),
			    SPAN("its process had ended"), SPAN("a program that was not executed"),
			    1, NULL, false);
		return;
	}
	/* The exec gate tells it by another way than the kernel what came after it. */
	executed = process->exec_time > r->h->time;
	if (executed && process->file && attempt_same(span_of(process->file), span_of(r->tail))) {
		process->tried++;
		return;
	}
	if (process->attempt && attempt_joins(process->attempt, r))
		return;
	attempt_settle(p, process);
	process->attempt = attempt_new(r);
	if (executed || process->ended)
		attempt_settle(p, process);
}

void attempts_finish(struct pipeline *p)
{
	struct process **alive;
	unsigned n;

	alive = table_alive(p->table, &n);
	for (unsigned i = 0; i < n; i++)
		attempt_settle(p, alive[i]);
	free(alive);
}
