/* role.c: what part a process plays in a test run, told from its program and arguments. */
#include <stdlib.h>
#include <string.h>
#include "glob.h"
#include "process_table.h"

/* clang-format off */
static const struct {
	const char *name;	/* glob on the program's base name */
	unsigned roles;
} programs[] = {
	{ "sh", ROLE_SHELL },
	{ "bash", ROLE_SHELL },
	{ "dash", ROLE_SHELL },
	{ "ash", ROLE_SHELL },
	{ "zsh", ROLE_SHELL },
	{ "ksh", ROLE_SHELL },
	{ "ksh93", ROLE_SHELL },
	{ "mksh", ROLE_SHELL },
	{ "fish", ROLE_SHELL },
	{ "rbash", ROLE_SHELL },
	{ "python", ROLE_INTERPRETER },
	{ "python[0-9]*", ROLE_INTERPRETER },
	{ "pypy*", ROLE_INTERPRETER },
	{ "perl", ROLE_INTERPRETER },
	{ "perl[0-9]*", ROLE_INTERPRETER },
	{ "ruby", ROLE_INTERPRETER },
	{ "ruby[0-9]*", ROLE_INTERPRETER },
	{ "node", ROLE_INTERPRETER },
	{ "nodejs", ROLE_INTERPRETER },
	{ "php", ROLE_INTERPRETER },
	{ "php[0-9]*", ROLE_INTERPRETER },
	{ "lua", ROLE_INTERPRETER },
	{ "lua[0-9]*", ROLE_INTERPRETER },
	{ "luajit", ROLE_INTERPRETER },
	{ "docker", ROLE_CONTAINER_CLIENT },
	{ "podman", ROLE_CONTAINER_CLIENT },
	{ "docker-compose", ROLE_CONTAINER_CLIENT },
	{ "nerdctl", ROLE_CONTAINER_CLIENT },
	{ "docker-buildx", ROLE_CONTAINER_CLIENT },
	{ "buildx", ROLE_CONTAINER_CLIENT },
	{ "buildctl", ROLE_CONTAINER_CLIENT },
	{ "crictl", ROLE_CONTAINER_CLIENT },
	{ "ctr", ROLE_CONTAINER_CLIENT },
	{ "curl", ROLE_NETWORK_CLIENT },
	{ "wget", ROLE_NETWORK_CLIENT },
	{ "nc", ROLE_NETWORK_CLIENT },
	{ "nc.openbsd", ROLE_NETWORK_CLIENT },
	{ "nc.traditional", ROLE_NETWORK_CLIENT },
	{ "ncat", ROLE_NETWORK_CLIENT },
	{ "socat", ROLE_NETWORK_CLIENT },
	{ "socat[0-9]", ROLE_NETWORK_CLIENT },
	{ "ssh", ROLE_NETWORK_CLIENT },
	{ "scp", ROLE_NETWORK_CLIENT },
	{ "sftp", ROLE_NETWORK_CLIENT },
	{ "ftp", ROLE_NETWORK_CLIENT },
	{ "rsync", ROLE_NETWORK_CLIENT },
	{ "make", ROLE_BUILD_TOOL },
	{ "gmake", ROLE_BUILD_TOOL },
	{ "ninja", ROLE_BUILD_TOOL },
	{ "cmake", ROLE_BUILD_TOOL },
	{ "ctest", ROLE_BUILD_TOOL },
	{ "meson", ROLE_BUILD_TOOL },
	{ "cc", ROLE_BUILD_TOOL },
	{ "gcc", ROLE_BUILD_TOOL },
	{ "g++", ROLE_BUILD_TOOL },
	{ "*-gcc", ROLE_BUILD_TOOL },
	{ "*-g++", ROLE_BUILD_TOOL },
	{ "*-gcc-[0-9]*", ROLE_BUILD_TOOL },
	{ "*-g++-[0-9]*", ROLE_BUILD_TOOL },
	{ "gcc-[0-9]*", ROLE_BUILD_TOOL },
	{ "cc1", ROLE_BUILD_TOOL },
	{ "cc1plus", ROLE_BUILD_TOOL },
	{ "collect2", ROLE_BUILD_TOOL },
	{ "clang", ROLE_BUILD_TOOL },
	{ "clang-[0-9]*", ROLE_BUILD_TOOL },
	{ "clang++*", ROLE_BUILD_TOOL },
	{ "ld", ROLE_BUILD_TOOL },
	{ "ld.*", ROLE_BUILD_TOOL },
	{ "*-ld", ROLE_BUILD_TOOL },
	{ "*-ld.*", ROLE_BUILD_TOOL },
	{ "as", ROLE_BUILD_TOOL },
	{ "*-as", ROLE_BUILD_TOOL },
	{ "ar", ROLE_BUILD_TOOL },
	{ "git", ROLE_BUILD_TOOL },
	{ "git-*", ROLE_BUILD_TOOL },
	{ "npm", ROLE_BUILD_TOOL },
	{ "npx", ROLE_BUILD_TOOL },
	{ "yarn", ROLE_BUILD_TOOL },
	{ "pnpm", ROLE_BUILD_TOOL },
	{ "pip", ROLE_BUILD_TOOL },
	{ "pip[0-9]*", ROLE_BUILD_TOOL },
	{ "tox", ROLE_BUILD_TOOL },
	{ "nox", ROLE_BUILD_TOOL },
	{ "uv", ROLE_BUILD_TOOL },
	{ "poetry", ROLE_BUILD_TOOL },
	{ "apt", ROLE_BUILD_TOOL },
	{ "apt-get", ROLE_BUILD_TOOL },
	{ "dpkg", ROLE_BUILD_TOOL },
	{ "dpkg-*", ROLE_BUILD_TOOL },
	{ "cargo", ROLE_BUILD_TOOL },
	{ "rustc", ROLE_BUILD_TOOL },
	{ "go", ROLE_BUILD_TOOL },
	{ "mvn", ROLE_BUILD_TOOL },
	{ "gradle", ROLE_BUILD_TOOL },
	{ "gradlew", ROLE_BUILD_TOOL },
	{ "rake", ROLE_BUILD_TOOL },
	{ "bundle", ROLE_BUILD_TOOL },
	{ "just", ROLE_BUILD_TOOL },
	{ "invoke", ROLE_BUILD_TOOL },
	{ "fab", ROLE_BUILD_TOOL },
	{ "scons", ROLE_BUILD_TOOL },
	{ "ansible", ROLE_BUILD_TOOL },
	{ "ansible-playbook", ROLE_BUILD_TOOL },
	{ "runc", ROLE_RUNTIME },
	{ "crun", ROLE_RUNTIME },
	{ "containerd-shim*", ROLE_RUNTIME },
	{ "containerd", ROLE_RUNTIME },
	{ "dockerd", ROLE_RUNTIME },
	{ "conmon", ROLE_RUNTIME },
	{ "docker-init", ROLE_RUNTIME },
	{ "docker-proxy", ROLE_RUNTIME },
	{ "ps", ROLE_LISTING },
	{ "top", ROLE_LISTING },
	{ "htop", ROLE_LISTING },
	{ "pgrep", ROLE_LISTING },
	{ "pidof", ROLE_LISTING },
	{ "systemd-detect-virt", ROLE_LISTING }, /* of process 1 */
};

