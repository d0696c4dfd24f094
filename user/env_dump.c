/* env_dump.c: programs and shell commands that print the whole environment, by their arguments. */
#include <stdio.h>
#include <string.h>
#include "env_dump.h"
#include "shell.h"

/* Arguments of env and printenv: would the whole environment be printed? */
struct dump {
	bool env;     /* else printenv */
	bool none;    /* emptied, help, or an operand */
	bool operand; /* the next argument belongs to an option */
};

static bool dump_is(struct dump *d, const char *program)
{
	const char *slash = strrchr(program, '/');

	program = slash ? slash + 1 : program;
	memset(d, 0, sizeof(*d));
	d->env = !strcmp(program, "env");
	return d->env || !strcmp(program, "printenv");
}

static void dump_argument(struct dump *d, struct span a)
{
	if (d->operand)
		d->operand = false;
	else if (!a.len || a.ptr[0] != '-' || span_eq(a, "-") || span_eq(a, "--help") ||
		 span_eq(a, "--version") || span_eq(a, "--ignore-environment"))
		d->none = true;
	else if (!d->env || a.ptr[1] == '-')
		d->none |= span_starts(a, "--split-string");
	else if (memchr(a.ptr, 'i', a.len) || memchr(a.ptr, 'S', a.len))
		d->none = true;
	else /* -u NAME, -C DIR */
		d->operand = a.ptr[a.len - 1] == 'u' || a.ptr[a.len - 1] == 'C';
}

static bool program_dumps(const struct process *p)
{
	char program[256];
	struct dump d;
	bool multi = p->name && (!strcmp(p->name, "busybox") || !strcmp(p->name, "toybox") ||
				 !strcmp(p->name, "coreutils"));
	unsigned i = 0;

	if (!p->name)
		return false;
	snprintf(program, sizeof(program), "%s", p->name);
	if (multi) {
		struct span a = process_arg(p, 0);

		if (span_ends(a, p->name))
			a = process_arg(p, ++i);
		snprintf(program, sizeof(program), "%.*s", (int)a.len, a.ptr ? a.ptr : "");
	}
	if (!dump_is(&d, program))
		return false;
	/* An operand ends the look, options are few. */
	for (i++; i < p->argc && i < 64 && !d.none; i++)
		dump_argument(&d, process_arg(p, i));
	return !d.none;
}

/* Simple commands that print everything. */
static void command_dumps(void *ctx, const struct shell_command *c)
{
	static const char *const builtins[][2] = {
		{ "set", NULL },      { "export", "-p" },   { "export", NULL },
		{ "declare", "-x" },  { "declare", "-p" },  { "typeset", "-x" },
		{ "declare", "-px" }, { "declare", "-xp" }, { "declare", NULL },
	};
	char text[256];
	bool *found = ctx;
	struct dump d;

	if (!c->words)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
		if (shell_word_is(c->word[0], builtins[i][0]) &&
		    (builtins[i][1] ? c->words == 2 && shell_word_is(c->word[1], builtins[i][1])
				    : c->words == 1))
			*found = true;
	shell_unquote(c->word[0], text, sizeof(text));
	if (!dump_is(&d, text))
		return;
	for (unsigned i = 1; i < c->words && !d.none; i++) {
		size_t n = shell_unquote(c->word[i], text, sizeof(text));

		dump_argument(&d, (struct span){ text, n });
	}
	if (!d.none)
		*found = true;
}

static bool shell_dumps(const struct process *p)
{
	bool found = false;

	if (p->roles & ROLE_SHELL)
		shell_walk(shell_command_string(p), command_dumps, &found);
	return found;
}

bool process_dumps(const struct process *p)
{
	return program_dumps(p) || shell_dumps(p);
}
