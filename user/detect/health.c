/* health.c: R0, what the monitor itself lost or could not see. */
#include "detect.h"

static void look(const struct fact *f, struct report *out)
{
	static const char *const rules_of[] = {
		[HEALTH_LOST] = "R0.1", [HEALTH_GAP] = "R0.2", [HEALTH_CUT] = "R0.3", [HEALTH_MISSED] = "R0.4",
	};

	finding(out, rules_of[f->health.what], f->health.hook.len ? f->health.hook : span_of(f->health.type),
		"%.*s: %.*s", SPANF(f->health.hook), SPANF(f->health.reason));
}

const struct detector detect_health = { RISK_HEALTH, FACT_HEALTH, look };
