/* decoder.c: tells decoders and copiers by what they do, in command strings and in processes. */
#include <string.h>
#include "decoder.h"
#include "inline_code.h"
#include "payload.h"

#define ESCAPES_MIN 8 /* fewer are a colour or a line drawing */

#define NAME_LEN 64

/* Word i without quotes and directories, in text; empty: there is none. */
static const char *word_name(const struct shell_command *c, unsigned i, char text[NAME_LEN])
{
	const char *slash;

	if (i >= c->words)
		return "";
	shell_unquote(c->word[i], text, NAME_LEN);
	slash = strrchr(text, '/');
	return slash ? slash + 1 : text;
}

bool decoder_word_in(const struct shell_command *c, unsigned i, const char *const *names, size_t n)
{
	char text[NAME_LEN];
	const char *name = word_name(c, i, text);

	for (size_t k = 0; k < n; k++)
		if (*name == *names[k] && !strcmp(name, names[k]))
			return true;
	return false;
}

static bool word_is(const struct shell_command *c, unsigned i, const char *name)
{
	return decoder_word_in(c, i, &name, 1);
}

/* Has it a short option with this letter, or the long one? */
static bool has_option(const struct shell_command *c, char letter, const char *name)
{
	for (unsigned i = 1; i < c->words; i++) {
		struct span w = c->word[i];

		if (w.len > 1 && w.ptr[0] == '-' && w.ptr[1] != '-' && memchr(w.ptr, letter, w.len))
			return true;
		if (name && shell_word_is(w, name))
			return true;
	}
	return false;
}

/* An inline program that calls a decoding function, or whose text is mostly escapes. */
static bool is_script(const struct shell_command *c, size_t escapes)
{
	if (!has_option(c, 'c', "--eval") && !has_option(c, 'e', NULL) && !has_option(c, 'r', NULL))
		return false;
	for (unsigned i = 1; i < c->words; i++)
		if (code_decodes(c->word[i]))
			return true;
	return escapes >= ESCAPES_MIN;
}

/* python -m base64 -d */
static bool is_module(const struct shell_command *c)
{
	bool module = false;

	for (unsigned i = 2; i < c->words; i++)
		module |=
			shell_word_is(c->word[i - 1], "-m") && shell_word_is(c->word[i], "base64");
	return module && has_option(c, 'd', NULL);
}

/* Letters changed one by one, as rot13 does: both sets are ranges, and the second begins in the midst. */
static bool is_rotation(const struct shell_command *c)
{
	char from[64], to[64];

	if (c->words != 3)
		return false;
	shell_unquote(c->word[1], from, sizeof(from));
	shell_unquote(c->word[2], to, sizeof(to));
	return (!strncmp(from, "A-Z", 3) || !strncmp(from, "a-z", 3)) && strlen(to) > 5 &&
	       to[1] == '-' && to[0] > 'A' && to[0] != 'a' && to[0] < 'z';
}

/* A word of nothing but escapes, two at least: what a colour does not look like. */
static bool is_escaped(struct span word)
{
	size_t n = payload_escapes(word);

	while (word.len && strchr("'\"$", word.ptr[0]) && word.ptr[0]) {
		word.ptr++;
		word.len--;
	}
	return n >= 2 && 4 * n + 2 >= word.len;
}

/* Writes \\x before each pair of digits, for printf to resolve; or characters of numbers. */
static bool makes_escapes(const struct shell_command *c)
{
	for (unsigned i = 1; i < c->words; i++)
		if (span_find(c->word[i], SPAN("\\x&")) >= 0 ||
		    span_find(c->word[i], SPAN("\\x\\1")) >= 0 ||
		    (span_find(c->word[i], SPAN("%c")) >= 0 &&
		     span_find(c->word[i], SPAN("printf")) >= 0))
			return true;
	return false;
}

/* enc and base64, a cipher by its own name, and what knows -decrypt. */
static bool is_openssl(const struct shell_command *c)
{
	static const char *const ciphers[] = { "aes",  "des",  "camellia", "chacha",
					       "bf",   "rc",   "aria",     "sm4",
					       "seed", "cast", "blowfish", "idea" };
	bool cipher = word_is(c, 1, "enc") || word_is(c, 1, "base64");

	if (!word_is(c, 0, "openssl") || c->words < 3)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ciphers); i++)
		cipher |= span_starts(c->word[1], ciphers[i]);
	for (unsigned i = 2; i < c->words; i++)
		if ((cipher && shell_word_is(c->word[i], "-d")) ||
		    shell_word_is(c->word[i], "-decrypt"))
			return true;
	return false;
}

