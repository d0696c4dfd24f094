/* config.c: reads the YAML configuration file; whatever it does not know is an error with its line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "option.h"

#ifndef HAVE_YAML

int config_read(const char *file, struct config *c)
{
	(void)c;
	fprintf(stderr, "%s:1: cannot be read: libyaml was not there when invigil was built\n",
		file);
	return -1;
}

#else
#include <yaml.h>

#define FILE_MAX (1u << 20)
#define LIST_MAX 4096

struct reader {
	const char *file;
	yaml_document_t doc;
	struct config *c;
};

/* Control bytes of the file do not reach the terminal. */
static int wrong(const struct reader *r, const yaml_node_t *at, const char *what, const char *word)
{
	char safe[81];
	size_t n = 0;

	for (; n < sizeof(safe) - 1 && word[n]; n++)
		safe[n] = (unsigned char)word[n] < ' ' || word[n] == 0x7f ? '?' : word[n];
	safe[n] = '\0';
	fprintf(stderr, "%s:%zu: %s \"%s\"\n", r->file, at->start_mark.line + 1, what, safe);
	return -1;
}

static const char *kind_text(const yaml_node_t *n)
{
	return n->type == YAML_MAPPING_NODE    ? "mapping"
	       : n->type == YAML_SEQUENCE_NODE ? "list"
					       : "";
}

/* The scalar's text; NULL when it is none, or holds a NUL. */
static const char *scalar(const yaml_node_t *n)
{
	if (n->type != YAML_SCALAR_NODE ||
	    strlen((char *)n->data.scalar.value) != n->data.scalar.length)
		return NULL;
	return (char *)n->data.scalar.value;
}

typedef int (*member_fn)(struct reader *r, const yaml_node_t *key, const char *word,
			 yaml_node_t *value);

static int each_member(struct reader *r, const yaml_node_t *map, const char *name, member_fn fn)
{
	if (map->type != YAML_MAPPING_NODE) {
		/* "rules:" with nothing behind it changes nothing. */
		const char *text = scalar(map);

		if (text && (!*text || !strcmp(text, "null") || !strcmp(text, "~")))
			return 0;
		return wrong(r, map, "not a mapping:", name);
	}
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
	     p++) {
		yaml_node_t *key = yaml_document_get_node(&r->doc, p->key);
		yaml_node_t *value = yaml_document_get_node(&r->doc, p->value);
		const char *word = key ? scalar(key) : NULL;

		if (!key || !value)
			return wrong(r, map, "broken mapping", name);
		if (!word)
			return wrong(r, key, "unknown key", kind_text(key));
		if (fn(r, key, word, value))
			return -1;
	}
	return 0;
}

static int each_word(struct reader *r, yaml_node_t *list, const char *name,
		     int (*fn)(struct reader *r, const yaml_node_t *at, const char *word))
{
	size_t n = 0;

	if (list->type != YAML_SEQUENCE_NODE)
		return wrong(r, list, "not a list:", name);
	for (yaml_node_item_t *i = list->data.sequence.items.start;
	     i < list->data.sequence.items.top; i++) {
		yaml_node_t *node = yaml_document_get_node(&r->doc, *i);
		const char *word = node ? scalar(node) : NULL;

		if (!word || !*word)
			return wrong(r, node ? node : list, "not a word in", name);
		if (++n > LIST_MAX)
			return wrong(r, node, "too many in", name);
		if (fn(r, node, word))
			return -1;
	}
	return 0;
}

static void list_add(char ***list, const char *word)
{
	size_t n = 0;

	while (*list && (*list)[n])
		n++;
	*list = xrealloc(*list, (n + 2) * sizeof(**list));
	(*list)[n] = xstrdup(word);
	(*list)[n + 1] = NULL;
}

static int add_name(struct reader *r, const yaml_node_t *at, const char *word)
{
	(void)at;
	list_add(&r->c->secret_names, word);
	return 0;
}

static int add_pattern(struct reader *r, const yaml_node_t *at, const char *word)
{
	(void)at;
	list_add(&r->c->log_patterns, word);
	return 0;
}

