/* ecs.c: what happened, as ECS field sets: by kind of fact. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ecs_parts.h"
#include "stream.h"

void ecs_text(struct jsonw *j, const char *key, struct span s)
{
	if (s.len)
		jsonw_span(j, key, s);
}

void ecs_error(struct jsonw *j, int error, const char *message)
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
		ecs_error(j, (int)f->attempt.error,
			  f->attempt.look ? "as the file looked at the exec gate" : NULL);
		break;
	case FACT_CONNECT:
		ecs_connect(j, f);
		break;
	case FACT_DOCKER:
		ecs_docker(j, &f->docker);
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
	ecs_text(j, "hook", f->health.hook);
	ecs_text(j, "reason", f->health.reason);
	ecs_text(j, "effect", f->health.effect);
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
		ecs_connect_invigil(j, f);
		break;
	case FACT_DOCKER:
		ecs_docker_invigil(j, &f->docker, whole);
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
