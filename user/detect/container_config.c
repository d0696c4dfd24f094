/* container_config.c: R6, what the run asked the engine to give a container or a build. */
#include <string.h>
#include <stdio.h>
#include <strings.h>
#include "detect.h"
#include "jsonr.h"
#include "mounts.h"

struct look {
	const struct fact *f;
	struct report *out;
	bool memory, pids;		/* a limit is set */
	bool port_open, port_any;	/* of the PortBindings entry being read: no HostIp yet */
	char port[32];
	bool loopback;
};

static bool is_true(const struct json_value *v)
{
	return v->type == JSON_TRUE;
}

static bool text_is(struct span s, const char *word)
{
	return s.len == strlen(word) && !strncasecmp(s.ptr, word, s.len);
}

static bool is_host(const struct json_value *v)
{
	return v->type == JSON_STRING && text_is(v->text, "host");
}

static bool is_danger_cap(const struct json_value *v)
{
	static const char *const caps[] = { "ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "SYS_RAWIO",
					    "DAC_READ_SEARCH", "NET_ADMIN", "BPF", "PERFMON" };
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
	static const char *const options[] = { "seccomp=unconfined", "seccomp:unconfined", "apparmor=unconfined",
					       "apparmor:unconfined", "label=disable", "label:disable",
					       "systempaths=unconfined" };

	for (size_t i = 0; v->type == JSON_STRING && i < ARRAY_SIZE(options); i++)
		if (text_is(v->text, options[i]))
			return true;
	return false;
}

static bool is_array(const struct json_value *v)
{
	return v->type == JSON_ARRAY;
}

static bool is_text(const struct json_value *v)
{
	return v->type == JSON_STRING && v->text.len;
}

static bool is_object(const struct json_value *v)
{
	return v->type == JSON_OBJECT;
}

static bool is_shared(const struct json_value *v)
{
	return v->type == JSON_STRING && (text_is(v->text, "shared") || text_is(v->text, "rshared"));
}

static bool is_mutable_tag(const struct json_value *v)
{
	struct span s = v->text;
	const char *slash, *colon;

	if (v->type != JSON_STRING || !s.len || memchr(s.ptr, '@', s.len) || span_starts(s, "sha256:"))
		return false;
	slash = memrchr(s.ptr, '/', s.len);
	if (slash)
		s = (struct span){ slash + 1, s.ptr + s.len - slash - 1 };
	colon = memchr(s.ptr, ':', s.len);
	return !colon || span_ends(s, ":latest");
}

/* What may stand in the body of container-create, and what it means. */
static const struct rule_row {
	const char *path;		/* JSON pointer; * is one step */
	bool (*bad)(const struct json_value *v);
	const char *rule;
} rows[] = {
	{ "/HostConfig/Privileged", is_true, "R6.1" },
	{ "/HostConfig/NetworkMode", is_host, "R6.4" },
	{ "/HostConfig/PidMode", is_host, "R6.4" },
	{ "/HostConfig/IpcMode", is_host, "R6.4" },
	{ "/HostConfig/UTSMode", is_host, "R6.4" },
	{ "/HostConfig/UsernsMode", is_host, "R6.4" },
	{ "/HostConfig/CapAdd/*", is_danger_cap, "R6.5" },
	{ "/HostConfig/SecurityOpt/*", is_unconfined, "R6.6" },
	{ "/HostConfig/MaskedPaths", is_array, "R6.6" },
	{ "/HostConfig/ReadonlyPaths", is_array, "R6.6" },
	{ "/HostConfig/PublishAllPorts", is_true, "R6.7" },
	{ "/HostConfig/Devices/*", is_object, "R6.8" },
	{ "/HostConfig/DeviceCgroupRules/*", is_text, "R6.8" },
	{ "/HostConfig/Links/*", is_text, "R6.10" },
	{ "/HostConfig/Mounts/*/BindOptions/Propagation", is_shared, "R6.15" },
};

