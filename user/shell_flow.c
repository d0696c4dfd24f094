/* shell_flow.c: follows sources through the pipes, substitutions, variables and files of a command string. */
#include <string.h>
#include "decoder.h"
#include "payload.h"
#include "shell_flow.h"
#include "taint.h"

#define TAINTS                                                                                     \
	16 /* variables and files that are followed in one string; older ones are forgotten */
#define TAINT_MAX   256 /* bytes of a name */
#define ESCAPES_MIN 8

struct level {
	unsigned origins; /* of what flows in this pipeline */
	unsigned below;   /* of what substitutions give to the command to come */
	size_t escapes;
	const char *from; /* where the source stands */
};

struct follow {
	shell_flow_fn *fn;
	void *ctx;
	struct level level[SHELL_DEPTH + 1];
	struct taints taints;
	unsigned fds; /* of what exec opened: exec 3< <(curl ...) */
};

/* One command, and what is known of the bytes around it. */
struct step {
	struct follow *f;
	struct level *l;
	const struct shell_command *c;
	unsigned interpreter; /* index of its word, behind sudo, env and their kin; or c->words */
	unsigned piped;       /* origins on its standard input: from a pipe, ... */
	unsigned given;       /* ... from a here-string or < <( ), ... */
	unsigned filed;       /* ... from a file */
};

#define WORD_IN(c, i, ...)                                                                         \
	word_in(c, i, (const char *const[]){ __VA_ARGS__ },                                        \
		ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })))

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

static bool is_option(struct span w)
{
	return w.len && w.ptr[0] == '-';
}

/* Of the substitution or variable at i of a word; 0: none is there, or it is of no source. */
static unsigned origins_at(struct step *x, struct span w, size_t i)
{
	struct span rest = { w.ptr + i + 1, w.len - i - 1 };
	unsigned origins;

	if (w.ptr[i] == '`')
		return x->l->below;
	if (w.ptr[i] != '$' || !rest.len)
		return 0;
	if (rest.ptr[0] == '(')
		return x->l->below;
	if (rest.ptr[0] == '\'' && payload_escapes(rest) >= ESCAPES_MIN)
		return ORIGIN_DECODER | UNTOLD;
	if (rest.ptr[0] == '{')
		rest = (struct span){ rest.ptr + 1, rest.len - 1 };
	rest.len = variable_length(rest);
	origins = taint_of_variable(&x->f->taints, rest);
	return origins ? origins | UNTOLD : 0;
}

/* Of what the shell puts into this word. */
static unsigned word_origins(struct step *x, struct span w)
{
	unsigned origins = 0;

	for (size_t i = 0; i < w.len && w.ptr[0] != '\''; i++)
		origins |= origins_at(x, w, i);
	return origins;
}

/* The same, only of what stands where a command begins: not of "make V=$VERSION". */
static unsigned program_origins(struct step *x, struct span w)
{
	unsigned origins = 0;
	bool begins = true;

	for (size_t i = 0; i < w.len && w.ptr[0] != '\''; i++) {
		if (begins)
			origins |= origins_at(x, w, i);
		if (w.ptr[i] && strchr(";&|({\n", w.ptr[i]))
			begins = true;
		else if (w.ptr[i] != '"' && w.ptr[i] != ' ')
			begins = false;
	}
	return origins;
}

/* A first word that is nothing else: $x, "${x}", $(...), $'\x69\x64'; not $DIR/program. */
static unsigned command_origins(struct step *x, struct span w)
{
	size_t end;

	if (w.len > 1 && w.ptr[0] == '"')
		w = (struct span){ w.ptr + 1, w.len - 2 };
	if (w.len < 2)
		return 0;
	end = w.len - 1;
	if (w.ptr[0] == '`')
		return w.ptr[end] == '`' ? origins_at(x, w, 0) : 0;
	if (w.ptr[0] != '$')
		return 0;
	if (w.ptr[1] == '\'')
		return payload_escapes(w) ? ORIGIN_DECODER | UNTOLD : 0;
	if (w.ptr[1] == '(')
		return w.ptr[end] == ')' ? origins_at(x, w, 0) : 0;
	if (w.ptr[1] == '{')
		return w.ptr[end] == '}' ? origins_at(x, w, 0) : 0;
	return variable_length((struct span){ w.ptr + 1, end }) == end ? origins_at(x, w, 0) : 0;
}

