/* detect.h: a detector looks at one fact and reports findings; nine files in detect/, one line each in detectors.def. */
#ifndef INVIGIL_DETECT_H
#define INVIGIL_DETECT_H

#include "catalogue.h"
#include "fact.h"

/* One observation of a rule. Text is bytes as seen (masked secrets inside); escaped at the sink. */
struct finding {
	const struct rule *rule;
	struct buf
		subject; /* what it is about: with rule and place it makes the fingerprint. No pids, no times, no random ids */
	struct buf evidence; /* a few words for a person, at most FINDING_EVIDENCE bytes */
};

#define FINDINGS_MAX     64 /* of one fact; more are counted */
#define FINDING_EVIDENCE 512

struct report {
	struct finding at[FINDINGS_MAX];
	unsigned n;
	unsigned more; /* did not fit */
};

void report_reset(struct report *r);
void report_free(struct report *r);

/*
 * Adds a finding of a catalogue rule (an unknown id aborts: it is our own mistake). subject may be
 * empty. A second finding of the same rule and subject in one report is dropped.
 */
void finding(struct report *r, const char *rule_id, struct span subject, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* For untrusted bytes in evidence: %.*s with these, nothing is interpreted: use as ("%.*s", SPANF(s)). */
#define SPANF(s) (int)((s).len > 200 ? 200 : (s).len), (s).len ? (s).ptr : ""

struct detector {
	enum risk risk;
	unsigned facts; /* mask of enum fact_kind it wants */
	void (*look)(const struct fact *f, struct report *out); /* stateless */
};

#define DETECTOR(name) extern const struct detector detect_##name;
#include "detect/detectors.def"
#undef DETECTOR

/* All detectors that want this fact. */
void detect_all(const struct fact *f, struct report *out);

#endif