/* "NAME=value" with a sensitive name and a value, or a masked secret anywhere. */
static void look_secret(struct look *l, struct span text, const char *where)
{
	const char *eq = text.len ? memchr(text.ptr, '=', text.len) : NULL;
	struct span name = { text.ptr, eq ? (size_t)(eq - text.ptr) : 0 };

	if (eq && (size_t)(eq + 1 - text.ptr) < text.len && name_is_sensitive(&l->f->run->masker, name))
		finding(l->out, "R6.9", name, "%s: the value of %.*s", where, SPANF(name));
	else if (masker_find(&l->f->run->masker, text))
		finding(l->out, "R6.9", span_of(where), "%s holds a secret", where);
}

/* PortBindings entries: an absent HostIp is "all interfaces". */
static void port_close(struct look *l)
{
	if (l->port_open && l->port_any)
		finding(l->out, "R6.7", span_of(l->port), "port %s is published on all interfaces", l->port);
	l->port_open = false;
}

static void look_port(struct look *l, const struct json_value *v)
{
	static const char *const any[] = { "", "0.0.0.0", "::", "[::]" };

	if (v->type == JSON_OBJECT && json_path_is(v, "/HostConfig/PortBindings/*/*")) {
		struct span port = v->path[2].key;

		port_close(l);
		l->port_open = l->port_any = true;
		snprintf(l->port, sizeof(l->port), "%.*s", (int)(port.len > 30 ? 30 : port.len), port.ptr);
	} else if (v->type == JSON_STRING && json_path_is(v, "/HostConfig/PortBindings/*/*/HostIp")) {
		l->port_any = false;
		for (size_t i = 0; i < ARRAY_SIZE(any); i++)
			l->port_any |= span_eq(v->text, any[i]);
		l->loopback |= span_starts(v->text, "127.") || span_eq(v->text, "::1");
	}
}

static void create_value(void *ctx, const struct json_value *v)
{
	struct look *l = ctx;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (json_path_is(v, rows[i].path) && rows[i].bad(v))
			finding(l->out, rows[i].rule, span_of(rows[i].path), "%s%s%.*s%s", rows[i].path + 1,
				v->text.len ? "=" : "", SPANF(v->text),
				v->folded ? " (oddly folded key)" : v->duplicate ? " (duplicate key)" : "");
	look_port(l, v);
	if (v->type == JSON_NUMBER && !span_starts(v->text, "-") && !span_eq(v->text, "0")) {
		l->memory |= json_path_is(v, "/HostConfig/Memory");
		l->pids |= json_path_is(v, "/HostConfig/PidsLimit");
	}
	if (v->type != JSON_STRING)
		return;
	if (json_path_is(v, "/Env/*"))
		look_secret(l, v->text, "Env");
	else if (json_path_is(v, "/Cmd/*") || json_path_is(v, "/Entrypoint/*"))
		look_secret(l, v->text, "the command");
	else if (json_path_is(v, "/Labels/*"))
		look_secret(l, v->text, "a label");
	else if (json_path_is(v, "/HostConfig/Binds/*"))
		mount_bind(v->text, l->out);
	else if (json_path_is(v, "/Image") && is_mutable_tag(v) && !l->f->docker.image_own)
		finding(l->out, "R6.11", v->text, "image %.*s", SPANF(v->text));
}

static void exec_value(void *ctx, const struct json_value *v)
{
	struct look *l = ctx;

	if (v->type == JSON_STRING && json_path_is(v, "/Env/*"))
		look_secret(l, v->text, "Env of an exec");
	else if (v->type == JSON_STRING && json_path_is(v, "/Cmd/*"))
		look_secret(l, v->text, "the command of an exec");
}

static void update_value(void *ctx, const struct json_value *v)
{
	static const char *const limits[] = { "/Memory", "/PidsLimit", "/CpuQuota", "/MemorySwap" };
	struct look *l = ctx;

	for (size_t i = 0; v->type == JSON_NUMBER && i < ARRAY_SIZE(limits); i++)
		if (json_path_is(v, limits[i]) && span_starts(v->text, "-"))
			finding(l->out, "R6.15", span_of(limits[i]), "an update lifts %s", limits[i] + 1);
}

