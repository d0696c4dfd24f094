/* elf_file.c: headers, symbols, relocations and notes of an ELF file, each look bounded by the file's size. */
#include <string.h>
#include "elf_file.h"

/* More than linkers make; without a bound a made-up file keeps us busy for hours. */
#define SEGMENTS_MAX 128
#define SECTIONS_MAX 4096
#define NAME_MAX_LEN 256 /* of a symbol that anybody asks for */
#define TEXT_MAX     4096

static bool in_place(const struct elf_file *e, uint64_t offset, uint64_t n)
{
	return !e->fetch || e->fetch(e->ctx, offset, n);
}

bool elf_bytes(const struct elf_file *e, uint64_t offset, void *out, size_t n)
{
	if (offset > e->bytes.len || n > e->bytes.len - offset || !in_place(e, offset, n))
		return false;
	memcpy(out, e->bytes.ptr + offset, n);
	return true;
}

struct span elf_range(const struct elf_file *e, uint64_t offset, uint64_t n)
{
	if (offset >= e->bytes.len)
		return (struct span){ 0 };
	if (n > e->bytes.len - offset)
		n = e->bytes.len - offset;
	if (!in_place(e, offset, n))
		return (struct span){ 0 };
	return (struct span){ e->bytes.ptr + offset, n };
}

struct span elf_text(const struct elf_file *e, uint64_t offset)
{
	struct span s = elf_range(e, offset, TEXT_MAX);
	size_t n = s.len ? strnlen(s.ptr, s.len) : 0;

	return (struct span){ s.ptr, n < s.len ? n : 0 };
}

bool elf_open(struct elf_file *e, struct span bytes)
{
	return elf_open_by(e, bytes, NULL, NULL);
}

bool elf_open_by(struct elf_file *e, struct span bytes, elf_fetch_fn *fetch, void *ctx)
{
	*e = (struct elf_file){ .bytes = bytes, .fetch = fetch, .ctx = ctx };
	return elf_bytes(e, 0, &e->head, sizeof(e->head)) &&
	       !memcmp(e->head.e_ident, ELFMAG, SELFMAG) &&
	       e->head.e_ident[EI_CLASS] == ELFCLASS64 && e->head.e_ident[EI_DATA] == ELFDATA2LSB;
}

/* i-th entry of a table of headers whose entries may be longer than we know. */
static bool entry(const struct elf_file *e, uint64_t table, unsigned size, unsigned i, void *out,
		  size_t n)
{
	uint64_t at;

	return size >= n && !__builtin_add_overflow(table, (uint64_t)size * i, &at) &&
	       elf_bytes(e, at, out, n);
}

static bool program_header(const struct elf_file *e, unsigned i, Elf64_Phdr *out)
{
	return i < e->head.e_phnum && i < SEGMENTS_MAX &&
	       entry(e, e->head.e_phoff, e->head.e_phentsize, i, out, sizeof(*out));
}

static bool section_header(const struct elf_file *e, unsigned i, Elf64_Shdr *out)
{
	return i < e->head.e_shnum && i < SECTIONS_MAX &&
	       entry(e, e->head.e_shoff, e->head.e_shentsize, i, out, sizeof(*out));
}

bool elf_offset(const struct elf_file *e, uint64_t address, uint64_t *offset)
{
	Elf64_Phdr p;

	for (unsigned i = 0; program_header(e, i, &p); i++)
		if (p.p_type == PT_LOAD && address >= p.p_vaddr &&
		    address - p.p_vaddr < p.p_filesz) {
			*offset = address - p.p_vaddr + p.p_offset;
			return true;
		}
	return false;
}

bool elf_address(const struct elf_file *e, uint64_t offset, uint64_t *address)
{
	Elf64_Phdr p;

	for (unsigned i = 0; program_header(e, i, &p); i++)
		if (p.p_type == PT_LOAD && offset >= p.p_offset &&
		    offset - p.p_offset < p.p_filesz) {
			*address = offset - p.p_offset + p.p_vaddr;
			return true;
		}
	return false;
}

