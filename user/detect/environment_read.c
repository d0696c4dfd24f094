/* environment_read.c: R1, which variables were read by name, printed whole or handed on. */
#include <string.h>
#include "detect.h"
#include "docker_body.h"
#include "env_dump.h"
#include "glob.h"
#include "jsonr.h"

#define NAMES_MAX 8 /* of a list of variables in evidence */

/* Globs. They change what a test exposes, where it talks to or which registry it trusts. */
static const char *const exposing[] = {
	"TESTSERVER_BIND_LOCAL",
	"DOCKER_HOST",
	"DOCKER_TLS",
	"DOCKER_TLS_VERIFY",
	"DOCKER_CERT_PATH",
	"DOCKER_CONTEXT",
	"DOCKER_CONFIG",
	"DOCKER_API_VERSION",
	"DOCKER_DEFAULT_PLATFORM",
	"DOCKER_CONTENT_TRUST",
	"DOCKER_CONTENT_TRUST_SERVER",
	"DOCKER_BUILDKIT",
	"BUILDKIT_HOST",
	"BUILDX_BUILDER",
	"COMPOSE_FILE",
	"COMPOSE_PROJECT_NAME",
	"CONTAINER_HOST",
	"TESTCONTAINERS_*",
	"HTTP_PROXY",
	"HTTPS_PROXY",
	"ALL_PROXY",
	"NO_PROXY",
	"http_proxy",
	"https_proxy",
	"all_proxy",
	"no_proxy",
	"SSL_CERT_FILE",
	"SSL_CERT_DIR",
	"REQUESTS_CA_BUNDLE",
	"CURL_CA_BUNDLE",
};

static bool in_list(const char *const *list, size_t n, struct span name)
{
	char text[EV_VAR_MAX + 1];

	if (name.len >= sizeof(text))
		return false;
	if (name.len)
		memcpy(text, name.ptr, name.len);
	text[name.len] = 0;
	for (size_t i = 0; i < n; i++)
		if (glob_fits(list[i], text))
			return true;
	return false;
}

static void look_copy(const struct fact *f, struct report *out)
{
	if (f->env.count)
		finding(out, "R1.4", SPAN("environment"), "all of the environment, %u variables",
			f->env.count);
	else
		finding(out, "R1.4", SPAN("environment"), "all of the environment");
}

static void look_read(const struct fact *f, struct report *out)
{
	struct span name = f->env.name;
	const char *found = f->env.found == 1 ? "set"
			    : f->env.found    ? "set or not is not known"
					      : "not set";

	if (f->env.sensitive && f->env.found == 1)
		finding(out, "R1.3", name, "%.*s (set)", SPANF(name));
	else if (f->process && f->process->roles & ROLE_TEST && !f->env.library &&
		 in_list(exposing, ARRAY_SIZE(exposing), name))
		finding(out, "R1.2", name, "%.*s read by the test process (%s)", SPANF(name),
			found);
	else if (!f->env.usual)
		finding(out, "R1.1", name, "%.*s (%s)", SPANF(name), found);
}

/* Those that were sensitive and set at exec; at most NAMES_MAX, then "...". */
static void sensitive_names(const struct process *p, struct buf *names)
{
	struct env_entry e;
	unsigned n = 0;

	for (size_t at = 0; process_env_next(p, &at, &e);) {
		if (!e.sensitive)
			continue;
		if (n++ == NAMES_MAX) {
			buf_str(names, " ...");
			return;
		}
		if (names->len)
			buf_byte(names, ' ');
		buf_add(names, e.name.ptr, e.name.len);
	}
}

static void look_exec(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;
	struct buf names = { 0 };
	struct span all;

	if (!p)
		return;
	sensitive_names(p, &names);
	all = (struct span){ names.ptr, names.len };
	if (all.len && process_dumps(p))
		finding(out, "R1.7", span_of(p->name), "%s prints the environment, set are %.*s",
			p->name ? p->name : "a shell", SPANF(all));
	if (all.len && p->parent)
		finding(out, "R1.11", all, "inherits %.*s", SPANF(all));
	buf_free(&names);
}

struct entries {
	const struct fact *f;
	struct report *out;
};

static void look_entry(void *ctx, const struct json_value *v)
{
	struct entries *e = ctx;
	const char *sign;
	struct span name;

	if (v->type != JSON_STRING || !v->text.len || !json_path_is(v, "/Env/*"))
		return;
	sign = memchr(v->text.ptr, '=', v->text.len);
	name = (struct span){ v->text.ptr, sign ? (size_t)(sign - v->text.ptr) : v->text.len };
	/* NAME= and a bare NAME hand nothing over. */
	if (!sign || name.len + 1 == v->text.len || !name_is_sensitive(&e->f->run->masker, name))
		return;
	finding(e->out, "R1.11", name, "a container receives %.*s", SPANF(name));
}

/*
 * Only what the run was given as a variable: a token that a program got by itself is no environment read.
 * Who took a copy of the whole and then writes a value out prints the environment, whatever it is called.
 */
static void look_leak(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;
	const char *who = p && p->name ? p->name : "?", *name = f->leak.secret->name;
	struct buf label = { 0 };

	if (f->leak.secret->kind != SECRET_VARIABLE)
		return;
	secret_label(f->leak.secret, &label);
	if (f->leak.where == LEAK_NETWORK)
		finding(out, "R1.8", (struct span){ label.ptr, label.len },
			"the value of %s goes to the network by %s", name, who);
	else if (p && p->copies)
		finding(out, "R1.7", span_of(who), "%s prints the environment, set are %s ...", who,
			name);
	buf_free(&label);
}

static void look(const struct fact *f, struct report *out)
{
	struct entries e = { f, out };

	if (f->kind == FACT_ENV && f->env.mechanism == ENV_COPY)
		look_copy(f, out);
	else if (f->kind == FACT_ENV)
		look_read(f, out);
	else if (f->kind == FACT_EXEC)
		look_exec(f, out);
	else if (f->kind == FACT_LEAK)
		look_leak(f, out);
	else if (f->docker.route->action == ACT_CONTAINER_CREATE ||
		 f->docker.route->action == ACT_SERVICE ||
		 f->docker.route->action == ACT_EXEC_CREATE)
		docker_body_walk(&f->docker, look_entry, &e);
}

const struct detector detect_environment_read = { RISK_ENVIRONMENT_READ,
						  FACT_ENV | FACT_EXEC | FACT_DOCKER | FACT_LEAK,
						  look };
