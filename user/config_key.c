/* config_key.c: the one table of the configuration's keys, and what each takes. */
#include <stdlib.h>
#include <string.h>
#include "begin.h"
#include "config_key.h"

#define OUTPUTS_MAX     16
#define ROTATE_SIZE_MIN (64ull << 10)
#define ROTATE_KEEP_MAX 1000

static void list_add(char ***list, const char *word)
{
	size_t n = 0;

	while (*list && (*list)[n])
		n++;
	*list = xrealloc(*list, (n + 2) * sizeof(**list));
	(*list)[n] = xstrdup(word);
	(*list)[n + 1] = NULL;
}

bool config_own_add(struct config *c, const char *word)
{
	struct selector s;

	if (!selector_parse(word, &s))
		return false;
	c->own = xrealloc(c->own, (c->n_own + 1) * sizeof(*c->own));
	c->own[c->n_own++] = s;
	return true;
}

static const char *one_of(const char *const *words, const char *text)
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return *words;
	return NULL;
}

/* Digits and one letter of units, which stand for scale[]; 0: it is none, or too large. */
static uint64_t quantity(const char *text, const char *units, const uint64_t *scale)
{
	char *end;
	unsigned long long n;
	const char *unit;

	if (*text < '1' || *text > '9')
		return 0;
	n = strtoull(text, &end, 10);
	unit = *end && !end[1] ? strchr(units, *end) : NULL;
	if (!unit || n > (1ull << 52) / scale[unit - units])
		return 0;
	return n * scale[unit - units];
}

static const char *set_rule(struct config *c, const char *name, const char **word)
{
	const struct rule *r = rule_find(name);
	int level = severity_parse(*word);

	if (!r) {
		*word = name;
		return "unknown rule";
	}
	if (level < 0)
		return "unknown level";
	if (!c->severities)
		c->severities = xcalloc(n_rules, 1);
	c->severities[r - rules] = (unsigned char)(level + 1);
	return NULL;
}

static const char *add_secret_name(struct config *c, const char *name, const char **word)
{
	(void)name;
	list_add(&c->secret_names, *word);
	return NULL;
}

static const char *add_log_pattern(struct config *c, const char *name, const char **word)
{
	(void)name;
	list_add(&c->log_patterns, *word);
	return NULL;
}

static const char *add_run(struct config *c, const char *name, const char **word)
{
	(void)name;
	(void)word;
	c->runs = xrealloc(c->runs, (c->n_runs + 1) * sizeof(*c->runs));
	c->runs[c->n_runs++] = (struct run_selector){ 0 };
	return NULL;
}

static const char *run_lacks(const struct config *c)
{
	const struct run_selector *s = &c->runs[c->n_runs - 1];

	return s->program || s->argument || s->user || s->cgroup || s->directory || s->parent
		       ? NULL
		       : "program, argument, user, cgroup, directory or parent";
}

#define RUN_SETTER(member, absolute)                                                               \
	static const char *set_run_##member(struct config *c, const char *name, const char **word) \
	{                                                                                          \
		(void)name;                                                                        \
		if ((absolute) && **word != '/')                                                   \
			return "not an absolute path for " #member ":";                            \
		c->runs[c->n_runs - 1].member = xstrdup(*word);                                    \
		return NULL;                                                                       \
	}
RUN_SETTER(program, true)
RUN_SETTER(argument, false)
RUN_SETTER(user, false)
RUN_SETTER(cgroup, true)
RUN_SETTER(directory, true)
RUN_SETTER(parent, true)

static const char *add_caller(struct config *c, const char *name, const char **word)
{
	(void)name;
	list_add(&c->callers, *word);
	return NULL;
}

static const char *add_own(struct config *c, const char *name, const char **word)
{
	(void)name;
	return config_own_add(c, *word) ? NULL : "unknown selector";
}

