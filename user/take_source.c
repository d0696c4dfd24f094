/* take_source.c: code objects and stacks of Python processes; a stack waits for what it belongs to. */
#include "pipeline_state.h"

void take_code(struct pipeline *p, const struct record *r)
{
	if (!source_code_add(p->codes, r->body, r->tail))
		p->run.rejected++;
}

static void unknown_say(struct pipeline *p, struct process *process, struct span why)
{
	if (process->source_said)
		return;
	process->source_said = true;
	health_emit(p, HEALTH_GAP, process, SPAN("source lines"), why,
		    SPAN("which line of the script did it"), 1, NULL, false);
}

static void status_say(struct pipeline *p, struct process *process, const struct ev_stack *e)
{
	struct buf b = { 0 };

	switch (e->status) {
	case STACK_NO_LAYOUT:
		buf_fmt(&b, "CPython %u.%u is not known", e->version >> 8 & 0xff,
			e->version & 0xff);
		unknown_say(p, process, span_of(e->version ? b.ptr : "this Python is not known"));
		break;
	case STACK_NO_THREAD:
		unknown_say(p, process, SPAN("the interpreter knows no such thread"));
		break;
	case STACK_NO_MEMORY:
		unknown_say(p, process, SPAN("no memory to walk the stack with"));
		break;
	}
	buf_free(&b);
}

/* Between a stack and the record it belongs to stand only records of other threads. */
static void source_wait(struct pipeline *p, uint32_t tid, uint32_t reason, struct source *s)
{
	struct waiting *w = &p->waiting[p->n_waiting++ % ARRAY_SIZE(p->waiting)];

	source_forget(p, tid);
	source_drop(w->source);
	*w = (struct waiting){ tid, reason, s };
}

struct source *source_waiting(struct pipeline *p, uint32_t tid, enum stack_reason reason)
{
	for (struct waiting *w = p->waiting; w < p->waiting + ARRAY_SIZE(p->waiting); w++)
		if (w->source && w->tid == tid && w->reason == reason)
			return w->source;
	return NULL;
}

void source_forget(struct pipeline *p, uint32_t tid)
{
	for (struct waiting *w = p->waiting; w < p->waiting + ARRAY_SIZE(p->waiting); w++)
		if (w->source && w->tid == tid) {
			source_drop(w->source);
			w->source = NULL;
		}
}

void take_stack(struct pipeline *p, const struct record *r)
{
	const struct ev_stack *e = r->body;
	struct process *process = process_of(p, r), *child;
	unsigned n = r->h->len / sizeof(struct ev_frame);
	struct source *s = NULL;
	bool missed = false;

	status_say(p, process, e);
	if (e->status == STACK_PROVEN)
		s = source_new(p->codes, e, (const void *)r->tail, n, r->h->pid);
	if (e->status == STACK_PROVEN && !s && e->flags & STACK_BROKEN)
		unknown_say(p, process, SPAN("a frame could not be read"));
	if (e->reason != STACK_FORK) {
		source_wait(p, r->h->tid, e->reason, s);
		return;
	}
	child = table_find(p->table, e->child_pid, e->child_start, &p->run, &missed);
	if (s) {
		source_drop(child->source);
		child->source = s;
	}
}
