/* container_config.c: R6, what the run asked the engine to give a container or a build. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "codec.h"
#include "detect.h"
#include "dockerfile.h"
#include "jsonr.h"
#include "mounts.h"

#define SUBJECT_MAX 128

/* A list of paths that replaces the Engine's own; without this member it is as good as cleared. */
struct path_list {
	const char *path, *item, *member;
	bool open, kept;
};

struct look {
	const struct fact *f;
	struct report *out;
	bool memory, pids;                 /* a limit is set */
	bool port_open, port_ip, port_any; /* of the PortBindings entry being read */
	char port[32];
	bool loopback;
	struct path_list lists[2];
};

static bool is_true(const struct json_value *v)
{
	return v->type == JSON_TRUE;
}

static bool text_is(struct span s, const char *word)
{
	return s.len == strlen(word) && !strncasecmp(s.ptr, word, s.len);
}

static struct span clip(struct span s, size_t max)
{
	return (struct span){ s.ptr, s.len > max ? max : s.len };
}

static bool is_host(const struct json_value *v)
{
	return v->type == JSON_STRING && text_is(v->text, "host");
}

static bool is_danger_cap(const struct json_value *v)
{
	static const char *const caps[] = { "ALL",        "SYS_ADMIN", "SYS_PTRACE",
					    "SYS_MODULE", "SYS_RAWIO", "DAC_READ_SEARCH",
					    "NET_ADMIN",  "BPF",       "PERFMON" };
	struct span s = v->text;

	if (v->type != JSON_STRING)
		return false;
	if (s.len > 4 && !strncasecmp(s.ptr, "CAP_", 4))
		s = (struct span){ s.ptr + 4, s.len - 4 };
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++)
		if (text_is(s, caps[i]))
			return true;
	return false;
}

static bool is_unconfined(const struct json_value *v)
{
	static const char *const options[] = { "seccomp=unconfined",
					       "seccomp:unconfined",
					       "apparmor=unconfined",
					       "apparmor:unconfined",
					       "label=disable",
					       "label:disable",
					       "disable",
					       "systempaths=unconfined" };
	struct buf action = { 0 };
	bool bad = false;

	if (v->type != JSON_STRING)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		bad |= text_is(v->text, options[i]);
	/* A profile that allows what it does not name. */
	if (!bad && v->text.len > 9 && !strncasecmp(v->text.ptr, "seccomp", 7) &&
	    json_string_at((struct span){ v->text.ptr + 8, v->text.len - 8 }, "/defaultAction",
			   &action))
		bad = !strcmp(action.ptr ? action.ptr : "", "SCMP_ACT_ALLOW") ||
		      !strcmp(action.ptr ? action.ptr : "", "SCMP_ACT_LOG");
	buf_free(&action);
	return bad;
}

static bool is_text(const struct json_value *v)
{
	return v->type == JSON_STRING && v->text.len;
}

static bool is_any(const struct json_value *v)
{
	(void)v;
	return true;
}

static bool is_mutable_tag(struct span s)
{
	const char *slash, *colon;
	size_t hex = 0;

	if (!s.len || memchr(s.ptr, '@', s.len) || span_starts(s, "sha256:"))
		return false;
	while (hex < s.len && strchr("0123456789abcdef", s.ptr[hex]) && s.ptr[hex])
		hex++;
	if (hex == s.len && s.len >= 12)
		return false; /* an id */
	slash = memrchr(s.ptr, '/', s.len);
	if (slash)
		s = (struct span){ slash + 1, (size_t)(s.ptr + s.len - slash - 1) };
	colon = memchr(s.ptr, ':', s.len);
	return !colon || span_ends(s, ":latest");
}

/*
 * What may stand in the body of container-create, and what it means. The subject is the row, or the
 * value where the row has many: a flood of one kind must not push out another.
 */
