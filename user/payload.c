/* payload.c: encoded runs in untrusted text: escapes, percent, hex, base64, in layers. */
#include <string.h>
#include "codec.h"
#include "inflate.h"
#include "payload.h"
#include "utf8.h"

#define GAP_MAX  3  /* plain bytes between two escapes of one run */
#define LINE_MIN 60 /* digits of a base64 line that goes on in the next one */

struct search {
	unsigned layer; /* of the runs that are found now, from 1 */
	payload_fn *fn;
	void *ctx;
};

static void find(const struct search *x, struct span text);

struct inner {
	struct buf core;
	unsigned layers;
	enum payload_content content;
};

static void inner_found(void *ctx, const struct payload *p)
{
	struct inner *in = ctx;

	if (p->layers + 1 > in->layers)
		in->layers = p->layers + 1;
	/* Inner text tells more than that text was found: text in text is the core. */
	if (p->content < in->content)
		return;
	in->content = p->content;
	buf_reset(&in->core);
	buf_add(&in->core, p->core.ptr, p->core.len);
}

/* Says a run, if it is one. Returns whether it was. */
static bool run_say(const struct search *x, enum payload_coding coding, struct span run,
		    struct span decoded)
{
	struct payload p = { .coding = coding, .layers = 1, .run = run, .decoded = decoded };
	struct inner in = { 0 };
	struct buf unpacked = { 0 };

	if (decoded.len < PAYLOAD_MIN)
		return false;
	p.content = payload_content(decoded, &p.core);
	/* Compressed data is a layer of its own. */
	if (x->layer < PAYLOAD_LAYERS && inflate_bytes(decoded, &unpacked)) {
		struct span core, plain = { unpacked.ptr, unpacked.len };
		enum payload_content content = payload_content(plain, &core);

		if (content != CONTENT_NONE) {
			p.content = content;
			p.core = core;
			p.layers = 2;
			decoded = plain;
		}
	}
	if (p.content == CONTENT_NONE) {
		buf_free(&unpacked);
		return false;
	}
	if (x->layer + p.layers <= PAYLOAD_LAYERS) {
		struct search deeper = { x->layer + p.layers, inner_found, &in };

		in.content = p.content;
		find(&deeper, decoded);
		if (in.core.len) {
			p.content = in.content;
			p.core = (struct span){ in.core.ptr, in.core.len };
		}
		if (in.layers)
			p.layers += in.layers - 1;
	}
	x->fn(x->ctx, &p);
	buf_free(&in.core);
	buf_free(&unpacked);
	return true;
}

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
	char bytes[4];

	if (coding == CODING_UNICODE)
		buf_add(out, bytes, utf8_put(value, bytes));
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

static void find_escapes(const struct search *x, struct span s)
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
			run_say(x, coding, (struct span){ s.ptr + i, end - i },
				(struct span){ out.ptr, out.len });
		i = end;
	}
	buf_free(&out);
}

static bool is_digit64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/' || c == '-' || c == '_';
}

/* Hex digits of even and odd phase inside a word. True: something was said. */
static bool find_hex(const struct search *x, struct span word)
{
	struct buf out = { 0 };
	bool said = false;

	for (size_t i = 0; i < word.len;) {
		size_t n = 0;

		while (i + n < word.len && hex_digit(word.ptr[i + n]) >= 0)
			n++;
		for (size_t phase = 0; phase < 2 && n >= 2 * PAYLOAD_MIN + phase; phase++) {
			struct span run = { word.ptr + i + phase, (n - phase) & ~(size_t)1 };

			buf_reset(&out);
			if (hex_decode(run, &out) &&
			    run_say(x, CODING_HEX, run, (struct span){ out.ptr, out.len })) {
				said = true;
				break;
			}
		}
		i += n ? n : 1;
	}
	buf_free(&out);
	return said;
}

