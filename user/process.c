/* process.c: the process table: lifetimes, images, and the small questions asked of a process. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "attempt.h"
#include "process_table.h"
#include "env_walk.h"
#include "source.h"
#include "test_case.h"

/* What an exec brought; shared with forked children until they execute something themselves. */
struct image {
	unsigned refs;
	struct path exe, cwd;
	char *name, *file, *script, *args, *env;
};

struct slot {
	struct process p; /* first: a process of the table is its entry */
	struct process_table *table;
	struct image *image;
	unsigned children; /* entries whose parent this is */
	unsigned seen;     /* names in p.seen */
};

struct process_table {
	void *root;
	unsigned n;
};

/* Beyond so many generations the ended ones in between are left out (a worm forks and exits). */
#define GENERATIONS_MAX 64

/* ---- paths ---- */

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

/* ---- images ---- */

static void image_drop(struct image *i)
{
	if (!i || --i->refs)
		return;
	path_free(&i->exe);
	path_free(&i->cwd);
	free(i->name);
	free(i->file);
	free(i->script);
	free(i->args);
	free(i->env);
	free(i);
}

static void seen_clear(struct slot *e)
{
	tdestroy(e->p.seen, free);
	e->p.seen = NULL;
	e->seen = 0;
}

/* ---- the table ---- */

static int slot_compare(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->start == y->start ? 0 : x->start < y->start ? -1 : 1;
}

struct process_table *table_new(void)
{
	return xcalloc(1, sizeof(struct process_table));
}

static void slot_free(void *node)
{
	struct slot *e = node;

	seen_clear(e);
	image_drop(e->image);
	free(e->p.container_id);
	source_drop(e->p.source);
	env_walk_free(e->p.walk);
	attempt_free(e->p.attempt);
	test_case_drop(e->p.test);
	free(e->p.before);
	free(e);
}

void table_free(struct process_table *t)
{
	if (!t)
		return;
	tdestroy(t->root, slot_free);
	free(t);
}

unsigned table_size(const struct process_table *t)
{
	return t->n;
}

/* Frees an ended process nobody needs, and then its parent if that was kept for its sake only. */
static void slot_release(struct slot *e)
{
	while (e && e->p.ended && !e->p.refs && !e->children) {
		struct slot *parent = (struct slot *)e->p.parent;

		tdelete(e, &e->table->root, slot_compare);
		e->table->n--;
		slot_free(e);
		if (parent)
			parent->children--;
		e = parent;
	}
}

void process_hold(struct process *p)
{
	p->refs++;
}

void process_drop(struct process *p)
{
	if (p->refs)
		p->refs--;
	slot_release((struct slot *)p);
}

static struct slot *slot_get(struct process_table *t, uint32_t pid, uint64_t start,
			     const struct run *run, bool *made)
{
	struct process key = { .pid = pid, .start = start };
	struct slot **found = tfind(&key, &t->root, slot_compare), *e;

	*made = !found;
	if (found)
		return *found;
	e = xcalloc(1, sizeof(*e));
	e->table = t;
	e->p.pid = pid;
	e->p.start = start;
	snprintf(e->p.entity_id, sizeof(e->p.entity_id), "%.8s-%u-%llu",
		 run->boot_id ? run->boot_id : "", pid, (unsigned long long)start);
	if (!tsearch(e, &t->root, slot_compare))
		abort(); /* tsearch's own malloc failed */
	t->n++;
	return e;
}

bool process_descends(const struct process *p, const struct process *of)
{
	for (; p; p = p->parent)
		if (p == of)
			return true;
	return false;
}

static void parent_set(struct slot *e, struct slot *parent)
{
	if (!parent || e->p.parent || process_descends(&parent->p, &e->p))
		return;
	e->p.parent = &parent->p;
	e->p.ppid = parent->p.pid;
	parent->children++;
}

/* Leaves ended ancestors out of a chain that has grown too long; the oldest of them stays. */
static void chain_shorten(struct slot *e)
{
	struct slot *up = (struct slot *)e->p.parent;
	unsigned n = 0;

	for (const struct process *p = e->p.parent; p; p = p->parent)
		n++;
	while (n-- > GENERATIONS_MAX && up && up->p.parent && up->p.ended && !up->p.refs) {
		struct slot *next = (struct slot *)up->p.parent;

		e->p.parent = &next->p;
		next->children++;
		up->children--;
		slot_release(up);
		up = next;
	}
}

struct process *table_find(struct process_table *t, uint32_t pid, uint64_t start,
			   const struct run *run, bool *missed)
{
	bool made;
	struct slot *e = slot_get(t, pid, start, run, &made);

	if (made) {
		e->p.missed = true;
		*missed = true;
	}
	return &e->p;
}

