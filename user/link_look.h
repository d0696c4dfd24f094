/* link_look.h: looks at the symbolic link through which a log of the run was opened. */
#ifndef INVIGIL_LINK_LOOK_H
#define INVIGIL_LINK_LOOK_H

#include "pipeline.h"

/* After each event; never waits for a file system. */
void link_look(struct pipeline *p, uint32_t run, uint64_t now);

#endif
