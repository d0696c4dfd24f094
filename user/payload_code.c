/* payload_code.c: lists of numbers, one a byte, as arrays of character codes have them. */
#include <string.h>
#include "codec.h"
#include "payload_state.h"
#include "utf8.h"

#define GAP_MAX 3 /* bytes between two numbers of a list */

enum code { CODE_0X, CODE_HEX, CODE_DECIMAL, CODES };

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t code_at(struct span s, size_t i, enum code code, unsigned *value)
{
	unsigned base = code == CODE_DECIMAL ? 10 : 16, max = code == CODE_DECIMAL ? 3 : 2;
	size_t from = i, digits = 0;

	*value = 0;
	if (code == CODE_0X) {
		if (s.len - i < 3 || s.ptr[i] != '0' || s.ptr[i + 1] != 'x')
			return 0;
		i += 2;
	}
	while (i < s.len && digits < max && hex_digit(s.ptr[i]) >= 0 &&
	       (unsigned)hex_digit(s.ptr[i]) < base) {
		*value = *value * base + (unsigned)hex_digit(s.ptr[i++]);
		digits++;
	}
	if (!digits || *value > 255 || (code == CODE_HEX && digits != 2) ||
	    (i < s.len && (hex_digit(s.ptr[i]) >= 0 || is_letter(s.ptr[i]))))
		return 0;
	return i - from;
}

/* The list at i, into out; returns the offset behind it. */
static size_t codes_take(struct span s, size_t i, enum code code, struct buf *out)
{
	for (;;) {
		size_t end = i, gap;
		unsigned value;
		size_t n = code_at(s, i, code, &value);

		if (!n)
			return i;
		buf_byte(out, (char)value);
		i = end += n;
		for (gap = 0; end + gap < s.len && gap < GAP_MAX && s.ptr[end + gap] &&
			      strchr(" ,;:\n\t", s.ptr[end + gap]);)
			gap++;
		if (!gap)
			return i;
		i += gap;
	}
}

void payload_codes(const struct search *x, struct span s)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < s.len;) {
		size_t behind = i + 1;

		if (hex_digit(s.ptr[i]) < 0 ||
		    (i && (hex_digit(s.ptr[i - 1]) >= 0 || is_letter(s.ptr[i - 1])))) {
			i++;
			continue;
		}
		for (enum code code = 0; code < CODES; code++) {
			struct span core, run = { s.ptr + i, 0 };
			size_t end;

			buf_reset(&out);
			end = codes_take(s, i, code, &out);
			if (out.len < PAYLOAD_MIN)
				continue;
			behind = end > behind ? end : behind;
			run.len = end - i;
			/* Many a list of numbers is text by chance, few are programs. */
			if (payload_content((struct span){ out.ptr, out.len }, &core) >=
				    CONTENT_SHELL &&
			    payload_run(x, CODING_CODES, run, (struct span){ out.ptr, out.len }))
				break;
		}
		i = behind;
	}
	buf_free(&out);
}
