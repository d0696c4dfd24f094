/* source_line.c: decodes the three formats of CPython's line tables. */
#include <limits.h>
#include <stdbool.h>
#include "source_line.h"

#define UNKNOWN (-1)
#define NO_LINE 0

/* A crafted table may add up to anything. */
static bool line_add(int *line, int delta)
{
	return !__builtin_add_overflow(*line, delta, line);
}

/* 3.8, 3.9: pairs of address and line increments (Objects/lnotab_notes.txt of 3.9). */
static int lnotab_line(int first, const uint8_t *p, size_t n, int at)
{
	int line = first, address = 0;

	for (size_t i = 0; i + 1 < n; i += 2) {
		address += p[i];
		if (address > at)
			break;
		if (!line_add(&line, (int8_t)p[i + 1]))
			return UNKNOWN;
	}
	return line;
}

/* 3.10 (PEP 626): pairs of range length and line increment; -128: the range has no line. */
static int linetable_line(int first, const uint8_t *p, size_t n, int at)
{
	int line = first, end = 0;

	for (size_t i = 0; i + 1 < n; i += 2) {
		int delta = (int8_t)p[i + 1];

		if (delta != -128 && !line_add(&line, delta))
			return UNKNOWN;
		end += p[i];
		if (at < end)
			return delta == -128 ? NO_LINE : line;
	}
	return UNKNOWN;
}

/* Six bits a byte, lowest first; bit 6: one more. False: cut, or more than 32 bits. */
static bool varint(const uint8_t *p, size_t n, size_t *i, unsigned *v)
{
	*v = 0;
	for (unsigned shift = 0; *i < n && shift < 32; shift += 6) {
		unsigned byte = p[(*i)++];

		*v |= (byte & 63) << shift;
		if (!(byte & 64))
			return true;
	}
	return false;
}

/* Codes of a location entry (Objects/locations.md of 3.11). */
enum { SHORT_LAST = 9, ONE_LINE_0, ONE_LINE_1, ONE_LINE_2, NO_COLUMNS, LONG, NO_LOCATION };

static int location_line(int first, const uint8_t *p, size_t n, int at)
{
	int line = first, end = 0;
	size_t i = 0;

	while (i < n) {
		unsigned byte = p[i++], code = byte >> 3 & 15, v;

		if (!(byte & 128))
			return UNKNOWN;
		switch (code) {
		case NO_LOCATION:
			break;
		case LONG:
		case NO_COLUMNS:
			if (!varint(p, n, &i, &v))
				return UNKNOWN;
			if (!line_add(&line, v & 1 ? -(int)(v >> 1) : (int)(v >> 1)))
				return UNKNOWN;
			/* End line and both columns. */
			for (int k = 0; code == LONG && k < 3; k++)
				if (!varint(p, n, &i, &v))
					return UNKNOWN;
			break;
		case ONE_LINE_0:
		case ONE_LINE_1:
		case ONE_LINE_2:
			if (!line_add(&line, code - ONE_LINE_0))
				return UNKNOWN;
			i += 2;
			break;
		default: /* up to SHORT_LAST: the line stays */
			i++;
		}
		end += ((byte & 7) + 1) * 2;
		if (at < end)
			return code == NO_LOCATION ? NO_LINE : line;
	}
	return UNKNOWN;
}

int source_line(unsigned version, int first, const uint8_t *table, size_t n, int at)
{
	int line;

	if (at < 0) /* not begun */
		line = first;
	else if (at > INT_MAX / 4)
		line = UNKNOWN;
	else if (version >= 0x030b)
		line = location_line(first, table, n, at);
	else if (version == 0x030a)
		line = linetable_line(first, table, n, 2 * at);
	else
		line = lnotab_line(first, table, n, at);
	return line < 0 ? UNKNOWN : line;
}
