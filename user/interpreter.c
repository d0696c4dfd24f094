/* interpreter.c: reads a #! line and an ELF file's PT_INTERP; trusts no offset of theirs. */
#include <elf.h>
#include <string.h>
#include "interpreter.h"

static bool path_copy(const char *from, size_t n, char *out)
{
	if (!n || n >= INTERPRETER_MAX || memchr(from, 0, n))
		return false;
	memcpy(out, from, n);
	out[n] = 0;
	return true;
}

/* As fs/binfmt_script.c: blanks, the path, then a blank or the end of the line. */
static bool script_interpreter(struct span head, char *out)
{
	const char *p = head.ptr + 2, *end = head.ptr + head.len, *stop;

	if (head.len > INTERPRETER_MAX)
		end = head.ptr + INTERPRETER_MAX;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	for (stop = p; stop < end && *stop && !strchr(" \t\n", *stop);)
		stop++;
	return path_copy(p, stop - p, out);
}

static bool elf_interpreter(struct span head, char *out)
{
	Elf64_Ehdr eh;

	if (head.len < sizeof(eh))
		return false;
	memcpy(&eh, head.ptr, sizeof(eh));
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_phentsize != sizeof(Elf64_Phdr))
		return false;
	for (unsigned i = 0; i < eh.e_phnum; i++) {
		uint64_t at = i * sizeof(Elf64_Phdr);
		Elf64_Phdr ph;

		if (eh.e_phoff > head.len || head.len - eh.e_phoff < at + sizeof(ph))
			return false;
		memcpy(&ph, head.ptr + eh.e_phoff + at, sizeof(ph));
		if (ph.p_type != PT_INTERP)
			continue;
		if (ph.p_offset > head.len || head.len - ph.p_offset < ph.p_filesz)
			return false;
		return path_copy(head.ptr + ph.p_offset,
				 strnlen(head.ptr + ph.p_offset, ph.p_filesz), out);
	}
	return false;
}

bool interpreter_of(struct span head, char *out)
{
	if (head.len > 2 && !memcmp(head.ptr, "#!", 2))
		return script_interpreter(head, out);
	if (head.len > SELFMAG && !memcmp(head.ptr, ELFMAG, SELFMAG))
		return elf_interpreter(head, out);
	return false;
}