static const struct rule_row {
	const char *path; /* JSON pointer; * is one step */
	bool (*bad)(const struct json_value *v);
	const char *rule;
} rows[] = {
	{ "/HostConfig/Privileged", is_true, "R6.1" },
	{ "/HostConfig/NetworkMode", is_host, "R6.4" },
	{ "/NetworkingConfig/EndpointsConfig/host", is_any, "R6.4" },
	{ "/HostConfig/PidMode", is_host, "R6.4" },
	{ "/HostConfig/IpcMode", is_host, "R6.4" },
	{ "/HostConfig/UTSMode", is_host, "R6.4" },
	{ "/HostConfig/UsernsMode", is_host, "R6.4" },
	{ "/HostConfig/CapAdd/*", is_danger_cap, "R6.5" },
	{ "/HostConfig/SecurityOpt/*", is_unconfined, "R6.6" },
	{ "/HostConfig/PublishAllPorts", is_true, "R6.7" },
	{ "/HostConfig/Devices/*/PathOnHost", is_text, "R6.8" },
	{ "/HostConfig/DeviceCgroupRules/*", is_text, "R6.8" },
	{ "/HostConfig/Links/*", is_text, "R6.10" },
};

static bool is_base64(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '+' || c == '/';
}

/* A PEM private key: as it is, with its bytes escaped (\x2d\x2d…), or its beginning in base64. */
static bool holds_key(struct span s)
{
	static const char word[] = "PRIVATE KEY-----", base64[] = "LS0tLS1CRUdJTi";
	struct buf b = { 0 };
	bool found = span_find(s, SPAN(word)) >= 0;
	long at;

	if (!found && s.len && memchr(s.ptr, '\\', s.len) && escape_decode(s, &b))
		found = span_find((struct span){ b.ptr, b.len }, SPAN(word)) >= 0;
	at = found ? -1 : span_find(s, SPAN(base64));
	if (at >= 0) {
		size_t n = 0;

		while (n < 64 && (size_t)at + n < s.len && is_base64(s.ptr[(size_t)at + n]))
			n++;
		buf_reset(&b);
		base64_decode((struct span){ s.ptr + at, n & ~(size_t)3 }, &b);
		found = span_find((struct span){ b.ptr, b.len }, SPAN(word)) >= 0;
	}
	buf_free(&b);
	return found;
}

static void secret_note(struct look *l, struct span text, const char *where)
{
	if (!text.len)
		return;
	if (masker_find(&l->f->run->masker, text))
		finding(l->out, "R6.9", span_of(where), "%s holds a secret", where);
	else if (holds_key(text))
		finding(l->out, "R6.9", span_of(where), "%s holds a private key", where);
}

/* A name and its value: the value is never shown. */
static void look_pair(struct look *l, struct span name, struct span value, const char *where)
{
	if (name.len && value.len && name_is_sensitive(&l->f->run->masker, name))
		finding(l->out, "R6.9", clip(name, SUBJECT_MAX), "%s: the value of %.*s", where,
			SPANF(name));
	else
		secret_note(l, value, where);
}

/* "NAME=value" with a sensitive name and a value, or a secret anywhere. */
static void look_secret(struct look *l, struct span text, const char *where)
{
	const char *eq = text.len ? memchr(text.ptr, '=', text.len) : NULL;

	if (eq)
		look_pair(l, (struct span){ text.ptr, (size_t)(eq - text.ptr) },
			  (struct span){ eq + 1, (size_t)(text.ptr + text.len - eq - 1) }, where);
	secret_note(l, text, where);
}

/* PortBindings entries: an absent HostIp is "all interfaces". */
static void port_close(struct look *l)
{
	if (l->port_open && (l->port_any || !l->port_ip))
		finding(l->out, "R6.7", span_of(l->port), "port %s is published on all interfaces",
			l->port);
	l->port_open = false;
}

