/* shell_flow.c: follows sources through the pipes and substitutions of a command string to interpreters. */
#include <string.h>
#include "decoder.h"
#include "payload.h"
#include "shell_flow.h"

struct level {
	unsigned origins; /* of what flows in this pipeline */
	unsigned below;   /* of what substitutions give to the command to come */
	bool builtin;
	size_t escapes;
	const char *from; /* where the source stands */
};

struct follow {
	shell_flow_fn *fn;
	void *ctx;
	struct level level[SHELL_DEPTH + 1];
};

static bool word_in(const struct shell_command *c, unsigned i, const char *const *names, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (decoder_word_is(c, i, names[k]))
			return true;
	return false;
}

static bool has_letter(struct span option, const char *letters)
{
	for (size_t i = 1; i < option.len; i++)
		if (option.ptr[i] && strchr(letters, option.ptr[i]))
			return true;
	return false;
}

/* Index of the interpreter of this command, behind sudo, env and their options; or words. */
static unsigned interpreter_at(const struct shell_command *c)
{
	static const char *const names[] = { "sh",      "bash", "dash", "zsh",    "ksh",
					     "ash",     "perl", "ruby", "node",   "python",
					     "python2", "php",  "lua",  "python3" };
	static const char *const wrappers[] = { "sudo", "env",     "nohup", "exec",   "time",
						"nice", "command", "doas",  "setsid", "xargs" };

	for (unsigned i = 0; i < c->words; i++) {
		if (word_in(c, i, names, ARRAY_SIZE(names)))
			return i;
		if (!word_in(c, i, wrappers, ARRAY_SIZE(wrappers)) &&
		    !(i &&
		      (c->word[i].ptr[0] == '-' || memchr(c->word[i].ptr, '=', c->word[i].len))))
			break;
	}
	return c->words;
}

/* Does the interpreter at word k read its program from standard input? */
static bool reads_input(const struct shell_command *c, unsigned k)
{
	for (unsigned i = k + 1; i < c->words; i++) {
		struct span w = c->word[i];

		if (w.len == 1 || span_eq(w, "/dev/stdin") || span_eq(w, "-s"))
			return w.ptr[0] == '-' || w.ptr[0] == '/';
		if (w.ptr[0] != '-')
			return false;
		if (w.ptr[1] != '-' && has_letter(w, "cem"))
			return false;
	}
	return k < c->words;
}

/* Does it take a text among its words as a program, or as the file of one: eval, sh -c, . <( )? */
static bool runs_words(const struct shell_command *c, unsigned k)
{
	static const char *const evals[] = { "eval", "source", "." };

	if (word_in(c, 0, evals, ARRAY_SIZE(evals)))
		return true;
	for (unsigned i = k + 1; i < c->words; i++)
		if (c->word[i].ptr[0] == '-' && c->word[i].len > 1 && has_letter(c->word[i], "ce"))
			return true;
	return k < c->words && span_find(c->text, SPAN("<(")) >= 0;
}

static void say(struct follow *f, const struct shell_command *c, struct level *l, unsigned origins,
		bool substituted)
{
	const char *from = !substituted && l->from ? l->from : c->text.ptr;
	const char *end = c->text.ptr + c->text.len;
	struct shell_flow flow = { origins, substituted, l->builtin, { NULL, 0 } };

	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	flow.text = (struct span){ from, (size_t)(end - from) };
	f->fn(f->ctx, &flow);
}

static void command_look(void *ctx, const struct shell_command *c)
{
	static const char *const fetchers[] = { "curl", "wget", "fetch", "aria2c", "lwp-download" };
	struct follow *f = ctx;
	struct level *l = &f->level[c->depth];
	unsigned origins = 0, k;

	if (!c->words)
		return;
	if (c->before != SHELL_PIPE) {
		l->origins = 0;
		l->builtin = false;
		l->escapes = 0;
		l->from = NULL;
	}
	k = interpreter_at(c);
	if (l->origins && c->before == SHELL_PIPE && reads_input(c, k))
		say(f, c, l, l->origins, false);
	if (l->below && runs_words(c, k))
		say(f, c, l, l->below, true);
	l->escapes += payload_escapes(c->text);
	if (word_in(c, 0, fetchers, ARRAY_SIZE(fetchers)))
		origins |= ORIGIN_NETWORK;
	if (decoder_command(c, l->escapes)) {
		static const char *const own[] = { "echo", "printf" };

		origins |= ORIGIN_DECODER;
		l->builtin |= word_in(c, 0, own, ARRAY_SIZE(own));
	}
	if (origins && !l->from)
		l->from = c->text.ptr;
	l->origins |= origins | l->below;
	l->below = 0;
	if (c->depth)
		f->level[c->depth - 1].below |= l->origins;
}

void shell_flows(struct span string, shell_flow_fn *fn, void *ctx)
{
	struct follow f = { .fn = fn, .ctx = ctx };

	shell_walk(string, command_look, &f);
}
