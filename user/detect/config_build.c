/* config_build.c: R6, what the run asked the engine to build, and what its Dockerfile says. */
#include <string.h>
#include "config_part.h"
#include "dockerfile.h"
#include "jsonr.h"

struct look {
	const struct fact *f;
	struct report *out;
};

/* As the builder reads a flag: without its quotes and backslashes. One that ends in = is followed by anything. */
static bool flag_is(struct span word, const char *flag)
{
	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] && strchr("\"'\\", word.ptr[i]))
			continue;
		if (!*flag && flag[-1] == '=')
			return true;
		if (word.ptr[i] != *flag || !*flag++)
			return false;
	}
	return !*flag && flag[-1] != '=';
}

/* What a step is to have that its builder would keep from it (moby/buildkit, frontend/dockerfile/docs). */
static void run_flags(struct look *l, struct span rest)
{
	static const struct {
		const char *flag, *rule;
	} flags[] = {
		{ "--network=host", "R6.4" },
		{ "--security=insecure", "R6.1" }, /* "equivalent to docker run --privileged" */
		{ "--device=", "R6.8" },
	};

	for (struct span word; span_starts(word = dockerfile_word(&rest), "--");)
		for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
			if (flag_is(word, flags[i].flag))
				finding(l->out, flags[i].rule, span_of(flags[i].flag),
					"a step of a Dockerfile: RUN %.*s",
					SPANF(config_clip(word, SUBJECT_MAX)));
}

/* ENV and ARG with a sensitive name; keys and masks anywhere. */
static void file_line(void *ctx, struct span word, struct span rest)
{
	struct look *l = ctx;
	struct span pair;
	const char *eq;

	while (config_is(word, "ONBUILD") && rest.len)
		word = dockerfile_word(&rest);
	config_value(l->f, l->out, rest, "a Dockerfile");
	if (config_is(word, "RUN"))
		run_flags(l, rest);
	if (!config_is(word, "ENV") && !config_is(word, "ARG") && !config_is(word, "LABEL"))
		return;
	pair = dockerfile_word(&rest);
	if (pair.len && !memchr(pair.ptr, '=', pair.len) && !config_is(word, "ARG")) {
		while (rest.len && (*rest.ptr == ' ' || *rest.ptr == '\t'))
			rest = (struct span){ rest.ptr + 1, rest.len - 1 };
		config_pair(l->f, l->out, pair, rest, "a Dockerfile");
		return;
	}
	for (; pair.len; pair = dockerfile_word(&rest)) {
		eq = memchr(pair.ptr, '=', pair.len);
		if (!eq)
			continue;
		/* The value of a variable is not in the file. */
		if (eq + 1 < pair.ptr + pair.len &&
		    (eq[1] == '$' || (eq[1] == '"' && pair.len > 3 &&
				      (eq + 2 < pair.ptr + pair.len) && eq[2] == '$')))
			continue;
		config_pair(l->f, l->out, (struct span){ pair.ptr, (size_t)(eq - pair.ptr) },
			    (struct span){ eq + 1, (size_t)(pair.ptr + pair.len - eq - 1) },
			    "a Dockerfile");
	}
}

static void file_image(void *ctx, struct span image)
{
	struct look *l = ctx;

	if (config_mutable_tag(image))
		finding(l->out, "R6.11", config_clip(image, SUBJECT_MAX), "FROM %.*s",
			SPANF(image));
}

static void pair_value(struct look *l, const struct json_value *v, const char *where)
{
	if (v->type != JSON_STRING || v->depth != 1)
		return;
	config_pair(l->f, l->out, v->path[0].key, v->text, where);
}

static void argument_value(void *ctx, const struct json_value *v)
{
	pair_value(ctx, v, "a build argument");
}

static void label_value(void *ctx, const struct json_value *v)
{
	pair_value(ctx, v, "a label");
}

void config_build(const struct fact *f, struct report *out)
{
	const struct docker_call *c = &f->docker;
	struct look look = { f, out }, *l = &look;
	struct buf b = { 0 };
	bool kit = false;

	if (docker_query(c->query, "networkmode", 0, &b) &&
	    config_is((struct span){ b.ptr, b.len }, "host"))
		finding(l->out, "R6.4", SPAN("build"), "a build on the host's network");
	config_shares(f, out);
	if (docker_query(c->query, "version", 0, &b) && span_eq((struct span){ b.ptr, b.len }, "2"))
		kit = true;
	if (kit && !c->dockerfile.len)
		finding(l->out, "R6.13", SPAN("buildkit"),
			"a BuildKit build: its Dockerfile is not in the request");
	else if (!kit && docker_query(c->query, "remote", 0, &b) && b.len)
		finding(l->out, "R6.13", SPAN("remote"),
			"the Dockerfile comes from a remote context");
	else if (!c->dockerfile.len)
		finding(l->out, "R6.13", SPAN("image-build"),
			"the Dockerfile was not in what could be captured");
	else if (!c->dockerfile_complete || !c->request_complete)
		finding(l->out, "R6.13", SPAN("image-build"),
			"the build context was not captured whole");
	for (unsigned n = 0; n < 4 && docker_query(c->query, "buildargs", n, &b); n++)
		json_walk((struct span){ b.ptr, b.len }, argument_value, l, NULL);
	for (unsigned n = 0; n < 4 && docker_query(c->query, "labels", n, &b); n++)
		json_walk((struct span){ b.ptr, b.len }, label_value, l, NULL);
	dockerfile_walk(c->dockerfile, file_line, l);
	dockerfile_images(c->dockerfile, file_image, l);
	buf_free(&b);
}
