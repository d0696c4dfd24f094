/* encoded_payload.c: R2, encoded data in command lines, container commands and Dockerfiles, and
 * where it goes. */
#include <string.h>
#include "codec.h"
#include "decoder.h"
#include "detect.h"
#include "docker_text.h"
#include "odd_name.h"
#include "payload.h"
#include "shell_flow.h"

#define PREVIEW_MAX 120
#define TARGETS     8 /* files written by decoders that are remembered in one line */
#define TARGET_MAX  256

struct place {
	const struct fact *f;
	struct report *out;
	const char *where; /* words for subject and evidence: no ids, no offsets */
};

/* ---- R2.1, R2.2 ---- */

static void payload_say(void *ctx, const struct payload *p)
{
	const struct place *at = ctx;
	struct buf subject = { 0 }, preview = { 0 }, layers = { 0 };
	struct span s;

	buf_fmt(&subject, "%s in %s", payload_coding_text(p->coding), at->where);
	if (p->layers > 1)
		buf_fmt(&layers, " in %u layers", p->layers);
	payload_preview(&at->f->run->masker, p->core, PREVIEW_MAX, &preview);
	s = (struct span){ subject.ptr, subject.len };
	finding(at->out, "R2.1", s, "%s, %zu bytes%s, decodes to %s: %s", subject.ptr,
		p->decoded.len, layers.ptr ? layers.ptr : "", payload_content_text(p->content),
		preview.ptr ? preview.ptr : "");
	if (payload_executes(p))
		finding(at->out, "R2.2", s, "%s%s decodes to %s: %s", subject.ptr,
			layers.ptr ? layers.ptr : "", payload_content_text(p->content),
			preview.ptr ? preview.ptr : "");
	buf_free(&subject);
	buf_free(&preview);
	buf_free(&layers);
}

/* ---- R2.4 ---- */

struct pipeline_state {
	bool decoded; /* what flows in it came out of a decoder */
	bool below;   /* a substitution of the command to come holds a decoder */
	size_t escapes;
};

struct decoder_look {
	struct place *at;
	struct pipeline_state level[SHELL_DEPTH];
	char target[TARGETS][TARGET_MAX];
	unsigned targets;
};

static const char *path_plain(const char *path)
{
	while (path[0] == '.' && path[1] == '/')
		path += 2;
	return path;
}

static void target_add(struct decoder_look *l, struct span word)
{
	char path[TARGET_MAX];

	if (shell_unquote(word, path, sizeof(path)) == 0 || !strncmp(path, "/dev/", 5))
		return;
	strcpy(l->target[l->targets++ % TARGETS], path_plain(path));
}

static bool is_target(const struct decoder_look *l, struct span word)
{
	char path[TARGET_MAX];

	if (!shell_unquote(word, path, sizeof(path)))
		return false;
	for (unsigned i = 0; i < l->targets && i < TARGETS; i++)
		if (!strcmp(l->target[i], path_plain(path)))
			return true;
	return false;
}

