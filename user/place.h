/* place.h: paths as words: cleaned, and the place of the host that they mean. Pure. */
#ifndef INVIGIL_PLACE_H
#define INVIGIL_PLACE_H

#include "buf.h"

/* Lexically clean: no "//", "." and ".."; without a slash at the end but for "/" itself. */
void path_clean(struct span in, struct buf *out);
/*
 * The place that a clean path means: /proc/PID/root is a root, /var/run is /run. Other links of the host
 * are not known here.
 */
const char *path_place(const char *path);

#endif
