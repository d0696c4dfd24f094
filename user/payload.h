/* payload.h: finds encoded runs in text and tells what they decode to. Pure; bounded; linear time.
 */
#ifndef INVIGIL_PAYLOAD_H
#define INVIGIL_PAYLOAD_H

#include <stdbool.h>
#include "buf.h"
#include "scrub.h"

#define PAYLOAD_MIN    33 /* decoded bytes below which a run is no payload */
#define PAYLOAD_LAYERS 4

/* X(ENUM, words for evidence) */
#define PAYLOAD_CODINGS(X)                                                                         \
	X(HEX_ESCAPE, "hex escapes")                                                               \
	X(OCTAL, "octal escapes")                                                                  \
	X(UNICODE, "unicode escapes")                                                              \
	X(PERCENT, "percent encoding")                                                             \
	X(HEX, "hex digits")                                                                       \
	X(CODES, "character codes")                                                                \
	X(BASE32, "base32")                                                                        \
	X(BASE64, "base64")                                                                        \
	X(BASE64URL, "base64url")

enum payload_coding {
#define PAYLOAD_ENUM(upper, text) CODING_##upper,
	PAYLOAD_CODINGS(PAYLOAD_ENUM)
#undef PAYLOAD_ENUM
		CODINGS
};

/* Worse ones later. */
enum payload_content {
	CONTENT_NONE, /* not told: no payload */
	CONTENT_TEXT,
	CONTENT_FILE,     /* a known binary format: archive, image, ... */
	CONTENT_SHELL,    /* a shell command line */
	CONTENT_SCRIPT,   /* #! and more than echo */
	CONTENT_PROGRAM,  /* ELF, PE, Mach-O */
	CONTENT_URL_PIPE, /* a download piped to an interpreter */
	CONTENTS
};

struct payload {
	enum payload_coding coding;   /* of the outermost layer */
	enum payload_content content; /* worst of all layers */
	unsigned layers;
	struct span run;     /* where it stands in the text */
	struct span decoded; /* of the outermost layer */
	struct span core;    /* of the layer that content is about */
};

typedef void payload_fn(void *ctx, const struct payload *p);

/* Calls fn for each run, in no certain order; its spans live only during the call. */
void payload_find(struct span text, payload_fn *fn, void *ctx);
/* Executable content, as R2.2 has it. */
bool payload_executes(const struct payload *p);
const char *payload_coding_text(enum payload_coding c);
/* What s is. *core gets the stretch that says so. */
enum payload_content payload_content(struct span s, struct span *core);
const char *payload_content_text(enum payload_content c);
/* How many escapes are there as echo -e and printf resolve them (\xHH, \0ooo, \uHHHH)? */
size_t payload_escapes(struct span text);
/*
 * At most max bytes of what was decoded, escaped and on one line. What may be a secret is left out:
 * decoding has made bytes that the scrubber has not seen.
 */
void payload_preview(const struct masker *m, struct span decoded, size_t max, struct buf *out);

#endif