/* Scripts and modules that are test runners wherever they are installed. */
static const char *const runners[] = {
	"pytest", "py.test", "unittest", "nose",    "nose2",   "nosetests", "behave",
	"robot",  "green",   "trial",	 "avocado", "testify", "rspec",	    "jest",
	"mocha",  "vitest",  "phpunit",	 "prove",   "bats",    "coverage",
};
/* clang-format on */

#define NEVER_TEST                                                                                 \
	(ROLE_CONTAINER_CLIENT | ROLE_NETWORK_CLIENT | ROLE_BUILD_TOOL | ROLE_RUNTIME |            \
	 ROLE_LISTING)

static unsigned roles_of_name(const char *name)
{
	unsigned roles = 0;

	for (size_t i = 0; name && i < ARRAY_SIZE(programs); i++)
		if (glob_fits(programs[i].name, name))
			roles |= programs[i].roles;
	return roles;
}

/* Base name without a trailing '/', as owned text. */
static char *base_of(struct span path)
{
	size_t n = path.len, start;

	while (n > 1 && path.ptr[n - 1] == '/')
		n--;
	for (start = n; start && path.ptr[start - 1] != '/';)
		start--;
	return xstrndup(path.ptr + start, n - start);
}

/* busybox and toybox play the part of the name they are called by. */
static unsigned roles_of_program(const struct process *p)
{
	unsigned roles = roles_of_name(p->name);

	if (p->name && (!strcmp(p->name, "busybox") || !strcmp(p->name, "toybox"))) {
		char *applet = base_of(process_arg(p, 0));

		if (!strcmp(applet, p->name)) {
			free(applet);
			applet = base_of(process_arg(p, 1));
		}
		roles |= roles_of_name(applet);
		free(applet);
	}
	return roles;
}