/* Where a command of a decoding pipeline writes to. */
static void targets_of(struct decoder_look *l, const struct shell_command *c)
{
	unsigned first = l->targets;

	if (c->out.len)
		target_add(l, c->out);
	for (unsigned i = 1; i < c->words; i++) {
		struct span w = c->word[i];

		if (decoder_word_is(c, 0, "tee") && w.len && w.ptr[0] != '-')
			target_add(l, w);
		else if (decoder_word_is(c, 0, "dd") && span_starts(w, "of="))
			target_add(l, (struct span){ w.ptr + 3, w.len - 3 });
		else if (i > 1 && (shell_word_is(c->word[i - 1], "-o") ||
				   shell_word_is(c->word[i - 1], "-out")))
			target_add(l, w);
		else if (decoder_word_is(c, 0, "xxd") && i + 1 == c->words && i > 1 && w.len &&
			 w.ptr[0] != '-' &&
			 (c->word[i - 1].ptr[0] != '-' || c->word[i - 1].len == 1))
			target_add(l, w);
		if (l->targets - first >= TARGETS)
			return;
	}
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

/* The file that this command makes executable or executes, of those that decoders wrote; else
 * empty. */
static struct span executed_target(const struct decoder_look *l, const struct shell_command *c)
{
	static const char *const runners[] = { "sh",      "bash",  "dash",   "ash",    "ksh",
					       "zsh",     ".",     "source", "python", "python3",
					       "python2", "perl",  "ruby",   "node",   "php",
					       "exec",    "nohup", "sudo",   "setsid", "env" };
	bool mode = false, runs = false;

	if (decoder_word_is(c, 0, "chmod")) {
		for (unsigned i = 1; i < c->words; i++) {
			if (!mode && c->word[i].len && (c->word[i].ptr[0] != '-') &&
			    !mode_executes(c->word[i]))
				return (struct span){ NULL, 0 };
			if (!mode)
				mode = mode_executes(c->word[i]);
			else if (is_target(l, c->word[i]))
				return c->word[i];
		}
		return (struct span){ NULL, 0 };
	}
	if (memchr(c->word[0].ptr, '/', c->word[0].len) && is_target(l, c->word[0]))
		return c->word[0];
	for (size_t i = 0; i < ARRAY_SIZE(runners); i++)
		runs |= decoder_word_is(c, 0, runners[i]);
	for (unsigned i = 1; runs && i < c->words; i++) {
		if (is_target(l, c->word[i]))
			return c->word[i];
		if (c->word[i].len && c->word[i].ptr[0] != '-')
			break;
	}
	if (decoder_word_is(c, 0, "install"))
		for (unsigned i = 1; i < c->words; i++)
			if (is_target(l, c->word[i]))
				return c->word[i]; /* 0755 unless told */
	return (struct span){ NULL, 0 };
}

static void look_decoder(void *ctx, const struct shell_command *c)
{
	struct decoder_look *l = ctx;
	struct pipeline_state *s = &l->level[c->depth];
	struct span target;

	if (!c->words)
		return;
	if (c->before != SHELL_PIPE) {
		s->decoded = false;
		s->escapes = 0;
	}
	s->escapes += payload_escapes(c->text);
	if (s->below || decoder_command(c, s->escapes))
		s->decoded = true;
	s->below = false;
	target = executed_target(l, c);
	if (target.len) {
		struct buf subject = { 0 };

		buf_fmt(&subject, "%s: ", l->at->where);
		buf_add(&subject, target.ptr, target.len);
		finding(l->at->out, "R2.4", (struct span){ subject.ptr, subject.len },
			"%s writes decoded data to %.*s, then: %.*s", l->at->where, SPANF(target),
			SPANF(c->text));
		buf_free(&subject);
	}
	/* A copy of decoded data is that, too. */
	if ((decoder_word_is(c, 0, "mv") || decoder_word_is(c, 0, "cp")) && c->words > 2)
		for (unsigned i = 1; i + 1 < c->words; i++)
			if (is_target(l, c->word[i])) {
				target_add(l, c->word[c->words - 1]);
				break;
			}
	if (!s->decoded)
		return;
	targets_of(l, c);
	if (c->depth)
		l->level[c->depth - 1].below = true;
}

static void look_shell(struct place *at, struct span string)
{
	struct decoder_look l = { .at = at };

	shell_walk(string, look_decoder, &l);
}

/* ---- places ---- */

/* In a command string of the host an exec tells of all but built-ins and substitutions. */
static void flow_say(void *ctx, const struct shell_flow *flow)
{
	const struct place *at = ctx;
	struct buf subject = { 0 };

	if (!(flow->origins & ORIGIN_DECODER) ||
	    (at->f->kind == FACT_EXEC && !flow->builtin && !flow->substituted))
		return;
	buf_fmt(&subject, "%s: ", at->where);
	buf_add(&subject, flow->text.ptr, flow->text.len);
	finding(at->out, "R2.3", (struct span){ subject.ptr, subject.len },
		"%s makes decoded data a program: %.*s", at->where, SPANF(flow->text));
	buf_free(&subject);
}

static void text_look(void *ctx, const char *where, struct span text, bool shell)
{
	struct place *at = ctx;

	at->where = where;
	if (shell) {
		look_shell(at, text);
		shell_flows(text, flow_say, at);
	} else {
		payload_find(text, payload_say, at);
	}
}

static void look_exec(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;
	const char *at, *end;
	struct buf where = { 0 };
	struct place place = { f, out, NULL };

	if (!p || !p->args)
		return;
	buf_fmt(&where, "an argument of %s", p->name ? p->name : "a program");
	place.where = where.ptr;
	end = p->args + p->args_len;
	for (at = p->args; at < end;) {
		struct span a = { at, strnlen(at, (size_t)(end - at)) };

		payload_find(a, payload_say, &place);
		at += a.len + 1;
	}
	if (p->roles & ROLE_SHELL) {
		struct span string = shell_command_string(p);

		if (string.len)
			text_look(&place, where.ptr, string, true);
	}
	buf_free(&where);
}

/* The program or script at path was written by a decoder of the run. */
static void look_origin(const struct written *w, const char *path, struct report *out)
{
	if (w && path && w->origins & ORIGIN_DECODER)
		finding(out, "R2.4", span_of(path), "%s holds what %s decoded, and is executed",
			path, w->writer ? w->writer : "a decoder");
}

static void look_fed(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;
	struct buf text = { 0 };

	if (!(p->origins & ORIGIN_DECODER))
		return;
	line_write(f->line, ORIGIN_DECODER, &text);
	finding(out, "R2.3", (struct span){ text.ptr, text.len },
		"decoded data is the program of %s: %.*s", p->name ? p->name : "an interpreter",
		SPANF(((struct span){ text.ptr, text.len })));
	buf_free(&text);
}

static void look_name(const struct fact *f, const char *noun, struct span name, struct report *out)
{
	const char *odd = name_is_odd(&f->run->masker, name);
	struct buf text = { 0 };

	if (!odd)
		return;
	text_escape(name, PREVIEW_MAX, &text);
	finding(out, "R2.5", (struct span){ text.ptr, text.len }, "the name of %s %s: %s", noun,
		odd, text.ptr);
	buf_free(&text);
}

static void look_path(const struct fact *f, const char *noun, const struct path *path,
		      struct report *out)
{
	const char *slash = path->text ? strrchr(path->text, '/') : NULL;

	if (slash && slash[1])
		look_name(f, noun, span_of(slash + 1), out);
}

static bool names_object(enum docker_action action)
{
	return action == ACT_CONTAINER_CREATE || action == ACT_NETWORK_CREATE ||
	       action == ACT_VOLUME_CREATE;
}

static void look(const struct fact *f, struct report *out)
{
	switch (f->kind) {
	case FACT_EXEC:
		look_exec(f, out);
		if (f->process && !(f->process->flags & EXEC_MEMFD))
			look_path(f, "the program", &f->process->exe, out);
		if (f->process)
			look_origin(f->exec.origin, f->process->exe.text, out);
		break;
	case FACT_SCRIPT:
		look_origin(f->file.origin, f->file.path.text, out);
		break;
	case FACT_FILE:
		look_path(f, "a file", &f->file.path, out);
		break;
	case FACT_FED:
		look_fed(f, out);
		break;
	default:
		if (f->docker.target.len && names_object(f->docker.route->action))
			look_name(f, "an object", f->docker.target, out);
		docker_texts(&f->docker, text_look, &(struct place){ f, out, NULL });
	}
}

const struct detector detect_encoded_payload = {
	RISK_ENCODED_PAYLOAD, FACT_EXEC | FACT_SCRIPT | FACT_FED | FACT_FILE | FACT_DOCKER, look
};
