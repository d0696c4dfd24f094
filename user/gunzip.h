/* gunzip.h: unpacks what there is of a gzip stream, up to a limit. Pure. */
#ifndef INVIGIL_GUNZIP_H
#define INVIGIL_GUNZIP_H

#include <stdbool.h>
#include "buf.h"

bool gunzip_looks(struct span s);
/* Into out (reset), at most max bytes. False when it is not whole; what came before stays. */
bool gunzip(struct span in, size_t max, struct buf *out);

#endif
