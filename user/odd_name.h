/* odd_name.h: names of files and objects that say something else than they show. Pure. */
#ifndef INVIGIL_ODD_NAME_H
#define INVIGIL_ODD_NAME_H

#include "scrub.h"

/* What is odd about the name (one step of a path), in words; NULL: nothing. Masked bytes are passed over. */
const char *name_is_odd(const struct masker *m, struct span name);

#endif
