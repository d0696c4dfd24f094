/* begin.c: reads and writes the first record of a run. */
#include <stdlib.h>
#include <string.h>
#include "begin.h"
#include "codec.h"

void begin_add(struct buf *b, const char *key, struct span value)
{
	size_t n = strnlen(value.len ? value.ptr : "",
			   value.len); /* a NUL would end the value anyway */

	buf_add(b, key, strlen(key) + 1);
	buf_add(b, value.ptr, n);
	buf_byte(b, 0);
}

static void redacted_add(struct buf *b, const struct masker *m, struct span text)
{
	for (size_t i = 0; i < text.len;) {
		const struct secret *which = NULL;
		size_t n = masker_at(m, (struct span){ text.ptr + i, text.len - i }, &which);

		if (n && which) {
			buf_str(b, "<redacted:");
			secret_label(which, b);
			buf_byte(b, '>');
		} else {
			buf_byte(b, text.ptr[i]);
			n = 1;
		}
		i += n;
	}
}

static void redacted_pair(struct buf *b, const char *key, struct masker *m, struct span text)
{
	struct buf shown = { 0 };

	redacted_add(&shown, m, text);
	begin_add(b, key, (struct span){ shown.ptr, shown.len });
	buf_free(&shown);
}

/* The job's public parts; a URL among them may hold a password. */
static void job_add(struct buf *b, struct masker *m, char *const *envp)
{
	const struct ci_provider *ci = ci_find(envp);

	if (!ci)
		return;
	begin_add(b, "ci", span_of(ci->name));
	for (const struct ci_field *f = ci->fields; f < ci->fields + CI_FIELDS && f->path; f++) {
		const char *value = env_lookup(envp, f->variable);
		struct buf text = { 0 };

		if (!value || !*value)
			continue;
		buf_str(&text, value);
		scrub_bytes(m, text.ptr, text.len);
		redacted_pair(b, f->path, m, (struct span){ text.ptr, text.len });
		explicit_bzero(text.ptr, text.cap);
		buf_free(&text);
	}
}

/* A masker that knows the secrets of these variables; its marks do not leave this file. */
static void environment_masker(struct masker *m, char *const *envp)
{
	static const uint8_t seed[32] = { 0x2a };
	size_t n = 0;
	char *env, *at;

	masker_init(m, seed);
	for (char *const *e = envp; *e; e++)
		n += strlen(*e) + 1;
	/* At once: what grows leaves copies behind. */
	at = env = xcalloc(n + 1, 1);
	for (char *const *e = envp; *e; e++)
		at = stpcpy(at, *e) + 1;
	if (n)
		scrub_environment(m, env, n);
	explicit_bzero(env, n);
	free(env);
}

char *begin_redacted(const char *text, char *const *envp)
{
	struct buf shown = { 0 };
	char *copy = xstrdup(text);
	struct masker m = { 0 };

	environment_masker(&m, envp);
	scrub_bytes(&m, copy, strlen(copy));
	redacted_add(&shown, &m, span_of(copy));
	masker_free(&m);
	explicit_bzero(copy, strlen(copy));
	free(copy);
	copy = xstrndup(shown.len ? shown.ptr : "", shown.len);
	buf_free(&shown);
	return copy;
}

void begin_add_command(struct buf *b, char *const *argv, char *const *envp)
{
	struct buf args = { 0 };
	struct masker m = { 0 };

	environment_masker(&m, envp);
	for (char *const *a = argv; *a; a++)
		buf_add(&args, *a, strlen(*a) + 1);
	scrub_arguments(&m, args.ptr, args.len);
	for (size_t i = 0; i < args.len;) {
		struct span one = span_of(args.ptr + i);

		redacted_pair(b, "arg", &m, one);
		i += one.len + 1;
	}
	job_add(b, &m, envp);
	masker_free(&m);
	if (args.ptr)
		explicit_bzero(args.ptr, args.cap);
	buf_free(&args);
}

bool selector_parse(const char *text, struct selector *s)
{
	static const struct {
		const char *prefix;
		int kind;
	} kinds[] = {
		{ "id=", OWN_ID },
		{ "name=", OWN_NAME },
		{ "label=", OWN_LABEL },
		{ "project=", OWN_PROJECT },
	};
	char *eq;

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, n) || !text[n] || text[n] == '=')
			continue;
		s->kind = kinds[i].kind;
		s->key = xstrdup(text + n);
		if (s->kind == OWN_LABEL && (eq = strchr(s->key, '='))) {
			*eq = 0;
			s->value = xstrdup(eq + 1);
		}
		return true;
	}
	return false;
}

static void user_add(struct run *r, const char *text)
{
	char *end;
	unsigned long uid = strtoul(text, &end, 10);
	const char *name = end + 1, *colon;

	if (*end != ':' || !(colon = strchr(name, ':')))
		return;
	r->users = xrealloc(r->users, (r->n_users + 1) * sizeof(*r->users));
	r->users[r->n_users++] = (struct user){ .uid = uid,
						.name = xstrndup(name, colon - name),
						.login = colon[1] == '1' };
}

static void value_set(char **where, const char *value)
{
	free(*where);
	*where = xstrdup(value);
}

