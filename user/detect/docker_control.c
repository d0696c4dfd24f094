/* docker_control.c: R8, who drives the engine, from where, and what it builds, runs and executes. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "detect.h"
#include "docker_body.h"
#include "dockerfile.h"
#include "jsonr.h"

#define SUBJECT_MAX 256
#define ARGS_LOOK   16 /* options before the program text */

static struct span base_name(struct span path)
{
	const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;

	return slash ? (struct span){ slash + 1, (size_t)(path.ptr + path.len - slash - 1) } : path;
}

/* Does a cluster of short options ("-c", "-Ic", "-ne") end in the one that takes the program? */
static bool gives_program(const char *name, struct span a)
{
	static const char *const words[] = { "--eval", "--print", "--execute" };
	bool python = !strncmp(name, "python", 6) || !strncmp(name, "pypy", 4);
	const char *ends = python                      ? "c"
			   : !strncmp(name, "php", 3)  ? "r"
			   : !strncmp(name, "node", 4) ? "ep"
						       : "eE";

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (span_starts(a, words[i]) && !python)
			return true;
	if (a.len < 2 || a.len > 6 || a.ptr[0] != '-')
		return false;
	for (size_t i = 1; i < a.len; i++)
		if (!isalnum((unsigned char)a.ptr[i]) ||
		    (i == 1 && strchr(python ? "mWX" : "MI", a.ptr[1])))
			return false; /* not an option, or one with a value of its own */
	return strchr(ends, a.ptr[a.len - 1]);
}

static bool is_one_liner(const struct process *p)
{
	const char *name = p->name ? p->name : "";

	for (unsigned i = 1; i < p->argc && i < ARGS_LOOK; i++) {
		struct span a = process_arg(p, i);

		if (gives_program(name, a))
			return true;
		if (!span_starts(a, "-") || span_eq(a, "-m") || span_eq(a, "--") || a.len == 1)
			break; /* a script, a module or standard input */
		if (span_eq(a, "-W") || span_eq(a, "-X") ||
		    (span_eq(a, "-I") && strncmp(name, "python", 6)))
			i++;
	}
	return false;
}

/* Programs that talk to the engine by hand. */
static bool is_raw_client(const struct process *p)
{
	static const char *const names[] = { "curl",           "wget",   "nc",
					     "ncat",           "netcat", "nc.openbsd",
					     "nc.traditional", "socat" };
	struct span name = span_of(p->name);

	if (span_eq(name, "busybox"))
		name = base_name(process_arg(p, 0));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (span_eq(name, names[i]))
			return true;
	return p->roles & ROLE_SHELL || (p->roles & ROLE_INTERPRETER && is_one_liner(p));
}

static void look_client(const struct fact *f, struct report *out, const char *what)
{
	const char *name = f->process && f->process->name ? f->process->name : "?";

	if (f->process && is_raw_client(f->process))
		finding(out, "R8.7", span_of(name), "%s talks to the engine directly (%s)", name,
			what);
}

/* Over TCP the calls were readable: so there was no TLS. */
static void look_way(const struct fact *f, struct report *out)
{
	struct span peer = f->docker.peer;

	if (f->docker.way == WAY_TCP)
		finding(out, "R8.6", peer, "the engine is reached over TCP without TLS (%.*s)",
			SPANF(peer));
	else if (f->docker.way == WAY_RELAY)
		finding(out, "R8.6", peer, "the engine is reached through a relay (%.*s)",
			SPANF(peer));
}

static void look_connect(const struct fact *f, struct report *out)
{
	struct span where = f->connect.address.len ? f->connect.address : f->connect.asked;
	const char *name = f->process && f->process->name ? f->process->name : "a process";

	finding(out, "R8.1", where, "%s connects to %.*s%s", name, SPANF(where),
		f->connect.verified ? "" : " (not verified)");
	if (f->connect.verified)
		look_client(f, out, "connect");
	if (f->connect.way == WAY_OTHER_PATH && !f->connect.error)
		finding(out, "R8.6", f->connect.asked, "%.*s is not the path that was bound (%.*s)",
			SPANF(f->connect.asked), SPANF(where));
}

static void verb_note(const struct fact *f, struct report *out, const char *verb, struct span what,
		      const char *whose)
{
	struct buf b = { 0 };

	buf_fmt(&b, "%s %s", f->process && f->process->name ? f->process->name : "?", verb);
	finding(out, "R8.2", (struct span){ b.ptr, b.len }, "%s %.*s%s", verb, SPANF(what), whose);
	buf_free(&b);
}