/* One of the words, which are all that is kept of the file's text. */
#define WORD_SETTER(member, must, ...)                                                             \
	static const char *set_##member(struct config *c, const char *name, const char **word)     \
	{                                                                                          \
		static const char *const words[] = { __VA_ARGS__, NULL };                          \
		const char *found = one_of(words, *word);                                          \
                                                                                                   \
		(void)name;                                                                        \
		if (!found)                                                                        \
			return #member " is " must ", not";                                        \
		c->member = found;                                                                 \
		return NULL;                                                                       \
	}
WORD_SETTER(env_reads, "off, c or all", "off", "c", "all")
WORD_SETTER(gate, "exec, mmap or off", "exec", "mmap", "off")

#define SWITCH_SETTER(member)                                                                      \
	static const char *set_##member(struct config *c, const char *name, const char **word)     \
	{                                                                                          \
		(void)name;                                                                        \
		if (strcmp(*word, "true") && strcmp(*word, "false"))                               \
			return #member " is true or false, not";                                   \
		c->member = !strcmp(*word, "true");                                                \
		return NULL;                                                                       \
	}
SWITCH_SETTER(require_complete)
SWITCH_SETTER(failed_execs)

static const char *set_fail_on(struct config *c, const char *name, const char **word)
{
	int level = severity_parse(*word);

	(void)name;
	if (!strcmp(*word, "never"))
		level = -1;
	else if (level < SEV_LOW || level > SEV_CRITICAL)
		return "unknown level";
	c->fail_on = level;
	return NULL;
}

/* ---- outputs ---- */

static const char *output_begin(struct config *c, const char *name, const char **word)
{
	(void)name;
	if (c->n_outputs >= OUTPUTS_MAX) {
		*word = "outputs";
		return "too many in";
	}
	c->outputs = xrealloc(c->outputs, (c->n_outputs + 1) * sizeof(*c->outputs));
	c->outputs[c->n_outputs++] = (struct output_config){ .keep = 5 };
	return NULL;
}

static struct output_config *output_last(struct config *c)
{
	return &c->outputs[c->n_outputs - 1];
}

static const char *output_lacks(const struct config *c)
{
	const struct output_config *o = &c->outputs[c->n_outputs - 1];

	return !o->typed ? "type" : !o->path ? "path" : NULL;
}

static const char *set_output_type(struct config *c, const char *name, const char **word)
{
	static const char *const later[] = { "syslog", "nats", "kafka", "http", NULL };

	(void)name;
	if (one_of(later, *word))
		return "not in this version: output type";
	output_last(c)->typed = true;
	return strcmp(*word, "file") ? "unknown output type" : NULL;
}

static const char *set_output_path(struct config *c, const char *name, const char **word)
{
	(void)name;
	if (**word != '/')
		return "not an absolute path:";
	free(output_last(c)->path);
	output_last(c)->path = xstrdup(*word);
	return NULL;
}

static const char *set_output_only(struct config *c, const char *name, const char **word)
{
	(void)name;
	if (strcmp(*word, "all") && strcmp(*word, "alerts"))
		return "only is all or alerts, not";
	output_last(c)->alerts_only = !strcmp(*word, "alerts");
	return NULL;
}

static const char *set_rotate_size(struct config *c, const char *name, const char **word)
{
	static const uint64_t scale[] = { 1ull << 10, 1ull << 20, 1ull << 30 };
	uint64_t n = quantity(*word, "KMG", scale);

	(void)name;
	if (n < ROTATE_SIZE_MIN)
		return "not a size from 64K on (K, M, G):";
	output_last(c)->rotate_size = n;
	return NULL;
}

static const char *set_rotate_every(struct config *c, const char *name, const char **word)
{
	static const uint64_t scale[] = { 1, 60, 3600, 86400 };
	uint64_t n = quantity(*word, "smhd", scale);

	(void)name;
	if (!n || n > 366 * 86400)
		return "not a time up to 366d (s, m, h, d):";
	output_last(c)->rotate_every = (unsigned)n;
	return NULL;
}

static const char *set_rotate_keep(struct config *c, const char *name, const char **word)
{
	char *end;
	unsigned long n = strtoul(*word, &end, 10);

	(void)name;
	if (**word < '0' || **word > '9' || *end || !n || n > ROTATE_KEEP_MAX)
		return "not a number from 1 to 1000:";
	output_last(c)->keep = (unsigned)n;
	return NULL;
}