/* "hook" begins one, what follows is of it. */
static bool coverage_read(struct run *r, const char *key, const char *value)
{
	struct coverage *c = r->n_coverage ? &r->coverage[r->n_coverage - 1] : NULL;

	if (!strcmp(key, "hook")) {
		r->coverage = xrealloc(r->coverage, (r->n_coverage + 1) * sizeof(*c));
		r->coverage[r->n_coverage++] = (struct coverage){ .hook = xstrdup(value) };
	} else if (c && !strcmp(key, "tier")) {
		value_set(&c->tier, value);
	} else if (c && !strcmp(key, "lacks")) {
		value_set(&c->lacks, value);
	} else if (c && !strcmp(key, "limit")) {
		value_set(&c->limit, value);
	} else {
		return false;
	}
	return true;
}

/* A field of the job; any other key is from a newer version with the same ABI and is left alone. */
static void job_read(struct run *r, const char *key, const char *value)
{
	for (unsigned i = 0; r->ci && i < CI_FIELDS && r->ci->fields[i].path; i++)
		if (!strcmp(key, r->ci->fields[i].path))
			value_set(&r->ci_values[i], value);
}

static bool pair_read(struct run *r, const char *key, const char *value)
{
	const struct {
		const char *key;
		char **where;
	} texts[] = {
		{ "kind", &r->kind },
		{ "cwd", &r->cwd },
		{ "host.name", &r->host_name },
		{ "host.fqdn", &r->host_fqdn },
		{ "host.id", &r->host_id },
		{ "host.arch", &r->host_arch },
		{ "host.kernel", &r->host_kernel },
		{ "boot_id", &r->boot_id },
		{ "domain", &r->domain },
		{ "user.name", &r->user },
		{ "exec_gate", &r->exec_gate },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!strcmp(key, texts[i].key)) {
			value_set(texts[i].where, value);
			return true;
		}
	if (!strcmp(key, "run.id")) {
		if (strlen(value) != sizeof(r->id) - 1)
			return false;
		strcpy(r->id, value);
	} else if (!strcmp(key, "seed")) {
		struct buf seed = { 0 };
		bool ok = hex_decode(span_of(value), &seed) && seed.len == 32;

		masker_free(&r->masker);
		if (ok)
			masker_init(&r->masker, (const uint8_t *)seed.ptr);
		buf_free(&seed);
		return ok;
	} else if (!strcmp(key, "wall_offset")) {
		r->wall_offset = strtoull(value, NULL, 10);
	} else if (!strcmp(key, "uid")) {
		r->uid = strtoul(value, NULL, 10);
	} else if (!strcmp(key, "root_pid")) {
		r->root_pid = strtoul(value, NULL, 10);
	} else if (!strcmp(key, "arg")) {
		r->command = xrealloc(r->command, (r->commands + 1) * sizeof(*r->command));
		r->command[r->commands++] = (struct span){ xstrdup(value), strlen(value) };
	} else if (!strcmp(key, "own")) {
		struct selector s;

		if (!selector_parse(value, &s))
			return false;
		r->own = xrealloc(r->own, (r->n_own + 1) * sizeof(*r->own));
		r->own[r->n_own++] = s;
	} else if (!strcmp(key, "user")) {
		user_add(r, value);
	} else if (!strcmp(key, "resumed")) {
		r->resumed = strtoull(value, NULL, 10);
	} else if (!strcmp(key, "began")) {
		r->began = strtoull(value, NULL, 10);
	} else if (!strcmp(key, "ci")) {
		r->ci = ci_named(value);
	} else if (!coverage_read(r, key, value)) {
		job_read(r, key, value);
	}
	return true;
}

bool begin_read(struct span tail, struct run *r)
{
	const char *p = tail.len ? tail.ptr : "", *end = p + tail.len;

	r->status = -1;
	r->complete = true;
	while (p < end) {
		const char *value = memchr(p, 0, end - p), *next;

		if (!value || !(next = memchr(value + 1, 0, end - value - 1)))
			return false;
		if (!pair_read(r, p, value + 1))
			return false;
		p = next + 1;
	}
	return r->id[0] && r->wall_offset && r->host_name && r->host_fqdn && r->host_id &&
	       r->host_arch && r->host_kernel && r->boot_id && r->cwd && r->domain && r->user &&
	       r->masker.tag[0];
}

void run_free(struct run *r)
{
	for (unsigned i = 0; i < r->commands; i++)
		free((char *)r->command[i].ptr);
	for (unsigned i = 0; i < r->n_users; i++)
		free(r->users[i].name);
	for (unsigned i = 0; i < r->n_own; i++) {
		free(r->own[i].key);
		free(r->own[i].value);
	}
	for (unsigned i = 0; i < r->n_coverage; i++) {
		free(r->coverage[i].hook);
		free(r->coverage[i].tier);
		free(r->coverage[i].lacks);
		free(r->coverage[i].limit);
	}
	free(r->coverage);
	free(r->command);
	free(r->users);
	free(r->own);
	for (unsigned i = 0; i < CI_FIELDS; i++)
		free(r->ci_values[i]);
	free(r->kind);
	free(r->cwd);
	free(r->user);
	free(r->exec_gate);
	free(r->host_name);
	free(r->host_fqdn);
	free(r->host_id);
	free(r->host_arch);
	free(r->host_kernel);
	free(r->boot_id);
	free(r->domain);
	masker_free(&r->masker);
}
