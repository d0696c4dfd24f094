/* decoder.c: tells decoders by what they do, in command strings and in processes. */
#include <string.h>
#include "decoder.h"
#include "payload.h"

#define ESCAPES_MIN 8 /* fewer are a colour or a line drawing */

bool decoder_word_is(const struct shell_command *c, unsigned i, const char *name)
{
	char text[64], *slash;

	if (i >= c->words)
		return false;
	shell_unquote(c->word[i], text, sizeof(text));
	slash = strrchr(text, '/');
	return !strcmp(slash ? slash + 1 : text, name);
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

/* An inline program that calls a decoding function. */
static bool is_script(const struct shell_command *c)
{
	static const char *const calls[] = { "b64decode", "fromhex", "unhexlify", "decode_base64",
					     "unpack",    "pack(",   "'base64'",  "atob(" };

	if (!has_option(c, 'c', NULL) && !has_option(c, 'e', NULL))
		return false;
	for (unsigned i = 1; i < c->words; i++)
		for (size_t k = 0; k < ARRAY_SIZE(calls); k++)
			if (span_find(c->word[i], span_of(calls[k])) >= 0)
				return true;
	return false;
}

bool decoder_command(const struct shell_command *c, size_t escapes)
{
	static const char *const base64[] = { "base64", "base32", "basenc", "gbase64" };
	static const char *const echo[] = { "echo", "printf", "xargs" };

	for (size_t i = 0; i < ARRAY_SIZE(base64); i++)
		if (decoder_word_is(c, 0, base64[i]))
			return has_option(c, 'd', "--decode") || has_option(c, 'D', NULL);
	if (decoder_word_is(c, 0, "xxd"))
		return has_option(c, 'r', "-revert");
	if (decoder_word_is(c, 0, "uudecode"))
		return true;
	if (decoder_word_is(c, 0, "openssl"))
		return (decoder_word_is(c, 1, "base64") || decoder_word_is(c, 1, "enc")) &&
		       has_option(c, 'd', NULL);
	for (size_t i = 0; i < ARRAY_SIZE(echo); i++)
		if (decoder_word_is(c, 0, echo[i]))
			return escapes >= ESCAPES_MIN;
	return is_script(c);
}

bool decoder_process(const struct process *p)
{
	struct shell_command c = { 0 };
	size_t escapes = 0;
	unsigned i = 0;

	/* busybox base64 -d */
	if (p->name && !strcmp(p->name, "busybox") && span_ends(process_arg(p, 0), "busybox"))
		i = 1;
	if (p->roles & ROLE_SHELL)
		return false;
	for (; i < p->argc && c.words < SHELL_WORDS; i++) {
		struct span a = process_arg(p, i);

		c.word[c.words++] = a;
		escapes += payload_escapes(a);
	}
	return c.words && decoder_command(&c, escapes);
}
