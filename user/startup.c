/* startup.c: finds the PATH entry that led to a program, and start-up files that the run wrote. */
#include <fnmatch.h>
#include <string.h>
#include "process_table.h"
#include "startup.h"

static const struct variable {
	const char *name;
	const char *program; /* glob on the program that it steers */
	bool directories;
} variables[] = {
	{ "LD_PRELOAD", "*", false },          { "LD_AUDIT", "*", false },
	{ "LD_LIBRARY_PATH", "*", true },      { "BASH_ENV", "bash", false },
	{ "PYTHONSTARTUP", "python*", false }, { "PERL5OPT", "perl*", false },
	{ "NODE_OPTIONS", "node*", false },
};

static struct span without_slashes(struct span s)
{
	while (s.len > 1 && s.ptr[s.len - 1] == '/')
		s.len--;
	return s;
}

static uint32_t entry_of(struct span path, struct span dir)
{
	uint32_t entry = 1;

	for (size_t i = 0; i <= path.len; entry++) {
		const char *end = memchr(path.ptr + i, ':', path.len - i);
		struct span e = { path.ptr + i, (end ? (size_t)(end - path.ptr) : path.len) - i };

		if (span_eq_span(without_slashes(e), dir))
			return entry;
		i += e.len + 1;
	}
	return 0;
}

uint32_t path_entry(struct span env, struct span file)
{
	const char *slash = file.len ? memrchr(file.ptr, '/', file.len) : NULL;
	struct span dir = { file.ptr, slash ? (size_t)(slash - file.ptr) : 0 };

	for (size_t i = 0; i < env.len;) {
		struct span e = { env.ptr + i, strnlen(env.ptr + i, env.len - i) };

		if (span_starts(e, "PATH="))
			return entry_of((struct span){ e.ptr + 5, e.len - 5 },
					without_slashes(dir));
		i += e.len + 1;
	}
	return 0;
}

/* Paths in the value stand alone, in lists, or behind an option and its '='. */
static const struct written *value_look(const struct variable *var, struct span value,
					const struct process *p, const char *tree,
					const struct provenance *v)
{
	const char *cwd = p->cwd.cut ? NULL : p->cwd.text;

	for (size_t i = 0, n; i < value.len; i += n + 1) {
		const struct written *w = NULL;
		struct buf path = { 0 };
		struct span word;

		for (n = 0; i + n < value.len && !strchr(" :=,;\t", value.ptr[i + n]);)
			n++;
		word = (struct span){ value.ptr + i, n };
		if (word.len > 2 && word.ptr[0] == '-' && word.ptr[2] == '/') /* -I/dir */
			word = (struct span){ word.ptr + 2, word.len - 2 };
		if (!word.len || word.ptr[0] == '-' || !memchr(word.ptr, '/', word.len))
			continue;
		path_resolve(word, cwd, &path);
		if (path.len)
			w = provenance_at(v, (struct span){ path.ptr, path.len }, var->directories);
		buf_free(&path);
		if (w && !lies_in(span_of(w->path), NULL, tree))
			return w;
	}
	return NULL;
}

const struct written *startup_find(const struct process *p, const char *tree,
				   const struct provenance *v, const char **variable)
{
	struct env_entry e;

	for (size_t at = 0; process_env_next(p, &at, &e);) {
		for (size_t i = 0; e.value.len && i < ARRAY_SIZE(variables); i++) {
			const struct written *w;

			if (!span_eq(e.name, variables[i].name) || !p->name ||
			    fnmatch(variables[i].program, p->name, 0))
				continue;
			w = value_look(&variables[i], e.value, p, tree, v);
			if (w) {
				*variable = variables[i].name;
				return w;
			}
		}
	}
	return NULL;
}
