/* job.c: which CI job a process that begins a ticket belongs to. */
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

/* `runs: - program: /usr/bin/pytest`: the file executed, or the script that was asked for. */
static bool selected(const struct record *exec, const struct config *c)
{
	const struct ev_exec *e = exec->body;
	struct exec_parts parts;
	struct path exe = { 0 };
	bool found = false;

	if (!c->run_programs)
		return false;
	exec_parts(exec, &parts);
	path_from_comps(&exe, parts.exe, e->exe_comps, e->flags & EXEC_CUT_PATH);
	for (char **p = c->run_programs; *p && !found; p++)
		found = (exe.text && !strcmp(*p, exe.text)) ||
			(e->file_len && !strncmp(*p, parts.file, e->file_len));
	path_free(&exe);
	return found;
}

bool job_identify(const struct record *exec, char *const *envp, const struct config *c,
		  const uint64_t key[2], struct job_identity *out)
{
	const struct ev_exec *e = exec->body;

	memset(out, 0, sizeof(*out));
	out->uid = e->uid;
	out->agent_pid = e->ppid;
	out->agent_start = e->parent_start;
	out->ci = ci_find(envp);
	if (out->ci)
		identity_digest(out->ci, envp, key, out->digest);
	return out->ci || selected(exec, c);
}

bool job_same(const struct job_identity *a, const struct job_identity *b)
{
	return a->ci && a->ci == b->ci && a->digest[0] == b->digest[0] &&
	       a->digest[1] == b->digest[1] && a->uid == b->uid && a->agent_pid == b->agent_pid &&
	       a->agent_start == b->agent_start;
}
