/* docker_control.c: R8, who drives the engine, from where, and what it builds, runs and executes. */
#include <string.h>
#include <strings.h>
#include "detect.h"
#include "jsonr.h"

/* Programs that talk to the engine by hand. */
static bool is_raw_client(const struct process *p)
{
	static const char *const names[] = { "curl", "wget", "nc", "ncat", "nc.openbsd", "nc.traditional", "socat" };

	for (size_t i = 0; p->name && i < ARRAY_SIZE(names); i++)
		if (!strcmp(p->name, names[i]))
			return true;
	if (p->roles & ROLE_SHELL)
		return true;
	for (unsigned i = 1; p->roles & ROLE_INTERPRETER && i < p->argc && i < 8; i++) {
		struct span a = process_arg(p, i);

		if (span_eq(a, "-c") || span_eq(a, "-e"))
			return true;
		if (!span_starts(a, "-"))
			break;
	}
	return false;
}

static void look_connect(const struct fact *f, struct report *out)
{
	struct span where = f->connect.address.len ? f->connect.address : f->connect.asked;

	finding(out, "R8.1", where, "connects to %.*s%s", SPANF(where), f->connect.verified ? "" : " (not verified)");
}

static bool is_success(const struct docker_call *c)
{
	return c->status / 100 == 2 || c->status == 101 || !c->status;
}

static void verb_note(const struct fact *f, struct report *out, const char *verb)
{
	struct buf b = { 0 };

	buf_fmt(&b, "%s %s", f->process && f->process->name ? f->process->name : "?", verb);
	finding(out, "R8.2", (struct span){ b.ptr, b.len }, "%s %.*s", verb, SPANF(f->docker.target));
	buf_free(&b);
}

static void look_registry(const struct fact *f, struct report *out)
{
	static const char *const allowed[] = { "docker.io", "index.docker.io", "registry-1.docker.io", "localhost",
					       "127.0.0.1", "[::1]" };
	struct buf image = { 0 };
	const char *slash;
	size_t host;

	if (!docker_query(f->docker.query, "fromImage", 0, &image))
		return;
	slash = strchr(image.ptr, '/');
	host = slash ? (size_t)(slash - image.ptr) : 0;
	/* As reference.ParseNormalizedNamed: a first step with '.' or ':' or "localhost" is a registry. */
	if (host && (memchr(image.ptr, '.', host) || memchr(image.ptr, ':', host))) {
		size_t name = host;
		bool ok = false;
		const char *colon = image.ptr[0] == '[' ? NULL : memchr(image.ptr, ':', host);

		if (colon)
			name = colon - image.ptr;
		for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
			ok |= strlen(allowed[i]) == name && !strncasecmp(image.ptr, allowed[i], name);
		if (!ok)
			finding(out, "R8.5", (struct span){ image.ptr, host }, "an image from registry %.*s", (int)host,
				image.ptr);
	}
	buf_free(&image);
}

static void look_build(const struct fact *f, struct report *out)
{
	struct buf remote = { 0 };

	verb_note(f, out, "build");
	if (docker_query(f->docker.query, "remote", 0, &remote) && remote.len && strcmp(remote.ptr, "client-session"))
		finding(out, "R8.5", (struct span){ remote.ptr, remote.len }, "a build from %.*s",
			(int)(remote.len > 200 ? 200 : remote.len), remote.ptr);
	buf_free(&remote);
}

static bool is_root(struct span user)
{
	return span_eq(user, "root") || span_eq(user, "0") || span_starts(user, "0:") || span_starts(user, "root:");
}

static bool is_shell(struct span path)
{
	static const char *const shells[] = { "sh", "bash", "dash", "ash", "zsh", "ksh" };
	const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;
	struct span base = slash ? (struct span){ slash + 1, path.ptr + path.len - slash - 1 } : path;

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		if (span_eq(base, shells[i]))
			return true;
	return false;
}

static void body_value(void *ctx, const struct json_value *v)
{
	struct report *out = ctx;

	if (v->type == JSON_STRING && json_path_is(v, "/User") && is_root(v->text))
		finding(out, "R8.8", SPAN("User"), "User=%.*s", SPANF(v->text));
	else if (v->type == JSON_STRING && json_path_is(v, "/Entrypoint/0") && is_shell(v->text))
		finding(out, "R8.8", SPAN("Entrypoint"), "the entry point is replaced by %.*s", SPANF(v->text));
}

static void exec_value(void *ctx, const struct json_value *v)
{
	if (v->type == JSON_TRUE && json_path_is(v, "/Privileged"))
		finding(ctx, "R8.4", SPAN("exec"), "an exec with Privileged");
	body_value(ctx, v);
}

static void foreign_note(const struct fact *f, struct report *out, const char *what)
{
	if (f->docker.owner == OWNER_FOREIGN && is_success(&f->docker))
		finding(out, "R8.3", f->docker.target, "%s foreign container %.*s", what, SPANF(f->docker.target));
}

static void look_call(const struct fact *f, struct report *out)
{
	switch (f->docker.route->action) {
	case ACT_IMAGE_BUILD:
		look_build(f, out);
		break;
	case ACT_IMAGE_PULL:
		look_registry(f, out);
		break;
	case ACT_CONTAINER_CREATE:
		verb_note(f, out, "run");
		json_walk(f->docker.body, body_value, out, NULL);
		break;
	case ACT_EXEC_CREATE:
		if (f->docker.owner == OWNER_OWN)
			verb_note(f, out, "exec");
		foreign_note(f, out, "a command is executed in");
		json_walk(f->docker.body, exec_value, out, NULL);
		break;
	case ACT_CONTAINER_ARCHIVE_GET:
		foreign_note(f, out, "a file is copied out of");
		break;
	case ACT_CONTAINER_ARCHIVE_PUT:
		foreign_note(f, out, "a file is copied into");
		break;
	default:
		break;
	}
	if (f->process && is_raw_client(f->process))
		finding(out, "R8.7", span_of(f->process->name), "%s talks to the engine directly (%s)", f->process->name,
			f->docker.route->text);
}

static void look(const struct fact *f, struct report *out)
{
	if (f->kind == FACT_CONNECT)
		look_connect(f, out);
	else
		look_call(f, out);
}

const struct detector detect_docker_control = { RISK_DOCKER_CONTROL, FACT_CONNECT | FACT_DOCKER, look };
