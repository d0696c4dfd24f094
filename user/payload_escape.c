/* payload_escape.c: runs of escapes: hex, octal, unicode and percent. */
#include <string.h>
#include "codec.h"
#include "payload_state.h"
#include "utf8.h"

#define GAP_MAX 3 /* plain bytes between two escapes of one run */

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* One escape at i: its length, its coding and its value; 0: none. Doubled backslashes are one. */
static size_t escape_at(struct span s, size_t i, enum payload_coding *coding, uint32_t *value)
{
	size_t from = i, digits = 0, max, min = 1;
	bool brace = false;

	*value = 0;
	if (s.ptr[i] == '%') {
		*coding = CODING_PERCENT;
		min = max = 2;
		i++;
	} else if (s.ptr[i] == '\\') {
		while (i < s.len && i - from < 4 && s.ptr[i] == '\\')
			i++;
		if (i >= s.len)
			return 0;
		if (s.ptr[i] == 'x') {
			*coding = CODING_HEX_ESCAPE;
			max = 2;
			brace = i + 1 < s.len && s.ptr[i + 1] == '{';
			i += brace ? 2 : 1;
		} else if (s.ptr[i] == 'u' || s.ptr[i] == 'U') {
			*coding = CODING_UNICODE;
			max = s.ptr[i] == 'u' ? 4 : 8;
			min = 2;
			i++;
		} else if (is_octal(s.ptr[i])) {
			*coding = CODING_OCTAL;
			max = s.ptr[i] == '0' ? 4 : 3;
			while (i < s.len && digits < max && is_octal(s.ptr[i])) {
				*value = *value * 8 + (uint32_t)(s.ptr[i++] - '0');
				digits++;
			}
			return digits >= 2 ? i - from : 0;
		} else {
			return 0;
		}
	} else {
		return 0;
	}
	while (i < s.len && digits < max && hex_digit(s.ptr[i]) >= 0) {
		*value = *value * 16 + (uint32_t)hex_digit(s.ptr[i++]);
		digits++;
	}
	if (digits < min)
		return 0;
	if (brace && i < s.len && s.ptr[i] == '}')
		i++;
	return i - from;
}

static void value_add(struct buf *out, enum payload_coding coding, uint32_t value)
{
	if (coding == CODING_UNICODE)
		utf8_add(out, value);
	else
		buf_byte(out, (char)value);
}

static bool is_gap(char c)
{
	return (unsigned char)c > 0x20 && c != '\'' && c != '"' && c != '\\' && c != '%';
}

/* \n, \t and the like go on in a run, but do not count. */
static char letter_escape(struct span s, size_t i)
{
	static const char from[] = "nrtabfv", to[] = "\n\r\t\a\b\f\v";
	const char *at;

	if (i + 1 >= s.len || s.ptr[i] != '\\' || !s.ptr[i + 1])
		return 0;
	at = strchr(from, s.ptr[i + 1]);
	return at ? to[at - from] : 0;
}

/*
 * From the escape at i: the whole run, decoded into out. Plain bytes may stand between escapes, a
 * few at a time. *escapes counts. Returns the offset behind the run.
 */
static size_t escapes_take(struct span s, size_t i, struct buf *out, size_t *escapes,
			   enum payload_coding *first)
{
	size_t end = i, kept = 0;
	unsigned gap = 0;

	*escapes = 0;
	while (i < s.len && gap <= GAP_MAX) {
		enum payload_coding coding;
		uint32_t value;
		size_t n = escape_at(s, i, &coding, &value);
		char letter;

		if (n) {
			value_add(out, coding, value);
			if (!(*escapes)++)
				*first = coding;
			i += n;
			end = i;
			kept = out->len;
			gap = 0;
		} else if ((letter = letter_escape(s, i))) {
			buf_byte(out, letter);
			i += 2;
			gap++;
		} else if (is_gap(s.ptr[i])) {
			buf_byte(out, s.ptr[i++]);
			gap++;
		} else {
			break;
		}
	}
	out->len = kept;
	return end;
}

void payload_escaped(const struct search *x, struct span s)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < s.len;) {
		enum payload_coding coding = CODING_HEX_ESCAPE;
		uint32_t value;
		size_t end, escapes;

		if ((s.ptr[i] != '\\' && s.ptr[i] != '%') || !escape_at(s, i, &coding, &value)) {
			i++;
			continue;
		}
		buf_reset(&out);
		end = escapes_take(s, i, &out, &escapes, &coding);
		if (2 * escapes >= out.len)
			payload_run(x, coding, (struct span){ s.ptr + i, end - i },
				    (struct span){ out.ptr, out.len });
		i = end;
	}
	buf_free(&out);
}

size_t payload_escapes(struct span text)
{
	enum payload_coding coding;
	uint32_t value;
	size_t count = 0;

	for (size_t i = 0; i < text.len;) {
		size_t n = text.ptr[i] == '\\' ? escape_at(text, i, &coding, &value) : 0;

		count += n > 0;
		i += n ? n : 1;
	}
	return count;
}
