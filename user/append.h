/* append.h: what output.c asks of append.c. */
#ifndef INVIGIL_APPEND_H
#define INVIGIL_APPEND_H

#include "output.h"

/* Before its pending lines are written: begins a new file when this one is full, or of an earlier time. */
void append_make_room(struct output *o);

#endif