/* NAME=value, as an assignment or a word of export and its kin. */
static void assign(struct step *x, struct span word)
{
	const char *sign = memchr(word.ptr, '=', word.len);
	struct span value;

	if (!sign)
		return;
	value = (struct span){ sign + 1, (size_t)(word.ptr + word.len - sign - 1) };
	taint_variable(&x->f->taints, (struct span){ word.ptr, (size_t)(sign - word.ptr) },
		       word_origins(x, value));
}

/* Index of the interpreter of this command, behind sudo, env and their options; or words. */
static unsigned interpreter_at(const struct shell_command *c)
{
	for (unsigned i = 0; i < c->words; i++) {
		if (WORD_IN(c, i, "sh", "bash", "dash", "zsh", "ksh", "ash", "perl", "ruby", "node",
			    "python", "python2", "php", "lua", "python3", "tclsh"))
			return i;
		if (!WORD_IN(c, i, "sudo", "env", "nohup", "exec", "time", "nice", "command",
			     "doas", "setsid", "xargs", "timeout", "busybox", "stdbuf") &&
		    !(i && (is_option(c->word[i]) || memchr(c->word[i].ptr, '=', c->word[i].len) ||
			    (c->word[i].ptr[0] >= '0' && c->word[i].ptr[0] <= '9'))))
			break;
	}
	return c->words;
}

static bool is_shell(const struct shell_command *c, unsigned i)
{
	return WORD_IN(c, i, "sh", "bash", "dash", "zsh", "ksh", "ash");
}

static bool is_source(const struct shell_command *c)
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

/* Does the command read its program from standard input? */
static bool reads_input(const struct step *x)
{
	const struct shell_command *c = x->c;

	if (is_source(c))
		return c->words > 1 && is_input(c->word[1]);
	for (unsigned i = x->interpreter + 1; i < c->words; i++) {
		struct span w = c->word[i];

		if (is_input(w) || span_eq(w, "-s"))
			return true;
		if (!is_option(w))
			return false;
		if (w.len > 1 && w.ptr[1] != '-' &&
		    has_letter(w, is_shell(c, x->interpreter) ? "c" : "cemr"))
			return false;
	}
	return x->interpreter < c->words;
}

