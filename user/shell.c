/* shell.c: splits command strings as a POSIX shell would, without expanding anything. */
#include <string.h>
#include "shell.h"

struct walk {
	shell_fn *fn;
	void *ctx;
};

static void walk_list(struct walk *w, struct span s, unsigned depth);

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Offset behind the ) that closes what begins at i (behind the opening one); the end when none
 * does. */
static size_t close_find(struct span s, size_t i)
{
	unsigned open = 1;
	char quote = 0;

	for (; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '\\' && quote != '\'') {
			i++;
		} else if (quote) {
			if (c == quote)
				quote = 0;
		} else if (c == '\'' || c == '"') {
			quote = c;
		} else if (c == '(') {
			open++;
		} else if (c == ')' && !--open) {
			return i + 1;
		}
	}
	return s.len;
}

static size_t tick_find(struct span s, size_t i)
{
	for (; i < s.len && s.ptr[i] != '`'; i++)
		if (s.ptr[i] == '\\')
			i++;
	return i < s.len ? i + 1 : s.len;
}

/* Walks the substitution that begins at i, if one does, and returns the offset behind it. */
static size_t substitution(struct walk *w, struct span s, size_t i, unsigned depth)
{
	size_t from, end;

	if (s.ptr[i] == '`') {
		from = i + 1;
		end = tick_find(s, from);
	} else if (s.ptr[i] != '\'' && i + 1 < s.len && s.ptr[i + 1] == '(' &&
		   strchr("$<>", s.ptr[i])) {
		from = i + 2;
		end = close_find(s, from);
	} else {
		return i;
	}
	if (depth + 1 < SHELL_DEPTH && end > from)
		walk_list(w, (struct span){ s.ptr + from, end - from - 1 }, depth + 1);
	return end;
}

/* Offset behind the word at i. */
static size_t word_end(struct walk *w, struct span s, size_t i, unsigned depth)
{
	char quote = 0;

	while (i < s.len) {
		char c = s.ptr[i];
		size_t next;

		if (c == '\\' && quote != '\'') {
			i += 2;
			continue;
		}
		if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
			i++;
			continue;
		}
		if (quote != '\'' && (c == '`' || c == '$')) {
			next = substitution(w, s, i, depth);
			if (next > i) {
				i = next;
				continue;
			}
		}
		if (!quote && (is_blank(c) || (c && strchr("\n;&|<>()", c))))
			return i;
		i++;
	}
	return s.len;
}

static bool is_assignment(struct span word)
{
	size_t i = 0;

	while (i < word.len && (word.ptr[i] == '_' || (word.ptr[i] >= '0' && word.ptr[i] <= '9') ||
				((word.ptr[i] | 32) >= 'a' && (word.ptr[i] | 32) <= 'z')))
		i++;
	return i && i < word.len && word.ptr[i] == '=' && (word.ptr[0] < '0' || word.ptr[0] > '9');
}

static bool is_reserved(struct span word)
{
	static const char *const words[] = { "if", "then", "else", "elif", "while", "until", "do",
					     "!",  "{",    "}",    "time", "fi",    "done" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (span_eq(word, words[i]))
			return true;
	return false;
}

static void command_end(struct walk *w, struct shell_command *c, struct span s, size_t from,
			size_t to)
{
	if (c->words || c->out.len || c->sets) {
		c->text = (struct span){ s.ptr + from, to - from };
		w->fn(w->ctx, c);
	}
	c->words = c->sets = 0;
	c->out = c->in = c->here = (struct span){ NULL, 0 };
	c->before = SHELL_FIRST;
}

static bool is_number(struct span word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.ptr[i] < '0' || word.ptr[i] > '9')
			return false;
	return word.len > 0;
}

/* A redirection at i: notes where to or where from. Returns the offset behind it. */
static size_t redirection(struct walk *w, struct shell_command *c, struct span s, size_t i,
			  unsigned depth)
{
	bool out = s.ptr[i] == '>';
	size_t signs = i, from;
	struct span word;

	while (i < s.len && strchr("<>|&", s.ptr[i]) && s.ptr[i])
		i++;
	signs = i - signs;
	while (i < s.len && is_blank(s.ptr[i]))
		i++;
	from = i;
	i = word_end(w, s, i, depth);
	if (i > s.len)
		i = s.len;
	word = (struct span){ s.ptr + from, i - from };
	if (!word.len || is_number(word))
		return i;
	if (out)
		c->out = word;
	else if (signs == 3)
		c->here = word;
	else if (signs == 1)
		c->in = word;
	return i;
}

