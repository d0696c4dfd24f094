/* engine_time.h: what the engine's own clock says of an object: was it there before the request that names it? Pure. */
#ifndef INVIGIL_ENGINE_TIME_H
#define INVIGIL_ENGINE_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"

/* created_at of the answer's body lies before its Date header; false when one of them is no time. */
bool engine_made_before(struct span created_at, struct span date);

#endif
