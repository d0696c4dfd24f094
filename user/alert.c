/* alert.c: counts findings, and tells by fingerprint which of them is new. */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "alert.h"
#include "siphash.h"

/*
 * Published, never changed: a fingerprint is an identity across runs and machines, no protection.
 * The bytes are "invigil finding!" in ASCII, little endian.
 */
static const uint64_t fingerprint_key[2] = { 0x206c696769766e69, 0x21676e69646e6966 };

struct node {
	uint64_t hash[2];
	unsigned at;
};

static int node_compare(const void *a, const void *b)
{
	return memcmp(((const struct node *)a)->hash, ((const struct node *)b)->hash,
		      sizeof(((const struct node *)a)->hash));
}

/* A mask holds a tag and an index of this one run; what it stands for is the same in every run. */
static void add_part(struct buf *out, const struct masker *m, struct span s)
{
	struct span rest = s;

	while (rest.len) {
		const struct secret *which = NULL;
		size_t n = (unsigned char)*rest.ptr == 0xff ? masker_at(m, rest, &which) : 0;

		if (n) {
			buf_str(out, "<redacted:");
			if (which)
				secret_label(which, out);
			buf_byte(out, '>');
		} else {
			n = 1;
			buf_byte(out, *rest.ptr);
		}
		rest.ptr += n;
		rest.len -= n;
	}
	buf_byte(out, 0);
}

/*
 * Rule, subject, program and script, each NUL ended. A subject may hold NULs and still cannot pass
 * for another part, since the other three hold none.
 */
static void fingerprint(const struct finding *f, const struct fact *fact, uint64_t hash[2])
{
	const struct process *p = fact->process;
	const struct masker *m = &fact->run->masker;
	struct buf b = { 0 };

	add_part(&b, m, span_of(f->rule->id));
	add_part(&b, m, (struct span){ f->subject.ptr, f->subject.len });
	add_part(&b, m, span_of(p ? p->name : NULL));
	add_part(&b, m, span_of(p ? p->script : NULL));
	siphash128(fingerprint_key, b.ptr, b.len, hash);
	buf_free(&b);
}

static void hex_write(char out[33], const uint64_t hash[2])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < 16; i++) {
		unsigned byte = (hash[i / 8] >> (8 * (i % 8))) & 0xff;

		out[2 * i] = digits[byte >> 4];
		out[2 * i + 1] = digits[byte & 15];
	}
	out[32] = 0;
}

static struct span span_copy(struct span s)
{
	return s.len ? (struct span){ xstrndup(s.ptr, s.len), s.len } : (struct span){ NULL, 0 };
}

static void alert_fill(struct alert *a, const struct finding *f, const struct fact *fact)
{
	const struct process *p = fact->process;

	a->rule = f->rule;
	a->first = fact->time;
	buf_add(&a->subject, f->subject.ptr, f->subject.len);
	buf_add(&a->evidence, f->evidence.ptr, f->evidence.len);
	a->process = p;
	a->known = fact->run ? fact->run->masker.count : 0;
	a->test = test_case_hold(fact->test);
	a->source = source_hold((struct source *)fact->source);
	if (fact->kind == FACT_DOCKER) {
		const struct docker_call *d = &fact->docker;
		bool create = d->route && d->route->action == ACT_CONTAINER_CREATE;

		bool known = d->container_id.len || !create;
		bool named = d->container_name.len || !create;

		a->container_id = span_copy(known ? d->container_id : d->created_id);
		a->container_name = span_copy(named ? d->container_name : d->target);
	}
	if (!a->container_id.len && p && p->container_id)
		a->container_id = span_copy(span_of(p->container_id));
}

void alerts_mask(struct alerts *a, struct masker *m)
{
	for (unsigned i = 0; i < a->n; i++) {
		struct alert *one = &a->at[i];

		if (one->known == m->count)
			continue;
		scrub_bytes(m, one->subject.ptr, one->subject.len);
		scrub_bytes(m, one->evidence.ptr, one->evidence.len);
		scrub_bytes(m, (char *)one->container_name.ptr, one->container_name.len);
		one->known = m->count;
	}
}

void alerts_init(struct alerts *a)
{
	memset(a, 0, sizeof(*a));
}

void alerts_free(struct alerts *a)
{
	for (unsigned i = 0; i < a->n; i++) {
		buf_free(&a->at[i].subject);
		buf_free(&a->at[i].evidence);
		free((char *)a->at[i].container_id.ptr);
		free((char *)a->at[i].container_name.ptr);
		source_drop(a->at[i].source);
		test_case_drop(a->at[i].test);
	}
	free(a->at);
	tdestroy(a->index, free);
	memset(a, 0, sizeof(*a));
}

/* Many small ones must not hide a big one: the last rooms are for what is worse. */
static unsigned room_of(enum severity s)
{
	return ALERTS_MAX - (SEV_CRITICAL - s) * (ALERTS_MAX / 10);
}

/* The alert of this hash, made when there is none and there is room; *is_new says which. */
static struct alert *alert_of(struct alerts *a, const uint64_t hash[2], enum severity severity,
			      bool *is_new)
{
	struct node key = { { hash[0], hash[1] }, 0 }, *node, **found;

	*is_new = false;
	found = tfind(&key, &a->index, node_compare);
	if (found)
		return &a->at[(*found)->at];
	if (a->n >= room_of(severity))
		return NULL;
	/* All of it at once, so that pointers to alerts stay good; untouched pages cost nothing. */
	if (!a->at) {
		a->at = xcalloc(ALERTS_MAX, sizeof(*a->at));
		a->cap = ALERTS_MAX;
	}
	node = xcalloc(1, sizeof(*node));
	*node = key;
	node->at = a->n;
	if (!tsearch(node, &a->index, node_compare)) {
		free(node);
		return NULL;
	}
	*is_new = true;
	return &a->at[a->n++];
}

const struct alert *alerts_note(struct alerts *a, const struct finding *f, const struct fact *fact)
{
	enum severity severity = rule_severity(f->rule);
	struct alert *alert;
	uint64_t hash[2];
	bool is_new;

	if (severity == SEV_OFF)
		return NULL;
	a->tally[f->rule->risk][severity]++;
	if (severity == SEV_INFO)
		return NULL;
	fingerprint(f, fact, hash);
	alert = alert_of(a, hash, severity, &is_new);
	if (!alert) {
		a->dropped++;
		return NULL;
	}
	if (is_new) {
		alert_fill(alert, f, fact);
		alert->severity = severity;
		hex_write(alert->fingerprint, hash);
	}
	alert->count++;
	if (fact->time < alert->first)
		alert->first = fact->time;
	if (fact->time > alert->last)
		alert->last = fact->time;
	return is_new ? alert : NULL;
}

enum severity alerts_worst(const struct alerts *a, bool with_health)
{
	for (int s = SEV_CRITICAL; s > SEV_INFO; s--)
		for (int r = with_health ? RISK_HEALTH : RISK_HEALTH + 1; r < RISKS; r++)
			if (a->tally[r][s])
				return (enum severity)s;
	return SEV_INFO;
}

int alerts_worst_in(const struct alerts *a, enum risk r)
{
	for (int s = SEV_CRITICAL; s >= SEV_INFO; s--)
		if (a->tally[r][s])
			return s;
	return -1;
}

const struct alert *alerts_nth(const struct alerts *a, enum risk r, unsigned n)
{
	for (int s = SEV_CRITICAL; s > SEV_INFO; s--)
		for (unsigned i = 0; i < a->n; i++)
			if (a->at[i].rule->risk == r && (int)a->at[i].severity == s && !n--)
				return &a->at[i];
	return NULL;
}
