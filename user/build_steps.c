/* build_steps.c: what the RUN steps of a Dockerfile will execute, as the builders make it of them. */
#include "build_steps.h"
#include <string.h>
#include <strings.h>
#include "dockerfile.h"
#include "jsonr.h"

struct walk {
	void (*step)(struct walk *w, struct span args, unsigned flags);
	struct build_step *steps;
	unsigned n, runs;
	const struct masker *masker; /* of the other walk */
	struct span raw;
	enum masked found;
	struct buf shell; /* arguments before a RUN's text, each with its NUL */
	bool usual;       /* it was not set here */
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
	w->usual = true;
}

/*
 * What a masked secret was is not known here: of a step that has one, what stands before it is compared. (No text
 * has 0xff, RFC 3629.)
 */
static bool part_take(struct build_step *s, size_t n)
{
	static const size_t parts[] = { 192, 128, 64, 32, 16 };
	const char *mask = memchr(s->args, 0xff, n);

	if (!mask)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i] <= (size_t)(mask - s->args)) {
			memset(s->args + parts[i], 0, sizeof(s->args) - parts[i]);
			s->len |= BUILD_STEP_PART;
			return true;
		}
	return false;
}

static void step_add(struct walk *w, struct span args, unsigned flags)
{
	struct build_step *s = &w->steps[w->n];
	size_t n = args.len < sizeof(s->args) ? args.len : sizeof(s->args);

	if (w->n == BUILD_STEPS_MAX || args.len >= BUILD_STEP_TEXT)
		return;
	memset(s, 0, sizeof(*s));
	s->len = (__u32)args.len | flags;
	memcpy(s->args, args.ptr, n);
	w->n += part_take(s, n);
}

static struct span line_take(struct span *text)
{
	const char *end = text->len ? memchr(text->ptr, '\n', text->len) : NULL;
	struct span line = { text->ptr, end ? (size_t)(end - text->ptr) : text->len };

	text->ptr += line.len + !!end;
	text->len -= line.len + !!end;
	return line;
}

/*
 * What BuildKit hands to the shell for a here-document (moby/buildkit, dockerfile2llb): its lines, when it is the whole
 * of the step, or the file that they become when they name their interpreter; otherwise all of it, as it is written.
 */
static void heredoc_add(struct span text, struct buf *out)
{
	struct span body = text, first = line_take(&body), rest = first, name = { NULL, 0 };
	bool tabs = false, whole;

	for (struct span word; !name.len && (word = dockerfile_word(&rest)).len;)
		name = dockerfile_heredoc(word, &tabs);
	whole = name.len && !rest.len && dockerfile_word(&first).len && !first.len;
	if (whole && span_starts(body, "#!")) {
		buf_str(out, "/dev/pipes/");
		buf_add(out, name.ptr, name.len);
		return;
	}
	if (!whole) {
		buf_add(out, text.ptr, text.len);
		buf_byte(out, '\n');
		buf_add(out, name.len ? name.ptr : "", name.len);
		return;
	}
	while (body.len) {
		struct span line = line_take(&body);

		while (tabs && line.len && *line.ptr == '\t')
			line = (struct span){ line.ptr + 1, line.len - 1 };
		buf_add(out, line.len ? line.ptr : "", line.len);
		buf_byte(out, '\n');
	}
}

static void run_take(struct walk *w, struct span text)
{
	struct buf args = { 0 };
	size_t shell = w->shell.len;

	w->runs++;
	while (span_starts(text, "--")) { /* --mount=... */
		dockerfile_word(&text);
		while (text.len && (*text.ptr == ' ' || *text.ptr == '\t')) {
			text.ptr++;
			text.len--;
		}
	}
	if (!text.len)
		return;
	if (list_read(text, &args)) {
		w->step(w, (struct span){ args.ptr, args.len }, 0);
		buf_free(&args);
		return;
	}
	buf_reset(&args);
	buf_add(&args, w->shell.ptr, shell);
	if (memchr(text.ptr, '\n', text.len))
		heredoc_add(text, &args);
	else
		buf_add(&args, text.ptr, text.len);
	buf_byte(&args, 0);
	w->step(w, (struct span){ args.ptr, args.len }, 0);
	/* The image may have a shell of its own, which is not known here. */
	if (w->usual)
		w->step(w, (struct span){ args.ptr + shell, args.len - shell }, BUILD_STEP_TEXT);
	buf_free(&args);
}

static void on_instruction(void *ctx, struct span word, struct span rest)
{
	struct walk *w = ctx;

	if (word.len == 3 && !strncasecmp(word.ptr, "RUN", 3))
		run_take(w, rest);
	else if (word.len == 4 && !strncasecmp(word.ptr, "FROM", 4))
		shell_usual(w);
	else if (word.len == 5 && !strncasecmp(word.ptr, "SHELL", 5)) {
		w->usual = !list_read(rest, &w->shell);
		if (w->usual)
			shell_usual(w);
	}
}

unsigned build_steps(struct span dockerfile, struct build_step steps[BUILD_STEPS_MAX],
		     unsigned *runs)
{
	struct walk w = { .step = step_add, .steps = steps };

	shell_usual(&w);
	dockerfile_walk(dockerfile, on_instruction, &w);
	buf_free(&w.shell);
	*runs = w.runs;
	return w.n;
}

static void step_compare(struct walk *w, struct span args, unsigned flags)
{
	struct span raw = w->raw;
	enum masked is;

	if (flags & BUILD_STEP_TEXT) { /* whatever the shell before it is */
		if (raw.len <= args.len || raw.ptr[raw.len - args.len - 1])
			return;
		raw.ptr += raw.len - args.len;
		raw.len = args.len;
	}
	is = masker_compare(w->masker, args, raw);
	if (is > w->found)
		w->found = is;
}

enum masked build_has_step(struct span dockerfile, const struct masker *m, struct span args)
{
	struct walk w = { .step = step_compare, .masker = m, .raw = args };

	shell_usual(&w);
	dockerfile_walk(dockerfile, on_instruction, &w);
	buf_free(&w.shell);
	return w.found;
}
