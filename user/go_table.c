/* go_table.c: the function table of Go programs: where it lies, which layout it has, who is in it. */
#include <string.h>
#include "go_table.h"

#define HEADER_WORDS  8 /* of eight bytes, behind magic, quantum and pointer size */
#define FUNCTIONS_MAX (1u << 22)
#define SEARCH_PART   (1u << 20)

enum layout { LAYOUT_116, LAYOUT_118 };

static const struct {
	unsigned char first; /* byte of the magic; ff ff ff follow */
	enum layout layout;
} magics[] = {
	{ 0xf1, LAYOUT_118 }, /* 1.20 and later */
	{ 0xf0, LAYOUT_118 }, /* 1.18, 1.19 */
	{ 0xfa, LAYOUT_116 }, /* 1.16, 1.17 */
};

static bool get(struct span s, uint64_t at, void *out, size_t n)
{
	if (at > s.len || n > s.len - at)
		return false;
	memcpy(out, s.ptr + at, n);
	return true;
}

/* Header words as the layouts have them; offsets must lie inside. */
static bool header_read(struct go_table *t, enum layout layout)
{
	uint64_t w[HEADER_WORDS];

	if (!get(t->bytes, 8, w, sizeof(w)))
		return false;
	t->functions = w[0];
	t->word = layout == LAYOUT_118 ? 4 : 8;
	t->text = layout == LAYOUT_118 ? w[2] : 0;
	t->names = layout == LAYOUT_118 ? w[3] : w[2];
	t->names_end = layout == LAYOUT_118 ? w[4] : w[3];
	t->table = layout == LAYOUT_118 ? w[7] : w[6];
	return t->functions && t->functions < FUNCTIONS_MAX && t->names < t->names_end &&
	       t->names_end <= t->bytes.len && t->table < t->bytes.len;
}

/*
 * Magic, two zeroes, instruction quantum (1 x86, 4 arm64), pointer size: eight bytes that linkers
 * align. A program may be a hundred megabytes long, so it is searched part by part.
 */
static bool header_find(struct go_table *t, struct elf_place in, enum layout *layout)
{
	uint64_t quantum = t->elf->head.e_machine == EM_AARCH64 ? 4 : 1;
	uint64_t want = 0xffffff00 | quantum << 48 | 8ull << 56, word, end;

	if (__builtin_add_overflow(in.offset, in.len, &end) || end > t->elf->bytes.len)
		end = t->elf->bytes.len;
	for (uint64_t at = (in.offset + 7) & ~7ull; at < end; at += SEARCH_PART) {
		struct span part =
			elf_range(t->elf, at, end - at < SEARCH_PART ? end - at : SEARCH_PART);

		for (size_t i = 0; get(part, i, &word, sizeof(word)); i += sizeof(word)) {
			if ((word & ~0xffull) != want)
				continue;
			t->bytes = elf_range(t->elf, at + i, end - at - i);
			for (unsigned m = 0; m < ARRAY_SIZE(magics); m++)
				if ((word & 0xff) == magics[m].first &&
				    header_read(t, magics[m].layout)) {
					*layout = magics[m].layout;
					return true;
				}
		}
	}
	return false;
}

/*
 * Of 1.16 and 1.17 only the latter passes arguments in registers, and only on x86-64: arm64 does since 1.18
 * (their release notes). Before 1.18 the build information holds the address of a Go string: pointer, length.
 */
static bool version_117(const struct elf_file *e)
{
	static const char magic[] = "\xff Go buildinf:";
	struct span all = elf_section(e, ".go.buildinfo");
	uint64_t at, string[2];
	char text[6];

	return e->head.e_machine == EM_X86_64 && all.len >= 32 &&
	       !memcmp(all.ptr, magic, sizeof(magic) - 1) && !(all.ptr[15] & 2) &&
	       get(all, 16, &at, sizeof(at)) && elf_offset(e, at, &at) &&
	       elf_bytes(e, at, string, sizeof(string)) && string[1] >= sizeof(text) &&
	       elf_offset(e, string[0], &at) && elf_bytes(e, at, text, sizeof(text)) &&
	       !memcmp(text, "go1.17", sizeof(text));
}

/* In a position independent file the linker may have left the start of the text to a relocation. */
static bool text_find(struct go_table *t)
{
	uint64_t address;

	if (t->word != 4 || t->text)
		return true;
	return elf_address(t->elf, t->bytes.ptr - t->elf->bytes.ptr + 24, &address) &&
	       elf_relocated(t->elf, address, &t->text);
}

bool go_open(struct go_table *t, const struct elf_file *e)
{
	static const char *const sections[] = { ".gopclntab", ".data.rel.ro.gopclntab" };
	enum layout layout = LAYOUT_118;
	bool found = false;
	struct elf_place all;

	memset(t, 0, sizeof(*t));
	t->elf = e;
	/* Every linker leaves this one, so that nobody else's data is searched. */
	if (!elf_section(e, ".go.buildinfo").len && !elf_section(e, ".note.go.buildid").len)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(sections) && !found; i++)
		found = header_find(t, elf_section_place(e, sections[i]), &layout);
	/* A position independent program has it among its data; other linkers, anywhere. */
	for (int code = 0; code < 2 && !found; code++)
		for (unsigned i = 0; !found && elf_segment(e, i, code, &all); i++)
			found = header_find(t, all, &layout);
	if (!found)
		return false;
	return layout == LAYOUT_118 ? text_find(t) : version_117(e);
}

bool go_function(const struct go_table *t, const char *name, uint64_t *address)
{
	struct span names = { t->bytes.ptr + t->names, t->names_end - t->names };
	size_t n = strlen(name) + 1;
	const char *at = names.ptr;

	/* Names are unique; a match must be a whole one. */
	do {
		at = memmem(at + 1, names.len - (at + 1 - names.ptr), name, n);
	} while (at && at[-1]);
	if (!at)
		return false;
	for (uint64_t i = 0; i < t->functions; i++) {
		uint64_t row[2] = { 0 }, entry = 0;
		uint32_t half[2];
		int32_t which;

		if (t->word == 8) {
			if (!get(t->bytes, t->table + 16 * i, row, sizeof(row)))
				return false;
		} else {
			if (!get(t->bytes, t->table + 8 * i, half, sizeof(half)))
				return false;
			row[1] = half[1];
		}
		if (row[1] > t->bytes.len || !get(t->bytes, t->table + row[1], &entry, t->word) ||
		    !get(t->bytes, t->table + row[1] + t->word, &which, sizeof(which)))
			return false;
		if (which < 0 || (size_t)which != (size_t)(at - names.ptr))
			continue;
		*address = t->text + entry;
		return true;
	}
	return false;
}
