/* source_line.h: which line an instruction of a CPython code object stands for. Pure. */
#ifndef INVIGIL_SOURCE_LINE_H
#define INVIGIL_SOURCE_LINE_H

#include <stddef.h>
#include <stdint.h>

/*
 * version as 0x030b for 3.11; table and first as the code object has them (co_lnotab,
 * co_linetable; co_firstlineno); at as struct ev_frame. 0: the instruction has no line.
 * -1: the table does not tell.
 */
int source_line(unsigned version, int first, const uint8_t *table, size_t n, int at);

#endif
