/* code_find.h: finds a function that has no name by instructions in it. Pure. */
#ifndef INVIGIL_CODE_FIND_H
#define INVIGIL_CODE_FIND_H

#include "elf_file.h"

/*
 * pattern: bytes in hexadecimal, ".." any byte, blanks are passed over. False: nowhere, in more
 * than one place, or in no function whose start is known.
 */
bool code_find(const struct elf_file *e, const char *pattern, uint64_t *function);

#endif
