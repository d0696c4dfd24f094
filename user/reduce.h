/* reduce.h: a line of the full stream as a reduced one has it. Pure. */
#ifndef INVIGIL_REDUCE_H
#define INVIGIL_REDUCE_H

#include <stdbool.h>
#include "buf.h"

/*
 * line: one of ours, with its '\n'. False: a reduced stream (--alerts-only) does not have it. Otherwise it is
 * added to out with the next number of the reduced stream.
 */
bool line_reduce(struct span line, uint64_t *sequence, struct buf *out);

#endif