static void look_host_ip(struct look *l, struct span ip)
{
	static const uint8_t none[16];
	char text[64];
	uint8_t a[16];

	l->port_ip = true;
	if (ip.len > 2 && *ip.ptr == '[' && ip.ptr[ip.len - 1] == ']')
		ip = (struct span){ ip.ptr + 1, ip.len - 2 };
	snprintf(text, sizeof(text), "%.*s", (int)clip(ip, sizeof(text) - 1).len,
		 ip.len ? ip.ptr : "");
	if (inet_pton(AF_INET, text, a) == 1) {
		l->port_any |= !memcmp(a, none, 4);
		l->loopback |= a[0] == 127;
	} else if (inet_pton(AF_INET6, text, a) == 1) {
		bool mapped = !memcmp(a, none, 10) && a[10] == 0xff && a[11] == 0xff;

		l->port_any |= !memcmp(a, none, 16) || (mapped && !memcmp(a + 12, none, 4));
		l->loopback |= (mapped && a[12] == 127) || (!memcmp(a, none, 15) && a[15] == 1);
	} else {
		l->port_any |= !*text;
		l->loopback |= text_is(ip, "localhost");
	}
}

static void look_port(struct look *l, const struct json_value *v)
{
	/* null in the list is an empty entry to Go. */
	if (json_path_is(v, "/HostConfig/PortBindings/*/*") &&
	    (v->type == JSON_OBJECT || v->type == JSON_NULL)) {
		struct span port = v->path[2].key;

		port_close(l);
		l->port_open = true;
		l->port_any = l->port_ip = false;
		snprintf(l->port, sizeof(l->port), "%.*s", (int)clip(port, 30).len,
			 port.len ? port.ptr : "");
	} else if (v->type == JSON_STRING &&
		   json_path_is(v, "/HostConfig/PortBindings/*/*/HostIp")) {
		look_host_ip(l, v->text);
	}
}

static void list_close(struct look *l, struct path_list *p)
{
	if (p->open && !p->kept)
		finding(l->out, "R6.6", span_of(p->path), "%s is cleared", p->path + 1);
	p->open = p->kept = false;
}

static void look_lists(struct look *l, const struct json_value *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(l->lists); i++) {
		struct path_list *p = &l->lists[i];

		if (v->type == JSON_ARRAY && json_path_is(v, p->path)) {
			list_close(l, p);
			p->open = true;
		} else if (v->type == JSON_STRING && json_path_is(v, p->item)) {
			p->kept |= span_eq(v->text, p->member);
		}
	}
}

/* First pass: at most a few findings a row. */
static void row_value(void *ctx, const struct json_value *v)
{
	struct look *l = ctx;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct rule_row *r = &rows[i];
		struct span subject = span_of(r->path);

		if (!json_path_is(v, r->path) || !r->bad(v))
			continue;
		/* The bad values are few. */
		if (r->bad == is_danger_cap)
			subject = clip(v->text, SUBJECT_MAX);
		else if (r->bad == is_unconfined && v->text.len < 24)
			subject = v->text;
		finding(l->out, r->rule, subject, "%s%s%.*s%s", r->path + 1, v->text.len ? "=" : "",
			SPANF(v->text), key_note(v));
	}
	look_lists(l, v);
	if (v->type == JSON_NUMBER && !span_starts(v->text, "-") && !span_eq(v->text, "0")) {
		l->memory |= json_path_is(v, "/HostConfig/Memory");
		l->pids |= json_path_is(v, "/HostConfig/PidsLimit");
	}
}

/* Go's StrSlice: a list of strings, or one. */
static bool is_command(const struct json_value *v)
{
	return json_path_is(v, "/Cmd/*") || json_path_is(v, "/Cmd") ||
	       json_path_is(v, "/Entrypoint/*") || json_path_is(v, "/Entrypoint") ||
	       json_path_is(v, "/Healthcheck/Test/*");
}

