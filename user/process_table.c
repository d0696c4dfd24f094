/* process_table.c: the processes of one run: lifetimes, who made whom, and the images they execute. */
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
	struct buf json[PROCESS_TEXTS]; /* of p */
	unsigned children;              /* entries whose parent this is */
};

struct process_table {
	void *root;
	unsigned n;
	struct slot *last; /* asked for: most records are of the process of the one before */
};

/* Beyond so many generations the ended ones in between are left out (a worm forks and exits). */
#define GENERATIONS_MAX 64

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

	process_reads_forget(&e->p);
	image_drop(e->image);
	free(e->p.container_id);
	source_drop(e->p.source);
	env_walk_free(e->p.walk);
	attempt_free(e->p.attempt);
	test_case_drop(e->p.test);
	free(e->p.before);
	for (size_t i = 0; i < ARRAY_SIZE(e->json); i++)
		buf_free(&e->json[i]);
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
		if (e->table->last == e)
			e->table->last = NULL;
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

static bool slot_is(const struct slot *e, uint32_t pid, uint64_t start)
{
	return e && e->p.pid == pid && e->p.start == start;
}

static struct slot *slot_get(struct process_table *t, uint32_t pid, uint64_t start,
			     const struct run *run, bool *made)
{
	struct process key = { .pid = pid, .start = start };
	struct slot **found, *e;

	*made = false;
	if (slot_is(t->last, pid, start))
		return t->last;
	found = tfind(&key, &t->root, slot_compare);
	if (found)
		return t->last = *found;
	*made = true;
	e = xcalloc(1, sizeof(*e));
	e->table = t;
	e->p.pid = pid;
	e->p.start = start;
	e->p.json = e->json;
	snprintf(e->p.entity_id, sizeof(e->p.entity_id), "%.8s-%u-%llu",
		 run->boot_id ? run->boot_id : "", pid, (unsigned long long)start);
	if (!tsearch(e, &t->root, slot_compare))
		abort(); /* tsearch's own malloc failed */
	t->n++;
	return e;
}

/* What was written of it holds no more. */
static void slot_changed(struct slot *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(e->json); i++)
		buf_reset(&e->json[i]);
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
	struct slot **found;

	if (slot_is(t->last, pid, start))
		return &t->last->p;
	found = tfind(&key, &t->root, slot_compare);
	return found ? &(*found)->p : NULL;
}

struct newest {
	struct process key; /* first: behind all that have its number */
	const struct process *found;
};

/* Of those with its number, each one on the way to the key began later than the one before. */
static int newest_compare(const void *key, const void *node)
{
	struct newest *n = (struct newest *)key;
	const struct process *p = node;

	if (p->pid == n->key.pid)
		n->found = p;
	return slot_compare(key, node);
}

struct process *table_newest(const struct process_table *t, uint32_t pid)
{
	struct newest n = { .key = { .pid = pid, .start = UINT64_MAX } };

	tfind(&n, &t->root, newest_compare);
	return (struct process *)n.found;
}

struct process *table_fork(struct process_table *t, struct process *parent, const struct ev_fork *e,
			   const struct run *run)
{
	bool made;
	struct slot *c = slot_get(t, e->child_pid, e->child_start, run, &made);
	struct slot *up = (struct slot *)parent;

	slot_changed(c);
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

/* What it was forked in stays, unless it is told of a case inside of that one. */
static void test_set(struct process *p)
{
	for (unsigned i = 0; i < TEST_FRAMEWORKS && test_case_holds(p->test, i); i++) {
		struct test_case *t = test_case_new(i, process_env_value(p, test_variable(i)));

		if (!t)
			continue;
		test_case_drop(p->test);
		p->test = t;
		return;
	}
}

struct process *table_exec(struct process_table *t, const struct ev_hdr *h, const struct ev_exec *e,
			   const char *tail, const struct run *run)
{
	bool made;
	struct slot *entry = slot_get(t, h->pid, h->start, run, &made);
	struct process *p = &entry->p;
	struct process up = { .pid = e->ppid, .start = e->parent_start };
	struct slot **parent = tfind(&up, &t->root, slot_compare);

	slot_changed(entry);
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
	process_reads_forget(&entry->p);
	p->env_late = p->source_said = p->has_lines = false;
	p->cython = CYTHON_NONE;
	p->env_unseen = NULL;
	test_set(p);
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
	process_reads_forget(&e->p);
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