struct program_text {
	struct span path;   /* of a script; empty: none */
	struct span module; /* python -m */
	struct span code;   /* in the arguments: it, and what follows */
	bool elsewhere;     /* in the arguments, or there is none (--version) */
};

/* Options of interpreters and shells that take the next argument. */
static bool takes_next(const struct process *p, bool shell, struct span a)
{
	if (shell) /* also at the end of a cluster: -euo pipefail */
		return a.ptr[1] != '-' && (a.ptr[a.len - 1] == 'o' || a.ptr[a.len - 1] == 'O');
	if (a.len != 2)
		return false;
	if (p->name && (!strncmp(p->name, "python", 6) || !strncmp(p->name, "pypy", 4)))
		return a.ptr[1] == 'W' || a.ptr[1] == 'X';
	return a.ptr[1] == 'I' || a.ptr[1] == 'r' || a.ptr[1] == 'd' || a.ptr[1] == 'l';
}

/* -c, -e and the like, alone or in a cluster as in -lc: the program is in the arguments. */
static bool is_inline(const struct process *p, bool shell, struct span a)
{
	bool python = p->name && (!strncmp(p->name, "python", 6) || !strncmp(p->name, "pypy", 4));
	bool php = p->name && !strncmp(p->name, "php", 3);

	if (a.len < 2 || a.ptr[1] == '-')
		return span_starts(a, "--eval") || span_starts(a, "--print");
	if (shell)
		return memchr(a.ptr + 1, 'c', a.len - 1) != NULL;
	if (python)
		return memchr(a.ptr + 1, 'c', a.len - 1) != NULL;
	if (php && (a.ptr[1] == 'r' || a.ptr[1] == 'B' || a.ptr[1] == 'R'))
		return true;
	return a.ptr[a.len - 1] == 'e' || a.ptr[a.len - 1] == 'E' || span_eq(a, "-p");
}

static struct span arguments_from(const struct process *p, unsigned i)
{
	struct span first = process_arg(p, i);

	return (struct span){ first.ptr, first.len ? p->args + p->args_len - first.ptr : 0 };
}

static struct program_text text_of(const struct process *p, unsigned roles)
{
	bool shell = roles & ROLE_SHELL;
	struct program_text t = { 0 };
	unsigned i = 1, applet = 0;

	if (!(roles & (ROLE_SHELL | ROLE_INTERPRETER)))
		return t;
	if (p->name && !strcmp(p->name, "busybox") && span_ends(process_arg(p, 0), "busybox"))
		applet = 1;
	for (i += applet; i < p->argc; i++) {
		struct span a = process_arg(p, i);

		if (a.len < 2 || (a.ptr[0] != '-' && !(shell && a.ptr[0] == '+'))) {
			if (span_eq(a, "-") || span_eq(a, "/dev/stdin") ||
			    span_eq(a, "/dev/fd/0") || span_eq(a, "/proc/self/fd/0"))
				return t;
			t.path = a;
			return t;
		}
		if (span_eq(a, "--")) {
			t.path = process_arg(p, i + 1);
			return t;
		}
		if (is_inline(p, shell, a) || span_eq(a, "--version") || span_eq(a, "--help")) {
			t.elsewhere = true;
			t.code = arguments_from(p, i + !memchr(a.ptr, '=', a.len));
			return t;
		}
		if (shell && a.ptr[0] == '-' && a.ptr[1] != '-' && memchr(a.ptr, 's', a.len))
			return t; /* what follows are operands */
		if (!shell && a.ptr[0] == '-' && a.ptr[1] != '-' && p->name &&
		    !strncmp(p->name, "py", 2)) {
			/* -m may stand behind flags: -Im pytest, or with its module: -mpytest. */
			const char *m = memchr(a.ptr + 1, 'm', a.len - 1);

			if (m) {
				size_t rest = a.ptr + a.len - m - 1;

				t.module =
					rest ? (struct span){ m + 1, rest } : process_arg(p, i + 1);
				return t;
			}
		}
		if (takes_next(p, shell, a))
			i++;
	}
	return t;
}

char *script_of(const struct process *p)
{
	struct program_text t = text_of(p, roles_of_program(p));

	if (t.module.len)
		return xstrndup(t.module.ptr, t.module.len);
	return t.path.len ? base_of(t.path) : NULL;
}

