/* health.c: R0, what the monitor itself lost or could not see. */
#include "detect.h"

static const char *const ids[] = {
	[HEALTH_LOST] = "R0.1",   [HEALTH_GAP] = "R0.2",    [HEALTH_CUT] = "R0.3",
	[HEALTH_MISSED] = "R0.4", [HEALTH_ATTACK] = "R0.5", [HEALTH_CLAIM] = "R0.6",
};

static void look(const struct fact *f, struct report *out)
{
	struct span subject = f->health.hook;

	if ((size_t)f->health.what >= ARRAY_SIZE(ids))
		return;
	if (f->health.what == HEALTH_LOST && f->health.type)
		subject = span_of(f->health.type);
	else if (f->health.what == HEALTH_CUT)
		subject = f->health.reason;
	if (f->health.what == HEALTH_LOST)
		finding(out, "R0.1", subject, "%llu %s records lost: %.*s",
			(unsigned long long)f->health.count,
			f->health.type ? f->health.type : "unknown", SPANF(f->health.reason));
	else
		finding(out, ids[f->health.what], subject, "%.*s: %.*s%s%.*s",
			SPANF(f->health.hook), SPANF(f->health.reason),
			f->health.effect.len ? "; " : "", SPANF(f->health.effect));
}

const struct detector detect_health = { RISK_HEALTH, FACT_HEALTH, look };
