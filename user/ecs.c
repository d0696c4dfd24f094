/* ecs.c: writes processes, engine calls, files and rules as ECS field sets. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "ecs.h"
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

/* Members that a process and its parent have alike. */
static void process_members(struct jsonw *j, const struct process *p, const struct run *run,
			    enum detail detail)
{
	jsonw_u64(j, "pid", p->pid);
	if (p->vpid)
		jsonw_u64(j, "vpid", p->vpid);
	jsonw_str(j, "entity_id", p->entity_id);
	if (p->name)
		jsonw_str(j, "name", p->name);
	if (p->exe.text)
		jsonw_str(j, "executable", p->exe.text);
	args_write(j, p, detail == DETAIL_WHOLE ? p->args_len : ECS_BRIEF);
	if (p->cwd.text)
		jsonw_str(j, "working_directory", p->cwd.text);
	if (p->start)
		jsonw_time(j, "start", p->start + run->wall_offset);
	if (p->ended)
		jsonw_time(j, "end", p->ended + run->wall_offset);
	if (p->ended)
		jsonw_i64(j, "exit_code", ecs_exit_code((int)p->status));
	/* Before any exec was seen, a placeholder's ids are not known. */
	if (p->missed && !p->executed)
		return;
	jsonw_bool(j, "interactive", p->interactive);
	user_write(j, "user", p->euid, run);
	if (p->uid != p->euid)
		user_write(j, "real_user", p->uid, run);
	jsonw_obj(j, "group");
	jsonw_fmt(j, "id", "%u", p->egid);
	jsonw_close(j);
	if (p->gid != p->egid) {
		jsonw_obj(j, "real_group");
		jsonw_fmt(j, "id", "%u", p->gid);
		jsonw_close(j);
	}
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

void ecs_test(struct jsonw *j, const struct test_case *t)
{
	if (!t)
		return;
	jsonw_obj(j, "test");
	jsonw_span(j, "name", t->name);
	jsonw_str(j, "framework", t->framework);
	if (t->phase)
		jsonw_str(j, "phase", t->phase);
	jsonw_close(j);
}

static void source_write(struct jsonw *j, const struct source *s)
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
	jsonw_arr(j, "stack");
	for (unsigned i = 0; i < s->n; i++)
		frame_write(j, NULL, &s->frame[i]);
	jsonw_close(j);
	if (s->cut)
		jsonw_bool(j, "stack_cut", true);
	jsonw_close(j);
}

/*
 * Written once, then copied: a stack is most of its event, and the same for each process that follows
 * from it. Not where a mask is shown or bytes were no UTF-8, which the writer notes for each line.
 */
void ecs_source(struct jsonw *j, const struct source *s)
{
	size_t from = j->out->len, raw = j->raw.len;
	struct span text;

	if (!s)
		return;
	if (s->json && s->json->len) {
		jsonw_copy(j, s->json->ptr, s->json->len);
		return;
	}
	source_write(j, s);
	from += j->out->ptr[from] == ',';
	text = (struct span){ j->out->ptr + from, j->out->len - from };
	if (s->json && j->raw.len == raw && span_find(text, SPAN("<redacted:")) < 0)
		buf_add(s->json, text.ptr, text.len);
}

/* ---- facts ---- */

static void text_write(struct jsonw *j, const char *key, struct span s)
{
	if (s.len)
		jsonw_span(j, key, s);
}

void ecs_container(struct jsonw *j, struct span id, struct span name, struct span image)
{
	if (!id.len && !name.len && !image.len)
		return;
	jsonw_obj(j, "container");
	text_write(j, "id", id);
	text_write(j, "name", name);
	if (image.len) {
		jsonw_obj(j, "image");
		jsonw_span(j, "name", image);
		jsonw_close(j);
	}
	jsonw_close(j);
}

static void docker_write(struct jsonw *j, const struct docker_call *c)
{
	jsonw_obj(j, "http");
	jsonw_obj(j, "request");
	text_write(j, "method", c->method);
	jsonw_u64(j, "bytes", c->request_bytes);
	jsonw_close(j);
	if (c->status) {
		jsonw_obj(j, "response");
		jsonw_i64(j, "status_code", c->status);
		jsonw_close(j);
	}
	jsonw_close(j);
	jsonw_obj(j, "url");
	text_write(j, "path", c->path);
	text_write(j, "query", c->query);
	jsonw_close(j);
	if (c->user_agent.len) {
		jsonw_obj(j, "user_agent");
		jsonw_span(j, "original", c->user_agent);
		jsonw_close(j);
	}
	jsonw_obj(j, "network");
	jsonw_str(j, "transport", c->tcp ? "tcp" : "unix");
	jsonw_str(j, "application", "docker");
	jsonw_close(j);
	ecs_container(j, c->container_id, c->container_name, c->image_name);
}