/* Decoders whatever their arguments are, or with an option that says so. */
static const struct {
	const char *name;
	char letter; /* 0: always */
	const char *option;
} tools[] = {
	{ "base64", 'd', "--decode" },
	{ "base64", 'D', NULL },
	{ "base32", 'd', "--decode" },
	{ "basenc", 'd', "--decode" },
	{ "gbase64", 'd', "--decode" },
	{ "xxd", 'r', "-revert" },
	{ "gpg", 'd', "--decrypt" },
	{ "gpg2", 'd', "--decrypt" },
	{ "age", 'd', "--decrypt" },
	{ "uudecode", 0, NULL },
	{ "rev", 0, NULL },
	{ "qprint", 'd', "--decode" },
	{ "ascii85", 'd', "--decode" },
	{ "base58", 'd', "--decode" },
	{ "mcrypt", 'd', "--decrypt" },
	{ "ccrypt", 'd', "--decrypt" },
	{ "ccdecrypt", 0, NULL },
	{ "rot13", 0, NULL },
};

static bool is_tool(const struct shell_command *c)
{
	char text[NAME_LEN];
	const char *name = word_name(c, 0, text);

	for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
		if (!strcmp(name, tools[i].name) &&
		    (!tools[i].letter || has_option(c, tools[i].letter, tools[i].option)))
			return true;
	return false;
}

bool decoder_command(const struct shell_command *c, size_t escapes)
{
	static const char *const echo[] = { "echo", "printf", "xargs" };
	static const char *const awks[] = { "awk", "mawk", "gawk" };

	if (is_tool(c))
		return true;
	if (decoder_word_in(c, 0, echo, ARRAY_SIZE(echo))) {
		for (unsigned k = 1; k < c->words; k++)
			if (is_escaped(c->word[k]))
				return true;
		return escapes >= ESCAPES_MIN;
	}
	if (word_is(c, 0, "jq"))
		for (unsigned i = 1; i < c->words; i++)
			if (span_find(c->word[i], SPAN("@base64d")) >= 0)
				return true;
	if (word_is(c, 0, "tr"))
		return is_rotation(c);
	if (word_is(c, 0, "sed"))
		return makes_escapes(c);
	if (decoder_word_in(c, 0, awks, ARRAY_SIZE(awks)))
		return makes_escapes(c) || escapes >= ESCAPES_MIN;
	return is_openssl(c) || is_module(c) || is_script(c, escapes);
}

bool decoder_process(const struct process *p)
{
	struct shell_command c;
	size_t escapes = 0;

	if (p->roles & ROLE_SHELL)
		return false;
	shell_command_of(p, &c);
	for (unsigned i = 0; i < c.words; i++)
		escapes += payload_escapes(c.word[i]);
	return c.words && decoder_command(&c, escapes);
}

bool copier_command(const struct shell_command *c)
{
	static const char *const names[] = {
		"cp",      "mv",    "ln",      "install", "cat",    "tac",      "dd",
		"head",    "tail",  "sed",     "tee",     "gzip",   "gunzip",   "zcat",
		"xz",      "unxz",  "xzcat",   "bzip2",   "bzcat",  "tar",      "unzip",
		"bunzip2", "zstd",  "zstdcat", "unzstd",  "cpio",   "ar",       "tr",
		"sort",    "rsync", "bsdtar",  "7z",      "shuf",   "uniq",     "cut",
		"awk",     "mawk",  "gawk",    "split",   "csplit", "envsubst",
	};

	return decoder_word_in(c, 0, names, ARRAY_SIZE(names));
}

struct span copier_operand(const struct shell_command *c, unsigned i)
{
	struct span w = i < c->words ? c->word[i] : (struct span){ NULL, 0 };
	static const char *const keys[] = { "if=", "--file=" };

	for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
		if (span_starts(w, keys[k]))
			return (struct span){ w.ptr + strlen(keys[k]), w.len - strlen(keys[k]) };
	return w.len && w.ptr[0] == '-' ? (struct span){ NULL, 0 } : w;
}
