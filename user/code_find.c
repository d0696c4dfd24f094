/* code_find.c: looks through the code of a file for bytes of which some are not known. */
#include <stdlib.h>
#include <string.h>
#include "code_find.h"

#define PATTERN_MAX 64
#define CODE_MAX    (16u << 20) /* who has more is no small stripped program */

struct pattern {
	unsigned char byte[PATTERN_MAX];
	bool any[PATTERN_MAX];
	size_t len;
};

static void pattern_parse(struct pattern *p, const char *text)
{
	memset(p, 0, sizeof(*p));
	for (text += strspn(text, " "); *text && p->len < PATTERN_MAX; text += strspn(text, " ")) {
		char pair[3] = { text[0], text[1], 0 };

		p->any[p->len] = *text == '.';
		p->byte[p->len++] = strtoul(pair, NULL, 16);
		text += 2;
	}
}

static bool matches(const struct pattern *p, const unsigned char *at)
{
	for (size_t i = 0; i < p->len; i++)
		if (!p->any[i] && at[i] != p->byte[i])
			return false;
	return true;
}

bool code_find(const struct elf_file *e, const char *pattern, uint64_t *function)
{
	struct elf_place place;
	struct pattern p;
	unsigned found = 0;
	uint64_t address = 0;

	pattern_parse(&p, pattern);
	for (unsigned i = 0; elf_segment(e, i, true, &place); i++) {
		struct span code =
			elf_range(e, place.offset, place.len < CODE_MAX ? place.len : CODE_MAX);

		for (size_t k = 0; k + p.len <= code.len; k++)
			if (matches(&p, (const unsigned char *)code.ptr + k)) {
				found++;
				if (!elf_address(e, place.offset + k, &address))
					return false;
			}
	}
	return found == 1 && elf_function_start(e, address, function);
}
