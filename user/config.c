/* config.c: reads the YAML configuration file; whatever it does not know is an error with its line.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config_key.h"

#ifndef HAVE_YAML

int config_read(const char *file, bool root_only, struct config *c)
{
	(void)root_only;
	(void)c;
	fprintf(stderr, "%s:1: cannot be read: libyaml was not there when invigil was built\n",
		file);
	return -1;
}

#else
#include <yaml.h>

#define FILE_MAX  (1u << 20)
#define LIST_MAX  4096
#define PATH_TEXT 96 /* the table's longest path and then some */

struct reader {
	const char *file;
	yaml_document_t doc;
	struct config *c;
};

/* Control bytes of the file do not reach the terminal. */
static int wrong(const struct reader *r, const yaml_node_t *at, const char *what, const char *word)
{
	char safe[81];

	snprintf(safe, sizeof(safe), "%s", word);
	for (char *p = safe; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	fprintf(stderr, "%s:%zu: %s \"%s\"\n", r->file, at->start_mark.line + 1, what, safe);
	return -1;
}

/* The scalar's text; NULL when it is none, or holds a NUL. */
static const char *scalar(const yaml_node_t *n)
{
	if (n->type != YAML_SCALAR_NODE ||
	    strlen((char *)n->data.scalar.value) != n->data.scalar.length)
		return NULL;
	return (char *)n->data.scalar.value;
}

static bool is_null(const char *text)
{
	return !*text || !strcmp(text, "null") || !strcmp(text, "~");
}

/* Where the reader is: a row of the table, and what its path's * stands for. */
struct place {
	const struct config_key *key; /* NULL: the document */
	const char *name;
};

static int node_read(struct reader *r, yaml_node_t *node, struct place at);

static struct place member_of(struct place at, const char *word)
{
	char path[PATH_TEXT];
	const char *base = at.key ? at.key->path : "", *dot = at.key ? "." : "";
	struct place found = { NULL, at.name };

	/* No word of the file is a path of the table. */
	if (!word[strcspn(word, ".[*")]) {
		if ((size_t)snprintf(path, sizeof(path), "%s%s%s", base, dot, word) < sizeof(path))
			found.key = config_key_find(path);
	}
	if (!found.key) {
		snprintf(path, sizeof(path), "%s%s*", base, dot);
		found.key = config_key_find(path);
		found.name = word;
	}
	return found;
}

static int mapping_read(struct reader *r, yaml_node_t *map, struct place at)
{
	const yaml_node_pair_t *first = map->data.mapping.pairs.start;

	for (const yaml_node_pair_t *p = first; p < map->data.mapping.pairs.top; p++) {
		yaml_node_t *key = yaml_document_get_node(&r->doc, p->key);
		yaml_node_t *value = yaml_document_get_node(&r->doc, p->value);
		const char *word = key ? scalar(key) : NULL;
		struct place member;

		if (!key || !value || !word)
			return wrong(r, key ? key : map, "unknown key", "");
		if (p - first > LIST_MAX)
			return wrong(r, key, "too many keys before", word);
		member = member_of(at, word);
		if (!member.key)
			return wrong(r, key, "unknown key", word);
		for (const yaml_node_pair_t *q = first; q < p; q++) {
			const char *before = scalar(yaml_document_get_node(&r->doc, q->key));

			if (!strcmp(before, word))
				return wrong(r, key, "a second time:", word);
		}
		if (node_read(r, value, member))
			return -1;
	}
	return 0;
}

static int list_read(struct reader *r, yaml_node_t *list, const struct config_key *element)
{
	const yaml_node_item_t *first = list->data.sequence.items.start;

	for (const yaml_node_item_t *i = first; i < list->data.sequence.items.top; i++) {
		yaml_node_t *node = yaml_document_get_node(&r->doc, *i);

		if (!node || i - first > LIST_MAX)
			return wrong(r, list, "too many in", element->path);
		if (node_read(r, node, (struct place){ element, NULL }))
			return -1;
	}
	return 0;
}

static int word_read(struct reader *r, const yaml_node_t *node, struct place at)
{
	const char *word = scalar(node), *why;

	if (!word)
		return wrong(r, node, "not a word for", at.key->path);
	if (!at.key->value) {
		/* "rules:" with nothing behind it changes nothing. */
		if (is_null(word) && !at.key->set)
			return 0;
		return wrong(r, node,
			     config_key_has_members(at.key) ? "not a mapping:" : "not a list:",
			     at.key->path);
	}
	if (!*word)
		return wrong(r, node, "nothing for", at.key->path);
	why = at.key->set(r->c, at.name, &word);
	return why ? wrong(r, node, why, word) : 0;
}

static int node_read(struct reader *r, yaml_node_t *node, struct place at)
{
	const struct config_key *element = NULL;
	const char *lacks;
	char path[PATH_TEXT];

	if (node->type == YAML_SEQUENCE_NODE && at.key) {
		snprintf(path, sizeof(path), "%s[]", at.key->path);
		element = config_key_find(path);
	}
	if (element)
		return list_read(r, node, element);
	if (!at.key && node->type == YAML_SCALAR_NODE && is_null((char *)node->data.scalar.value))
		return 0; /* a file of comments */
	if (!at.key && node->type != YAML_MAPPING_NODE)
		return wrong(r, node, "not a mapping:", "the document");
	if (node->type != YAML_MAPPING_NODE || (at.key && !config_key_has_members(at.key)))
		return word_read(r, node, at);
	if (at.key && !at.key->value && at.key->set) {
		const char *word = NULL, *why = at.key->set(r->c, NULL, &word);

		if (why)
			return wrong(r, node, why, word);
	}
	if (mapping_read(r, node, at))
		return -1;
	lacks = at.key && at.key->lacks ? at.key->lacks(r->c) : NULL;
	return lacks ? wrong(r, node, "missing key", lacks) : 0;
}

static bool caller_owns(uid_t uid, bool root_only)
{
	const char *sudo = geteuid() == 0 ? getenv("SUDO_UID") : NULL;
	char *end;
	unsigned long caller;

	if (uid == 0)
		return true;
	if (root_only)
		return false;
	if (uid == geteuid() || uid == getuid())
		return true;
	if (!sudo || !*sudo)
		return false;
	caller = strtoul(sudo, &end, 10);
	return !*end && caller == uid;
}

/* Why what is open there may not say anything; NULL: it may. */
static const char *distrust(int fd, mode_t type, bool root_only)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return strerror(errno);
	if ((st.st_mode & S_IFMT) != type)
		return type == S_IFREG ? "is not a regular file" : "is not a folder";
	if (!caller_owns(st.st_uid, root_only))
		return root_only ? "is not owned by root"
				 : "is owned by neither root nor the caller";
	if (st.st_mode & 022)
		return "can be written by others (chmod go-w)";
	if (type == S_IFREG && st.st_size > (off_t)FILE_MAX)
		return "is larger than 1 MiB";
	return NULL;
}

