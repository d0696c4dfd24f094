/* tar.h: finds one file in a tar archive that may be cut. Pure. */
#ifndef INVIGIL_TAR_H
#define INVIGIL_TAR_H

#include <stdbool.h>
#include "buf.h"

/*
 * The last member called name (also "./name", "/name"), as an extraction would leave it. False when none was seen before the cut.
 * *complete: its content is whole; in a cut archive a later member may still replace it.
 */
bool tar_find(struct span tar, struct span name, struct span *content, bool *complete);

#endif
