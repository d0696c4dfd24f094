/* config_key.c: the one table of the configuration's keys, and what each takes. */
#include <stdlib.h>
#include <string.h>
#include "config_key.h"

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
	static const struct {
		const char *prefix;
		int kind;
	} kinds[] = {
		{ "id=", OWN_ID },
		{ "name=", OWN_NAME },
		{ "label=", OWN_LABEL },
		{ "project=", OWN_PROJECT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].prefix);
		struct selector s = { .kind = kinds[i].kind };
		const char *sign;

		if (strncmp(word, kinds[i].prefix, n) || !word[n] || word[n] == '=')
			continue;
		sign = s.kind == OWN_LABEL ? strchr(word + n, '=') : NULL;
		s.key = sign ? xstrndup(word + n, (size_t)(sign - word) - n) : xstrdup(word + n);
		s.value = sign ? xstrdup(sign + 1) : NULL;
		c->own = xrealloc(c->own, (c->n_own + 1) * sizeof(*c->own));
		c->own[c->n_own++] = s;
		return true;
	}
	return false;
}

static const char *one_of(const char *const *words, const char *text)
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return *words;
	return NULL;
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

static const char *add_program(struct config *c, const char *name, const char **word)
{
	(void)name;
	if (**word != '/')
		return "not an absolute path for program:";
	list_add(&c->run_programs, *word);
	return NULL;
}

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

static const char *set_env_reads(struct config *c, const char *name, const char **word)
{
	static const char *const words[] = { "off", "c", "all", NULL };
	const char *found = one_of(words, *word);

	(void)name;
	if (!found)
		return "env_reads is off, c or all, not";
	c->env_reads = found;
	return NULL;
}

static const char *set_gate(struct config *c, const char *name, const char **word)
{
	static const char *const words[] = { "exec", "mmap", "off", NULL };
	const char *found = one_of(words, *word);

	(void)name;
	if (!found)
		return "gate is exec, mmap or off, not";
	c->gate = found;
	return NULL;
}

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

static const char *set_require_complete(struct config *c, const char *name, const char **word)
{
	(void)name;
	if (strcmp(*word, "true") && strcmp(*word, "false"))
		return "require_complete is true or false, not";
	c->require_complete = !strcmp(*word, "true");
	return NULL;
}

const struct config_key config_keys[] = {
	{ "callers", NULL, NULL, NULL },
	{ "callers[]", "USER", add_caller, NULL },
	{ "env_reads", "off | c | all", set_env_reads, NULL },
	{ "fail_on", "LEVEL", set_fail_on, NULL },
	{ "gate", "exec | mmap | off", set_gate, NULL },
	{ "logs", NULL, NULL, NULL },
	{ "logs.patterns", NULL, NULL, NULL },
	{ "logs.patterns[]", "GLOB", add_log_pattern, NULL },
	{ "own", NULL, NULL, NULL },
	{ "own[]", "SELECTOR", add_own, NULL },
	{ "require_complete", "true | false", set_require_complete, NULL },
	{ "rules", NULL, NULL, NULL },
	{ "rules.*", "LEVEL", set_rule, NULL },
	{ "rules.*.severity", "LEVEL", set_rule, NULL },
	{ "runs", NULL, NULL, NULL },
	{ "runs[]", NULL, NULL, NULL },
	{ "runs[].program", "PATH", add_program, NULL },
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
