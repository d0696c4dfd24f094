/* payload.c: encoded runs in untrusted text: escapes, percent, hex, base64; layers; what they
 * decode to. */
#include <stdlib.h>
#include <string.h>
#include "codec.h"
#include "inflate.h"
#include "payload.h"
#include "secret_shape.h"
#include "shell.h"
#include "utf8.h"

#define GAP_MAX  3  /* plain bytes between two escapes of one run */
#define LINE_MIN 60 /* digits of a base64 line that goes on in the next one */

struct search {
	unsigned layer; /* of the runs that are found now, from 1 */
	payload_fn *fn;
	void *ctx;
};

static void find(const struct search *x, struct span text);

/* ---- what decoded bytes are ---- */

struct magic {
	struct span bytes;
	enum payload_content content;
};

static enum payload_content magic_of(struct span s)
{
	static const struct magic magics[] = {
		{ { "\177ELF", 4 }, CONTENT_PROGRAM },
		{ { "MZ\x90\0", 4 }, CONTENT_PROGRAM },
		{ { "\xcf\xfa\xed\xfe", 4 }, CONTENT_PROGRAM },
		{ { "\xca\xfe\xba\xbe\0\0\0", 7 }, CONTENT_PROGRAM },
		{ { "\x1f\x8b\x08", 3 }, CONTENT_FILE },
		{ { "PK\3\4", 4 }, CONTENT_FILE },
		{ { "\xfd"
		    "7zXZ\0",
		    6 },
		  CONTENT_FILE },
		{ { "BZh91AY&SY", 10 }, CONTENT_FILE },
		{ { "\x28\xb5\x2f\xfd", 4 }, CONTENT_FILE },
		{ { "7z\xbc\xaf\x27\x1c", 6 }, CONTENT_FILE },
		{ { "\x89PNG\r\n\x1a\n", 8 }, CONTENT_FILE },
		{ { "\xff\xd8\xff\xe0", 4 }, CONTENT_FILE },
		{ { "!<arch>\n", 8 }, CONTENT_FILE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (s.len >= magics[i].bytes.len &&
		    !memcmp(s.ptr, magics[i].bytes.ptr, magics[i].bytes.len))
			return magics[i].content;
	return CONTENT_NONE;
}

static bool is_printable(const char *p, size_t n)
{
	return n > 1 || (p[0] >= 0x20 && p[0] < 0x7f) || p[0] == '\n' || p[0] == '\t' ||
	       p[0] == '\r' || p[0] == '\033';
}

/* The next stretch of text from *at on; *at moves behind it. Empty: there is none. */
static struct span text_next(struct span s, size_t *at)
{
	size_t i = *at, from;

	for (;;) {
		int n;

		if (i >= s.len) {
			*at = s.len;
			return (struct span){ NULL, 0 };
		}
		n = utf8_step(s.ptr + i, s.len - i);
		if (n > 0 && is_printable(s.ptr + i, (size_t)n))
			break;
		i += (size_t)(n < 0 ? -n : n);
	}
	for (from = i; i < s.len;) {
		int n = utf8_step(s.ptr + i, s.len - i);

		if (n < 0 || !is_printable(s.ptr + i, (size_t)n))
			break;
		i += (size_t)n;
	}
	*at = i;
	return (struct span){ s.ptr + from, i - from };
}

static const char *const interpreters[] = { "sh",   "bash",   "dash",    "zsh",     "ksh",
					    "ash",  "python", "python2", "python3", "perl",
					    "ruby", "node",   "php",     "source",  "." };
static const char *const fetchers[] = { "curl", "wget", "fetch", "lwp-download", "aria2c" };
static const char *const commands[] = {
	"sh",       "bash",     "dash",   "zsh",     "ksh",     "curl",    "wget",    "nc",
	"ncat",     "socat",    "ssh",    "scp",     "chmod",   "chown",   "rm",      "cp",
	"mv",       "mkdir",    "ln",     "tar",     "dd",      "eval",    "exec",    "export",
	"sudo",     "su",       "python", "python2", "python3", "perl",    "ruby",    "node",
	"php",      "base64",   "xxd",    "openssl", "mkfifo",  "nohup",   "crontab", "systemctl",
	"docker",   "kill",     "pkill",  "useradd", "usermod", "apt-get", "apt",     "apk",
	"yum",      "pip",      "pip3",   "npm",     "git",     "mount",   "nsenter", "chroot",
	"iptables", "source",   "echo",   "cat",     "printf",  "id",      "whoami",  "uname",
	"env",      "printenv", "tee",    "xargs",   "find",    "awk",     "sed",
};

static bool word_in(struct span word, const char *const *list, size_t n)
{
	char text[64];
	const char *slash;
	size_t len = shell_unquote(word, text, sizeof(text));

	slash = memrchr(text, '/', len);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(slash ? slash + 1 : text, list[i]))
			return true;
	return false;
}

struct shell_look {
	bool fetched;     /* a fetcher stands in this pipeline */
	bool inner_fetch; /* in a substitution not yet used */
	bool url_pipe;
	unsigned good; /* commands that look like some */
	unsigned bad;
};

/* An operand as commands have them, prose has not: an option, a path, a variable, a URL. */
static bool is_operand(struct span word)
{
	return (word.len > 1 && word.ptr[0] == '-') || memchr(word.ptr, '/', word.len) ||
	       memchr(word.ptr, '$', word.len) || memchr(word.ptr, '=', word.len);
}

static void shell_look_at(void *ctx, const struct shell_command *c)
{
	struct shell_look *l = ctx;
	bool interpreter, known, operand = c->out.len > 0 || c->before != SHELL_FIRST || c->depth;

	if (!c->words)
		return;
	interpreter = word_in(c->word[0], interpreters, ARRAY_SIZE(interpreters)) ||
		      shell_word_is(c->word[0], "eval");
	if (c->before != SHELL_PIPE)
		l->fetched = false;
	if (word_in(c->word[0], fetchers, ARRAY_SIZE(fetchers))) {
		l->fetched = true;
		l->inner_fetch |= c->depth > 0;
	} else if (l->fetched && c->before == SHELL_PIPE) {
		for (unsigned i = 0; i < c->words && i < 4; i++) /* | sudo -E bash */
			l->url_pipe |= word_in(c->word[i], interpreters, ARRAY_SIZE(interpreters));
	}
	if (interpreter && l->inner_fetch && !c->depth)
		l->url_pipe = true;
	for (unsigned i = 1; i < c->words; i++)
		operand |= is_operand(c->word[i]);
	known = word_in(c->word[0], commands, ARRAY_SIZE(commands)) ||
		(c->word[0].ptr[0] == '/' && c->word[0].len > 4) || span_starts(c->word[0], "./");
	if (known && operand)
		l->good++;
	else if (!known)
		l->bad++;
}

/* The body has nothing but comments and echo: the reviewed kind of harmless script. */
static void echo_look(void *ctx, const struct shell_command *c)
{
	bool *more = ctx;

	if (!c->words || !shell_word_is(c->word[0], "echo") || c->out.len ||
	    c->before == SHELL_PIPE || c->depth)
		*more = true;
}

static bool is_certificate(struct span s)
{
	size_t i = 0;

	if (!span_starts(s, "-----BEGIN ") ||
	    (span_ifind(s, "CERTIFICATE") < 0 && span_ifind(s, "PUBLIC KEY") < 0))
		return false;
	while (i < s.len) {
		const char *end = memchr(s.ptr + i, '\n', s.len - i);
		struct span line = { s.ptr + i, (end ? (size_t)(end - s.ptr) : s.len) - i };

		i += line.len + 1;
		if (!span_starts(line, "-----") && line.len && memchr(line.ptr, ' ', line.len))
			return false;
	}
	return true;
}

static enum payload_content text_content(struct span s)
{
	struct shell_look l = { 0 };
	bool more = false;

