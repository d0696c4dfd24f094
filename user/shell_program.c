/* shell_program.c: which program a command of a shell executes: an interpreter's, its words', a file's. */
#include <string.h>
#include "shell_step.h"

static bool has_letter(struct span option, const char *letters)
{
	for (size_t i = 1; i < option.len; i++)
		if (option.ptr[i] && strchr(letters, option.ptr[i]))
			return true;
	return false;
}

bool step_is_option(struct span w)
{
	return w.len && w.ptr[0] == '-';
}

unsigned step_interpreter(const struct shell_command *c)
{
	for (unsigned i = 0; i < c->words; i++) {
		if (WORD_IN(c, i, "sh", "bash", "dash", "zsh", "ksh", "ash", "perl", "ruby", "node",
			    "python", "python2", "php", "lua", "python3", "tclsh"))
			return i;
		if (!WORD_IN(c, i, "sudo", "env", "nohup", "exec", "time", "nice", "command",
			     "doas", "setsid", "xargs", "timeout", "busybox", "stdbuf") &&
		    !(i &&
		      (step_is_option(c->word[i]) || memchr(c->word[i].ptr, '=', c->word[i].len) ||
		       (c->word[i].ptr[0] >= '0' && c->word[i].ptr[0] <= '9'))))
			break;
	}
	return c->words;
}

static bool is_shell(const struct shell_command *c, unsigned i)
{
	return WORD_IN(c, i, "sh", "bash", "dash", "zsh", "ksh", "ash");
}

bool step_is_source(const struct shell_command *c)
{
	return WORD_IN(c, 0, "source", ".");
}

static bool is_input(struct span w)
{
	return span_eq(w, "-") || span_eq(w, "/dev/stdin") || span_eq(w, "/dev/fd/0") ||
	       span_eq(w, "/proc/self/fd/0");
}

static bool is_fd(struct span w)
{
	return span_starts(w, "/dev/fd/") || span_starts(w, "/proc/self/fd/");
}

bool step_reads_input(const struct step *x)
{
	const struct shell_command *c = x->c;

	if (step_is_source(c))
		return c->words > 1 && is_input(c->word[1]);
	for (unsigned i = x->interpreter + 1; i < c->words; i++) {
		struct span w = c->word[i];

		if (is_input(w) || span_eq(w, "-s"))
			return true;
		if (!step_is_option(w))
			return false;
		if (w.len > 1 && w.ptr[1] != '-' &&
		    has_letter(w, is_shell(c, x->interpreter) ? "c" : "cemr"))
			return false;
	}
	return x->interpreter < c->words;
}

unsigned step_words_run(struct step *x)
{
	const struct shell_command *c = x->c;
	const char *letters = is_shell(c, x->interpreter) ? "c" : "cer";
	unsigned origins = step_command(x, c->word[0]);
	bool code = WORD_IN(c, 0, "eval");

	for (unsigned i = code ? 1 : x->interpreter + 1; i < c->words; i++) {
		struct span w = c->word[i];

		if (code) {
			origins |= step_program(x, w);
			break;
		}
		code = step_is_option(w) && has_letter(w, letters) && w.ptr[1] != '-';
		if (is_fd(w))
			origins |= x->f->fds;
	}
	if (step_is_source(c) && c->words > 1 && is_fd(c->word[1]) && !is_input(c->word[1]))
		origins |= x->f->fds;
	if ((x->interpreter < c->words || step_is_source(c)) &&
	    span_find(c->text, SPAN("<(")) >= 0 && span_find(c->text, SPAN("< <(")) < 0)
		origins |= x->l->below;
	return origins;
}

/* Does the mode of chmod let anybody execute? */
static bool mode_executes(struct span word)
{
	char mode[64];
	size_t n = shell_unquote(word, mode, sizeof(mode));
	bool perms = false;

	if (n && mode[0] >= '0' && mode[0] <= '7') {
		for (size_t i = n > 3 ? n - 3 : 0; i < n; i++)
			if (mode[i] & 1)
				return true;
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (mode[i] == '+' || mode[i] == '=')
			perms = true;
		else if (mode[i] == '-' || mode[i] == ',')
			perms = false;
		else if (perms && (mode[i] == 'x' || mode[i] == 'X'))
			return true;
	}
	return false;
}

struct span step_made_executable(struct step *x)
{
	const struct shell_command *c = x->c;
	bool mode = WORD_IN(c, 0, "install"); /* 0755 unless told */

	if (!mode && !WORD_IN(c, 0, "chmod"))
		return (struct span){ NULL, 0 };
	for (unsigned i = 1; i < c->words; i++) {
		if (!mode && mode_executes(c->word[i]))
			mode = true;
		else if (!mode && !step_is_option(c->word[i]))
			break;
		else if (mode && taint_of_file(&x->f->taints, c->word[i]))
			return c->word[i];
	}
	return (struct span){ NULL, 0 };
}

struct span step_executed(struct step *x, enum flow_way *way)
{
	const struct shell_command *c = x->c;

	*way = FLOW_EXECUTED;
	if (memchr(c->word[0].ptr, '/', c->word[0].len) && taint_of_file(&x->f->taints, c->word[0]))
		return c->word[0];
	if (step_is_source(c)) {
		*way = FLOW_SOURCED;
		return c->words > 1 && taint_of_file(&x->f->taints, c->word[1])
			       ? c->word[1]
			       : (struct span){ NULL, 0 };
	}
	for (unsigned i = x->interpreter + 1; i < c->words; i++) {
		if (taint_of_file(&x->f->taints, c->word[i]))
			return c->word[i];
		if (!step_is_option(c->word[i]))
			return (struct span){ NULL, 0 };
	}
	for (unsigned i = 1; i < c->words && WORD_IN(c, 0, "sudo", "nohup", "setsid", "env", "exec",
						     "time", "nice", "timeout");
	     i++)
		if (taint_of_file(&x->f->taints, c->word[i]))
			return c->word[i];
	return (struct span){ NULL, 0 };
}