static void create_value(void *ctx, const struct json_value *v)
{
	struct look *l = ctx;

	look_port(l, v);
	if (v->type != JSON_STRING)
		return;
	if (json_path_is(v, "/Env/*"))
		look_secret(l, v->text, "Env");
	else if (is_command(v))
		look_secret(l, v->text, "the command");
	else if (json_path_is(v, "/Labels/*"))
		look_pair(l, v->path[1].key, v->text, "a label");
	else if (json_path_is(v, "/HostConfig/Binds/*"))
		mount_bind(v->text, key_note(v), l->out);
	else if (json_path_is(v, "/Image") && is_mutable_tag(v->text) && !l->f->docker.image_own)
		finding(l->out, "R6.11", clip(v->text, SUBJECT_MAX), "image %.*s", SPANF(v->text));
}

static void exec_value(void *ctx, const struct json_value *v)
{
	struct look *l = ctx;

	if (v->type == JSON_STRING && json_path_is(v, "/Env/*"))
		look_secret(l, v->text, "Env of an exec");
	else if (v->type == JSON_STRING && is_command(v))
		look_secret(l, v->text, "the command of an exec");
}

/* 0 leaves a limit as it is, but for PidsLimit, which is a pointer in Go. */
static void update_value(void *ctx, const struct json_value *v)
{
	static const char *const limits[] = { "/Memory", "/PidsLimit", "/CpuQuota", "/MemorySwap" };
	struct look *l = ctx;

	for (size_t i = 0; v->type == JSON_NUMBER && i < ARRAY_SIZE(limits); i++)
		if (json_path_is(v, limits[i]) &&
		    (span_starts(v->text, "-") || (i == 1 && span_eq(v->text, "0"))))
			finding(l->out, "R6.15", span_of(limits[i]), "an update lifts %s%s",
				limits[i] + 1, key_note(v));
}

/* ENV and ARG with a sensitive name; keys and masks anywhere. */
static void file_line(void *ctx, struct span word, struct span rest)
{
	struct look *l = ctx;
	struct span pair;
	const char *eq;

	while (text_is(word, "ONBUILD") && rest.len)
		word = dockerfile_word(&rest);
	secret_note(l, rest, "a Dockerfile");
	if (!text_is(word, "ENV") && !text_is(word, "ARG") && !text_is(word, "LABEL"))
		return;
	pair = dockerfile_word(&rest);
	if (pair.len && !memchr(pair.ptr, '=', pair.len) && !text_is(word, "ARG")) {
		while (rest.len && (*rest.ptr == ' ' || *rest.ptr == '\t'))
			rest = (struct span){ rest.ptr + 1, rest.len - 1 };
		look_pair(l, pair, rest, "a Dockerfile");
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
		look_pair(l, (struct span){ pair.ptr, (size_t)(eq - pair.ptr) },
			  (struct span){ eq + 1, (size_t)(pair.ptr + pair.len - eq - 1) },
			  "a Dockerfile");
	}
}

static void file_image(void *ctx, struct span image)
{
	struct look *l = ctx;

	if (is_mutable_tag(image))
		finding(l->out, "R6.11", clip(image, SUBJECT_MAX), "FROM %.*s", SPANF(image));
}

static void look_whole(struct look *l, enum json_end end)
{
	const struct docker_call *c = &l->f->docker;

	/* Nothing at all was sent, and that is certain. */
	if (c->request_complete && (end == JSON_OK || !c->body.len))
		return;
	finding(l->out, "R6.13", span_of(c->route->text), "%s: %s", c->route->text,
		!c->request_complete ? "the request was not captured whole"
		: end == JSON_CUT    ? "its body ends early"
		: end == JSON_DEEP   ? "its body is nested too deep"
				     : "its body is not JSON");
}

/* Calls fn as if the value stood in HostConfig. */
struct inside {
	json_fn *fn;
	void *ctx;
};

