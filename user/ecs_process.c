/* ecs_process.c: processes, what they were executed with, where in a script, as ECS field sets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "ecs_parts.h"
#include "stream.h"

int ecs_exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- processes ---- */

static void user_write(struct jsonw *j, const char *key, uint32_t uid, const struct run *run)
{
	jsonw_obj(j, key);
	jsonw_fmt(j, "id", "%u", uid);
	jsonw_str(j, "name", run_user_name(run, uid));
	jsonw_close(j);
}

static void args_write(struct jsonw *j, const struct process *p, size_t max)
{
	size_t len = p->args_len < max ? p->args_len : max;
	const char *at = p->args, *end = at ? at + len : NULL;
	struct span line = { p->args, len };
	char *text;

	if (!p->args || !p->args_len)
		return;
	jsonw_arr(j, "args");
	while (at < end) {
		struct span a = { at, strnlen(at, end - at) };

		jsonw_span(j, NULL, a);
		at += a.len + 1;
	}
	jsonw_close(j);
	jsonw_u64(j, "args_count", p->argc);
	while (line.len && !line.ptr[line.len - 1])
		line.len--;
	text = xstrndup(line.ptr, line.len);
	for (size_t i = 0; i < line.len; i++)
		if (!text[i])
			text[i] = ' ';
	line.ptr = text;
	jsonw_span(j, "command_line", line);
	free(text);
}

struct told {
	const struct process *p;
	const struct run *run;
	enum detail detail;
};

static void head_write(struct jsonw *j, const void *what)
{
	const struct told *t = what;
	const struct process *p = t->p;

	jsonw_u64(j, "pid", p->pid);
	if (p->vpid)
		jsonw_u64(j, "vpid", p->vpid);
	jsonw_str(j, "entity_id", p->entity_id);
	if (p->name)
		jsonw_str(j, "name", p->name);
	if (p->exe.text)
		jsonw_str(j, "executable", p->exe.text);
	args_write(j, p, t->detail == DETAIL_WHOLE ? p->args_len : ECS_BRIEF);
	if (p->cwd.text)
		jsonw_str(j, "working_directory", p->cwd.text);
	if (p->start)
		jsonw_time(j, "start", p->start + t->run->wall_offset);
}

static void tail_write(struct jsonw *j, const void *what)
{
	const struct told *t = what;
	const struct process *p = t->p;

	/* Before any exec was seen, a placeholder's ids are not known. */
	if (p->missed && !p->executed)
		return;
	jsonw_bool(j, "interactive", p->interactive);
	user_write(j, "user", p->euid, t->run);
	if (p->uid != p->euid)
		user_write(j, "real_user", p->uid, t->run);
	jsonw_obj(j, "group");
	jsonw_fmt(j, "id", "%u", p->egid);
	jsonw_close(j);
	if (p->gid != p->egid) {
		jsonw_obj(j, "real_group");
		jsonw_fmt(j, "id", "%u", p->gid);
		jsonw_close(j);
	}
}

/* Members that a process and its parent have alike. */
static void process_members(struct jsonw *j, const struct process *p, const struct run *run,
			    enum detail detail)
{
	struct told t = { p, run, detail };
	bool brief = detail == DETAIL_BRIEF || p->args_len <= ECS_BRIEF;

	jsonw_once(j, p->json && brief ? &p->json[PROCESS_HEAD] : NULL, head_write, &t);
	if (p->ended) {
		jsonw_time(j, "end", p->ended + run->wall_offset);
		jsonw_i64(j, "exit_code", ecs_exit_code((int)p->status));
	}
	jsonw_once(j, p->json ? &p->json[PROCESS_TAIL] : NULL, tail_write, &t);
}

void ecs_process(struct jsonw *j, const struct process *p, const struct run *run,
		 enum detail detail)
{
	if (!p)
		return;
	jsonw_obj(j, "process");
	process_members(j, p, run, detail);
	if (p->parent || p->ppid) {
		jsonw_obj(j, "parent");
		if (p->parent)
			process_members(j, p->parent, run, DETAIL_BRIEF);
		else
			jsonw_u64(j, "pid", p->ppid);
		jsonw_close(j);
	}
	jsonw_close(j);
}

static void fd_write(struct jsonw *j, const char *key, const struct ev_fd *fd)
{
	static const char *const kinds[FD_KINDS] = {
		[FD_CLOSED] = "closed", [FD_TTY] = "tty",   [FD_FILE] = "file",
		[FD_NULL] = "null",     [FD_PIPE] = "pipe", [FD_SOCKET] = "socket",
		[FD_OTHER] = "other",
	};

	jsonw_obj(j, key);
	jsonw_str(j, "kind", fd->kind < FD_KINDS ? kinds[fd->kind] : "other");
	if (fd->peer_pid)
		jsonw_u64(j, "peer_pid", fd->peer_pid);
	jsonw_close(j);
}

static void sensitive_write(struct jsonw *j, const struct process *p)
{
	struct env_entry e;
	bool open = false;

	for (size_t at = 0; process_env_next(p, &at, &e);) {
		if (!e.sensitive)
			continue;
		if (!open)
			jsonw_arr(j, "env_sensitive");
		open = true;
		jsonw_span(j, NULL, e.name);
	}
	if (open)
		jsonw_close(j);
}

struct word {
	uint32_t bit;
	const char *text;
};