struct process *table_known(const struct process_table *t, uint32_t pid, uint64_t start)
{
	struct process key = { .pid = pid, .start = start };
	struct slot **found = tfind(&key, &t->root, slot_compare);

	return found ? &(*found)->p : NULL;
}

struct newest {
	uint32_t pid;
	struct process *found;
};

static void newest_look(const void *node, VISIT which, void *closure)
{
	struct slot *e = *(struct slot *const *)node;
	struct newest *n = closure;

	if ((which == postorder || which == leaf) && e->p.pid == n->pid)
		n->found = &e->p; /* they come by their starts */
}

struct process *table_newest(const struct process_table *t, uint32_t pid)
{
	struct newest n = { .pid = pid };

	twalk_r(t->root, newest_look, &n);
	return n.found;
}

struct process *table_fork(struct process_table *t, struct process *parent, const struct ev_fork *e,
			   const struct run *run)
{
	bool made;
	struct slot *c = slot_get(t, e->child_pid, e->child_start, run, &made);
	struct slot *up = (struct slot *)parent;

	c->p.vpid = e->child_vpid;
	if (!up || up == c)
		return &c->p;
	if (made) {
		chain_shorten(up);
		c->p.uid = up->p.uid;
		c->p.gid = up->p.gid;
		c->p.euid = up->p.euid;
		c->p.egid = up->p.egid;
		c->p.interactive = up->p.interactive;
		c->p.roles = up->p.roles;
		c->p.libraries = up->p.libraries;
		c->p.cython = up->p.cython;
		c->p.exe = up->p.exe;
		c->p.cwd = up->p.cwd;
		c->p.name = up->p.name;
		c->p.file = up->p.file;
		c->p.script = up->p.script;
		c->p.args = up->p.args;
		c->p.args_len = up->p.args_len;
		c->p.args_want = up->p.args_want;
		c->p.argc = up->p.argc;
		c->p.flags = up->p.flags;
		c->p.env = up->p.env;
		c->p.env_len = up->p.env_len;
		c->p.env_cut = up->p.env_cut;
		c->p.inet = up->p.inet;
		c->p.env_unseen = up->p.env_unseen;
		memcpy(c->p.fd, up->p.fd, sizeof(c->p.fd));
		if (up->p.container_id)
			c->p.container_id = xstrdup(up->p.container_id);
		c->p.source = source_hold(up->p.source);
		c->p.test = test_case_hold(up->p.test);
		c->image = up->image;
		if (c->image)
			c->image->refs++;
	}
	parent_set(c, up);
	return &c->p;
}

/* Takes n bytes of what is left of a tail; 0 bytes when there are not so many. */
static struct span take(struct span *tail, size_t n)
{
	struct span s = { tail->ptr, n <= tail->len ? n : 0 };

	tail->ptr += s.len;
	tail->len -= s.len;
	return s;
}

static void arguments_count(struct process *p)
{
	p->argc = 0;
	for (size_t i = 0; i < p->args_len; i++)
		p->argc += !p->args[i];
	if (p->args_len && p->args[p->args_len - 1])
		p->argc++;
}

static void image_set(struct slot *entry, const struct ev_hdr *h, const struct ev_exec *e,
		      struct span tail)
{
	struct image *i = xcalloc(1, sizeof(*i));
	struct process *p = &entry->p;
	uint64_t lost = h->want > h->len ? h->want - h->len : 0, args_lost;
	struct span exe = take(&tail, (size_t)e->exe_comps * sizeof(struct ev_comp));
	struct span cwd = take(&tail, (size_t)e->cwd_comps * sizeof(struct ev_comp));
	struct span file = take(&tail, e->file_len), args = take(&tail, e->args_len);
	struct span env = take(&tail, e->env_len);

	i->refs = 1;
	if (exe.len)
		path_from_comps(&i->exe, (const void *)exe.ptr, exe.len / sizeof(struct ev_comp),
				e->flags & EXEC_CUT_PATH);
	path_from_comps(&i->cwd, (const void *)cwd.ptr, cwd.len / sizeof(struct ev_comp),
			e->flags & EXEC_CUT_CWD);
	if (file.len)
		i->file = xstrndup(file.ptr, strnlen(file.ptr, file.len));
	i->args = xstrndup(args.ptr, args.len);
	i->env = xstrndup(env.ptr, env.len);
	i->name = i->exe.text ? xstrdup(strrchr(i->exe.text, '/') + 1)
			      : xstrndup(e->comm, strnlen(e->comm, sizeof(e->comm)));
	image_drop(entry->image);
	entry->image = i;
	p->exe = i->exe;
	p->cwd = i->cwd;
	p->name = i->name;
	p->file = i->file;
	p->args = i->args;
	p->args_len = args.len;
	p->args_want = e->args_want > args.len ? e->args_want : args.len;
	p->env = i->env;
	p->env_len = env.len;
	/* The scrubber shortens the environment, so what was cut is what the header misses. */
	args_lost = p->args_want - p->args_len;
	p->env_cut = lost > args_lost || e->flags & EXEC_FAULT;
	arguments_count(p);
	p->script = i->script = script_of(p);
}