/* xargs makes data the program: sh -c with nothing behind it, or with what stands for the data. */
static bool takes_data(const struct process *starter)
{
	struct span last = process_arg(starter, starter->argc - 1), replaced = SPAN("{}");
	bool code = false;

	for (unsigned i = 1; i < starter->argc; i++) {
		struct span a = process_arg(starter, i);

		if (code)
			return span_starts(a, replaced.ptr) && a.len == replaced.len;
		if (span_starts(a, "-I") && (a.len > 2 || i + 1 < starter->argc)) {
			replaced = process_arg(starter, i + (a.len == 2));
			replaced.ptr += a.len > 2 ? 2 : 0;
			replaced.len -= a.len > 2 ? 2 : 0;
		}
		code = span_eq(a, "-c");
	}
	return span_eq(last, "-c");
}

bool reads_program(const struct process *p)
{
	struct program_text t = text_of(p, p->roles);

	if (p->name && !strcmp(p->name, "xargs"))
		return takes_data(p);

	return p->executed && p->roles & (ROLE_SHELL | ROLE_INTERPRETER) && !t.elsewhere &&
	       !t.path.len && !t.module.len;
}

struct span program_code(const struct process *p)
{
	return p->roles & ROLE_INTERPRETER ? text_of(p, p->roles).code : (struct span){ NULL, 0 };
}

bool installs_packages(const struct process *p)
{
	static const char *const names[] = {
		"apt",    "apt-get", "dpkg",   "dpkg-*", "rpm",    "yum",      "dnf",
		"apk",    "pip",     "pip3*",  "uv",     "npm",    "npx",      "yarn",
		"pnpm",   "poetry",  "conda",  "gem",    "go",     "cargo",    "mvn",
		"gradle", "brew",    "pacman", "zypper", "bundle", "composer",
	};

	for (; p; p = p->parent)
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if ((p->name && !fnmatch(names[i], p->name, 0)) ||
			    (p->script && !fnmatch(names[i], p->script, 0)))
				return true;
	return false;
}

void path_resolve(struct span path, const char *cwd, struct buf *out)
{
	struct buf b = { 0 };

	if (!path.len || (path.ptr[0] != '/' && !cwd))
		return;
	if (path.ptr[0] != '/')
		buf_str(&b, cwd);
	buf_byte(&b, '/');
	buf_add(&b, path.ptr, path.len);
	for (const char *at = b.ptr, *end = b.ptr + b.len; at < end;) {
		const char *slash = memchr(at, '/', end - at);
		size_t step = (slash ? slash : end) - at;

		if (step == 2 && at[0] == '.' && at[1] == '.') {
			while (out->len && out->ptr[--out->len] != '/')
				;
		} else if (step && !(step == 1 && at[0] == '.')) {
			buf_byte(out, '/');
			buf_add(out, at, step);
		}
		at += step + 1;
	}
	buf_free(&b);
}

bool lies_in(struct span path, const char *cwd, const char *dir)
{
	struct buf flat = { 0 };
	size_t n = dir ? strlen(dir) : 0;
	bool inside;

	while (n && dir[n - 1] == '/')
		n--;
	if (!n)
		return false;
	path_resolve(path, cwd, &flat);
	inside = flat.len > n && !memcmp(flat.ptr, dir, n) && flat.ptr[n] == '/';
	buf_free(&flat);
	return inside;
}

static bool is_runner(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(runners); i++)
		if (span_eq(name, runners[i]))
			return true;
	return false;
}

unsigned role_of(const struct process *p, const struct run *run)
{
	unsigned roles = roles_of_program(p);
	struct program_text t = text_of(p, roles);
	char *script = t.path.len ? base_of(t.path) : NULL;
	bool test;

	/* A tool written in an interpreter's language is that tool: pip, docker-compose, npm. */
	if (roles & (ROLE_SHELL | ROLE_INTERPRETER)) {
		char *module = t.module.len ? xstrndup(t.module.ptr, t.module.len) : NULL;

		roles |= roles_of_name(script) & NEVER_TEST & ~(unsigned)ROLE_LISTING;
		roles |= roles_of_name(module) & NEVER_TEST & ~(unsigned)ROLE_LISTING;
		free(module);
	}
	test = p->pid == run->root_pid || is_runner(t.module) || is_runner(span_of(script)) ||
	       lies_in(span_of(p->exe.cut ? NULL : p->exe.text), NULL, run->cwd) ||
	       lies_in(t.path, p->cwd.cut ? NULL : p->cwd.text, run->cwd);
	free(script);
	if (test && !(roles & NEVER_TEST))
		roles |= ROLE_TEST;
	return roles;
}