/* The bytes of the file, or NULL after a message. */
static char *file_slurp(int dir, const char *name, const char *file, bool root_only, size_t *size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *why = distrust(fd, S_IFREG, root_only);
	char *bytes = NULL;
	size_t n = 0;

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

/* file: the name in messages. */
static int file_read(int dir, const char *name, const char *file, bool root_only, struct config *c)
{
	struct reader r = { .file = file, .c = c };
	yaml_parser_t parser;
	yaml_node_t *root;
	size_t size = 0;
	char *bytes = file_slurp(dir, name, file, root_only, &size);
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
	err = root ? node_read(&r, root, (struct place){ NULL, NULL }) : 0;
	yaml_document_delete(&r.doc);
out:
	yaml_parser_delete(&parser);
	free(bytes);
	return err;
}

static int is_yaml(const struct dirent *e)
{
	struct span name = span_of(e->d_name);

	return e->d_name[0] != '.' && span_ends(name, ".yaml");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* conf.d, which need not be there. */
static int drop_ins_read(int dir, const char *path, bool root_only, struct config *c)
{
	int fd = openat(dir, "conf.d", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n, err = 0;
	struct dirent **names;
	const char *why;

	if (fd < 0 && errno == ENOENT)
		return 0;
	why = distrust(fd, S_IFDIR, root_only);
	n = why ? 0 : scandirat(fd, ".", &names, is_yaml, by_name);
	if (n < 0)
		why = strerror(errno);
	if (why)
		fprintf(stderr, "%s/conf.d: %s\n", path, why);
	for (int i = 0; i < n; i++) {
		struct buf file = { 0 };

		buf_fmt(&file, "%s/conf.d/%s", path, names[i]->d_name);
		if (!err)
			err = file_read(fd, names[i]->d_name, file.ptr, root_only, c);
		buf_free(&file);
		free(names[i]);
	}
	if (!why)
		free(names);
	if (fd >= 0)
		close(fd);
	return why ? -1 : err;
}

static int folder_read(int dir, const char *path, bool root_only, struct config *c)
{
	const char *why = distrust(dir, S_IFDIR, root_only);
	struct buf file = { 0 };
	int err = 0;

	if (why) {
		fprintf(stderr, "%s: %s\n", path, why);
		return -1;
	}
	buf_fmt(&file, "%s/invigil.yaml", path);
	if (!faccessat(dir, "invigil.yaml", F_OK, 0) || errno != ENOENT)
		err = file_read(dir, "invigil.yaml", file.ptr, root_only, c);
	buf_free(&file);
	return err ? err : drop_ins_read(dir, path, root_only, c);
}

int config_read(const char *path, bool root_only, struct config *c)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (dir < 0)
		return file_read(AT_FDCWD, path, path, root_only, c);
	err = folder_read(dir, path, root_only, c);
	close(dir);
	return err;
}

#endif
