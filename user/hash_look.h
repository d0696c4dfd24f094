/* hash_look.h: hashes the programs that findings are about, by processes that may be made to wait. */
#ifndef INVIGIL_HASH_LOOK_H
#define INVIGIL_HASH_LOOK_H

#include "pipeline.h"

/* After each event: begins what was asked for and tells what is done; waits for nothing. */
void hash_look(struct pipeline *p, uint32_t run, uint64_t now);
/* Before the run's end: waits a moment for the rest, and says what was not done. */
void hash_finish(struct pipeline *p, uint32_t run, uint64_t now);

#endif
