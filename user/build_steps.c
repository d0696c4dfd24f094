/* build_steps.c: what the RUN steps of a Dockerfile will execute, as the builders make it of them. */
#include "build_steps.h"
#include <string.h>
#include <strings.h>
#include "dockerfile.h"
#include "jsonr.h"

struct walk {
	struct build_step *steps;
	unsigned n, runs;
	struct buf shell; /* arguments before a RUN's text, each with its NUL */
};

static void on_word(void *ctx, const struct json_value *v)
{
	struct buf *args = ctx;

	if (v->type == JSON_STRING && v->depth == 1) {
		buf_add(args, v->text.len ? v->text.ptr : "", v->text.len);
		buf_byte(args, 0);
	}
}

/* The form of a list; false: it is none, or an empty one. */
static bool list_read(struct span s, struct buf *args)
{
	buf_reset(args);
	return span_starts(s, "[") && json_walk(s, on_word, args, NULL) == JSON_OK && args->len;
}

static void shell_usual(struct walk *w)
{
	static const char usual[] = "/bin/sh\0-c";

	buf_reset(&w->shell);
	buf_add(&w->shell, usual, sizeof(usual));
}

static void step_add(struct walk *w, const struct buf *args)
{
	struct build_step *s;

	if (w->n == BUILD_STEPS_MAX)
		return;
	s = &w->steps[w->n++];
	memset(s, 0, sizeof(*s));
	s->len = args->len;
	memcpy(s->args, args->ptr, args->len < sizeof(s->args) ? args->len : sizeof(s->args));
}

static void run_take(struct walk *w, struct span text)
{
	struct buf args = { 0 };

	w->runs++;
	while (span_starts(text, "--")) { /* --mount=... */
		dockerfile_word(&text);
		while (text.len && (*text.ptr == ' ' || *text.ptr == '\t')) {
			text.ptr++;
			text.len--;
		}
	}
	if (!list_read(text, &args)) {
		buf_reset(&args);
		buf_add(&args, w->shell.ptr, w->shell.len);
		buf_add(&args, text.len ? text.ptr : "", text.len);
		buf_byte(&args, 0);
	}
	if (text.len && !memchr(text.ptr, '\n', text.len))
		step_add(w, &args);
	buf_free(&args);
}

static void on_instruction(void *ctx, struct span word, struct span rest)
{
	struct walk *w = ctx;

	if (word.len == 3 && !strncasecmp(word.ptr, "RUN", 3))
		run_take(w, rest);
	else if (word.len == 4 && !strncasecmp(word.ptr, "FROM", 4))
		shell_usual(w);
	else if (word.len == 5 && !strncasecmp(word.ptr, "SHELL", 5) && !list_read(rest, &w->shell))
		shell_usual(w);
}

unsigned build_steps(struct span dockerfile, struct build_step steps[BUILD_STEPS_MAX],
		     unsigned *runs)
{
	struct walk w = { .steps = steps };

	shell_usual(&w);
	dockerfile_walk(dockerfile, on_instruction, &w);
	buf_free(&w.shell);
	*runs = w.runs;
	return w.n;
}
