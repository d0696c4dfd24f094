/* go_table.h: addresses of Go functions from the table that every Go program carries, stripped or not. Pure. */
#ifndef INVIGIL_GO_TABLE_H
#define INVIGIL_GO_TABLE_H

#include "elf_file.h"

/* runtime.pclntab as Go 1.17 and later write it (src/runtime/symtab.go: pcHeader, functab, _func). */
struct go_table {
	const struct elf_file *elf;
	struct span bytes;  /* from the header to the end of what holds it */
	uint64_t functions; /* number of entries of the function table */
	uint64_t text;      /* entries are relative to it; 0 before 1.18 */
	uint64_t names, names_end, table;
	unsigned word; /* bytes of a number in the function table */
};

/* False: not a Go program, or one whose arguments are not in registers (before 1.17; on arm64 1.18). */
bool go_open(struct go_table *t, const struct elf_file *e);
/* A function by its full name, "syscall.Getenv". */
bool go_function(const struct go_table *t, const char *name, uint64_t *address);

#endif
