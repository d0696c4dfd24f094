/* shell_flow.c: follows sources through the pipes, substitutions, variables and files of a command string. */
#include <string.h>
#include "payload.h"
#include "shell_step.h"

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

	if (step_reads_input(x)) {
		say(x, FLOW_WORDS, x->given, none);
		say(x, step_is_source(x->c) ? FLOW_WORDS : FLOW_PIPE, x->piped, none);
		say(x, FLOW_EXECUTED, x->filed, x->c->in);
	}
	say(x, FLOW_WORDS, step_words_run(x), none);
	file = step_made_executable(x);
	say(x, FLOW_MODE, taint_of_file(&x->f->taints, file), file);
	file = step_executed(x, &way);
	say(x, way, taint_of_file(&x->f->taints, file), file);
}

/* Of what the command itself makes or passes on. */
static unsigned sources(struct step *x)
{
	const struct shell_command *c = x->c;
	unsigned origins = x->given | x->filed | x->l->below;

	for (unsigned i = 0; i < c->words; i++)
		origins |= step_word(x, c->word[i]);
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

		if (WORD_IN(c, 0, "tee") && !step_is_option(w))
			taint_file(&x->f->taints, w, origins);
		else if (WORD_IN(c, 0, "dd") && span_starts(w, "of="))
			taint_file(&x->f->taints, (struct span){ w.ptr + 3, w.len - 3 }, origins);
		else if (i > 1 && WORD_IN(c, i - 1, "-o", "-out", "-O", "--output", "-so", "-sSo",
					  "-sLo", "-fsSLo", "-Lo", "-qO"))
			taint_file(&x->f->taints, w, origins);
		else if (last && i > 1 && i + 1 == c->words && !step_is_option(w) &&
			 (!step_is_option(c->word[i - 1]) || c->word[i - 1].len == 1))
			taint_file(&x->f->taints, w, origins);
	}
}

/* Variables that it sets: read, for, export. */
static void variables(struct step *x)
{
	const struct shell_command *c = x->c;
	unsigned origins = 0;

	for (unsigned i = 0; i < c->sets && !c->words; i++)
		step_assign(x, c->set[i]);
	if (!c->words)
		return;
	if (WORD_IN(c, 0, "for") && c->words > 3) {
		for (unsigned i = 3; i < c->words; i++)
			origins |= step_word(x, c->word[i]);
		taint_variable(&x->f->taints, c->word[1], origins);
	}
	for (unsigned i = 1; i < c->words; i++) {
		if (WORD_IN(c, 0, "read", "mapfile", "readarray") && !step_is_option(c->word[i]))
			taint_variable(&x->f->taints, c->word[i], x->piped | x->given | x->filed);
		else if (WORD_IN(c, 0, "mkfifo", "mknod"))
			taint_fifo(&x->f->taints, c->word[i]);
		else if (WORD_IN(c, 0, "export", "local", "declare", "readonly", "typeset"))
			step_assign(x, c->word[i]);
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
	x.interpreter = step_interpreter(c);
	x.piped = c->before == SHELL_PIPE ? l->origins : 0;
	x.given = step_word(&x, c->here);
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
