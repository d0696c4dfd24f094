/* job.c: which CI job a process that begins a ticket belongs to. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include "job.h"
#include "process_table.h"
#include "siphash.h"

char **strings_of(char *block, size_t len)
{
	char **list, *end = block + len;
	size_t n = 0;

	for (char *p = block; p < end; p++)
		n += !*p;
	list = xcalloc(n + 1, sizeof(*list));
	n = 0;
	/* What a cut left without its NUL is left out. */
	for (char *p = block, *nul; (nul = memchr(p, 0, end - p)); p = nul + 1)
		list[n++] = p;
	return list;
}

static void identity_digest(const struct ci_provider *ci, char *const *envp, const uint64_t key[2],
			    uint64_t digest[2])
{
	struct buf b = { 0 };

	buf_str(&b, ci->name);
	for (unsigned i = 0; i < ARRAY_SIZE(ci->identity) && ci->identity[i]; i++) {
		const char *value = env_lookup(envp, ci->identity[i]);

		buf_byte(&b, 0);
		buf_str(&b, value ? value : "");
	}
	siphash128(key, b.ptr, b.len, digest);
	explicit_bzero(b.ptr, b.cap);
	buf_free(&b);
}

void lineage_read(const struct record *r, struct lineage *out)
{
	const struct ev_lineage *e = r->body;
	struct buf group = { 0 };
	struct path parent = { 0 };

	memset(out, 0, sizeof(*out));
	out->was = e->was;
	out->ancestors = e->ancestors;
	memcpy(out->ancestor, e->ancestor, e->ancestors * sizeof(e->ancestor[0]));
	for (unsigned i = e->groups; i-- > 0;) {
		buf_byte(&group, '/');
		buf_str(&group, e->group[i]);
	}
	if (!e->groups)
		buf_byte(&group, '/');
	out->cgroup = group.ptr;
	if (e->steps) {
		path_from_comps(&parent, (const void *)r->tail, e->steps, false);
		out->parent = xstrdup(parent.text);
		path_free(&parent);
	}
}

void lineage_free(struct lineage *l)
{
	free(l->cgroup);
	free(l->parent);
	memset(l, 0, sizeof(*l));
}

/* What an exec record says, as a selector asks for it. */
struct image {
	struct path exe, cwd;
	struct span file; /* what was asked for */
	char **argv;
	uint32_t uid;
};

static bool lies_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	while (n && dir[n - 1] == '/')
		n--;
	return path && !strncmp(path, dir, n) && (!path[n] || path[n] == '/');
}

static bool has_argument(char *const *argv, const char *glob)
{
	for (; *argv; argv++)
		if (!fnmatch(glob, *argv, 0))
			return true;
	return false;
}

static bool selects(const struct run_selector *s, const struct image *i, const struct lineage *l)
{
	return (!s->program || (i->exe.text && !strcmp(s->program, i->exe.text)) ||
		span_eq(i->file, s->program)) &&
	       (!s->argument || has_argument(i->argv, s->argument)) &&
	       (!s->user || s->uid == i->uid) &&
	       (!s->cgroup || (l->cgroup && !fnmatch(s->cgroup, l->cgroup, 0))) &&
	       (!s->directory || lies_below(i->cwd.text, s->directory)) &&
	       (!s->parent || (l->parent && !strcmp(s->parent, l->parent)));
}

static bool selected(const struct record *exec, const struct lineage *l, const struct config *c)
{
	const struct ev_exec *e = exec->body;
	struct exec_parts parts;
	struct image i = { .uid = e->uid };
	bool found = false;

	if (!c->n_runs)
		return false;
	exec_parts(exec, &parts);
	path_from_comps(&i.exe, parts.exe, e->exe_comps, e->flags & EXEC_CUT_PATH);
	path_from_comps(&i.cwd, parts.cwd, e->cwd_comps, e->flags & EXEC_CUT_CWD);
	i.file = (struct span){ parts.file, strnlen(parts.file, e->file_len) };
	i.argv = strings_of(parts.args, e->args_len);
	for (unsigned k = 0; k < c->n_runs && !found; k++)
		found = selects(&c->runs[k], &i, l);
	path_free(&i.exe);
	path_free(&i.cwd);
	free(i.argv);
	return found;
}

bool job_identify(const struct record *exec, char *const *envp, const struct lineage *l,
		  const struct config *c, const uint64_t key[2], struct job_identity *out)
{
	const struct ev_exec *e = exec->body;

	memset(out, 0, sizeof(*out));
	out->uid = e->uid;
	out->agent = (struct ev_ancestor){ .pid = e->ppid, .start = e->parent_start };
	out->ci = ci_find(envp);
	if (out->ci)
		identity_digest(out->ci, envp, key, out->digest);
	if (l->cgroup && strcmp(l->cgroup, "/"))
		siphash128(key, l->cgroup, strlen(l->cgroup), out->cgroup);
	return out->ci || selected(exec, l, c);
}

static bool same(const uint64_t a[2], const uint64_t b[2])
{
	return a[0] == b[0] && a[1] == b[1];
}

/* Everything descends from init: as an agent it tells nothing. */
static bool from_agent(const struct ev_ancestor *agent, const struct lineage *l)
{
	for (unsigned i = 0; agent->pid > 1 && i < l->ancestors; i++)
		if (l->ancestor[i].pid == agent->pid && l->ancestor[i].start == agent->start)
			return true;
	return false;
}

enum job_kin job_kin(const struct job_identity *job, const struct job_identity *i,
		     const struct lineage *l)
{
	if (!job->ci || job->ci != i->ci || !same(job->digest, i->digest))
		return JOB_OTHER;
	if (job->uid == i->uid && (from_agent(&job->agent, l) || ((i->cgroup[0] || i->cgroup[1]) &&
								  same(job->cgroup, i->cgroup))))
		return JOB_SAME;
	return JOB_CLAIM;
}

bool job_is_agent(const struct job_identity *job, const struct job_identity *i, uint32_t pid,
		  uint64_t start)
{
	return job->ci && job->ci == i->ci && same(job->digest, i->digest) && job->uid == i->uid &&
	       job->agent.pid == pid && job->agent.start == start;
}