/* Of what it takes among its words as a program: the first word itself, eval, sh -c, . <( ). */
static unsigned words_run(struct step *x)
{
	const struct shell_command *c = x->c;
	const char *letters = is_shell(c, x->interpreter) ? "c" : "cer";
	unsigned origins = command_origins(x, c->word[0]);
	bool code = WORD_IN(c, 0, "eval");

	for (unsigned i = code ? 1 : x->interpreter + 1; i < c->words; i++) {
		struct span w = c->word[i];

		if (code) {
			origins |= program_origins(x, w);
			break;
		}
		code = is_option(w) && has_letter(w, letters) && w.ptr[1] != '-';
		if (is_fd(w))
			origins |= x->f->fds;
	}
	if (is_source(c) && c->words > 1 && is_fd(c->word[1]) && !is_input(c->word[1]))
		origins |= x->f->fds;
	if ((x->interpreter < c->words || is_source(c)) && span_find(c->text, SPAN("<(")) >= 0 &&
	    span_find(c->text, SPAN("< <(")) < 0)
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

/* The operand of chmod and install that is made executable; empty: none is of a source. */
static struct span made_executable(struct step *x)
{
	const struct shell_command *c = x->c;
	bool mode = WORD_IN(c, 0, "install"); /* 0755 unless told */

	if (!mode && !WORD_IN(c, 0, "chmod"))
		return (struct span){ NULL, 0 };
	for (unsigned i = 1; i < c->words; i++) {
		if (!mode && mode_executes(c->word[i]))
			mode = true;
		else if (!mode && !is_option(c->word[i]))
			break;
		else if (mode && taint_of_file(&x->f->taints, c->word[i]))
			return c->word[i];
	}
	return (struct span){ NULL, 0 };
}

/* The file that it executes, if that is of a source. */
static struct span executed(struct step *x, enum flow_way *way)
{
	const struct shell_command *c = x->c;

	*way = FLOW_EXECUTED;
	if (memchr(c->word[0].ptr, '/', c->word[0].len) && taint_of_file(&x->f->taints, c->word[0]))
		return c->word[0];
	if (is_source(c)) {
		*way = FLOW_SOURCED;
		return c->words > 1 && taint_of_file(&x->f->taints, c->word[1])
			       ? c->word[1]
			       : (struct span){ NULL, 0 };
	}
	for (unsigned i = x->interpreter + 1; i < c->words; i++) {
		if (taint_of_file(&x->f->taints, c->word[i]))
			return c->word[i];
		if (!is_option(c->word[i]))
			return (struct span){ NULL, 0 };
	}
	for (unsigned i = 1; i < c->words && WORD_IN(c, 0, "sudo", "nohup", "setsid", "env", "exec",
						     "time", "nice", "timeout");
	     i++)
		if (taint_of_file(&x->f->taints, c->word[i]))
			return c->word[i];
	return (struct span){ NULL, 0 };
}

static void say(struct step *x, enum flow_way way, unsigned origins, struct span file)
{
	const struct shell_command *c = x->c;
	const char *from = way == FLOW_PIPE && x->l->from ? x->l->from : c->text.ptr;
	const char *end = c->text.ptr + c->text.len;
	struct shell_flow flow = { .origins = origins & ~UNTOLD, .way = way, .file = file };

	if (!flow.origins)
		return;
	flow.told = way != FLOW_WORDS && way != FLOW_SOURCED && !(origins & UNTOLD);
	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	flow.text = (struct span){ from, (size_t)(end - from) };
	x->f->fn(x->f->ctx, &flow);
}

static void programs(struct step *x)
{
	static const struct span none = { NULL, 0 };
	enum flow_way way;
	struct span file;

	if (reads_input(x)) {
		say(x, FLOW_WORDS, x->given, none);
		say(x, is_source(x->c) ? FLOW_WORDS : FLOW_PIPE, x->piped, none);
		say(x, FLOW_EXECUTED, x->filed, x->c->in);
	}
	say(x, FLOW_WORDS, words_run(x), none);
	file = made_executable(x);
	say(x, FLOW_MODE, taint_of_file(&x->f->taints, file), file);
	file = executed(x, &way);
	say(x, way, taint_of_file(&x->f->taints, file), file);
}

/* Of what the command itself makes or passes on. */
static unsigned sources(struct step *x)
{
	const struct shell_command *c = x->c;
	unsigned origins = x->given | x->filed | x->l->below;

	for (unsigned i = 0; i < c->words; i++)
		origins |= word_origins(x, c->word[i]);
	if (WORD_IN(c, 0, "curl", "wget", "fetch", "aria2c", "lwp-download") ||
	    (WORD_IN(c, 0, "busybox") && WORD_IN(c, 1, "wget")) ||
	    span_find(c->in, SPAN("/dev/tcp/")) >= 0)
		origins |= ORIGIN_NETWORK;
	if (decoder_command(c, x->l->escapes))
		origins |= ORIGIN_DECODER | (WORD_IN(c, 0, "echo", "printf") ? UNTOLD : 0);
	for (unsigned i = 1; copier_command(c) && i < c->words; i++)
		origins |= taint_of_file(&x->f->taints, copier_operand(c, i));
	return origins;
}

/* Where a command writes to, by its words. */
static void targets(struct step *x, unsigned origins)
{
	const struct shell_command *c = x->c;
	bool last = WORD_IN(c, 0, "cp", "mv", "ln", "install", "xxd", "rsync");

	if (c->out.len)
		taint_file(&x->f->taints, c->out, origins);
	if (!origins)
		return;
	for (unsigned i = 1; i < c->words; i++) {
		struct span w = c->word[i];

		if (WORD_IN(c, 0, "tee") && !is_option(w))
			taint_file(&x->f->taints, w, origins);
		else if (WORD_IN(c, 0, "dd") && span_starts(w, "of="))
			taint_file(&x->f->taints, (struct span){ w.ptr + 3, w.len - 3 }, origins);
		else if (i > 1 && WORD_IN(c, i - 1, "-o", "-out", "-O", "--output", "-so", "-sSo",
					  "-sLo", "-fsSLo", "-Lo", "-qO"))
			taint_file(&x->f->taints, w, origins);
		else if (last && i > 1 && i + 1 == c->words && !is_option(w) &&
			 (!is_option(c->word[i - 1]) || c->word[i - 1].len == 1))
			taint_file(&x->f->taints, w, origins);
	}
}

/* Variables that it sets: read, for, export. */
static void variables(struct step *x)
{
	const struct shell_command *c = x->c;
	unsigned origins = 0;

	for (unsigned i = 0; i < c->sets && !c->words; i++)
		assign(x, c->set[i]);
	if (!c->words)
		return;
	if (WORD_IN(c, 0, "for") && c->words > 3) {
		for (unsigned i = 3; i < c->words; i++)
			origins |= word_origins(x, c->word[i]);
		taint_variable(&x->f->taints, c->word[1], origins);
	}
	for (unsigned i = 1; i < c->words; i++) {
		if (WORD_IN(c, 0, "read", "mapfile", "readarray") && !is_option(c->word[i]))
			taint_variable(&x->f->taints, c->word[i], x->piped | x->given | x->filed);
		else if (WORD_IN(c, 0, "mkfifo", "mknod"))
			taint_fifo(&x->f->taints, c->word[i]);
		else if (WORD_IN(c, 0, "export", "local", "declare", "readonly", "typeset"))
			assign(x, c->word[i]);
	}
	if (WORD_IN(c, 0, "exec") && c->words == 1)
		x->f->fds |= x->l->below;
}

static void command_look(void *ctx, const struct shell_command *c)
{
	struct follow *f = ctx;
	struct level *l = &f->level[c->depth];
	struct step x = { .f = f, .l = l, .c = c };
	unsigned origins;

	if (c->before != SHELL_PIPE) {
		l->origins = 0;
		l->escapes = 0;
		l->from = NULL;
	}
	if (!c->words) {
		variables(&x);
		if (c->out.len)
			taint_file(&f->taints, c->out, 0);
		l->below = 0;
		return;
	}
	x.interpreter = interpreter_at(c);
	x.piped = c->before == SHELL_PIPE ? l->origins : 0;
	x.given = word_origins(&x, c->here);
	x.filed = taint_of_file(&f->taints, c->in);
	if (span_find(c->text, SPAN("< <(")) >= 0)
		x.given |= l->below;
	l->escapes += payload_escapes(c->text);
	programs(&x);
	variables(&x);
	origins = sources(&x);
	if (origins && !l->from)
		l->from = c->text.ptr;
	l->origins |= origins;
	l->below = 0;
	targets(&x, l->origins);
	if (c->depth)
		f->level[c->depth - 1].below |= l->origins;
}

void shell_flows(struct span string, shell_flow_fn *fn, void *ctx)
{
	struct follow f = { .fn = fn, .ctx = ctx };

	shell_walk(string, command_look, &f);
	/* Who reads a pipe with a name may stand in front of who writes it. */
	if (span_find(string, SPAN("mkfifo")) >= 0 || span_find(string, SPAN("mknod")) >= 0)
		shell_walk(string, command_look, &f);
}