	if (is_certificate(s))
		return CONTENT_NONE;
	shell_walk(s, shell_look_at, &l);
	if (l.url_pipe)
		return CONTENT_URL_PIPE;
	if (span_starts(s, "#!")) {
		shell_walk(s, echo_look, &more);
		return more ? CONTENT_SCRIPT : CONTENT_TEXT;
	}
	return l.good && l.good >= l.bad ? CONTENT_SHELL : CONTENT_TEXT;
}

/*
 * What s is. *core gets the stretch that says so. Text must be at least half of it, executable text
 * may hide among other bytes.
 */
static enum payload_content content_of(struct span s, struct span *core)
{
	enum payload_content worst = magic_of(s);
	size_t at = 0;

	*core = s;
	if (worst != CONTENT_NONE)
		return worst;
	for (;;) {
		struct span t = text_next(s, &at);
		enum payload_content c;

		if (!t.len)
			return worst;
		if (t.len < PAYLOAD_MIN)
			continue;
		c = text_content(t);
		if (c == CONTENT_TEXT && t.len < s.len / 2)
			c = CONTENT_NONE;
		if (c > worst) {
			worst = c;
			*core = t;
		}
	}
}

/* ---- the runs ---- */

struct inner {
	struct payload *outer;
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
	struct inner in = { .outer = &p };
	struct buf unpacked = { 0 };