static void inside_value(void *ctx, const struct json_value *v)
{
	struct inside *in = ctx;
	struct json_step path[JSON_DEPTH + 1] = { { .key = SPAN("HostConfig") } };
	struct json_value to = *v;

	memcpy(path + 1, v->path, v->depth * sizeof(*path));
	to.path = path;
	to.depth++;
	in->fn(in->ctx, &to);
}

/* An Engine before API 1.24 takes a HostConfig at the start. */
static enum json_end walk(struct look *l, json_fn *fn, void *ctx)
{
	struct inside in = { fn, ctx };

	if (l->f->docker.route->action == ACT_CONTAINER_START)
		return json_walk(l->f->docker.body, inside_value, &in, NULL);
	return json_walk(l->f->docker.body, fn, ctx, NULL);
}

/* The worst first: a report has room for so many. */
static void look_create(struct look *l)
{
	struct mounts mounts = { .out = l->out };
	enum json_end end;

	end = walk(l, row_value, l);
	for (size_t i = 0; i < ARRAY_SIZE(l->lists); i++)
		list_close(l, &l->lists[i]);
	look_whole(l, end);
	walk(l, mounts_value, &mounts);
	mounts_end(&mounts);
	walk(l, create_value, l);
	port_close(l);
	if (l->loopback)
		finding(l->out, "R6.12", SPAN("loopback"), "a port is published on loopback only");
	if ((!l->memory || !l->pids) && end == JSON_OK &&
	    l->f->docker.route->action == ACT_CONTAINER_CREATE)
		finding(l->out, "R6.12", SPAN("limits"), "no %s limit",
			l->memory ? "pid"
			: l->pids ? "memory"
				  : "memory or pid");
}

static void pair_value(struct look *l, const struct json_value *v, const char *where)
{
	if (v->type != JSON_STRING || v->depth != 1)
		return;
	look_pair(l, v->path[0].key, v->text, where);
}

static void argument_value(void *ctx, const struct json_value *v)
{
	pair_value(ctx, v, "a build argument");
}

static void label_value(void *ctx, const struct json_value *v)
{
	pair_value(ctx, v, "a label");
}

static void look_build(struct look *l)
{
	const struct docker_call *c = &l->f->docker;
	struct buf b = { 0 };
	bool kit = false;

	if (docker_query(c->query, "networkmode", 0, &b) &&
	    text_is((struct span){ b.ptr, b.len }, "host"))
		finding(l->out, "R6.4", SPAN("build"), "a build on the host's network");
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

static void look_volume(struct look *l)
{
	struct mounts mounts = { .out = l->out };

	look_whole(l, json_walk(l->f->docker.body, volume_value, &mounts, NULL));
	mounts_end(&mounts);
}

static void look(const struct fact *f, struct report *out)
{
	struct look l = {
		.f = f,
		.out = out,
		.lists = { { .path = "/HostConfig/MaskedPaths",
			     .item = "/HostConfig/MaskedPaths/*",
			     .member = "/proc/kcore" },
			   { .path = "/HostConfig/ReadonlyPaths",
			     .item = "/HostConfig/ReadonlyPaths/*",
			     .member = "/proc/sysrq-trigger" } },
	};

	switch (f->docker.route->action) {
	case ACT_CONTAINER_START:
		if (!f->docker.body.len)
			break;
		/* fall through */
	case ACT_CONTAINER_CREATE:
		look_create(&l);
		break;
	case ACT_CONTAINER_UPDATE:
		look_whole(&l, json_walk(f->docker.body, update_value, &l, NULL));
		break;
	case ACT_EXEC_CREATE:
		look_whole(&l, json_walk(f->docker.body, exec_value, &l, NULL));
		break;
	case ACT_VOLUME_CREATE:
		look_volume(&l);
		break;
	case ACT_IMAGE_BUILD:
		look_build(&l);
		break;
	default:
		break;
	}
}

const struct detector detect_container_config = { RISK_CONTAINER_CONFIG, FACT_DOCKER, look };