static bool is_loopback(struct span host)
{
	const char *colon;

	if (span_starts(host, "[::1]"))
		return host.len == 5 || host.ptr[5] == ':';
	colon = host.len ? memchr(host.ptr, ':', host.len) : NULL;
	if (colon)
		host.len = (size_t)(colon - host.ptr);
	if (host.len == 9 && !strncasecmp(host.ptr, "localhost", 9))
		return true;
	if (!span_starts(host, "127."))
		return false;
	for (size_t i = 0; i < host.len; i++)
		if (!isdigit((unsigned char)host.ptr[i]) && host.ptr[i] != '.')
			return false;
	return true;
}

/* As reference.ParseNormalizedNamed: a first step with '.' or ':', or "localhost", is a registry. */
static void look_registry(struct report *out, struct span image)
{
	static const char *const allowed[] = { "docker.io", "index.docker.io",
					       "registry-1.docker.io" };
	const char *slash = image.len ? memchr(image.ptr, '/', image.len) : NULL;
	struct span host = { image.ptr, slash ? (size_t)(slash - image.ptr) : 0 };
	/* A credential before the host is no part of it (and may not be shown). */
	const char *at = host.len ? memrchr(host.ptr, '@', host.len) : NULL;

	if (at)
		host = (struct span){ at + 1, (size_t)(slash - at - 1) };
	if (!host.len || (!memchr(host.ptr, '.', host.len) && !memchr(host.ptr, ':', host.len)) ||
	    is_loopback(host))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (host.len == strlen(allowed[i]) && !strncasecmp(host.ptr, allowed[i], host.len))
			return;
	if (host.len > SUBJECT_MAX)
		host.len = SUBJECT_MAX;
	finding(out, "R8.5", host, "an image from registry %.*s", SPANF(host));
}

static void file_image(void *ctx, struct span image)
{
	look_registry(ctx, image);
}

/* A URL without user, password, query and fragment. */
static void look_url(struct report *out, struct span url, const char *what)
{
	long scheme = span_find(url, SPAN("://"));
	size_t begin = scheme < 0 ? 0 : (size_t)scheme + 3, end = begin;
	struct buf b = { 0 };
	const char *at;

	while (end < url.len && !strchr("?#", url.ptr[end]))
		end++;
	at = end > begin ? memrchr(url.ptr + begin, '@', end - begin) : NULL;
	if (begin)
		buf_add(&b, url.ptr, begin);
	if (at)
		begin = (size_t)(at + 1 - url.ptr);
	if (end > begin)
		buf_add(&b, url.ptr + begin, end - begin > SUBJECT_MAX ? SUBJECT_MAX : end - begin);
	finding(out, "R8.5", (struct span){ b.ptr, b.len }, "%s %.*s", what,
		SPANF(((struct span){ b.ptr, b.len })));
	buf_free(&b);
}

static void look_pull(const struct fact *f, struct report *out)
{
	struct buf b = { 0 };

	for (unsigned n = 0; n < 4 && docker_query(f->docker.query, "fromImage", n, &b); n++)
		look_registry(out, (struct span){ b.ptr, b.len });
	/* "-" is the body of the request. */
	if (docker_query(f->docker.query, "fromSrc", 0, &b) && b.len && strcmp(b.ptr, "-"))
		look_url(out, (struct span){ b.ptr, b.len }, "an image from");
	buf_free(&b);
}

static void look_build(const struct fact *f, struct report *out)
{
	struct buf b = { 0 };

	docker_query(f->docker.query, "t", 0, &b);
	verb_note(f, out, "build",
		  b.len ? (struct span){ b.ptr, b.len } : SPAN("an image without a name"), "");
	if (docker_query(f->docker.query, "remote", 0, &b) && b.len &&
	    strcmp(b.ptr, "client-session"))
		look_url(out, (struct span){ b.ptr, b.len }, "a build from");
	dockerfile_images(f->docker.dockerfile, file_image, out);
	buf_free(&b);
}

/* "root", or a number that is 0, as strconv.Atoi reads it; with or without a group. */
static bool is_root(struct span user)
{
	const char *colon = user.len ? memchr(user.ptr, ':', user.len) : NULL;
	size_t i = 0;

	if (colon)
		user.len = (size_t)(colon - user.ptr);
	if (span_eq(user, "root"))
		return true;
	if (user.len > 1 && (user.ptr[0] == '+' || user.ptr[0] == '-'))
		i++;
	if (i == user.len)
		return false;
	while (i < user.len && user.ptr[i] == '0')
		i++;
	return i == user.len;
}

