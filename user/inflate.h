/* inflate.h: what gzip, zlib and (with liblzma) xz data unpacks to, bounded. Pure. */
#ifndef INVIGIL_INFLATE_H
#define INVIGIL_INFLATE_H

#include <stdbool.h>
#include "buf.h"

#define INFLATE_MAX 65536 /* what is unpacked at most */

/* Appends the beginning of the content; of broken data what came before. False: it is none of these, or empty. */
bool inflate_bytes(struct span in, struct buf *out);

#endif