bool elf_segment(const struct elf_file *e, unsigned i, bool code, struct elf_place *place)
{
	Elf64_Phdr p;

	if (!program_header(e, i, &p))
		return false;
	*place = p.p_type == PT_LOAD && !(p.p_flags & PF_X) == !code
			 ? (struct elf_place){ p.p_offset, p.p_filesz }
			 : (struct elf_place){ 0 };
	return true;
}

struct elf_place elf_section_place(const struct elf_file *e, const char *name)
{
	Elf64_Shdr names, s;

	if (!section_header(e, e->head.e_shstrndx, &names))
		return (struct elf_place){ 0 };
	for (unsigned i = 0; section_header(e, i, &s); i++) {
		uint64_t at;

		if (s.sh_type != SHT_NOBITS &&
		    !__builtin_add_overflow(names.sh_offset, (uint64_t)s.sh_name, &at) &&
		    span_eq(elf_text(e, at), name))
			return (struct elf_place){ s.sh_offset, s.sh_size };
	}
	return (struct elf_place){ 0 };
}

struct span elf_section(const struct elf_file *e, const char *name)
{
	struct elf_place p = elf_section_place(e, name);

	return elf_range(e, p.offset, p.len);
}

static bool table_walk(const struct elf_file *e, const Elf64_Shdr *table, elf_symbol_fn *fn,
		       void *ctx)
{
	struct span all = elf_range(e, table->sh_offset, table->sh_size), names;
	Elf64_Shdr strings;
	Elf64_Sym s;

	if (!section_header(e, table->sh_link, &strings))
		return true;
	names = elf_range(e, strings.sh_offset, strings.sh_size);
	for (; all.len >= sizeof(s); all.ptr += sizeof(s), all.len -= sizeof(s)) {
		size_t room, n;
		bool function;

		memcpy(&s, all.ptr, sizeof(s));
		if (s.st_shndx == SHN_UNDEF || !s.st_value || s.st_name >= names.len)
			continue;
		room = names.len - s.st_name;
		if (room > NAME_MAX_LEN)
			room = NAME_MAX_LEN;
		n = strnlen(names.ptr + s.st_name, room);
		/* Written in assembler, it may have no type. */
		function = ELF64_ST_TYPE(s.st_info) == STT_FUNC ||
			   ELF64_ST_TYPE(s.st_info) == STT_NOTYPE;
		if (n < room &&
		    !fn(ctx, (struct span){ names.ptr + s.st_name, n }, s.st_value, function))
			return false;
	}
	return true;
}

void elf_symbols(const struct elf_file *e, bool local, elf_symbol_fn *fn, void *ctx)
{
	bool dynsym = true; /* one table of each kind */
	Elf64_Shdr s;

	for (unsigned i = 0; section_header(e, i, &s); i++) {
		bool *want = s.sh_type == SHT_DYNSYM   ? &dynsym
			     : s.sh_type == SHT_SYMTAB ? &local
						       : NULL;

		if (!want || !*want)
			continue;
		*want = false;
		if (!table_walk(e, &s, fn, ctx))
			return;
	}
}

/* The value of a dynamic entry, the i-th with that tag. */
static bool dynamic(const struct elf_file *e, int64_t tag, unsigned i, uint64_t *value)
{
	Elf64_Phdr p;

	for (unsigned k = 0; program_header(e, k, &p); k++) {
		struct span all = { 0 };
		Elf64_Dyn d;

		if (p.p_type == PT_DYNAMIC)
			all = elf_range(e, p.p_offset, p.p_filesz);
		for (; all.len >= sizeof(d); all.ptr += sizeof(d), all.len -= sizeof(d)) {
			memcpy(&d, all.ptr, sizeof(d));
			if (d.d_tag == DT_NULL)
				break;
			if (d.d_tag == tag && !i--) {
				*value = d.d_un.d_val;
				return true;
			}
		}
	}
	return false;
}

struct span elf_dynamic_text(const struct elf_file *e, int64_t tag, unsigned i)
{
	uint64_t strings, at;

