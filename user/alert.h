/* alert.h: fingerprints, counts and the nine-line tally: which finding is new, which repeats. Pure. */
#ifndef INVIGIL_ALERT_H
#define INVIGIL_ALERT_H

#include "detect.h"

/* One fingerprint: rule + subject + place (program base name and script of the process). */
struct alert {
	const struct rule *rule;
	enum severity severity;
	char fingerprint[33];        /* 32 hex digits, the same in every run and on every machine */
	uint64_t count, first, last; /* unix ns */
	struct buf subject, evidence;             /* of the first */
	const struct process *process;            /* of the first; may be NULL */
	struct test_case *test;                   /* likewise; held */
	struct source *source;                    /* likewise; held */
	struct span container_id, container_name; /* of the first, owned copies; may be empty */
	unsigned known;                           /* so many secrets did the run know then */
};

struct alerts {
	struct alert *at; /* in order of first sight */
	unsigned n, cap;
	uint64_t dropped;                  /* new ones beyond ALERTS_MAX */
	uint64_t tally[RISKS][SEVERITIES]; /* findings, info included, each occurrence */
	void *index;                       /* alert.c */
};

#define ALERTS_MAX 10000

void alerts_init(struct alerts *a);
void alerts_free(struct alerts *a);
/*
 * Counts a finding. Returns the alert when it must be said now (first sight and severity >= low),
 * NULL for info, repeats, off and dropped.
 */
const struct alert *alerts_note(struct alerts *a, const struct finding *f, const struct fact *fact);
/*
 * What was said of an alert before a secret was known is masked, so that the summary, the reports and the line that
 * counts its repeats do not say it again.
 */
void alerts_mask(struct alerts *a, struct masker *m);
/* Worst severity seen, SEV_INFO when none above; the tally's categories R1..R9 (and R0 when with_health). */
enum severity alerts_worst(const struct alerts *a, bool with_health);
/* Of one category: the worst severity with a finding, -1: none. */
int alerts_worst_in(const struct alerts *a, enum risk r);
/* The n-th alert of a category, worst first, then in order of first sight; NULL: no such. */
const struct alert *alerts_nth(const struct alerts *a, enum risk r, unsigned n);

#endif
