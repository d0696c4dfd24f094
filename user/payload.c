/* payload.c: runs of hex, escapes, base64 and percent encoding, and what is in them. */
#include <ctype.h>
#include <string.h>
#include "codec.h"
#include "payload.h"

static bool is_hex(char c)
{
	return isxdigit((unsigned char)c);
}

static bool is_base64(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '/' || c == '-' || c == '_';
}

/* Length of one escape at p: \xHH, \uHHHH, \ooo; 0 none. */
static size_t escape_length(const char *p, size_t left)
{
	if (left >= 4 && p[0] == '\\' && p[1] == 'x' && is_hex(p[2]) && is_hex(p[3]))
		return 4;
	if (left >= 6 && p[0] == '\\' && p[1] == 'u' && is_hex(p[2]) && is_hex(p[3]) && is_hex(p[4]) && is_hex(p[5]))
		return 6;
	if (left >= 4 && p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' &&
	    p[3] <= '7')
		return 4;
	return 0;
}

static size_t escapes_run(const char *p, size_t left)
{
	size_t n = 0, one;

	/* JSON and shell quoting may double the backslash: that is one more layer of the same. */
	while ((one = escape_length(p + n, left - n)) ||
	       (left - n > 1 && p[n] == '\\' && (one = escape_length(p + n + 1, left - n - 1)) && ++one))
		n += one;
	return n;
}

static size_t percent_run(const char *p, size_t left)
{
	size_t n = 0;

	while (left - n >= 3 && p[n] == '%' && is_hex(p[n + 1]) && is_hex(p[n + 2]))
		n += 3;
	return n;
}

/* Bare hex of these digits is an id or a digest. */
static bool is_digest(size_t digits)
{
	return digits == 32 || digits == 40 || digits == 64 || digits == 96 || digits == 128;
}

static bool is_mostly_text(struct span s)
{
	size_t printable = 0;

	if (!utf8_valid(s))
		return false;
	for (size_t i = 0; i < s.len; i++)
		printable += (unsigned char)s.ptr[i] >= 0x20 || strchr("\t\r\n", s.ptr[i]);
	return printable == s.len;
}

/* A shell command line rather than prose: a known first word with operands, or a download into a pipe. */
static bool is_shell_line(struct span s)
{
	static const char *const first[] = { "curl ", "wget ", "bash ", "sh ", "sh\n", "nc ", "python", "perl ", "chmod ",
					     "rm -", "eval ", "exec ", "/bin/", "export ", "base64 " };

	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		if (span_starts(s, first[i]))
			return true;
	return (span_find(s, SPAN("http")) >= 0 && (span_find(s, SPAN("| sh")) >= 0 || span_find(s, SPAN("|sh")) >= 0 ||
						    span_find(s, SPAN("| bash")) >= 0 || span_find(s, SPAN("|bash")) >= 0));
}

/* "#!" with more behind it than an echo: the reviewed script's own files are evidence, not executables. */
static bool is_script(struct span s)
{
	size_t lines = 0, i = 0;

	if (!span_starts(s, "#!"))
		return false;
	while (i < s.len) {
		const char *end = memchr(s.ptr + i, '\n', s.len - i);
		size_t n = end ? (size_t)(end - s.ptr) - i : s.len - i;
		struct span line = { s.ptr + i, n };

		i += n + 1;
		if (!line.len || line.ptr[0] == '#' || span_starts(line, "echo ") || span_starts(line, "exit"))
			continue;
		lines++;
	}
	return lines > 0;
}

static enum payload_kind classify(struct span s)
{
	static const struct span magic[] = { { "\x1f\x8b", 2 }, { "PK\003\004", 4 }, { "\xfd" "7zXZ", 5 }, { "BZh", 3 },
					     { "\x89PNG", 4 }, { "%PDF", 4 } };

	if (s.len < PAYLOAD_MIN)
		return PAYLOAD_NONE;
	if (span_starts(s, "\177ELF") || is_script(s) || is_shell_line(s))
		return PAYLOAD_EXECUTABLE;
	for (size_t i = 0; i < ARRAY_SIZE(magic); i++)
		if (s.len > magic[i].len && !memcmp(s.ptr, magic[i].ptr, magic[i].len))
			return PAYLOAD_FILE;
	return is_mostly_text(s) ? PAYLOAD_TEXT : PAYLOAD_NONE;
}

/* One encoded run at text.ptr + at. Returns its length (0: none) and what it decodes to. */
static size_t run_decode(struct span text, size_t at, const char **encoding, struct buf *out)
{
	const char *p = text.ptr + at;
	size_t left = text.len - at, n, hex;

	buf_reset(out);
	if ((n = escapes_run(p, left))) {
		*encoding = "escapes";
		escape_decode((struct span){ p, n }, out);
		if (out->len && out->ptr[0] == '\\') { /* doubled backslashes */
			struct buf once = *out;

			*out = (struct buf){ 0 };
			escape_decode((struct span){ once.ptr, once.len }, out);
			buf_free(&once);
		}
		return n;
	}
	if ((n = percent_run(p, left))) {
		*encoding = "percent";
		percent_decode((struct span){ p, n }, out);
		return n;
	}
	/* Words: only from their beginning. */
	if (at && is_base64(text.ptr[at - 1]))
		return 0;
	for (n = 0; n < left && is_base64(p[n]); n++)
		;
	for (hex = 0; hex < n && is_hex(p[hex]); hex++)
		;
	if (hex == n && n % 2 == 0 && n >= 2 * PAYLOAD_MIN) {
		*encoding = "hex";
		if (!is_digest(n))
			hex_decode((struct span){ p, n }, out);
		return n;
	}
	if (n >= 44 && *p != '/' && *p != '-' && memchr(p, '.', left) != p + n && (!at || text.ptr[at - 1] != '.')) {
		/* A certificate or key in PEM is no payload; nor is a path. */
		*encoding = "base64";
		if (!memmem(p, n, "//", 2) && (memchr(p, '-', n) || memchr(p, '_', n)) && memchr(p, '/', n))
			return n;
		if (!base64_decode((struct span){ p, n }, out))
			buf_reset(out);
	}
	return n;
}

bool payload_next(struct span text, size_t *at, struct payload *p)
{
	const char *inner;
	struct buf more = { 0 };

	if (span_find(text, SPAN("-----BEGIN ")) >= 0)
		return false;
	while (*at < text.len) {
		size_t n = run_decode(text, *at, &p->encoding, &p->decoded);

		*at += n ? n : 1;
		p->kind = n ? classify((struct span){ p->decoded.ptr, p->decoded.len }) : PAYLOAD_NONE;
		if (p->kind == PAYLOAD_NONE)
			continue;
		/* Text may be encoded once more. */
		for (p->layers = 1; p->kind == PAYLOAD_TEXT && p->layers < PAYLOAD_LAYERS; p->layers++) {
			struct span whole = { p->decoded.ptr, p->decoded.len };
			enum payload_kind kind;

			while (whole.len && isspace((unsigned char)whole.ptr[whole.len - 1]))
				whole.len--;
			if (run_decode(whole, 0, &inner, &more) < whole.len - 2 || !more.len)
				break;
			kind = classify((struct span){ more.ptr, more.len });
			if (kind == PAYLOAD_NONE)
				break;
			p->kind = kind;
			buf_reset(&p->decoded);
			buf_add(&p->decoded, more.ptr, more.len);
		}
		buf_free(&more);
		return true;
	}
	return false;
}
