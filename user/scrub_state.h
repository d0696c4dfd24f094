/* scrub_state.h: what the files of the scrubber share. */
#ifndef INVIGIL_SCRUB_STATE_H
#define INVIGIL_SCRUB_STATE_H

#include "scrub.h"

#define MASK_MIN 8 /* shorter secrets are masked, but neither known nor told apart */

/* Was masker_init() called? A tag has its highest bits set. */
static inline bool masker_ready(const struct masker *m)
{
	return m->tag[0];
}

/* masker.c: n bytes that are to be found wherever they stand from now on. Returns whether any was new. */
bool masker_learn(struct masker *m, const char *p, size_t n, struct span name);
/* masker.c: masks n bytes that are not masked yet. Returns 1 when it did. */
unsigned mask_set(struct masker *m, char *p, size_t n, enum secret_kind kind, struct span name);
/* masker.c: masks everything that was learned. Returns how often. */
unsigned scrub_known(struct masker *m, char *bytes, size_t n);

/*
 * masker.c: the bytes were cut at their end (or beginning): what begins (ends) there as a known value
 * does may be a part of one. Parts of less than eight bytes are not told.
 */
void scrub_cut_end(struct masker *m, char *bytes, size_t n);
void scrub_cut_begin(struct masker *m, char *bytes, size_t n);

/* secret_learn.c: a value that stands for a secret and is none: ${X}, <token>, xxxx, true, ... */
bool is_placeholder(const char *p, size_t n);
/* secret_learn.c: the value of a sensitive variable, in the forms it may come back in. */
void learn_variable(struct masker *m, struct span name, char *value, size_t n);

/* scrub_text.c: masks what looks like a secret: tokens, headers, members, assignments, URLs. Returns how often. */
unsigned scrub_looks(struct masker *m, char *bytes, size_t n);
/* scrub_text.c: the same, of URLs and image references alone. */
unsigned scrub_urls(struct masker *m, char *bytes, size_t n);
/*
 * scrub_escape.c: masks what is known behind one or two layers of escapes, with urls also their credentials. Returns
 * how often.
 */
unsigned scrub_escaped(struct masker *m, char *bytes, size_t n, bool urls);
/* scrub.c: as scrub_bytes(), but only values of sensitive variables and what has a credential's own form. */
unsigned scrub_leaks(struct masker *m, char *bytes, size_t n);
/* scrub_text.c: formats that tell a credential by themselves. Returns how often. */
unsigned scrub_tokens(struct masker *m, char *bytes, size_t n);
/* scrub_text.c: the password (or lone token) of the URL whose authority begins at p. */
bool url_password(const char *p, size_t n, size_t *at, size_t *len);
char *skip_blank(char *p, char *end, bool percent);
/* scrub_text.c: end of a value opened by quote q (1 ", 2 \", 3 %22); may be end + 1. */
char *quoted_end(char *v, char *end, size_t q);

#endif
