/* coverage.c: how each hook is covered here, as the first record of a run tells it. */
#include <string.h>
#include "begin.h"
#include "coverage.h"
#include "probe.h"

static void hook_add(struct buf *begin, const struct need *n, const char *off, const struct tier *t)
{
	begin_add(begin, "hook", span_of(n->name));
	if (off) {
		begin_add(begin, "tier", span_of(off));
		return;
	}
	begin_add(begin, "tier", span_of(t ? t->name : "none"));
	if (!t || t->lacks)
		begin_add(begin, "lacks", span_of(t ? t->lacks : n->effect));
	if (t && n->limit)
		begin_add(begin, "limit", span_of(n->limit));
}

void coverage_add(struct buf *begin, const struct loader *l, bool daemon, const char *env_reads,
		  const char *gate)
{
	for (const struct need *n = needs; n < needs + n_needs; n++) {
		bool env = need_is_env(n), held = !n->tiers[0].programs[0]; /* by the gate */
		bool is_off = !need_asked(n) ||
			      (env ? !strcmp(env_reads, "off") : held && !strcmp(gate, "off"));

		if (need_when(n) == WHEN_DAEMON && !daemon)
			continue;
		hook_add(begin, n, is_off ? "off" : NULL,
			 loader_missed(l, n->name) ? NULL : need_tier(n));
	}
}