	if (!dynamic(e, tag, i, &at) || !dynamic(e, DT_STRTAB, 0, &strings) ||
	    !elf_offset(e, strings, &strings) || __builtin_add_overflow(strings, at, &at))
		return (struct span){ 0 };
	return elf_text(e, at);
}

bool elf_relocated(const struct elf_file *e, uint64_t address, uint64_t *value)
{
	uint64_t at, size,
		relative = e->head.e_machine == EM_AARCH64 ? R_AARCH64_RELATIVE : R_X86_64_RELATIVE;
	struct span all;
	Elf64_Rela r;

	if (!dynamic(e, DT_RELA, 0, &at) || !dynamic(e, DT_RELASZ, 0, &size) ||
	    !elf_offset(e, at, &at))
		return false;
	all = elf_range(e, at, size);
	for (; all.len >= sizeof(r); all.ptr += sizeof(r), all.len -= sizeof(r)) {
		memcpy(&r, all.ptr, sizeof(r));
		if (r.r_offset == address && ELF64_R_TYPE(r.r_info) == relative) {
			*value = (uint64_t)r.r_addend;
			return true;
		}
	}
	return false;
}

/* .eh_frame_hdr as linkers write it: a sorted table of pairs, 32 bits each, relative to itself (LSB, 10.6.2). */
bool elf_function_start(const struct elf_file *e, uint64_t address, uint64_t *start)
{
	static const unsigned char encodings[] = { 1, 0x1b, 0x03, 0x3b };
	struct span all = { 0 };
	bool found = false;
	int32_t row[2];
	Elf64_Phdr p;
	uint32_t n;

	for (unsigned i = 0; !all.len && program_header(e, i, &p); i++)
		if (p.p_type == PT_GNU_EH_FRAME)
			all = elf_range(e, p.p_offset, p.p_filesz);
	if (all.len < 12 || memcmp(all.ptr, encodings, sizeof(encodings)))
		return false;
	memcpy(&n, all.ptr + 8, sizeof(n));
	for (size_t i = 0; i < n && 12 + (i + 1) * sizeof(row) <= all.len; i++) {
		memcpy(row, all.ptr + 12 + i * sizeof(row), sizeof(row));
		if (p.p_vaddr + row[0] > address)
			break;
		*start = p.p_vaddr + row[0];
		found = true;
	}
	return found;
}

struct span elf_interpreter(const struct elf_file *e)
{
	Elf64_Phdr p;

	for (unsigned i = 0; program_header(e, i, &p); i++)
		if (p.p_type == PT_INTERP)
			return elf_text(e, p.p_offset);
	return (struct span){ 0 };
}

bool elf_is_static(const struct elf_file *e)
{
	uint64_t flags = 0;

	if (elf_interpreter(e).len)
		return false;
	dynamic(e, DT_FLAGS_1, 0, &flags);
	return e->head.e_type == ET_EXEC || (e->head.e_type == ET_DYN && flags & DF_1_PIE);
}

/* The build id in one segment of notes. */
static struct span note_find(struct span all)
{
	while (all.len >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr n;
		uint64_t name, skip;

		memcpy(&n, all.ptr, sizeof(n));
		name = sizeof(n) + (((uint64_t)n.n_namesz + 3) & ~3ull);
		skip = name + (((uint64_t)n.n_descsz + 3) & ~3ull);
		if (name + n.n_descsz > all.len)
			break;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 &&
		    !memcmp(all.ptr + sizeof(n), "GNU", 4))
			return (struct span){ all.ptr + name, n.n_descsz };
		if (skip > all.len)
			break;
		all.ptr += skip;
		all.len -= skip;
	}
	return (struct span){ 0 };
}

struct span elf_build_id(const struct elf_file *e)
{
	struct span id = { 0 };
	Elf64_Phdr p;

	for (unsigned i = 0; !id.len && program_header(e, i, &p); i++)
		if (p.p_type == PT_NOTE)
			id = note_find(elf_range(e, p.p_offset, p.p_filesz));
	return id;
}
