/* source.h: the line of the test script that an event goes back to, by the interpreter's own stack. Pure. */
#ifndef INVIGIL_SOURCE_H
#define INVIGIL_SOURCE_H

#include <stdbool.h>
#include "buf.h"
#include "event.h"

/* One code object, kept for the whole run. Texts are UTF-8, scrubbed, of the watched program. */
struct source_code {
	uint64_t id;
	unsigned version;
	int first_line;
	bool library; /* standard library or site-packages */
	struct span file, name, table;
	bool told; /* the line of `at`, where it stood last */
	int at, line;
};

struct source_frame {
	struct source_code *code;
	int at;   /* as of ev_frame */
	int line; /* 0: the instruction has none */
};

#define SOURCE_TEXTS 2

/* What a process, a read or a call goes back to. Shared by all that follows from it. */
struct source {
	unsigned refs;
	uint32_t reason, flags; /* as of ev_stack */
	uint32_t pid;           /* whose stack it is */
	char api[48];   /* "check_call", "os.system", ...; empty for what makes no process */
	bool exact;     /* every frame up to the script's own is known, and its line */
	bool cut;       /* outer frames are missing */
	bool script;    /* some frame is no library's, or it made a process */
	bool library;   /* the code that asks os for it is a library's */
	unsigned n, at; /* frame[at] is the script's own line */
	int test;       /* the nearest test_* from there outward; -1: none */
	struct source_frame frame[EV_FRAMES]; /* innermost first */
	struct buf *json; /* SOURCE_TEXTS, for who writes it: what it is in the stream */
};

struct source_codes;

struct source_codes *source_codes_new(void);
void source_codes_free(struct source_codes *c);
/* Settled, as record_scrub() leaves it. False: not usable, known already, or too many. */
bool source_code_add(struct source_codes *c, const struct ev_code *e, const char *tail);
/*
 * NULL: not even the frame that called the API is known, or nothing but libraries called; of a read
 * that is told, without a script. The same stack, seen again, is the same source. Referenced once more.
 */
struct source *source_new(struct source_codes *c, const struct ev_stack *e,
			  const struct ev_frame *frames, unsigned n, uint32_t pid);
struct source *source_hold(struct source *s); /* NULL is fine, here and there */
void source_drop(struct source *s);

/* The characters of a str object (kind bytes each) as UTF-8; lone surrogates as the bytes they stand for. */
void source_text(const char *chars, size_t n, unsigned kind, struct buf *out);
/* The frame that is the script's own line. */
static inline const struct source_frame *source_at(const struct source *s)
{
	return &s->frame[s->at];
}
/*
 * For evidence: " (check_call at tests/test_a.py:12 in test_start)", "from ..." when pid is not the
 * process whose stack it is. Nothing for NULL.
 */
void source_phrase(const struct source *s, uint32_t pid, const char *tree, struct buf *out);
/* "tests/test_a.py:12", relative to the working tree when it lies there. */
void source_place(const struct source *s, const char *tree, struct buf *out);

#endif