static int add_own(struct reader *r, const yaml_node_t *at, const char *word)
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
		struct config *c = r->c;
		const char *sign;
		struct selector s = { .kind = kinds[i].kind };

		if (strncmp(word, kinds[i].prefix, n) || !word[n] || word[n] == '=')
			continue;
		sign = s.kind == OWN_LABEL ? strchr(word + n, '=') : NULL;
		s.key = sign ? xstrndup(word + n, (size_t)(sign - word) - n) : xstrdup(word + n);
		s.value = sign ? xstrdup(sign + 1) : NULL;
		c->own = xrealloc(c->own, (c->n_own + 1) * sizeof(*c->own));
		c->own[c->n_own++] = s;
		return 0;
	}
	return wrong(r, at, "unknown selector", word);
}

static int set_rule(struct reader *r, const yaml_node_t *at, const char *id, const char *word)
{
	int level = severity_parse(word);

	if (level < 0)
		return wrong(r, at, "unknown level", word);
	return rule_set_severity(id, (enum severity)level) ? 0 : wrong(r, at, "unknown rule", id);
}

static int rule_member(struct reader *r, const yaml_node_t *key, const char *id, yaml_node_t *value)
{
	const char *word = scalar(value);

	if (!rule_find(id))
		return wrong(r, key, "unknown rule", id);
	if (word)
		return set_rule(r, value, id, word);
	if (value->type != YAML_MAPPING_NODE)
		return wrong(r, value, "not a level for rule", id);
	for (yaml_node_pair_t *p = value->data.mapping.pairs.start;
	     p < value->data.mapping.pairs.top; p++) {
		yaml_node_t *k = yaml_document_get_node(&r->doc, p->key);
		yaml_node_t *v = yaml_document_get_node(&r->doc, p->value);

		if (!k || !v)
			return wrong(r, value, "broken mapping", id);
		word = scalar(k);
		if (!word || strcmp(word, "severity"))
			return wrong(r, k, "unknown key", word ? word : kind_text(k));
		word = scalar(v);
		if (!word)
			return wrong(r, v, "not a level for rule", id);
		if (set_rule(r, v, id, word))
			return -1;
	}
	return 0;
}

static int secrets_member(struct reader *r, const yaml_node_t *key, const char *word,
			  yaml_node_t *value)
{
	if (strcmp(word, "names"))
		return wrong(r, key, "unknown key", word);
	return each_word(r, value, "secrets.names", add_name);
}

static int logs_member(struct reader *r, const yaml_node_t *key, const char *word,
		       yaml_node_t *value)
{
	if (strcmp(word, "patterns"))
		return wrong(r, key, "unknown key", word);
	return each_word(r, value, "logs.patterns", add_pattern);
}

static bool one_of(const char *const *words, const char *text, const char **where)
{
	for (; text && *words; words++)
		if (!strcmp(text, *words)) {
			*where = *words;
			return true;
		}
	return false;
}

static int selector_member(struct reader *r, const yaml_node_t *key, const char *word,
			   yaml_node_t *value)
{
	const char *text = scalar(value);

	if (strcmp(word, "program"))
		return wrong(r, key, "unknown key", word);
	if (!text || *text != '/')
		return wrong(r, value,
			     "not an absolute path for program:", text ? text : kind_text(value));
	list_add(&r->c->run_programs, text);
	return 0;
}

static int each_selector(struct reader *r, yaml_node_t *list, const char *name)
{
	if (list->type != YAML_SEQUENCE_NODE)
		return wrong(r, list, "not a list:", name);
	for (yaml_node_item_t *i = list->data.sequence.items.start;
	     i < list->data.sequence.items.top; i++) {
		yaml_node_t *node = yaml_document_get_node(&r->doc, *i);

		if (!node || each_member(r, node, name, selector_member))
			return -1;
	}
	return 0;
}