static bool is_shell(struct span path)
{
	static const char *const shells[] = { "sh", "bash", "dash", "ash", "zsh", "ksh", "fish" };

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		if (span_eq(base_name(path), shells[i]))
			return true;
	return false;
}

static const char *key_said(const struct json_value *v)
{
	return v->folded ? " (oddly folded key)" : v->duplicate ? " (duplicate key)" : "";
}

static void body_value(void *ctx, const struct json_value *v)
{
	struct report *out = ctx;

	if (v->type != JSON_STRING)
		return;
	if (json_path_is(v, "/User") && is_root(v->text))
		finding(out, "R8.8", SPAN("User"), "User=%.*s%s", SPANF(v->text), key_said(v));
	else if ((json_path_is(v, "/Entrypoint/0") || json_path_is(v, "/Entrypoint")) &&
		 is_shell(v->text))
		finding(out, "R8.8", SPAN("Entrypoint"), "the entry point is replaced by %.*s%s",
			SPANF(v->text), key_said(v));
}

static void image_value(void *ctx, const struct json_value *v)
{
	if (v->type == JSON_STRING && json_path_is(v, "/Image"))
		look_registry(ctx, v->text);
}

static void exec_value(void *ctx, const struct json_value *v)
{
	if (v->type == JSON_TRUE && json_path_is(v, "/Privileged"))
		finding(ctx, "R8.4", SPAN("exec"), "an exec with Privileged%s", key_said(v));
	/* An exec has no entry point. */
	if (json_path_is(v, "/User"))
		body_value(ctx, v);
}

static struct span container_of_call(const struct docker_call *c)
{
	return c->container_name.len ? c->container_name : c->target;
}

static void foreign_note(const struct docker_call *c, struct report *out, const char *what)
{
	struct span name = container_of_call(c);

	if (c->owner == OWNER_FOREIGN && c->status / 100 == 2)
		finding(out, "R8.3", name, "%s foreign container %.*s", what, SPANF(name));
}

static void look_exec(const struct fact *f, struct report *out)
{
	const struct docker_call *c = &f->docker;

	json_walk(c->body, exec_value, out, NULL);
	foreign_note(c, out, "a command is executed in");
	if (c->owner != OWNER_FOREIGN)
		verb_note(f, out, "exec", container_of_call(c),
			  c->owner == OWNER_OWN ? "" : ", origin unknown");
}

/* Who gives no name is given one by the engine: the image tells more. */
static void look_run(const struct fact *f, struct report *out)
{
	struct span image = f->docker.image_name;
	struct buf b = { 0 };

	buf_fmt(&b, "a container of %.*s", SPANF(image));
	verb_note(f, out, f->docker.route->action == ACT_SERVICE ? "run service" : "run",
		  f->docker.target.len || !image.len ? f->docker.target
						     : (struct span){ b.ptr, b.len },
		  "");
	buf_free(&b);
}

static void look_call(const struct fact *f, struct report *out)
{
	switch (f->docker.route->action) {
	case ACT_IMAGE_BUILD:
		look_build(f, out);
		break;
	case ACT_IMAGE_PULL:
		look_pull(f, out);
		break;
	case ACT_SERVICE:
	case ACT_CONTAINER_CREATE:
		look_run(f, out);
		docker_body_walk(&f->docker, body_value, out);
		/* It may have come long ago: it is executed now. What the run built has it as a name alone. */
		if (!f->docker.image_own)
			docker_body_walk(&f->docker, image_value, out);
		break;
	case ACT_EXEC_CREATE:
		look_exec(f, out);
		break;
	case ACT_CONTAINER_ARCHIVE_GET:
	case ACT_CONTAINER_EXPORT:
		foreign_note(&f->docker, out, "a file is copied out of");
		break;
	case ACT_CONTAINER_ARCHIVE_PUT:
		foreign_note(&f->docker, out, "a file is copied into");
		break;
	default:
		break;
	}
	look_client(f, out, f->docker.route->text);
	look_way(f, out);
}

static void look(const struct fact *f, struct report *out)
{
	if (f->kind == FACT_CONNECT)
		look_connect(f, out);
	else
		look_call(f, out);
}

const struct detector detect_docker_control = { RISK_DOCKER_CONTROL, FACT_CONNECT | FACT_DOCKER,
						look };