	if (decoded.len < PAYLOAD_MIN)
		return false;
	p.content = content_of(decoded, &p.core);
	/* Compressed data is a layer of its own. */
	if (x->layer < PAYLOAD_LAYERS && inflate_bytes(decoded, &unpacked)) {
		struct span core, plain = { unpacked.ptr, unpacked.len };
		enum payload_content content = content_of(plain, &core);

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
		struct span word;

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
		if (!find_hex(x, word))
			find_base64(x, word, (struct span){ s.ptr + from, i - from });
	}
	buf_free(&joined);
}

static void find(const struct search *x, struct span text)
{
	if (text.len < PAYLOAD_MIN)
		return;
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

const char *payload_content_text(enum payload_content c)
{
	static const char *const texts[] = {
		[CONTENT_NONE] = "nothing known",
		[CONTENT_TEXT] = "text",
		[CONTENT_FILE] = "a binary file",
		[CONTENT_SHELL] = "a shell command line",
		[CONTENT_SCRIPT] = "a script",
		[CONTENT_PROGRAM] = "a program",
		[CONTENT_URL_PIPE] = "a download piped to an interpreter",
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

/* ---- the preview ---- */

static bool is_token_byte(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '+' || c == '-';
}

/* Letters and digits mixed: as passwords and tokens are, as few words are. */
static bool is_token(struct span word)
{
	bool digit = false, letter = false;

	for (size_t i = 0; i < word.len; i++) {
		bool d = word.ptr[i] >= '0' && word.ptr[i] <= '9';

		digit |= d;
		letter |= !d;
	}
	return word.len >= 8 && digit && letter;
}

/* The value behind a name at i: = or : and what follows up to white space or a quote. */
static size_t value_length(struct span s, size_t i)
{
	size_t from = i;

	while (i < s.len && i - from < 4 && s.ptr[i] && strchr("\"' \t", s.ptr[i]))
		i++;
	if (i >= s.len || (s.ptr[i] != '=' && s.ptr[i] != ':'))
		return 0;
	for (i++; i < s.len && s.ptr[i] && strchr("\"' \t", s.ptr[i]);)
		i++;
	while (i < s.len && (unsigned char)s.ptr[i] > 0x20 && s.ptr[i] != '"' && s.ptr[i] != '\'')
		i++;
	return i - from;
}

void payload_preview(const struct masker *m, struct span s, size_t max, struct buf *out)
{
	static const uint8_t seed[32] = { 0 };
	struct masker looks; /* what decoding made, the run's own has never seen */
	struct buf safe = { 0 };
	char *copy;

	if (s.len > 4096)
		s.len = 4096;
	masker_init(&looks, seed);
	looks.extra_names = m->extra_names;
	copy = xstrndup(s.len ? s.ptr : "", s.len);
	scrub_bytes(&looks, copy, s.len);
	s.ptr = copy;
	for (size_t i = 0; i < s.len && safe.len <= max;) {
		const char *kind = NULL;
		struct span word = { s.ptr + i, 0 };
		size_t n = masker_at(&looks, (struct span){ s.ptr + i, s.len - i }, NULL);

		if (n) {
			buf_str(&safe, "...");
			i += n;
			continue;
		}
		n = secret_shape(s, i, &kind);
		if (!n &&
		    span_starts(word = (struct span){ s.ptr + i, s.len - i }, "-----BEGIN ")) {
			const char *end = memchr(word.ptr, '\n', word.len);
			struct span line = { word.ptr, end ? (size_t)(end - word.ptr) : word.len };

			if (span_ifind(line, "PRIVATE KEY") >= 0)
				n = word.len;
		}
		if (n) {
			buf_str(&safe, kind ? "<token>" : "<private key>");
			i += n;
			continue;
		}
		word.len = 0;
		while (i + word.len < s.len && is_token_byte(s.ptr[i + word.len]))
			word.len++;
		if (!word.len) {
			char c = s.ptr[i++];

			buf_byte(&safe, c == '\n' || c == '\t' || c == '\r' ? ' ' : c);
			continue;
		}
		i += word.len;
		n = name_is_sensitive(m, word) ? value_length(s, i) : 0;
		if (is_token(word))
			buf_str(&safe, "...");
		else
			buf_add(&safe, word.ptr, word.len);
		if (n) {
			buf_str(&safe, "=...");
			i += n;
		}
	}
	text_escape((struct span){ safe.ptr, safe.len }, max, out);
	buf_free(&safe);
	free(copy);
	masker_free(&looks);
}
