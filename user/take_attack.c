/* take_attack.c: the run turned against the processes that watch it, or pretends to be another one. */
#include <string.h>
#include "pipeline_state.h"

static const char *const targets[ATTACK_TARGETS] = {
#define TARGET_TEXT(upper, text) [ATTACK_##upper] = text,
	ATTACK_TABLE(TARGET_TEXT)
#undef TARGET_TEXT
};

void take_attack(struct pipeline *p, const struct record *r)
{
	const struct ev_attack *e = r->body;
	struct process *process = process_of(p, r);
	struct buf what = { 0 };

	if (e->how == ATTACK_TRACE)
		buf_str(&what, "the run attached a tracer to it");
	else
		buf_fmt(&what, "the run sent it signal %u", e->signal);
	health_emit(p, HEALTH_ATTACK, process, span_of(targets[e->target]), span_of(what.ptr),
		    SPAN("nothing after this moment can be relied on"), 1, NULL, true);
	buf_free(&what);
}

void take_claim(struct pipeline *p, const struct record *r)
{
	const struct ev_claim *e = r->body;
	struct buf what = { 0 };

	buf_fmt(&what, "it is that of run %.*s, which is %s", (int)r->h->len, r->tail,
		e->other_user ? "another user's" : "another agent's");
	health_emit(p, HEALTH_CLAIM, NULL, SPAN("CI job"), span_of(what.ptr),
		    SPAN("who started this run is not known"), 1, NULL, false);
	buf_free(&what);
}