static void walk_list(struct walk *w, struct span s, unsigned depth)
{
	struct shell_command c = { .depth = depth };
	size_t i = 0, from = 0;

	while (i < s.len) {
		char ch = s.ptr[i], next = i + 1 < s.len ? s.ptr[i + 1] : 0;
		size_t end;

		if (is_blank(ch)) {
			i++;
		} else if (ch == '#') {
			while (i < s.len && s.ptr[i] != '\n')
				i++;
		} else if ((ch == '<' || ch == '>') && next == '(') {
			i = substitution(w, s, i, depth);
		} else if (ch == '<' || ch == '>' || (ch == '&' && next == '>')) {
			i = redirection(w, &c, s, ch == '&' ? i + 1 : i, depth);
		} else if (ch == '(' && !c.words) {
			i++; /* a subshell: what stands in front of it stands in front of its first command */
		} else if (ch && strchr("\n;&|()", ch)) {
			bool twice = ch == next && (ch == '&' || ch == '|');

			command_end(w, &c, s, from, i);
			if (twice)
				c.before = SHELL_CHAIN;
			else if (ch == '|')
				c.before = SHELL_PIPE;
			i += twice || (ch == '|' && next == '&') ? 2 : 1;
			from = i;
		} else {
			struct span word;

			end = word_end(w, s, i, depth);
			if (end > s.len)
				end = s.len;
			word = (struct span){ s.ptr + i, end - i };
			i = end;
			if (is_number(word) && i < s.len && (s.ptr[i] == '<' || s.ptr[i] == '>'))
				continue; /* 2>file */
			if (!c.words && is_assignment(word)) {
				if (c.sets < SHELL_SETS)
					c.set[c.sets++] = word;
				continue;
			}
			if (!c.words && is_reserved(word))
				continue;
			if (c.words < SHELL_WORDS)
				c.word[c.words++] = word;
		}
	}
	command_end(w, &c, s, from, s.len);
}

void shell_walk(struct span s, shell_fn *fn, void *ctx)
{
	struct walk w = { fn, ctx };

	if (s.len)
		walk_list(&w, s, 0);
}

size_t shell_unquote(struct span word, char *to, size_t max)
{
	char quote = 0;
	size_t n = 0;

	for (size_t i = 0; i < word.len && n + 1 < max; i++) {
		char c = word.ptr[i];

		if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
			continue;
		}
		if (c == '\\' && !quote && i + 1 < word.len)
			c = word.ptr[++i];
		to[n++] = c;
	}
	to[n] = 0;
	return n;
}

bool shell_word_is(struct span word, const char *text)
{
	char plain[64];
	size_t n = shell_unquote(word, plain, sizeof(plain));

	return n == strlen(text) && !memcmp(plain, text, n);
}

void shell_command_of(const struct process *p, struct shell_command *c)
{
	unsigned i = 0;

	*c = (struct shell_command){ 0 };
	if (p->name && !strcmp(p->name, "busybox") && span_ends(process_arg(p, 0), "busybox"))
		i = 1;
	for (; i < p->argc && c->words < SHELL_WORDS; i++)
		c->word[c->words++] = process_arg(p, i);
}

struct span shell_command_string(const struct process *p)
{
	unsigned i = 1;

	/* busybox sh -c */
	if (p->name && !strcmp(p->name, "busybox") && span_ends(process_arg(p, 0), "busybox"))
		i = 2;
	for (; i < p->argc; i++) {
		struct span a = process_arg(p, i);
		bool command;

		if (a.len < 2 || (a.ptr[0] != '-' && a.ptr[0] != '+'))
			break;
		if (span_eq(a, "--"))
			break;
		if (span_eq(a, "--rcfile") || span_eq(a, "--init-file"))
			i++;
		if (a.ptr[1] == '-')
			continue;
		command = a.ptr[0] == '-' && memchr(a.ptr + 1, 'c', a.len - 1);
		if (memchr(a.ptr + 1, 'o', a.len - 1) || memchr(a.ptr + 1, 'O', a.len - 1))
			i++; /* -o pipefail, -euo pipefail */
		if (!command)
			continue;
		/* Options may follow -c; the string is the first operand. */
		while (++i < p->argc) {
			a = process_arg(p, i);
			if (span_eq(a, "--"))
				return process_arg(p, i + 1);
			if (a.len < 2 || (a.ptr[0] != '-' && a.ptr[0] != '+'))
				return a;
			if (a.ptr[1] != '-' && (a.ptr[a.len - 1] == 'o' || a.ptr[a.len - 1] == 'O'))
				i++;
		}
	}
	return (struct span){ NULL, 0 };
}
