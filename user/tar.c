/* tar.c: finds one file in a tar archive that may be cut: ustar, GNU long names, pax paths. */
#include "tar.h"
#include <stdint.h>
#include <string.h>

#define BLOCK 512u

static bool number_parse(const char *p, size_t n, uint64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;

	if ((unsigned char)*p & 0x80) { /* GNU base 256 */
		v = (unsigned char)*p & 0x7f;
		for (i = 1; i < n; i++) {
			if (v >> 55)
				return false;
			v = v << 8 | (unsigned char)p[i];
		}
		*out = v;
		return true;
	}
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (p[i] - '0');
	*out = v;
	return i == n || !p[i] || p[i] == ' ';
}

static bool checksum_good(const char *b)
{
	uint64_t said, sum = 0;

	if (!number_parse(b + 148, 8, &said))
		return false;
	for (unsigned i = 0; i < BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char)b[i];
	return sum == said;
}

/* Records "LENGTH KEY=VALUE\n". */
static void pax_read(struct span s, struct span *path, uint64_t *size, bool *has_size)
{
	while (s.len) {
		size_t n = 0, i = 0;
		struct span kv;

		for (; i < s.len && i < 9 && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++)
			n = n * 10 + (s.ptr[i] - '0');
		if (!i || i >= s.len || s.ptr[i] != ' ' || n < i + 3 || n > s.len)
			return;
		kv = (struct span){ s.ptr + i + 1, n - i - 2 };
		if (span_starts(kv, "path="))
			*path = (struct span){ kv.ptr + 5, kv.len - 5 };
		if (span_starts(kv, "size=")) {
			*size = 0;
			*has_size = true;
			for (size_t k = 5;
			     k < kv.len && k < 22 && kv.ptr[k] >= '0' && kv.ptr[k] <= '9'; k++)
				*size = *size * 10 + (kv.ptr[k] - '0');
		}
		s.ptr += n;
		s.len -= n;
	}
}

static struct span name_trim(struct span s)
{
	while (s.len && (*s.ptr == '/' || (s.len > 1 && s.ptr[0] == '.' && s.ptr[1] == '/'))) {
		size_t n = *s.ptr == '/' ? 1 : 2;

		s.ptr += n;
		s.len -= n;
	}
	return s;
}

static bool name_is(const char *b, struct span longname, struct span name)
{
	char joined[BLOCK];
	size_t n = 0;

	if (!longname.ptr) {
		size_t prefix = memcmp(b + 257, "ustar", 6) ? 0 : strnlen(b + 345, 155);

		if (prefix) {
			memcpy(joined, b + 345, prefix);
			joined[prefix] = '/';
			n = prefix + 1;
		}
		memcpy(joined + n, b, strnlen(b, 100));
		n += strnlen(b, 100);
		longname = (struct span){ joined, n };
	}
	return span_eq_span(name_trim(longname), name);
}

bool tar_find(struct span tar, struct span name, struct span *content, bool *complete)
{
	struct span longname = { NULL, 0 };
	uint64_t at = 0, size, pax_size = 0;
	bool found = false, has_size = false, whole = false;

	*content = (struct span){ NULL, 0 };
	*complete = false;
	name = name_trim(name);
	while (at + BLOCK <= tar.len) {
		const char *b = tar.ptr + at;
		struct span data;

		if (!b[0]) { /* two zero blocks end it; names are never empty */
			break;
		}
		if (!checksum_good(b) || !number_parse(b + 124, 12, &size))
			break;
		at += BLOCK;
		if (has_size)
			size = pax_size;
		data = (struct span){ tar.ptr + at, size < tar.len - at ? size : tar.len - at };
		if (b[156] == 'x' || b[156] == 'L') {
			has_size = false;
			if (b[156] == 'x')
				pax_read(data, &longname, &pax_size, &has_size);
			else
				longname = (struct span){ data.ptr, strnlen(data.ptr, data.len) };
		} else if (b[156] != 'g' && b[156] != 'K') {
			if ((b[156] == '0' || !b[156] || b[156] == '7') &&
			    name_is(b, longname, name)) {
				*content = data;
				found = true;
				whole = data.len == size;
			}
			longname = (struct span){ NULL, 0 };
			has_size = false;
		}
		if (size > tar.len - at)
			break;
		at += (size + BLOCK - 1) / BLOCK * BLOCK;
	}
	*complete = whole;
	return found;
}