/* ENV and ARG with a sensitive name, keys, masks, and FROM with a mutable tag. */
static void look_dockerfile(struct look *l)
{
	struct span file = l->f->docker.dockerfile;

	for (size_t i = 0; i < file.len;) {
		const char *line = file.ptr + i, *end = memchr(line, '\n', file.len - i);
		size_t n = end ? (size_t)(end - line) : file.len - i;
		struct span s = { line, n };

		i += n + 1;
		while (s.len && strchr(" \t", *s.ptr))
			s = (struct span){ s.ptr + 1, s.len - 1 };
		if (s.len > 4 && (!strncasecmp(s.ptr, "ENV ", 4) || !strncasecmp(s.ptr, "ARG ", 4)))
			look_secret(l, (struct span){ s.ptr + 4, s.len - 4 }, "a Dockerfile");
		else if (masker_find(&l->f->run->masker, s) || span_find(s, SPAN("PRIVATE KEY-----")) >= 0)
			finding(l->out, "R6.9", SPAN("Dockerfile"), "a Dockerfile holds a secret or a private key");
	}
}

static void look_whole(struct look *l, enum json_end end)
{
	if (!l->f->docker.request_complete || end != JSON_OK)
		finding(l->out, "R6.13", span_of(l->f->docker.route->text), "%s: %s", l->f->docker.route->text,
			!l->f->docker.request_complete ? "the request was not captured whole" :
			end == JSON_CUT ? "its body ends early" : end == JSON_DEEP ? "its body is nested too deep" :
			"its body is not JSON");
}

static void look_create(struct look *l)
{
	struct mounts mounts = { .out = l->out };

	look_whole(l, json_walk(l->f->docker.body, create_value, l, NULL));
	port_close(l);
	json_walk(l->f->docker.body, mounts_value, &mounts, NULL);
	mounts_end(&mounts);
	if (l->loopback)
		finding(l->out, "R6.12", SPAN("loopback"), "a port is published on loopback only");
	if (!l->memory || !l->pids)
		finding(l->out, "R6.12", SPAN("limits"), "no %s limit",
			l->memory ? "pid" : l->pids ? "memory" : "memory or pid");
}

static void look_build(struct look *l)
{
	const struct docker_call *c = &l->f->docker;
	struct buf b = { 0 };

	if (docker_query(c->query, "networkmode", 0, &b) && span_eq((struct span){ b.ptr, b.len }, "host"))
		finding(l->out, "R6.4", SPAN("build"), "a build on the host's network");
	if (docker_query(c->query, "buildargs", 0, &b) && masker_find(&l->f->run->masker, (struct span){ b.ptr, b.len }))
		finding(l->out, "R6.9", SPAN("buildargs"), "a build argument holds a secret");
	if (docker_query(c->query, "version", 0, &b) && span_eq((struct span){ b.ptr, b.len }, "2"))
		finding(l->out, "R6.13", SPAN("buildkit"), "a BuildKit build: its Dockerfile is not in the request");
	else if (!c->dockerfile.len && !docker_query(c->query, "remote", 0, &b))
		finding(l->out, "R6.13", SPAN("image-build"), "the Dockerfile was not in what could be captured");
	look_dockerfile(l);
	buf_free(&b);
}

static void look(const struct fact *f, struct report *out)
{
	struct look l = { .f = f, .out = out };
	struct mounts mounts = { .out = out };

	switch (f->docker.route->action) {
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
		json_walk(f->docker.body, volume_value, &mounts, NULL);
		mounts_end(&mounts);
		break;
	case ACT_IMAGE_BUILD:
		look_build(&l);
		break;
	default:
		break;
	}
}

const struct detector detect_container_config = { RISK_CONTAINER_CONFIG, FACT_DOCKER, look };