/* Of each phase: what stands in front may consist of digits too, as in prefix/BASE64. */
static bool find_base64(const struct search *x, struct span word, struct span run)
{
	bool url = memchr(word.ptr, '-', word.len) || memchr(word.ptr, '_', word.len);
	struct buf out = { 0 };
	bool said = false;

	for (size_t phase = 0; phase < 4 && !said && word.len >= PAYLOAD_MIN * 4 / 3 + phase;
	     phase++) {
		buf_reset(&out);
		base64_decode((struct span){ word.ptr + phase, word.len - phase }, &out);
		said = run_say(x, url ? CODING_BASE64URL : CODING_BASE64, run,
			       (struct span){ out.ptr, out.len });
	}
	buf_free(&out);
	return said;
}

static bool find_base32(const struct search *x, struct span word, struct span run)
{
	struct buf out = { 0 };
	bool said = base32_decode(word, &out) &&
		    run_say(x, CODING_BASE32, run, (struct span){ out.ptr, out.len });

	buf_free(&out);
	return said;
}

/* The first two parts of a JSON web token at i, or 0. */
static size_t token_length(struct span s, size_t i)
{
	size_t at = i;

	for (int part = 0; part < 2; part++) {
		if (s.len - at < 4 || memcmp(s.ptr + at, "eyJ", 3))
			return 0;
		while (at < s.len && is_digit64(s.ptr[at]))
			at++;
		if (at >= s.len || s.ptr[at] != '.')
			return 0;
		at++;
	}
	return at - i;
}

/* Behind a full base64 line: the length of the line break that it goes on after; else 0. */
static size_t line_break(struct span s, size_t i)
{
	size_t n = 0;

	if (i < s.len && s.ptr[i] == '\r')
		n++;
	if (i + n >= s.len)
		return 0;
	if (s.ptr[i + n] == '\n')
		n++;
	else if (!n && i + 1 < s.len && s.ptr[i] == '\\' && s.ptr[i + 1] == 'n')
		n = 2;
	else
		return 0;
	return i + n < s.len && is_digit64(s.ptr[i + n]) ? n : 0;
}

static void find_words(const struct search *x, struct span s)
{
	struct buf joined = { 0 };

	for (size_t i = 0; i < s.len;) {
		size_t from = i, line, n;
		struct span word, run;

		if (!is_digit64(s.ptr[i])) {
			i++;
			continue;
		}
		n = token_length(s, i);
		if (n) {
			i += n;
			continue;
		}
		buf_reset(&joined);
		do {
			line = i;
			while (i < s.len && is_digit64(s.ptr[i]))
				i++;
			buf_add(&joined, s.ptr + line, i - line);
			n = i - line >= LINE_MIN ? line_break(s, i) : 0;
			i += n;
		} while (n);
		if (joined.len < PAYLOAD_MIN * 4 / 3)
			continue;
		word = (struct span){ joined.ptr, joined.len };
		run = (struct span){ s.ptr + from, i - from };
		if (!find_hex(x, word) && !find_base32(x, word, run))
			find_base64(x, word, run);
	}
	buf_free(&joined);
}

/* Lists of numbers, one a byte. */
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

static void find_codes(const struct search *x, struct span s)
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
			    run_say(x, CODING_CODES, run, (struct span){ out.ptr, out.len }))
				break;
		}
		i = behind;
	}
	buf_free(&out);
}

static void find(const struct search *x, struct span text)
{
	if (text.len < PAYLOAD_MIN)
		return;
	find_codes(x, text);
	find_escapes(x, text);
	find_words(x, text);
}

void payload_find(struct span text, payload_fn *fn, void *ctx)
{
	struct search x = { 1, fn, ctx };

	find(&x, text);
}

bool payload_executes(const struct payload *p)
{
	return p->content >= CONTENT_SHELL;
}

const char *payload_coding_text(enum payload_coding c)
{
	static const char *const texts[] = {
#define PAYLOAD_TEXT(upper, text) [CODING_##upper] = text,
		PAYLOAD_CODINGS(PAYLOAD_TEXT)
#undef PAYLOAD_TEXT
	};

	return texts[c];
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