bool metrics_address_valid(const char *text)
{
	static const char *const hosts[] = { "127.0.0.1:", "[::1]:" };

	if (!strncmp(text, "unix:/", 6))
		return strlen(text) - 5 < 108;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		size_t n = strlen(hosts[i]);
		char *end;
		unsigned long port;

		if (strncmp(text, hosts[i], n) || text[n] < '1' || text[n] > '9')
			continue;
		port = strtoul(text + n, &end, 10);
		return !*end && port <= 65535;
	}
	return false;
}

static const char *set_metrics(struct config *c, const char *name, const char **word)
{
	(void)name;
	if (!metrics_address_valid(*word))
		return "neither unix:/PATH nor 127.0.0.1:PORT:";
	list_add(&c->owned, *word);
	for (char **p = c->owned; *p; p++)
		c->metrics = *p;
	return NULL;
}

const struct config_key config_keys[] = {
	{ "callers", NULL, NULL, NULL },
	{ "callers[]", "USER", add_caller, NULL },
	{ "env_reads", "off | c | all", set_env_reads, NULL },
	{ "fail_on", "LEVEL", set_fail_on, NULL },
	{ "failed_execs", "true | false", set_failed_execs, NULL },
	{ "gate", "exec | mmap | off", set_gate, NULL },
	{ "logs", NULL, NULL, NULL },
	{ "logs.patterns", NULL, NULL, NULL },
	{ "logs.patterns[]", "GLOB", add_log_pattern, NULL },
	{ "metrics", "ADDRESS", set_metrics, NULL },
	{ "outputs", NULL, NULL, NULL },
	{ "outputs[]", NULL, output_begin, output_lacks },
	{ "outputs[].only", "all | alerts", set_output_only, NULL },
	{ "outputs[].path", "PATH", set_output_path, NULL },
	{ "outputs[].rotate", NULL, NULL, NULL },
	{ "outputs[].rotate.every", "TIME", set_rotate_every, NULL },
	{ "outputs[].rotate.keep", "NUMBER", set_rotate_keep, NULL },
	{ "outputs[].rotate.size", "SIZE", set_rotate_size, NULL },
	{ "outputs[].type", "file", set_output_type, NULL },
	{ "own", NULL, NULL, NULL },
	{ "own[]", "SELECTOR", add_own, NULL },
	{ "require_complete", "true | false", set_require_complete, NULL },
	{ "rules", NULL, NULL, NULL },
	{ "rules.*", "LEVEL", set_rule, NULL },
	{ "rules.*.severity", "LEVEL", set_rule, NULL },
	{ "runs", NULL, NULL, NULL },
	{ "runs[]", NULL, add_run, run_lacks },
	{ "runs[].argument", "GLOB", set_run_argument, NULL },
	{ "runs[].cgroup", "GLOB", set_run_cgroup, NULL },
	{ "runs[].directory", "PATH", set_run_directory, NULL },
	{ "runs[].parent", "PATH", set_run_parent, NULL },
	{ "runs[].program", "PATH", set_run_program, NULL },
	{ "runs[].user", "USER", set_run_user, NULL },
	{ "secrets", NULL, NULL, NULL },
	{ "secrets.names", NULL, NULL, NULL },
	{ "secrets.names[]", "GLOB", add_secret_name, NULL },
};
const size_t n_config_keys = ARRAY_SIZE(config_keys);

const struct config_key *config_key_find(const char *path)
{
	for (size_t i = 0; i < n_config_keys; i++)
		if (!strcmp(config_keys[i].path, path))
			return &config_keys[i];
	return NULL;
}

bool config_key_has_members(const struct config_key *k)
{
	size_t n = strlen(k->path);

	for (size_t i = 0; i < n_config_keys; i++)
		if (!strncmp(config_keys[i].path, k->path, n) && config_keys[i].path[n] == '.')
			return true;
	return false;
}