static void error_write(struct jsonw *j, int error, const char *message)
{
	const char *name = strerrorname_np(error);

	jsonw_obj(j, "error");
	if (name)
		jsonw_str(j, "code", name);
	else
		jsonw_fmt(j, "code", "%d", error);
	if (message)
		jsonw_str(j, "message", message);
	jsonw_close(j);
}

static void connect_write(struct jsonw *j, const struct fact *f)
{
	bool tcp = f->connect.family != AF_UNIX;

	jsonw_obj(j, "network");
	jsonw_str(j, "transport", tcp ? "tcp" : "unix");
	if (tcp)
		jsonw_str(j, "type", f->connect.family == AF_INET6 ? "ipv6" : "ipv4");
	jsonw_str(j, "application", "docker");
	jsonw_close(j);
	if (f->connect.address.len || tcp) {
		jsonw_obj(j, "destination");
		text_write(j, "address", f->connect.address);
		if (tcp)
			jsonw_u64(j, "port", f->connect.port);
		jsonw_close(j);
	}
	if (f->connect.error)
		error_write(j, f->connect.error, NULL);
}

static const struct {
	const char *log, *other, *type;
} file_actions[FILE_ACTIONS] = {
#define ACTION_ROW(upper, log, other, type) [FILE_##upper] = { log, other, type },
	FILE_TABLE(ACTION_ROW)
#undef ACTION_ROW
};

const char *ecs_file_action(unsigned action, bool log)
{
	if (action >= FILE_ACTIONS)
		return "file";
	return log ? file_actions[action].log : file_actions[action].other;
}

const char *ecs_file_type(unsigned action)
{
	return action < FILE_ACTIONS ? file_actions[action].type : "info";
}

static void file_invigil(struct jsonw *j, const struct fact *f)
{
	jsonw_obj(j, "file");
	jsonw_u64(j, "links", f->file.nlink);
	jsonw_fmt(j, "directory_mode", "%04o", f->file.dir_mode & 07777);
	jsonw_bool(j, "truncated", f->file.open_flags & O_TRUNC);
	jsonw_str(j, "owner", owner_text(f->file.owner));
	if (f->file.before && f->file.old_mode != f->file.mode)
		jsonw_fmt(j, "old_mode", "%04o", f->file.old_mode & 07777);
	jsonw_close(j);
}

static void hash_write(struct jsonw *j, const struct fact *f)
{
	jsonw_obj(j, "file");
	if (f->hash.path.len)
		jsonw_span(j, "path", f->hash.path);
	if (f->hash.status <= HASH_CHANGED) {
		char text[2 * sizeof(((struct ev_hash *)0)->sha256) + 1];

		for (size_t i = 0; i < sizeof(text) / 2; i++)
			snprintf(text + 2 * i, 3, "%02x", f->hash.sha256[i]);
		jsonw_u64(j, "size", f->hash.size);
		jsonw_obj(j, "hash");
		jsonw_str(j, "sha256", text);
		jsonw_close(j);
	}
	jsonw_close(j);
}

static void file_write(struct jsonw *j, const struct fact *f)
{
	const char *path = f->file.path.text, *leaf = path ? strrchr(path, '/') : NULL;

	jsonw_obj(j, "file");
	if (path)
		jsonw_str(j, "path", path);
	if (leaf && leaf[1])
		jsonw_str(j, "name", leaf + 1);
	if (leaf)
		jsonw_span(j, "directory", (struct span){ path, leaf == path ? 1 : leaf - path });
	jsonw_fmt(j, "mode", "%04o", f->file.mode & 07777);
	jsonw_fmt(j, "uid", "%u", f->file.uid);
	jsonw_str(j, "owner", run_user_name(f->run, f->file.uid));
	jsonw_fmt(j, "gid", "%u", f->file.gid);
	/* The run's host table has users only; root's group has the same name everywhere. */
	if (!f->file.gid)
		jsonw_str(j, "group", "root");
	jsonw_fmt(j, "inode", "%llu", (unsigned long long)f->file.ino);
	jsonw_close(j);
}

void ecs_fact(struct jsonw *j, const struct fact *f)
{
	switch (f->kind) {
	case FACT_ATTEMPT:
		error_write(j, (int)f->attempt.error,
			    f->attempt.look ? "as the file looked at the gate" : NULL);
		break;
	case FACT_CONNECT:
		connect_write(j, f);
		break;
	case FACT_DOCKER:
		docker_write(j, &f->docker);
		break;
	case FACT_FILE:
		file_write(j, f);
		break;
	case FACT_HASH:
		hash_write(j, f);
		break;
	case FACT_LEAK:
		if (!f->leak.path)
			break;
		jsonw_obj(j, "file");
		jsonw_str(j, "path", f->leak.path);
		jsonw_close(j);
		break;
	default:
		break;
	}
}

