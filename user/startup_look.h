/* startup_look.h: looks at who can change the files that start-up variables of executed programs point at. */
#ifndef INVIGIL_STARTUP_LOOK_H
#define INVIGIL_STARTUP_LOOK_H

#include "pipeline.h"

/* After each event; never waits for a file system. now: CLOCK_BOOTTIME ns. */
void startup_look(struct pipeline *p, uint32_t run, uint64_t now);

#endif
