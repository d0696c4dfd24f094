/* secret_shape.h: recognises well-known credential formats by their shape. */
#ifndef INVIGIL_SECRET_SHAPE_H
#define INVIGIL_SECRET_SHAPE_H

#include <stdbool.h>
#include "buf.h"

/*
 * Length of the credential that begins at s.ptr[at], or 0. *kind is its format's short name
 * ("github"); for a PEM private key *kind is NULL.
 */
size_t secret_shape(struct span s, size_t at, const char **kind);
/* The first place from at on where one may begin; s.len: none. */
size_t secret_next(struct span s, size_t at);
/* Is at the beginning of a word, also behind %3D, \n and the like? */
bool word_begins(struct span s, size_t at);

#endif