static int top_member(struct reader *r, const yaml_node_t *key, const char *word,
		      yaml_node_t *value)
{
	static const char *const reads[] = { "off", "c", "all", NULL };
	static const char *const gates[] = { "exec", "mmap", "off", NULL };
	const char *text = scalar(value);

	if (!strcmp(word, "rules"))
		return each_member(r, value, word, rule_member);
	if (!strcmp(word, "secrets"))
		return each_member(r, value, word, secrets_member);
	if (!strcmp(word, "logs"))
		return each_member(r, value, word, logs_member);
	if (!strcmp(word, "runs"))
		return each_selector(r, value, word);
	if (!strcmp(word, "own"))
		return each_word(r, value, word, add_own);
	if (!strcmp(word, "env_reads")) {
		if (one_of(reads, text, &r->c->env_reads))
			return 0;
		return wrong(r, value, "env_reads is off, c or all, not",
			     text ? text : kind_text(value));
	}
	if (!strcmp(word, "gate")) {
		if (one_of(gates, text, &r->c->gate))
			return 0;
		return wrong(r, value, "gate is exec, mmap or off, not",
			     text ? text : kind_text(value));
	}
	if (!strcmp(word, "fail_on")) {
		int level = text ? severity_parse(text) : -1;

		if (text && !strcmp(text, "never"))
			level = -1;
		else if (level < SEV_LOW || level > SEV_CRITICAL)
			return wrong(r, value, "unknown level", text ? text : kind_text(value));
		r->c->fail_on = level;
		return 0;
	}
	return wrong(r, key, "unknown key", word);
}

static bool caller_owns(uid_t uid)
{
	const char *sudo = geteuid() == 0 ? getenv("SUDO_UID") : NULL;
	char *end;
	unsigned long caller;

	if (uid == 0 || uid == geteuid() || uid == getuid())
		return true;
	if (!sudo || !*sudo)
		return false;
	caller = strtoul(sudo, &end, 10);
	return !*end && caller == uid;
}

/* The bytes of the file, or NULL after a message. */
static char *file_slurp(const char *file, size_t *size)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char *bytes = NULL;
	const char *why = NULL;
	size_t n = 0;

	if (fd < 0 || fstat(fd, &st))
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "is not a regular file";
	else if (!caller_owns(st.st_uid))
		why = "is owned by neither root nor the caller";
	else if (st.st_mode & 022)
		why = "can be written by others (chmod go-w)";
	else if (st.st_size > (off_t)FILE_MAX)
		why = "is larger than 1 MiB";
	if (!why) {
		bytes = xcalloc(FILE_MAX + 1, 1);
		while (n <= FILE_MAX) {
			ssize_t got = read(fd, bytes + n, FILE_MAX + 1 - n);

			if (got < 0 && errno == EINTR)
				continue;
			if (got < 0)
				why = strerror(errno);
			if (got <= 0)
				break;
			n += (size_t)got;
		}
		if (n > FILE_MAX)
			why = "is larger than 1 MiB";
	}
	if (fd >= 0)
		close(fd);
	if (why) {
		fprintf(stderr, "%s:1: %s\n", file, why);
		free(bytes);
		return NULL;
	}
	*size = n;
	return bytes;
}

int config_read(const char *file, struct config *c)
{
	struct reader r = { .file = file, .c = c };
	yaml_parser_t parser;
	yaml_node_t *root;
	size_t size = 0;
	char *bytes = file_slurp(file, &size);
	int err = -1;

	if (!bytes)
		return -1;
	if (!yaml_parser_initialize(&parser)) {
		fprintf(stderr, "%s:1: out of memory\n", file);
		free(bytes);
		return -1;
	}
	yaml_parser_set_input_string(&parser, (unsigned char *)bytes, size);
	if (!yaml_parser_load(&parser, &r.doc)) {
		fprintf(stderr, "%s:%zu: %s\n", file, parser.problem_mark.line + 1,
			parser.problem ? parser.problem : "is no YAML");
		goto out;
	}
	root = yaml_document_get_root_node(&r.doc);
	err = root ? each_member(&r, root, "the document", top_member) : 0;
	yaml_document_delete(&r.doc);
out:
	yaml_parser_delete(&parser);
	free(bytes);
	return err;
}

#endif
