/* kit_session.h: which file a client hands to BuildKit on the HTTP/2 stream of its session. Pure. */
#ifndef INVIGIL_KIT_SESSION_H
#define INVIGIL_KIT_SESSION_H

#include <stdbool.h>
#include "buf.h"

#define KIT_FILE_MAX (64u << 10) /* bytes of it that are kept */

struct kit_session;

struct kit_session *kit_new(void);
void kit_free(struct kit_session *k);

/* Is the file of this name, as the client tells it, the one that is looked for? */
typedef bool kit_is_fn(void *ctx, struct span path);
/*
 * Bytes that the client sent; none may be missing. True once, when the first file that is() took has come: whole
 * (*complete), or longer than KIT_FILE_MAX. *content lives until kit_free().
 */
bool kit_feed(struct kit_session *k, struct span bytes, kit_is_fn *is, void *ctx,
	      struct span *content, bool *complete);

#endif