struct process *table_exec(struct process_table *t, const struct ev_hdr *h, const struct ev_exec *e,
			   const char *tail, const struct run *run)
{
	bool made;
	struct slot *entry = slot_get(t, h->pid, h->start, run, &made);
	struct process *p = &entry->p;
	struct process up = { .pid = e->ppid, .start = e->parent_start };
	struct slot **parent = tfind(&up, &t->root, slot_compare);

	if (parent)
		parent_set(entry, *parent);
	else if (!p->parent)
		p->ppid = e->ppid;
	p->vpid = e->vpid;
	p->uid = e->uid;
	p->gid = e->gid;
	p->euid = e->euid;
	p->egid = e->egid;
	p->flags = e->flags;
	p->interactive = e->tty;
	p->exe_ino = e->exe_ino;
	p->exe_dev = e->exe_dev;
	p->path_entry = e->path_entry;
	p->origins = p->fed = p->tried = 0;
	p->inet = p->script_seen = false;
	free(p->before);
	p->before = p->exec_time && p->name ? xstrdup(p->name) : NULL;
	p->exec_time = h->time;
	memcpy(p->fd, e->fd, sizeof(p->fd));
	for (size_t i = 0; i < ARRAY_SIZE(p->fd); i++)
		if (p->fd[i].kind >= FD_KINDS)
			p->fd[i].kind = FD_OTHER;
	if (e->container[0] && !p->container_id)
		p->container_id =
			xstrndup(e->container, strnlen(e->container, sizeof(e->container)));
	image_set(entry, h, e, (struct span){ tail, h->len });
	seen_clear(entry);
	p->env_late = p->source_said = p->has_lines = false;
	p->cython = CYTHON_NONE;
	p->env_unseen = NULL;
	for (unsigned i = 0; i < TEST_FRAMEWORKS && !p->test; i++)
		p->test = test_case_new(i, process_env_value(p, test_variable(i)));
	p->executed = true;
	p->roles = role_of(p, run);
	p->libraries = 0;
	return p;
}

void table_exit(struct process_table *t, struct process *p, uint64_t time, uint32_t status)
{
	struct slot *e = (struct slot *)p;

	(void)t;
	p->ended = time ? time : 1;
	p->status = status;
	seen_clear(e);
	slot_release(e);
}

struct alive {
	struct process **at;
	unsigned n;
};

static void alive_add(const void *node, VISIT which, void *closure)
{
	struct slot *e = *(struct slot *const *)node;
	struct alive *a = closure;

	if ((which == postorder || which == leaf) && !e->p.ended)
		a->at[a->n++] = &e->p;
}

struct process **table_alive(const struct process_table *t, unsigned *n)
{
	struct alive a = { 0 };

	*n = 0;
	if (!t->n)
		return NULL;
	a.at = xcalloc(t->n, sizeof(struct process *));
	twalk_r(t->root, alive_add, &a);
	*n = a.n;
	return a.at;
}

/* ---- questions ---- */

static int name_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

bool process_first_read(struct process *p, struct span name)
{
	struct slot *e = (struct slot *)p;
	char *copy, **in;

	/* A name cannot hold a NUL; what stands behind one is nobody's. */
	copy = xstrndup(name.len ? name.ptr : "", name.len ? strnlen(name.ptr, name.len) : 0);
	if (e->seen >= SEEN_MAX) {
		bool known = tfind(copy, &p->seen, name_compare);

		free(copy);
		return !known;
	}
	in = tsearch(copy, &p->seen, name_compare);
	if (in && *in == copy) {
		e->seen++;
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
	struct slot *e = (struct slot *)p;

	if (mine) {
		tdelete(copy, &p->seen, name_compare);
		free(mine);
		e->seen--;
	}
	free(copy);
}

void process_reads_forget(struct process *p)
{
	seen_clear((struct slot *)p);
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
	for (size_t at = 0; process_env_next(p, &at, &e);)
		if (span_eq_span(e.name, name))
			return 1;
	return p->env_cut ? -1 : 0;
}

const struct process *process_with_role(const struct process *p, unsigned role)
{
	for (; p; p = p->parent)
		if (p->roles & role)
			return p;
	return NULL;
}
