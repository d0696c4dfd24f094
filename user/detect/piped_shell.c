/* piped_shell.c: R4, pipes between parent and child, and shells given command strings. */
#include <string.h>
#include "detect.h"
#include "shell.h"

#define SHAPE_MAX 120

static void look_pipes(const struct process *p, struct report *out)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	struct buf b = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (p->fd[i].kind == FD_PIPE && p->ppid && p->fd[i].peer_pid == p->ppid)
			buf_fmt(&b, "%s%s", b.len ? ", " : "", names[i]);
	if (b.len)
		finding(out, "R4.1", span_of(p->name), "%s %s held by the parent", b.ptr,
			strchr(b.ptr, ',') ? "are pipes" : "is a pipe");
	buf_free(&b);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The base name of the first word; of an assignment only its name: the value may be anything. */
static void shape_word(struct span s, struct buf *out)
{
	char plain[64];
	const char *slash;
	size_t i = 0, n;

	while (i < s.len && is_blank(s.ptr[i]))
		i++;
	for (n = 0; i + n < s.len && n < sizeof(plain); n++) {
		char c = s.ptr[i + n];

		if (is_blank(c) || (c && strchr(";&|<>()`=", c)) || (unsigned char)c == 0xff)
			break;
	}
	n = shell_unquote((struct span){ s.ptr + i, n }, plain, sizeof(plain));
	slash = memrchr(plain, '/', n);
	buf_str(out, slash ? slash + 1 : plain);
}

/* Length of the control operator at i, outside of quotes or (quote) inside double ones; else 0. */
static size_t operator_at(struct span s, size_t i, char quote)
{
	char c = s.ptr[i], next = i + 1 < s.len ? s.ptr[i + 1] : 0;

	if (c == '`')
		return 1;
	if (c == '$' && next == '(')
		return 2;
	if (quote)
		return 0;
	if (c == ';' || c == '&' || c == '|' || c == '<' || c == '>')
		return (next == c && c != ';') ? 2 : 1;
	if (c == '\n') {
		/* A line end separates commands only when another one follows. */
		while (++i < s.len && is_blank(s.ptr[i]))
			;
		return i < s.len;
	}
	return 0;
}

/* The words of the string replaced: first word, then the control operators. Returns whether it has
 * any. */
static bool shape_add(struct span s, struct buf *out)
{
	bool control = false;
	char quote = 0;

	shape_word(s, out);
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	for (size_t i = 0; i < s.len && out->len < SHAPE_MAX; i++) {
		char c = s.ptr[i];
		size_t n;

		if (c == '\\' && quote != '\'') {
			i++;
		} else if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
		} else if (!quote && c == '#' && (!i || is_blank(s.ptr[i - 1]))) {
			while (i + 1 < s.len && s.ptr[i + 1] != '\n')
				i++;
		} else if (quote != '\'' && (n = operator_at(s, i, quote))) {
			if (!control)
				buf_byte(out, ' ');
			control = true;
			if (c == '\n')
				buf_byte(out, ';');
			else
				buf_add(out, s.ptr + i, n);
			i += n - 1;
		}
	}
	return control;
}

static void look_string(const struct process *p, struct report *out)
{
	const struct process *giver = p->parent;
	struct span string, name;
	struct buf subject = { 0 };
	bool control;

	if (!(p->roles & ROLE_SHELL) || !giver || !(giver->roles & ROLE_TEST) ||
	    giver->roles & (ROLE_BUILD_TOOL | ROLE_RUNTIME))
		return;
	string = shell_command_string(p);
	if (!string.len)
		return;
	name = span_of(giver->script ? giver->script : giver->name);
	if (name.len)
		buf_add(&subject, name.ptr, name.len);
	buf_str(&subject, ": ");
	control = shape_add(string, &subject);
	finding(out, control ? "R4.3" : "R4.2", (struct span){ subject.ptr, subject.len },
		"%.*s gives %s -c: %.*s", SPANF(name), p->name ? p->name : "a shell",
		SPANF(string));
	buf_free(&subject);
}

static void look(const struct fact *f, struct report *out)
{
	if (!f->process)
		return;
	look_pipes(f->process, out);
	look_string(f->process, out);
}

const struct detector detect_piped_shell = { RISK_PIPED_SHELL, FACT_EXEC, look };
