/* docker_text.c: walks bodies and Dockerfiles for texts that a shell or a program will get. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "docker_text.h"
#include "jsonr.h"

struct teller {
	docker_text_fn *fn;
	void *ctx;
	const char *where;
};

static void tell(const struct teller *t, struct span text, bool shell)
{
	t->fn(t->ctx, t->where, text, shell);
}

static void tell_both(const struct teller *t, struct span text)
{
	tell(t, text, false);
	tell(t, text, true);
}

static void look_command(void *ctx, const struct json_value *v)
{
	static const char *const paths[] = { "/Cmd",
					     "/Cmd/*",
					     "/Entrypoint",
					     "/Entrypoint/*",
					     "/Healthcheck/Test",
					     "/Healthcheck/Test/*" };
	struct teller *at = ctx;

	if (v->type != JSON_STRING)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (json_path_is(v, paths[i])) {
			tell_both(at, v->text);
			return;
		}
}

static void look_build_argument(void *ctx, const struct json_value *v)
{
	if (v->type == JSON_STRING)
		tell(ctx, v->text, false);
}

static void look_json_run(void *ctx, const struct json_value *v)
{
	if (v->type != JSON_STRING)
		return;
	tell_both(ctx, v->text);
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
static void look_instruction(const struct teller *from, struct span s)
{
	static const char *const names[] = { "RUN", "COPY",       "ADD",   "ENV",         "ARG",
					     "CMD", "ENTRYPOINT", "LABEL", "HEALTHCHECK", "SHELL" };
	struct buf where = { 0 };
	struct teller at = *from;
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
	tell(&at, s, false);
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
		tell(&at, string, true);
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

static void look_dockerfile(const struct teller *at, struct span s)
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

void docker_texts(const struct docker_call *c, docker_text_fn *fn, void *ctx)
{
	struct teller at = { fn, ctx, NULL };
	struct buf args = { 0 };

	switch (c->route->action) {
	case ACT_CONTAINER_CREATE:
		at.where = "a container command";
		json_walk(c->body, look_command, &at, NULL);
		break;
	case ACT_EXEC_CREATE:
		at.where = "an exec command";
		json_walk(c->body, look_command, &at, NULL);
		break;
	case ACT_IMAGE_BUILD:
		look_dockerfile(&at, c->dockerfile);
		at.where = "a build argument";
		for (unsigned i = 0; i < 16 && docker_query(c->query, "buildargs", i, &args); i++)
			json_walk((struct span){ args.ptr, args.len }, look_build_argument, &at,
				  NULL);
		buf_free(&args);
		break;
	default:
		break;
	}
}