static void config_write(struct jsonw *j, const struct docker_call *c)
{
	struct span body = c->body;

	switch (c->route->action) {
	case ACT_CONTAINER_CREATE:
	case ACT_CONTAINER_UPDATE:
	case ACT_EXEC_CREATE:
	case ACT_EXEC_START:
	case ACT_NETWORK_CREATE:
	case ACT_NETWORK_CONNECT:
	case ACT_NETWORK_DISCONNECT:
	case ACT_VOLUME_CREATE:
		break;
	default:
		return;
	}
	if (body.len > ECS_CONFIG) {
		body.len = ECS_CONFIG;
		jsonw_bool(j, "config_cut", true);
	}
	text_write(j, "config", body);
}

static void docker_invigil(struct jsonw *j, const struct docker_call *c, bool whole)
{
	jsonw_obj(j, "docker");
	text_write(j, "endpoint", c->endpoint);
	jsonw_str(j, "object",
		  c->route->object == OBJ_NONE ? NULL : docker_object_text(c->route->object));
	text_write(j, "target", c->target);
	jsonw_str(j, "owner", owner_text(c->owner));
	jsonw_bool(j, "complete", c->request_complete);
	if (c->status)
		jsonw_bool(j, "response_complete", c->response_complete);
	jsonw_bool(j, "verified", c->verified);
	text_write(j, "created_id", c->created_id);
	if (c->pruned_own || c->pruned_other) {
		jsonw_obj(j, "pruned");
		jsonw_u64(j, "own", c->pruned_own);
		jsonw_u64(j, "other", c->pruned_other);
		jsonw_close(j);
	}
	if (whole)
		config_write(j, c);
	jsonw_close(j);
}

static void connect_invigil(struct jsonw *j, const struct fact *f)
{
	jsonw_obj(j, "docker");
	text_write(j, "asked_path", f->connect.asked);
	if (f->connect.listener_pid)
		jsonw_u64(j, "listener_pid", f->connect.listener_pid);
	if (f->connect.listener_name && f->connect.listener_name[0])
		jsonw_str(j, "listener_name", f->connect.listener_name);
	jsonw_bool(j, "verified", f->connect.verified);
	jsonw_bool(j, "late", f->connect.late);
	jsonw_close(j);
}

static void env_invigil(struct jsonw *j, const struct fact *f)
{
	static const char *const mechanisms[ENV_MECHANISMS] = {
#define MECHANISM_ROW(upper, text) [ENV_##upper] = text,
		ENV_TABLE(MECHANISM_ROW)
#undef MECHANISM_ROW
	};

	jsonw_obj(j, "env");
	if (f->env.name.len)
		jsonw_span(j, "name", f->env.name);
	if (f->env.count)
		jsonw_u64(j, "count", f->env.count);
	if (f->env.found >= 0)
		jsonw_bool(j, "found", f->env.found);
	if (f->env.mechanism < ENV_MECHANISMS)
		jsonw_str(j, "mechanism", mechanisms[f->env.mechanism]);
	if (f->env.mechanism != ENV_COPY)
		jsonw_bool(j, "sensitive", f->env.sensitive);
	jsonw_bool(j, "late", f->env.late);
	jsonw_close(j);
}

static void peek_invigil(struct jsonw *j, const struct fact *f)
{
	static const char *const mechanisms[PEEK_HOWS] = {
#define PEEK_ROW(upper, text) [PEEK_##upper] = text,
		PEEK_TABLE(PEEK_ROW)
#undef PEEK_ROW
	};
	static const char *const relations[RELATIONS] = {
		[RELATION_SELF] = "self",
		[RELATION_DESCENDANT] = "descendant",
		[RELATION_MEMBER] = "run",
		[RELATION_OUTSIDE] = "outside",
	};

	jsonw_obj(j, f->peek.how == PEEK_ENVIRON ? "env" : "memory");
	jsonw_str(j, "mechanism", mechanisms[f->peek.how]);
	jsonw_u64(j, "target_pid", f->peek.target_pid);
	if (f->peek.target)
		jsonw_str(j, "target_entity_id", f->peek.target->entity_id);
	jsonw_str(j, "target_name", f->peek.target_comm);
	jsonw_str(j, "target", relations[f->peek.relation]);
	jsonw_close(j);
}

static void health_invigil(struct jsonw *j, const struct fact *f)
{
	bool lost = f->health.what == HEALTH_LOST;

	jsonw_obj(j, "gap");
	text_write(j, "hook", f->health.hook);
	text_write(j, "reason", f->health.reason);
	text_write(j, "effect", f->health.effect);
	jsonw_bool(j, "incomplete", f->health.incomplete);
	if (f->health.what == HEALTH_CUT)
		jsonw_u64(j, "count", f->health.count);
	jsonw_close(j);
	if (!lost)
		return;
	jsonw_obj(j, "lost");
	jsonw_u64(j, "count", f->health.count);
	jsonw_str(j, "type", f->health.type);
	jsonw_close(j);
}

