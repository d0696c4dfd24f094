/* payload.h: finds encoded runs in text and says what they decode to. Pure. */
#ifndef INVIGIL_PAYLOAD_H
#define INVIGIL_PAYLOAD_H

#include <stdbool.h>
#include "buf.h"

#define PAYLOAD_MIN   33	/* decoded bytes; below it is no payload */
#define PAYLOAD_LAYERS 4

enum payload_kind { PAYLOAD_NONE, PAYLOAD_TEXT, PAYLOAD_FILE, PAYLOAD_EXECUTABLE };

struct payload {
	enum payload_kind kind;
	const char *encoding;	/* "hex escapes", "base64", ... */
	unsigned layers;
	struct buf decoded;	/* of the innermost layer */
};

/* Next encoded run from *at on; false when there is none. *at moves behind it. p->decoded is reset. */
bool payload_next(struct span text, size_t *at, struct payload *p);

#endif
