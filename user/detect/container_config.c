/* container_config.c: R6, what the run asked the engine to give a container or a build. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "detect.h"
#include "docker_body.h"
#include "jsonr.h"
#include "config_part.h"
#include "mounts.h"

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

static bool is_host(const struct json_value *v)
{
	return v->type == JSON_STRING && config_is(v->text, "host");
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
		if (config_is(s, caps[i]))
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
					       "systempaths=unconfined",
					       "unconfined",
					       "disabled" };
	struct buf action = { 0 };
	bool bad = false;

	if (v->type != JSON_STRING)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		bad |= config_is(v->text, options[i]);
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

static bool is_port(const struct json_value *v)
{
	return v->type == JSON_NUMBER;
}

static bool is_count(const struct json_value *v)
{
	return v->type == JSON_NUMBER && !span_eq(v->text, "0");
}

static bool is_any(const struct json_value *v)
{
	(void)v;
	return true;
}

/*
 * What may stand in the body of container-create (docker_body.h), and what it means. The subject is the row, or the
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
	/* --gpus, --device of the Container Device Interface: so many, or which; a request for none is none. */
	{ "/HostConfig/DeviceRequests/*/Count", is_count, "R6.8" },
	{ "/HostConfig/DeviceRequests/*/DeviceIDs/*", is_text, "R6.8" },
	{ "/HostConfig/Links/*", is_text, "R6.10" },
	/* Of a swarm's service; where it publishes a port it does so on all interfaces. */
	{ "/TaskTemplate/Networks/*/Target", is_host, "R6.4" },
	{ "/ContainerSpec/Privileges/Seccomp/Mode", is_unconfined, "R6.6" },
	{ "/ContainerSpec/Privileges/AppArmor/Mode", is_unconfined, "R6.6" },
	{ "/ContainerSpec/Privileges/SELinuxContext/Disable", is_true, "R6.6" },
	{ "/EndpointSpec/Ports/*/TargetPort", is_port, "R6.7" },
};

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
	snprintf(text, sizeof(text), "%.*s", (int)config_clip(ip, sizeof(text) - 1).len,
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
		l->loopback |= config_is(ip, "localhost");
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
		snprintf(l->port, sizeof(l->port), "%.*s", (int)config_clip(port, 30).len,
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
			subject = config_clip(v->text, SUBJECT_MAX);
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
		config_secret(l->f, l->out, v->text, "Env");
	else if (is_command(v))
		config_secret(l->f, l->out, v->text, "the command");
	else if (json_path_is(v, "/Labels/*"))
		config_pair(l->f, l->out, v->path[1].key, v->text, "a label");
	else if (json_path_is(v, "/HostConfig/Binds/*"))
		mount_bind(v->text, key_note(v), l->out);
	else if (json_path_is(v, "/Image") && config_mutable_tag(v->text) &&
		 !l->f->docker.image_own)
		finding(l->out, "R6.11", config_clip(v->text, SUBJECT_MAX), "image %.*s",
			SPANF(v->text));
}

static void exec_value(void *ctx, const struct json_value *v)
{
	struct look *l = ctx;

	if (v->type == JSON_STRING && json_path_is(v, "/Env/*"))
		config_secret(l->f, l->out, v->text, "Env of an exec");
	else if (v->type == JSON_STRING && is_command(v))
		config_secret(l->f, l->out, v->text, "the command of an exec");
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

void config_shares(const struct fact *f, struct report *out)
{
	struct span left = f->docker.shares;

	while (left.len) {
		struct span one = { left.ptr, strnlen(left.ptr, left.len) };

		finding(out, "R6.4", config_clip(one, SUBJECT_MAX),
			span_eq(one, SHARES_HOST) ? "%.*s: the network of that id"
						  : "%.*s: a container that the run did not create",
			SPANF(one));
		one.len += one.len < left.len;
		left = (struct span){ left.ptr + one.len, left.len - one.len };
	}
}

/* The worst first: a report has room for so many. */
static void look_create(struct look *l)
{
	struct mounts mounts = { .out = l->out };
	enum json_end end;

	end = docker_body_walk(&l->f->docker, row_value, l);
	for (size_t i = 0; i < ARRAY_SIZE(l->lists); i++)
		list_close(l, &l->lists[i]);
	config_shares(l->f, l->out);
	look_whole(l, end);
	docker_body_walk(&l->f->docker, mounts_value, &mounts);
	mounts_end(&mounts);
	docker_body_walk(&l->f->docker, create_value, l);
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
	case ACT_SERVICE:
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
		config_build(f, out);
		break;
	case ACT_GRPC:
		if (f->docker.status == 101)
			finding(out, "R6.13", SPAN("grpc"),
				"grpc: what is asked of BuildKit on that connection is not decoded");
		break;
	default:
		break;
	}
}

const struct detector detect_container_config = { RISK_CONTAINER_CONFIG, FACT_DOCKER, look };
