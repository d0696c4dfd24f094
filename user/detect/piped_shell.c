/* piped_shell.c: R4, pipes between parent and child, and shells given command strings. */
#include <ctype.h>
#include <string.h>
#include "detect.h"

static void look_pipes(const struct process *p, struct report *out)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	struct buf b = { 0 };

	for (int i = 0; i < 3; i++)
		if (p->fd[i].kind == FD_PIPE && p->fd[i].peer_pid && p->fd[i].peer_pid == p->ppid)
			buf_fmt(&b, "%s%s", b.len ? ", " : "", names[i]);
	if (b.len)
		finding(out, "R4.1", span_of(p->name), "%s held by the parent", b.ptr);
	buf_free(&b);
}

/* The string behind -c (also -ec, -lc, and options with operands before it); empty: none. */
static struct span command_string(const struct process *p)
{
	for (unsigned i = 1; i < p->argc && i < 16; i++) {
		struct span a = process_arg(p, i);

		if (a.len < 2 || (a.ptr[0] != '-' && a.ptr[0] != '+'))
			return (struct span){ NULL, 0 };
		if (span_starts(a, "--"))
			continue;
		if (a.ptr[0] == '-' && memchr(a.ptr, 'c', a.len)) {
			struct span s = process_arg(p, i + 1);

			return span_eq(s, "--") ? process_arg(p, i + 2) : s;
		}
		if (a.ptr[a.len - 1] == 'o' || a.ptr[a.len - 1] == 'O')
			i++; /* -o pipefail */
	}
	return (struct span){ NULL, 0 };
}

/*
 * First word and control operators of the string, as its shape; *control is set when any operator
 * stands outside single quotes (of ` and $( also inside double quotes).
 */
static void shape(struct span s, struct buf *out, bool *control)
{
	char quote = 0;
	bool word = true;

	*control = false;
	for (size_t i = 0; i < s.len && out->len < 120; i++) {
		char c = s.ptr[i], next = i + 1 < s.len ? s.ptr[i + 1] : 0;
		bool substitution = c == '`' || (c == '$' && next == '(');

		if (c == '\\' && quote != '\'') {
			i++;
			continue;
		}
		if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
			continue;
		}
		if ((substitution && quote != '\'') || (!quote && strchr(";|<>\n", c)) || (!quote && c == '&')) {
			*control = true;
			word = false;
			buf_byte(out, c == '\n' ? ';' : c);
		} else if (word) {
			if (isspace((unsigned char)c) && out->len)
				word = false;
			else
				buf_byte(out, c);
		}
	}
}

static void look(const struct fact *f, struct report *out)
{
	const struct process *p = f->process, *giver = p->parent;
	struct buf subject = { 0 };
	struct span string;
	bool control;

	look_pipes(p, out);
	if (!(p->roles & ROLE_SHELL) || !giver || !(giver->roles & ROLE_TEST) ||
	    giver->roles & (ROLE_BUILD_TOOL | ROLE_RUNTIME))
		return;
	string = command_string(p);
	if (!string.len)
		return;
	buf_fmt(&subject, "%s: ", giver->script ? giver->script : giver->name);
	shape(string, &subject, &control);
	finding(out, control ? "R4.3" : "R4.2", (struct span){ subject.ptr, subject.len }, "%s -c %.*s", p->name,
		SPANF(string));
	buf_free(&subject);
}

const struct detector detect_piped_shell = { RISK_PIPED_SHELL, FACT_EXEC, look };