static void words_write(struct jsonw *j, const char *key, uint32_t bits, const struct word *words,
			size_t n)
{
	bool open = false;

	for (size_t i = 0; i < n; i++) {
		if (!(bits & words[i].bit))
			continue;
		if (!open)
			jsonw_arr(j, key);
		open = true;
		jsonw_str(j, NULL, words[i].text);
	}
	if (open)
		jsonw_close(j);
}

void ecs_exec(struct jsonw *j, const struct process *p)
{
	static const struct word flags[] = {
		{ EXEC_MEMFD, "memfd" },   { EXEC_DELETED, "deleted" },
		{ EXEC_THREAD, "thread" }, { EXEC_SETID, "setid" },
		{ EXEC_FAULT, "fault" },   { EXEC_GAINS, "gains-privilege" },
		{ EXEC_FOUND, "running" },
	};
	static const struct word roles[] = {
		{ ROLE_TEST, "test" },
		{ ROLE_SHELL, "shell" },
		{ ROLE_INTERPRETER, "interpreter" },
		{ ROLE_CONTAINER_CLIENT, "container-client" },
		{ ROLE_NETWORK_CLIENT, "network-client" },
		{ ROLE_BUILD_TOOL, "build-tool" },
		{ ROLE_RUNTIME, "runtime" },
		{ ROLE_LISTING, "listing" },
	};
	static const struct word cuts[] = {
		{ 1, "process.args" },
		{ 2, "invigil.exec.env_sensitive" },
		{ 4, "process.executable" },
		{ 8, "process.working_directory" },
	};
	bool args_cut = p->args_want > p->args_len;

	jsonw_obj(j, "exec");
	fd_write(j, "stdin", &p->fd[0]);
	fd_write(j, "stdout", &p->fd[1]);
	fd_write(j, "stderr", &p->fd[2]);
	if (p->file)
		jsonw_str(j, "file", p->file);
	words_write(j, "flags", p->flags, flags, ARRAY_SIZE(flags));
	words_write(j, "roles", p->roles, roles, ARRAY_SIZE(roles));
	sensitive_write(j, p);
	if (args_cut)
		jsonw_u64(j, "args_wanted", p->args_want);
	if (p->tried)
		jsonw_u64(j, "tried", p->tried);
	jsonw_close(j);
	words_write(j, "cut",
		    (args_cut ? 1 : 0) | (p->env_cut ? 2 : 0) | (p->exe.cut ? 4 : 0) |
			    (p->cwd.cut ? 8 : 0),
		    cuts, ARRAY_SIZE(cuts));
}

#define ANCESTOR_ARGS 512u

void ecs_ancestry(struct jsonw *j, const struct process *p)
{
	unsigned n = 0;

	if (!p || !p->parent)
		return;
	jsonw_arr(j, "ancestry");
	for (p = p->parent; p && n < ANCESTRY_MAX; p = p->parent, n++) {
		jsonw_obj(j, NULL);
		jsonw_u64(j, "pid", p->pid);
		jsonw_str(j, "entity_id", p->entity_id);
		if (p->name)
			jsonw_str(j, "name", p->name);
		args_write(j, p, ANCESTOR_ARGS);
		jsonw_close(j);
	}
	jsonw_close(j);
}

/* ---- the script's own line ---- */

static void frame_write(struct jsonw *j, const char *key, const struct source_frame *f)
{
	jsonw_obj(j, key);
	jsonw_span(j, "file", f->code->file);
	if (f->line)
		jsonw_i64(j, "line", f->line);
	jsonw_span(j, "function", f->code->name);
	jsonw_close(j);
}

static void test_write(struct jsonw *j, const void *what)
{
	const struct test_case *t = what;

	jsonw_obj(j, "test");
	jsonw_span(j, "name", t->name);
	jsonw_str(j, "framework", t->framework);
	if (t->phase)
		jsonw_str(j, "phase", t->phase);
	jsonw_close(j);
}

void ecs_test(struct jsonw *j, const struct test_case *t)
{
	if (t)
		jsonw_once(j, t->json, test_write, t);
}

static void source_begin(struct jsonw *j, const struct source *s)
{
	const struct source_frame *at = source_at(s);

	jsonw_obj(j, "source");
	jsonw_span(j, "file", at->code->file);
	if (at->line)
		jsonw_i64(j, "line", at->line);
	jsonw_span(j, "function", at->code->name);
	if (s->api[0])
		jsonw_str(j, "api", s->api);
	jsonw_bool(j, "exact", s->exact);
	jsonw_u64(j, "pid", s->pid);
	if (s->test >= 0)
		frame_write(j, "test", &s->frame[s->test]);
}

static void source_brief(struct jsonw *j, const void *what)
{
	source_begin(j, what);
	jsonw_close(j);
}

static void source_whole(struct jsonw *j, const void *what)
{
	const struct source *s = what;

	source_begin(j, s);
	jsonw_arr(j, "stack");
	for (unsigned i = 0; i < s->n; i++)
		frame_write(j, NULL, &s->frame[i]);
	jsonw_close(j);
	if (s->cut)
		jsonw_bool(j, "stack_cut", true);
	jsonw_close(j);
}

_Static_assert(SOURCE_TEXTS == DETAILS, "a text for each");

void ecs_source(struct jsonw *j, const struct source *s, enum detail detail)
{
	if (s)
		jsonw_once(j, &s->json[detail],
			   detail == DETAIL_WHOLE ? source_whole : source_brief, s);
}
