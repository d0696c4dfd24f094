/* encoded_payload.c: R2, encoded data in command lines, container commands and Dockerfiles, and
 * where it goes. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "decoder.h"
#include "detect.h"
#include "jsonr.h"
#include "payload.h"
#include "shell.h"

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
			look_shell(&place, string);
	}
	buf_free(&where);
}

static void look_command(void *ctx, const struct json_value *v)
{
	static const char *const paths[] = { "/Cmd",
					     "/Cmd/*",
					     "/Entrypoint",
					     "/Entrypoint/*",
					     "/Healthcheck/Test",
					     "/Healthcheck/Test/*" };
	struct place *at = ctx;

	if (v->type != JSON_STRING)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (json_path_is(v, paths[i])) {
			payload_find(v->text, payload_say, at);
			look_shell(at, v->text);
			return;
		}
}

static void look_build_argument(void *ctx, const struct json_value *v)
{
	if (v->type == JSON_STRING)
		payload_find(v->text, payload_say, ctx);
}

static void look_json_run(void *ctx, const struct json_value *v)
{
	if (v->type != JSON_STRING)
		return;
	payload_find(v->text, payload_say, ctx);
	look_shell(ctx, v->text);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span line_next(struct span s, size_t *i)
{
	const char *end = memchr(s.ptr + *i, '\n', s.len - *i);
	struct span line = { s.ptr + *i, (end ? (size_t)(end - s.ptr) : s.len) - *i };

	*i += line.len + 1;
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

static struct span trim(struct span s)
{
	while (s.len && is_space(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* One instruction with its continued lines joined. */
static void look_instruction(const struct place *from, struct span s)
{
	static const char *const names[] = { "RUN", "COPY",       "ADD",   "ENV",         "ARG",
					     "CMD", "ENTRYPOINT", "LABEL", "HEALTHCHECK", "SHELL" };
	struct buf where = { 0 };
	struct place at = *from;
	size_t n = 0;

	do {
		s = trim((struct span){ s.ptr + n, s.len - n });
		for (n = 0; n < s.len && !is_space(s.ptr[n]) && s.ptr[n] != '\n'; n++)
			;
	} while (n == 7 && !strncasecmp(s.ptr, "ONBUILD", 7));
	buf_str(&where, "a Dockerfile line");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (n == strlen(names[i]) && !strncasecmp(s.ptr, names[i], n)) {
			buf_reset(&where);
			buf_fmt(&where, "Dockerfile %s", names[i]);
		}
	at.where = where.ptr;
	payload_find(s, payload_say, &at);
	if (!strcmp(where.ptr, "Dockerfile RUN") || !strcmp(where.ptr, "Dockerfile CMD") ||
	    !strcmp(where.ptr, "Dockerfile ENTRYPOINT")) {
		struct span string = trim((struct span){ s.ptr + n, s.len - n });

		while (span_starts(string, "--")) { /* --mount=... */
			size_t k = 0;

			while (k < string.len && !is_space(string.ptr[k]))
				k++;
			string = trim((struct span){ string.ptr + k, string.len - k });
		}
		if (string.len && string.ptr[0] == '[')
			json_walk(string, look_json_run, &at, NULL);
		look_shell(&at, string);
	}
	buf_free(&where);
}

/* The word behind << of a here-document; empty: there is none. */
static struct span heredoc_word(struct span s)
{
	long at = span_find(s, SPAN("<<"));
	size_t i, from;

	if (at < 0)
		return (struct span){ NULL, 0 };
	i = (size_t)at + 2;
	while (i < s.len && s.ptr[i] && strchr("-'\"", s.ptr[i]))
		i++;
	for (from = i; i < s.len && (s.ptr[i] == '_' || (s.ptr[i] >= '0' && s.ptr[i] <= '9') ||
				     ((s.ptr[i] | 32) >= 'a' && (s.ptr[i] | 32) <= 'z'));)
		i++;
	return (struct span){ s.ptr + from, i - from };
}

static void look_dockerfile(const struct place *at, struct span s)
{
	struct buf line = { 0 };
	char escape = '\\';

	for (size_t i = 0; i < s.len;) {
		struct span raw = line_next(s, &i), t = trim(raw), word;
		int directive;

		if (!t.len || t.ptr[0] == '#') {
			directive = line.len ? -1 : span_ifind(t, "escape=`");
			if (directive >= 0)
				escape = '`';
			if (i < s.len)
				continue;
		}
		if (t.len && t.ptr[0] != '#') {
			/* A continued line keeps no blank behind the escape. */
			buf_add(&line, raw.ptr, (size_t)(t.ptr + t.len - raw.ptr));
			if (line.ptr[line.len - 1] == escape && i < s.len) {
				line.len--;
				continue;
			}
		}
		if (!line.len)
			continue;
		word = heredoc_word((struct span){ line.ptr, line.len });
		if (word.len) {
			char *end = xstrndup(word.ptr, word.len);

			while (i < s.len) {
				raw = line_next(s, &i);
				if (span_eq(trim(raw), end))
					break;
				buf_byte(&line, '\n');
				buf_add(&line, raw.ptr, raw.len);
			}
			free(end);
		}
		look_instruction(at, (struct span){ line.ptr, line.len });
		buf_reset(&line);
	}
	buf_free(&line);
}

static void look_docker(const struct fact *f, struct report *out)
{
	struct place at = { f, out, NULL };
	struct buf args = { 0 };

	switch (f->docker.route->action) {
	case ACT_CONTAINER_CREATE:
		at.where = "a container command";
		json_walk(f->docker.body, look_command, &at, NULL);
		break;
	case ACT_EXEC_CREATE:
		at.where = "an exec command";
		json_walk(f->docker.body, look_command, &at, NULL);
		break;
	case ACT_IMAGE_BUILD:
		look_dockerfile(&at, f->docker.dockerfile);
		at.where = "a build argument";
		for (unsigned i = 0; i < 16 && docker_query(f->docker.query, "buildargs", i, &args);
		     i++)
			json_walk((struct span){ args.ptr, args.len }, look_build_argument, &at,
				  NULL);
		buf_free(&args);
		break;
	default:
		break;
	}
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

static void look(const struct fact *f, struct report *out)
{
	switch (f->kind) {
	case FACT_EXEC:
		look_exec(f, out);
		if (f->process)
			look_origin(f->exec.origin, f->process->exe.text, out);
		break;
	case FACT_SCRIPT:
		look_origin(f->file.origin, f->file.path.text, out);
		break;
	case FACT_FED:
		look_fed(f, out);
		break;
	default:
		look_docker(f, out);
	}
}

const struct detector detect_encoded_payload = { RISK_ENCODED_PAYLOAD,
						 FACT_EXEC | FACT_SCRIPT | FACT_FED | FACT_DOCKER,
						 look };
