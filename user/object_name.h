/* object_name.h: how clients may write the id, name or reference of an object of the Engine. Pure. */
#ifndef INVIGIL_OBJECT_NAME_H
#define INVIGIL_OBJECT_NAME_H

#include <stdbool.h>
#include "buf.h"

struct span slash_trim(struct span s);  /* "/name" is "name" */
struct span digest_trim(struct span s); /* without "sha256:" */
bool id_is_hex(struct span s);
bool id_is_full(struct span s); /* 64 digits, with or without "sha256:" */
/* "docker.io/library/a" is "a:latest"; a digest outdoes a tag. */
void reference_normalise(struct span s, struct buf *out);

#endif
