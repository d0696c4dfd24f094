/* elf_build.h: makes small ELF files in memory for the tests of their readers. */
#ifndef INVIGIL_ELF_BUILD_H
#define INVIGIL_ELF_BUILD_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "buf.h"

#define ELF_BASE 0x400000u /* address of the file's first byte */

/* One loadable segment holds the whole file; sections are added one by one, elf_done() writes the headers. */
struct elf_build {
	struct buf b;
	Elf64_Shdr section[16];
	unsigned sections;
	char names[512];
	size_t names_len;
	uint64_t dynamic, dynamic_len;
	uint64_t interpreter, interpreter_len, note, note_len, unwind, unwind_len;
	bool code;              /* the segment is executable */
	uint16_t type, machine; /* EM_..., 0: x86-64 */
};

static inline void elf_start(struct elf_build *e, uint16_t type)
{
	memset(e, 0, sizeof(*e));
	e->type = type;
	e->sections = 1;
	e->names_len = 1;
	for (unsigned i = 0; i < 512; i++)
		buf_byte(&e->b, 0);
}

/* Returns the offset of the bytes. */
static inline uint64_t elf_put(struct elf_build *e, const void *bytes, size_t n)
{
	uint64_t at;

	while (e->b.len % 16)
		buf_byte(&e->b, 0);
	at = e->b.len;
	buf_add(&e->b, bytes, n);
	return at;
}

static inline uint64_t elf_put_section(struct elf_build *e, const char *name, uint32_t type,
				       const void *bytes, size_t n, uint32_t link)
{
	Elf64_Shdr *s = &e->section[e->sections++];

	s->sh_offset = elf_put(e, bytes, n);
	s->sh_addr = ELF_BASE + s->sh_offset;
	s->sh_size = n;
	s->sh_type = type;
	s->sh_link = link;
	s->sh_name = e->names_len;
	e->names_len += sprintf(e->names + e->names_len, "%s", name) + 1;
	return s->sh_offset;
}

/* names: NUL separated after an empty one; every symbol is defined at ELF_BASE + 0x100 * its number. */
static inline void elf_put_typed(struct elf_build *e, uint32_t type, unsigned char info,
				 const char *names, size_t n)
{
	Elf64_Sym s[16] = { 0 };
	unsigned count = 1;
	uint32_t strings = e->sections;

	elf_put_section(e, ".strings", SHT_STRTAB, names, n, 0);
	for (size_t at = 1; at < n; at += strlen(names + at) + 1) {
		s[count].st_name = at;
		s[count].st_shndx = 1;
		s[count].st_info = info;
		s[count].st_value = ELF_BASE + 0x100 * count;
		count++;
	}
	elf_put_section(e, ".symbols", type, s, count * sizeof(*s), strings);
}

static inline void elf_put_symbols(struct elf_build *e, uint32_t type, const char *names, size_t n)
{
	elf_put_typed(e, type, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), names, n);
}

static inline struct span elf_done(struct elf_build *e)
{
	Elf64_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
			 .e_type = e->type,
			 .e_machine = e->machine ? e->machine : EM_X86_64,
			 .e_phoff = sizeof(h),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 1,
			 .e_shentsize = sizeof(Elf64_Shdr) };
	Elf64_Phdr p[5] = { 0 };

	elf_put_section(e, ".shstrtab", SHT_STRTAB, e->names, sizeof(e->names), 0);
	memcpy(e->b.ptr + e->section[e->sections - 1].sh_offset, e->names, sizeof(e->names));
	h.e_shstrndx = e->sections - 1;
	h.e_shnum = e->sections;
	h.e_shoff = elf_put(e, e->section, e->sections * sizeof(*e->section));
	p[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_vaddr = ELF_BASE, .p_filesz = e->b.len };
	if (e->dynamic_len)
		p[h.e_phnum++] = (Elf64_Phdr){ .p_type = PT_DYNAMIC,
					       .p_offset = e->dynamic,
					       .p_filesz = e->dynamic_len };
	if (e->interpreter_len)
		p[h.e_phnum++] = (Elf64_Phdr){ .p_type = PT_INTERP,
					       .p_offset = e->interpreter,
					       .p_filesz = e->interpreter_len };
	if (e->note_len)
		p[h.e_phnum++] = (Elf64_Phdr){ .p_type = PT_NOTE,
					       .p_offset = e->note,
					       .p_filesz = e->note_len };
	if (e->unwind_len)
		p[h.e_phnum++] = (Elf64_Phdr){ .p_type = PT_GNU_EH_FRAME,
					       .p_offset = e->unwind,
					       .p_vaddr = ELF_BASE + e->unwind,
					       .p_filesz = e->unwind_len };
	p[0].p_flags = e->code ? PF_R | PF_X : PF_R;
	memcpy(e->b.ptr, &h, sizeof(h));
	memcpy(e->b.ptr + sizeof(h), p, sizeof(p));
	return (struct span){ e->b.ptr, e->b.len };
}

#endif
