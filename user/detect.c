/* detect.c: hands a fact to the detectors that want it and collects their findings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "detect.h"

#define DETECTOR(name) &detect_##name,
static const struct detector *const detectors[] = {
#include "detect/detectors.def"
};
#undef DETECTOR

/* The memory of each slot is kept for the next fact. */
void report_reset(struct report *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		buf_reset(&r->at[i].subject);
		buf_reset(&r->at[i].evidence);
		r->at[i].rule = NULL;
	}
	r->n = 0;
	r->more = 0;
}

void report_free(struct report *r)
{
	for (unsigned i = 0; i < FINDINGS_MAX; i++) {
		buf_free(&r->at[i].subject);
		buf_free(&r->at[i].evidence);
	}
	memset(r, 0, sizeof(*r));
}

/* Not inside a character, and not inside a mask's head, which is made of the same bytes. */
static void evidence_cut(struct buf *b)
{
	size_t n = FINDING_EVIDENCE;

	if (b->len <= n)
		return;
	for (unsigned back = 0; back < 6 && n && ((unsigned char)b->ptr[n] & 0xc0) == 0x80; back++)
		n--;
	b->len = n;
	b->ptr[n] = 0;
}

void finding(struct report *r, const char *rule_id, struct span subject, const char *fmt, ...)
{
	const struct rule *rule = rule_find(rule_id);
	struct finding *f;
	va_list ap;

	if (!rule) {
		fprintf(stderr, "invigil: no rule %s in the catalogue\n", rule_id);
		abort();
	}
	for (unsigned i = 0; i < r->n; i++) {
		struct span s = { r->at[i].subject.ptr, r->at[i].subject.len };

		if (r->at[i].rule == rule && span_eq_span(s, subject))
			return;
	}
	if (r->n == FINDINGS_MAX) {
		r->more++;
		return;
	}
	f = &r->at[r->n++];
	f->rule = rule;
	buf_reset(&f->subject);
	if (subject.len)
		buf_add(&f->subject, subject.ptr, subject.len);
	buf_reset(&f->evidence);
	va_start(ap, fmt);
	buf_vfmt(&f->evidence, fmt, ap);
	va_end(ap);
	evidence_cut(&f->evidence);
}

void detect_all(const struct fact *f, struct report *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(detectors); i++)
		if (detectors[i]->facts & (unsigned)f->kind)
			detectors[i]->look(f, out);
}
