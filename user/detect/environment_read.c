/* environment_read.c: R1, which variables were read by name, dumped or handed on. */
#include <fnmatch.h>
#include <string.h>
#include "detect.h"
#include "jsonr.h"

/* Change what a test exposes or where it talks to. */
static const char *const exposing[] = { "TESTSERVER_BIND_LOCAL", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH",
					"DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_API_VERSION", "CONTAINER_HOST" };
/* Say nothing: everybody reads them. */
static const char *const known[] = { "PATH", "HOME", "LANG", "LANGUAGE", "LC_*", "TERM", "TMPDIR", "TEMP", "TMP", "USER",
				     "LOGNAME", "SHELL", "PWD", "OLDPWD", "TZ", "TZDIR", "COLUMNS", "LINES", "PYTHON*",
				     "__PYVENV_LAUNCHER__", "GCONV_PATH", "LOCPATH", "MALLOC_*", "GLIBC_TUNABLES", "LD_*",
				     "GODEBUG", "NODE_*", "BASH_*", "POSIXLY_CORRECT", "NO_COLOR", "NLSPATH",
				     "OUTPUT_CHARSET", "CHARSET", "DISPLAY", "EDITOR", "PAGER", "SETUPTOOLS_USE_DISTUTILS" };

static bool in_list(const char *const *list, size_t n, struct span name)
{
	char text[EV_VAR_MAX + 1];

	if (name.len >= sizeof(text))
		return false;
	memcpy(text, name.ptr, name.len);
	text[name.len] = 0;
	for (size_t i = 0; i < n; i++)
		if (!fnmatch(list[i], text, 0))
			return true;
	return false;
}

static void look_read(const struct fact *f, struct report *out)
{
	struct span name = f->env.name;
	const char *found = f->env.found == 1 ? "was set" : f->env.found ? "set or not is not known" : "was not set";

	if (f->env.sensitive && f->env.found == 1)
		finding(out, "R1.3", name, "%.*s read, %s", SPANF(name), found);
	else if (f->process && f->process->roles & ROLE_TEST && in_list(exposing, ARRAY_SIZE(exposing), name))
		finding(out, "R1.2", name, "%.*s read by the test process, %s", SPANF(name), found);
	else if (!in_list(known, ARRAY_SIZE(known), name))
		finding(out, "R1.1", name, "%.*s read, %s", SPANF(name), found);
}

/* Names that scrub_environment() marked as sensitive and set. */
static unsigned sensitive_names(const struct process *p, struct buf *names)
{
	unsigned n = 0;

	for (size_t i = 0; i < p->env_len;) {
		size_t len = strnlen(p->env + i, p->env_len - i);

		if (len && p->env[i + len - 1] == '!') {
			if (n++ < 8) {
				if (names->len)
					buf_byte(names, ' ');
				buf_add(names, p->env + i, len - 1);
			}
		}
		i += len + 1;
	}
	return n;
}

/* `env` and `printenv` without an operand print everything. */
static bool prints_all(const struct process *p)
{
	if (!p->name || (strcmp(p->name, "env") && strcmp(p->name, "printenv")))
		return false;
	for (unsigned i = 1; i < p->argc; i++)
		if (!span_starts(process_arg(p, i), "-"))
			return false;
	return true;
}

static bool shell_prints_all(const struct process *p)
{
	struct span c;

	if (!(p->roles & ROLE_SHELL) || p->argc < 3 || !span_eq(process_arg(p, 1), "-c"))
		return false;
	c = process_arg(p, 2);
	return span_eq(c, "set") || span_eq(c, "export -p") || span_starts(c, "set |") || span_starts(c, "export -p |");
}

static void look_exec(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;
	struct buf names = { 0 };

	if (sensitive_names(p, &names)) {
		struct span all = { names.ptr, names.len };

		if (prints_all(p) || shell_prints_all(p))
			finding(out, "R1.7", span_of(p->name), "prints the environment while set: %.*s", SPANF(all));
		if (p->parent)
			finding(out, "R1.11", all, "inherits %.*s", SPANF(all));
	}
	buf_free(&names);
}

struct names {
	const struct fact *f;
	struct report *out;
};

static void env_entry(void *ctx, const struct json_value *v)
{
	struct names *n = ctx;
	const char *eq;
	struct span name;

	if (v->type != JSON_STRING || !json_path_is(v, "/Env/*") || !(eq = memchr(v->text.ptr, '=', v->text.len)))
		return;
	name = (struct span){ v->text.ptr, eq - v->text.ptr };
	if (name_is_sensitive(&n->f->run->masker, name))
		finding(n->out, "R1.11", name, "a container receives %.*s", SPANF(name));
}

static void look(const struct fact *f, struct report *out)
{
	struct names n = { f, out };

	if (f->kind == FACT_ENV)
		look_read(f, out);
	else if (f->kind == FACT_EXEC)
		look_exec(f, out);
	else if (f->docker.route->action == ACT_CONTAINER_CREATE || f->docker.route->action == ACT_EXEC_CREATE)
		json_walk(f->docker.body, env_entry, &n, NULL);
}

const struct detector detect_environment_read = { RISK_ENVIRONMENT_READ, FACT_ENV | FACT_EXEC | FACT_DOCKER, look };