static void exit_invigil(struct jsonw *j, const struct process *p)
{
	int status = (int)p->status;

	jsonw_obj(j, "env");
	jsonw_u64(j, "reads", p->env_reads);
	jsonw_u64(j, "startup_names", p->env_startup);
	jsonw_bool(j, "late", p->env_late);
	if (p->env_unseen)
		jsonw_str(j, "unseen", p->env_unseen);
	jsonw_close(j);
	if (!WIFSIGNALED(status))
		return;
	jsonw_obj(j, "exit");
	jsonw_i64(j, "signal", WTERMSIG(status));
	jsonw_close(j);
}

static void hash_invigil(struct jsonw *j, const struct fact *f)
{
	static const char *const texts[HASH_STATUSES] = {
		[HASH_DONE] = "as executed",
		[HASH_CHANGED] = "written to since it was executed",
		[HASH_GONE] = "not there any more, another file, or not readable",
		[HASH_LARGE] = "too large",
		[HASH_LATE] = "not done in time",
	};

	jsonw_obj(j, "hash");
	jsonw_str(j, "state", texts[f->hash.status]);
	jsonw_close(j);
}

void ecs_fact_invigil(struct jsonw *j, const struct fact *f, bool whole)
{
	switch (f->kind) {
	case FACT_EXEC:
	case FACT_ATTEMPT:
		if (f->process && whole)
			ecs_exec(j, f->process);
		break;
	case FACT_EXIT:
		if (f->process && whole)
			exit_invigil(j, f->process);
		break;
	case FACT_ENV:
		env_invigil(j, f);
		break;
	case FACT_CONNECT:
		connect_invigil(j, f);
		break;
	case FACT_DOCKER:
		docker_invigil(j, &f->docker, whole);
		break;
	case FACT_FILE:
		file_invigil(j, f);
		break;
	case FACT_PEEK:
		peek_invigil(j, f);
		break;
	case FACT_HASH:
		hash_invigil(j, f);
		break;
	case FACT_HEALTH:
		health_invigil(j, f);
		break;
	default:
		break;
	}
}

/* ---- rules ---- */

/* One page to read: the technique's, else the weakness's, else the first reference as it is. */
static void reference_write(struct jsonw *j, const struct rule *r)
{
	const struct technique *t = &r->technique;
	const char *refs = r->references ? r->references : "", *cwe = strstr(refs, "CWE-");
	const char *id = t->sub_id ? t->sub_id : t->id, *dot = id ? strchr(id, '.') : NULL;

	if (dot)
		jsonw_fmt(j, "reference", "https://attack.mitre.org/techniques/%.*s/%s/",
			  (int)(dot - id), id, dot + 1);
	else if (id)
		jsonw_fmt(j, "reference", "https://attack.mitre.org/techniques/%s/", id);
	else if (cwe)
		jsonw_fmt(j, "reference", "https://cwe.mitre.org/data/definitions/%.*s.html",
			  (int)strspn(cwe + 4, "0123456789"), cwe + 4);
	else if (*refs)
		jsonw_fmt(j, "reference", "%.*s", (int)strcspn(refs, " "), refs);
}

void ecs_rule(struct jsonw *j, const struct rule *r)
{
	jsonw_obj(j, "rule");
	jsonw_str(j, "id", r->id);
	jsonw_str(j, "name", r->name);
	if (r->risk < RISKS)
		jsonw_str(j, "category", categories[r->risk].name);
	jsonw_str(j, "description", r->description);
	reference_write(j, r);
	jsonw_str(j, "ruleset", "invigil");
	jsonw_str(j, "version", INVIGIL_VERSION);
	jsonw_close(j);
}

/* ECS has these as arrays. */
static void one_write(struct jsonw *j, const char *key, const char *text)
{
	if (!text)
		return;
	jsonw_arr(j, key);
	jsonw_str(j, NULL, text);
	jsonw_close(j);
}

void ecs_threat(struct jsonw *j, const struct rule *r)
{
	const struct technique *t = &r->technique;

	if (!t->id)
		return;
	jsonw_obj(j, "threat");
	jsonw_str(j, "framework", "MITRE ATT&CK");
	jsonw_obj(j, "tactic");
	one_write(j, "id", t->tactic_id);
	one_write(j, "name", t->tactic);
	jsonw_close(j);
	jsonw_obj(j, "technique");
	one_write(j, "id", t->id);
	one_write(j, "name", t->name);
	if (t->sub_id) {
		jsonw_obj(j, "subtechnique");
		one_write(j, "id", t->sub_id);
		one_write(j, "name", t->sub_name);
		jsonw_close(j);
	}
	jsonw_close(j);
	jsonw_close(j);
}
