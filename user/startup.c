/* startup.c: finds the PATH entry that led to a program, and start-up files that the run wrote. */
#include <fnmatch.h>
#include <string.h>
#include "process_table.h"
#include "startup.h"

static const struct variable {
	const char *name;
	const char *program;                           /* glob on the program that it steers */
	enum { FILES, DIRECTORIES, FILE_ALONE } holds; /* a file alone may do without a slash */
} variables[] = {
	{ "LD_PRELOAD", "*", FILES },
	{ "LD_AUDIT", "*", FILES },
	{ "LD_LIBRARY_PATH", "*", DIRECTORIES },
	{ "BASH_ENV", "bash", FILE_ALONE },
	{ "PYTHONSTARTUP", "python*", FILE_ALONE },
	{ "PERL5OPT", "perl*", FILES },
	{ "NODE_OPTIONS", "node*", FILES },
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

/* Paths in the value stand alone, in lists, or behind an option and its '='. false: fn wants no more. */
static bool value_walk(const struct variable *var, struct span value, const struct process *p,
		       startup_fn *fn, void *ctx)
{
	const char *cwd = p->cwd.cut ? NULL : p->cwd.text;
	bool more = true;

	for (size_t i = 0, n; more && i < value.len; i += n + 1) {
		struct buf path = { 0 };
		struct span word;

		for (n = 0; i + n < value.len && !strchr(" :=,;\t", value.ptr[i + n]);)
			n++;
		word = (struct span){ value.ptr + i, n };
		if (word.len > 2 && word.ptr[0] == '-' && word.ptr[2] == '/') /* -I/dir */
			word = (struct span){ word.ptr + 2, word.len - 2 };
		if (!word.len || word.ptr[0] == '-' ||
		    (var->holds != FILE_ALONE && !memchr(word.ptr, '/', word.len)))
			continue;
		path_resolve(word, cwd, &path);
		if (path.len)
			more = fn(ctx, var->name, (struct span){ path.ptr, path.len },
				  var->holds == DIRECTORIES);
		buf_free(&path);
	}
	return more;
}

void startup_walk(const struct process *p, startup_fn *fn, void *ctx)
{
	struct env_entry e;

	for (size_t at = 0; p->name && process_env_next(p, &at, &e);)
		for (size_t i = 0; e.value.len && i < ARRAY_SIZE(variables); i++)
			if (span_eq(e.name, variables[i].name) &&
			    !fnmatch(variables[i].program, p->name, 0) &&
			    !value_walk(&variables[i], e.value, p, fn, ctx))
				return;
}

struct search {
	const char *tree;
	const struct provenance *v;
	const struct written *found;
	const char *variable;
};

static bool is_written(void *ctx, const char *variable, struct span path, bool directory)
{
	struct search *s = ctx;
	const struct written *w = provenance_at(s->v, path, directory);

	if (!w || lies_in(span_of(w->path), NULL, s->tree))
		return true;
	s->found = w;
	s->variable = variable;
	return false;
}

const struct written *startup_find(const struct process *p, const char *tree,
				   const struct provenance *v, const char **variable)
{
	struct search s = { tree, v, NULL, NULL };

	startup_walk(p, is_written, &s);
	if (s.found)
		*variable = s.variable;
	return s.found;
}
