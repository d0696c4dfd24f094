/* elf_file.h: reads 64-bit little-endian ELF files that lie in memory; every byte of them is untrusted. Pure. */
#ifndef INVIGIL_ELF_FILE_H
#define INVIGIL_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include "buf.h"

/* Puts n bytes at offset into place; false: they are not to be had. */
typedef bool elf_fetch_fn(void *ctx, uint64_t offset, uint64_t n);

/* The bytes are borrowed. */
struct elf_file {
	struct span bytes;
	elf_fetch_fn *fetch; /* asked before any is looked at; NULL: all are in place */
	void *ctx;
	Elf64_Ehdr head;
};

bool elf_open(struct elf_file *e, struct span bytes);
bool elf_open_by(struct elf_file *e, struct span bytes, elf_fetch_fn *fetch, void *ctx);
/* As much of a range as the file has. */
struct span elf_range(const struct elf_file *e, uint64_t offset, uint64_t n);
/* Copies n bytes at a file offset; false when the file has not so many. */
bool elf_bytes(const struct elf_file *e, uint64_t offset, void *out, size_t n);
/* NUL ended text at a file offset; empty when it has no end, or is longer than any path. */
struct span elf_text(const struct elf_file *e, uint64_t offset);

/* Of the loadable segments: file offset of an address and the reverse; false when none holds it. */
bool elf_offset(const struct elf_file *e, uint64_t address, uint64_t *offset);
bool elf_address(const struct elf_file *e, uint64_t offset, uint64_t *address);
/* Bytes of the file, asked for with elf_range. */
struct elf_place {
	uint64_t offset, len;
};
/* Where a section stands in the file; empty when there is no such section. */
struct elf_place elf_section_place(const struct elf_file *e, const char *name);
struct span elf_section(const struct elf_file *e, const char *name);
/* Of loadable segment i, if it is code, or not; false after the last program header. */
bool elf_segment(const struct elf_file *e, unsigned i, bool code, struct elf_place *place);

/* Calls fn for each defined symbol that is exported, and with local for those of .symtab, until fn says false. */
typedef bool elf_symbol_fn(void *ctx, struct span name, uint64_t address, bool function);
void elf_symbols(const struct elf_file *e, bool local, elf_symbol_fn *fn, void *ctx);

/* Start of the function that holds an address, by the table for unwinding, which stripped files have too. */
bool elf_function_start(const struct elf_file *e, uint64_t address, uint64_t *start);

/* What a relative relocation puts at an address of a position independent file when it is loaded. */
bool elf_relocated(const struct elf_file *e, uint64_t address, uint64_t *value);

struct span elf_build_id(const struct elf_file *e);
struct span elf_interpreter(const struct elf_file *e);
/* A program, not a library, that no dynamic linker prepares. */
bool elf_is_static(const struct elf_file *e);
/* Text of the i-th dynamic entry with that tag (DT_NEEDED, DT_RUNPATH, DT_RPATH); empty after the last. */
struct span elf_dynamic_text(const struct elf_file *e, int64_t tag, unsigned i);

#endif
