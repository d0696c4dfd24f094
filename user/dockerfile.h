/* dockerfile.h: reads a Dockerfile as the builder does: logical lines, instructions, base images. Pure. */
#ifndef INVIGIL_DOCKERFILE_H
#define INVIGIL_DOCKERFILE_H

#include <stdbool.h>
#include "buf.h"

/*
 * One instruction: its word as written, and the rest with continued lines joined and its here-document's lines
 * behind it. Both lie in one text, in this order.
 */
typedef void dockerfile_fn(void *ctx, struct span word, struct span rest);
void dockerfile_walk(struct span file, dockerfile_fn *fn, void *ctx);

/* FROM images that come from elsewhere: no scratch, no earlier stage, nothing that a variable decides. */
typedef void dockerfile_image_fn(void *ctx, struct span image);
void dockerfile_images(struct span file, dockerfile_image_fn *fn, void *ctx);

/* Takes the next word (blanks apart; quotes and backslashes bind) off *rest; empty at the end. */
struct span dockerfile_word(struct span *rest);

/* Of the word <<EOF: EOF; *tabs: its lines lose theirs (<<-EOF). Empty: it begins no here-document. */
struct span dockerfile_heredoc(struct span word, bool *tabs);

#endif
