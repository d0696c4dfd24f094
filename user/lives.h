/* lives.h: is a process still there, or another one that has its number now? */
#ifndef INVIGIL_LIVES_H
#define INVIGIL_LIVES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * start: boot ns, as records have it; 0: not known, whoever has the number. One that has ended and that nobody has
 * waited for is there.
 */
bool process_lives(uint32_t pid, uint64_t start);

#endif
