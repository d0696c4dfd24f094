/* payload.c: encoded runs in untrusted text: words of hex, base32 and base64, and what is in them, in layers. */
#include <string.h>
#include "codec.h"
#include "inflate.h"
#include "payload_state.h"
#include "utf8.h"

#define LINE_MIN 60 /* digits of a base64 line that goes on in the next one */

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

bool payload_run(const struct search *x, enum payload_coding coding, struct span run,
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
			    payload_run(x, CODING_HEX, run, (struct span){ out.ptr, out.len })) {
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
		said = payload_run(x, url ? CODING_BASE64URL : CODING_BASE64, run,
				   (struct span){ out.ptr, out.len });
	}
	buf_free(&out);
	return said;
}

static bool find_base32(const struct search *x, struct span word, struct span run)
{
	struct buf out = { 0 };
	bool said = base32_decode(word, &out) &&
		    payload_run(x, CODING_BASE32, run, (struct span){ out.ptr, out.len });

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

static void find(const struct search *x, struct span text)
{
	if (text.len < PAYLOAD_MIN)
		return;
	payload_codes(x, text);
	payload_escaped(x, text);
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
