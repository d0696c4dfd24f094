/* payload_content.c: what decoded bytes are: file formats, scripts, shell lines, other text. */
#include <string.h>
#include "inline_code.h"
#include "payload.h"
#include "shell.h"
#include "utf8.h"

#define DISTINCT_MIN 8  /* different bytes that a text has at least */
#define PERIOD_MAX   64 /* a longer text that comes again is one */

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

/* A few bytes over and over, or in turns: filling, rulers, padding. */
static bool is_repetitive(struct span s)
{
	bool seen[256] = { false };
	unsigned distinct = 0;

	for (size_t i = 0; i < s.len; i++) {
		distinct += !seen[(unsigned char)s.ptr[i]];
		seen[(unsigned char)s.ptr[i]] = true;
	}
	if (distinct < DISTINCT_MIN)
		return true;
	for (size_t period = DISTINCT_MIN; period <= PERIOD_MAX && period <= s.len / 3; period++)
		if (!memcmp(s.ptr, s.ptr + period, s.len - period))
			return true;
	return false;
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
	if (l.good && l.good >= l.bad)
		return CONTENT_SHELL;
	if (code_runs(s))
		return CONTENT_SCRIPT;
	return is_repetitive(s) ? CONTENT_NONE : CONTENT_TEXT;
}

/* UTF-16, as Windows has it, of nothing but ASCII: its letters. False: it is none. */
static bool utf16_fold(struct span s, struct buf *out)
{
	for (size_t i = 0; i + 1 < s.len; i += 2) {
		if (s.ptr[i + 1] || !s.ptr[i] || (unsigned char)s.ptr[i] >= 0x80)
			return false;
		buf_byte(out, s.ptr[i]);
	}
	return out->len >= PAYLOAD_MIN;
}

/* Text must be at least half of it, executable text may hide among other bytes. */
enum payload_content payload_content(struct span s, struct span *core)
{
	enum payload_content worst = magic_of(s);
	struct buf wide = { 0 };
	size_t at = 0;

	*core = s;
	if (worst != CONTENT_NONE)
		return worst;
	if (s.len > 2 && !s.ptr[1] && utf16_fold(s, &wide)) {
		worst = text_content((struct span){ wide.ptr, wide.len });
		buf_free(&wide);
		return worst;
	}
	buf_free(&wide);
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
