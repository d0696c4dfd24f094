/* docker_text.c: walks bodies and Dockerfiles for texts that a shell or a program will get. */
#include <string.h>
#include <strings.h>
#include "docker_body.h"
#include "docker_text.h"
#include "dockerfile.h"
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

static void on_instruction(void *ctx, struct span word, struct span rest)
{
	size_t n = rest.len ? (size_t)(rest.ptr + rest.len - word.ptr) : word.len;

	look_instruction(ctx, (struct span){ word.ptr, n });
}

void docker_texts(const struct docker_call *c, docker_text_fn *fn, void *ctx)
{
	struct teller at = { fn, ctx, NULL };
	struct buf args = { 0 };

	switch (c->route->action) {
	case ACT_SERVICE:
	case ACT_CONTAINER_CREATE:
		at.where = "a container command";
		docker_body_walk(c, look_command, &at);
		break;
	case ACT_EXEC_CREATE:
		at.where = "an exec command";
		json_walk(c->body, look_command, &at, NULL);
		break;
	case ACT_IMAGE_BUILD:
		dockerfile_walk(c->dockerfile, on_instruction, &at);
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
