/* process.c: the small questions asked of one process: its paths, arguments, environment, and what it has read. */
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "process_table.h"

void path_from_comps(struct path *path, const struct ev_comp *comps, unsigned n, bool cut)
{
	struct buf b = { 0 };

	memset(path, 0, sizeof(*path));
	path->cut = cut;
	if (cut)
		buf_str(&b, "...");
	if (n > EV_COMPS)
		n = EV_COMPS;
	if (n)
		path->step = xcalloc(n, sizeof(*path->step));
	for (unsigned i = n; i-- > 0;) {
		const struct ev_comp *c = &comps[i];
		size_t len = strnlen(c->name, c->len < EV_NAME_MAX ? c->len : EV_NAME_MAX - 1);

		path->step[path->steps++] = (struct path_step){ c->mode, c->uid, c->gid };
		buf_byte(&b, '/');
		/* Only a memfd's name can hold a slash; it must not look like directories. */
		for (size_t k = 0; k < len; k++)
			buf_byte(&b, c->name[k] == '/' ? '_' : c->name[k]);
	}
	if (!n)
		buf_byte(&b, '/');
	path->text = b.ptr;
}

void path_free(struct path *path)
{
	free(path->text);
	free(path->step);
	memset(path, 0, sizeof(*path));
}

bool process_descends(const struct process *p, const struct process *of)
{
	for (; p; p = p->parent)
		if (p == of)
			return true;
	return false;
}

const struct process *process_with_role(const struct process *p, unsigned role)
{
	for (; p; p = p->parent)
		if (p->roles & role)
			return p;
	return NULL;
}

struct span process_arg(const struct process *p, unsigned i)
{
	const char *at = p->args, *end = at ? at + p->args_len : NULL;

	if (!p->args)
		return (struct span){ 0 };
	while (at < end) {
		size_t n = strnlen(at, end - at);

		if (!i--)
			return (struct span){ at, n };
		at += n + 1;
	}
	return (struct span){ 0 };
}

bool process_env_next(const struct process *p, size_t *at, struct env_entry *e)
{
	const char *entry, *equals;
	size_t n;

	if (!p->env || *at >= p->env_len)
		return false;
	entry = p->env + *at;
	n = strnlen(entry, p->env_len - *at);
	*at += n + 1;
	equals = memchr(entry, '=', n);
	*e = (struct env_entry){ .name = { entry, equals ? (size_t)(equals - entry) : n } };
	if (equals)
		e->value = (struct span){ equals + 1, entry + n - equals - 1 };
	else if (n && entry[n - 1] == '!')
		e->sensitive = e->name.len--;
	return true;
}

struct span process_env_value(const struct process *p, const char *name)
{
	struct env_entry e;

	for (size_t at = 0; process_env_next(p, &at, &e);)
		if (span_eq(e.name, name))
			return e.value;
	return (struct span){ NULL, 0 };
}

int process_env_has(const struct process *p, struct span name)
{
	struct env_entry e;

	if (!p->env)
		return -1;
	for (size_t at = 0, next; at < p->env_len; at = next) {
		next = at + strnlen(p->env + at, p->env_len - at) + 1;
		/* Most differ in their first byte. */
		if ((!name.len || p->env[at] == *name.ptr) && process_env_next(p, &at, &e) &&
		    span_eq_span(e.name, name))
			return 1;
	}
	return p->env_cut ? -1 : 0;
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool process_first_read(struct process *p, struct span name)
{
	char *copy, **in;

	/* A name cannot hold a NUL; what stands behind one is nobody's. */
	copy = xstrndup(name.len ? name.ptr : "", name.len ? strnlen(name.ptr, name.len) : 0);
	if (p->n_seen >= SEEN_MAX) {
		bool known = tfind(copy, &p->seen, name_compare);

		free(copy);
		return !known;
	}
	in = tsearch(copy, &p->seen, name_compare);
	if (in && *in == copy) {
		p->n_seen++;
		return true;
	}
	free(copy);
	return false;
}

bool process_has_read(const struct process *p, struct span name)
{
	char *copy = xstrndup(name.ptr, name.len);
	bool known = tfind(copy, &p->seen, name_compare);

	free(copy);
	return known;
}

void process_read_forget(struct process *p, struct span name)
{
	char *copy = xstrndup(name.ptr, name.len), **found = tfind(copy, &p->seen, name_compare);
	char *mine = found ? *found : NULL;

	if (mine) {
		tdelete(copy, &p->seen, name_compare);
		free(mine);
		p->n_seen--;
	}
	free(copy);
}

void process_reads_forget(struct process *p)
{
	tdestroy(p->seen, free);
	p->seen = NULL;
	p->n_seen = 0;
}
