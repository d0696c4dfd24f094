/* take_source.c: code objects and stacks of Python processes; a stack waits for the record it belongs to. */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "pipeline_state.h"
#include "python.h"

void take_code(struct pipeline *p, const struct record *r)
{
	if (!source_code_add(p->codes, r->body, r->tail))
		p->run.rejected++;
}

#define ALL_LINES SPAN("which line of the script did it")

static void unknown_say(struct pipeline *p, struct process *process, struct span why,
			struct span effect)
{
	if (process->source_said)
		return;
	process->source_said = true;
	health_emit(p, HEALTH_GAP, process, SPAN("source lines"), why, effect, 1, NULL, false);
}

static void status_say(struct pipeline *p, struct process *process, const struct ev_stack *e)
{
	struct buf b = { 0 };

	switch (e->status) {
	case STACK_NO_LAYOUT:
		buf_fmt(&b, "CPython %u.%u%s is not known", e->version >> 8 & 0xff,
			e->version & 0xff, e->version & PYTHON_NO_GIL ? " without the GIL" : "");
		unknown_say(p, process, span_of(e->version ? b.ptr : "this Python is not known"),
			    ALL_LINES);
		break;
	case STACK_NO_THREAD:
		unknown_say(p, process, SPAN("the interpreter knows no such thread"), ALL_LINES);
		break;
	}
	buf_free(&b);
}

void source_none_say(struct pipeline *p, struct process *process)
{
	if (process->name && !strncmp(process->name, "pypy", 4))
		unknown_say(p, process, SPAN("PyPy is not known"), ALL_LINES);
}

void source_cython_say(struct pipeline *p, struct process *process)
{
	static const char *const why[] = {
		[CYTHON_MAYBE] =
			"a module could not be looked into: what Cython compiled has no frame",
		[CYTHON_LOADED] = "functions that Cython compiled have no frame",
	};

	if (process->has_lines && process->cython != CYTHON_NONE)
		unknown_say(p, process, span_of(why[process->cython]),
			    SPAN("lines inside functions that Cython compiled"));
}

static void source_wait(struct pipeline *p, const struct ev_hdr *h, struct source *s)
{
	struct waiting *w = &p->waiting[p->n_waiting++ % ARRAY_SIZE(p->waiting)];

	source_drop(w->source);
	*w = (struct waiting){ h->time, h->tid, s };
}

struct source *source_of_record(struct pipeline *p, const struct record *r, uint64_t stack)
{
	unsigned n = p->n_waiting < ARRAY_SIZE(p->waiting) ? p->n_waiting : ARRAY_SIZE(p->waiting);

	for (struct waiting *w = p->waiting; stack && w < p->waiting + n; w++)
		if (w->source && w->time == stack && w->tid == r->h->tid)
			return w->source;
	return NULL;
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
	if (e->status == STACK_PROVEN && !(s && s->exact) && e->flags & STACK_BROKEN)
		unknown_say(p, process, SPAN("a frame could not be read"), ALL_LINES);
	process->has_lines |= s != NULL;
	source_cython_say(p, process);
	if (e->reason != STACK_FORK) {
		source_wait(p, r->h, s);
		return;
	}
	child = table_find(p->table, e->child_pid, e->child_start, &p->run, &missed);
	if (s) {
		source_drop(child->source);
		child->source = s;
	}
}

void source_sent(struct pipeline *p, const struct record *r)
{
	struct source *s = source_of_record(p, r, ((const struct ev_data *)r->body)->stack);
	struct sent *k = &p->sent[p->n_sent % ARRAY_SIZE(p->sent)];

	if (!s)
		return;
	p->n_sent++;
	source_drop(k->source);
	*k = (struct sent){ r->h->pid, r->h->start, r->h->time, source_hold(s) };
}

struct source *source_of_call(struct pipeline *p, const struct process *process, uint64_t time)
{
	unsigned n = p->n_sent < ARRAY_SIZE(p->sent) ? p->n_sent : ARRAY_SIZE(p->sent);

	for (struct sent *k = p->sent; k < p->sent + n; k++)
		if (k->source && k->time == time && k->pid == process->pid &&
		    k->start == process->start)
			return k->source;
	return NULL;
}

struct container {
	char id[EV_CONTAINER_LEN];
	struct source *source;
	struct test_case *test;
};

static int container_compare(const void *a, const void *b)
{
	return memcmp(a, b, EV_CONTAINER_LEN);
}

static void container_free(void *node)
{
	struct container *c = node;

	source_drop(c->source);
	test_case_drop(c->test);
	free(c);
}

void container_wanted(struct pipeline *p, struct span id, const struct source *s,
		      const struct test_case *test)
{
	struct container *c, **in;

	if (id.len != EV_CONTAINER_LEN)
		return;
	c = xcalloc(1, sizeof(*c));
	memcpy(c->id, id.ptr, sizeof(c->id));
	in = tsearch(c, &p->containers, container_compare);
	if (!in)
		abort(); /* tsearch's own malloc failed */
	if (*in != c)
		free(c);
	source_drop((*in)->source);
	(*in)->source = source_hold((struct source *)s);
	test_case_drop((*in)->test);
	(*in)->test = test_case_hold(test);
}

void container_enter(struct pipeline *p, struct process *process)
{
	struct container key = { 0 }, **found;

	if (!process->container_id || strlen(process->container_id) != sizeof(key.id))
		return;
	memcpy(key.id, process->container_id, sizeof(key.id));
	found = tfind(&key, &p->containers, container_compare);
	if (found && !process->source)
		process->source = source_hold((*found)->source);
	if (found && !process->test)
		process->test = test_case_hold((*found)->test);
}

void sources_free(struct pipeline *p)
{
	for (unsigned i = 0; i < ARRAY_SIZE(p->waiting); i++)
		source_drop(p->waiting[i].source);
	for (unsigned i = 0; i < ARRAY_SIZE(p->sent); i++)
		source_drop(p->sent[i].source);
	tdestroy(p->containers, container_free);
	source_codes_free(p->codes);
}
