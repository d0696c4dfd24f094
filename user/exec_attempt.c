/* exec_attempt.c: what a call of execve asks for that will fail, and why its file will make it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "buf.h"
#include "exec_file.h"

#define ARGS_SEEN    64
#define ARG_MAX_SEEN 512u

/* The line of /proc/TID/status behind "NAME:"; false: there is none, or no such thread. */
static bool status_line(pid_t tid, const char *name, char *out, size_t n)
{
	char path[64];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	f = fopen(path, "re");
	while (f && !found && fgets(out, (int)n, f)) {
		size_t len = strlen(name);

		found = !strncmp(out, name, len) && out[len] == ':';
		if (found)
			memmove(out, out + len + 1, strlen(out + len + 1) + 1);
	}
	if (f)
		fclose(f);
	return found;
}

/* The fourth number: what file systems go by. */
static long long fs_id(pid_t tid, const char *name)
{
	char line[128];
	long long id[4];

	if (!status_line(tid, name, line, sizeof(line)) ||
	    sscanf(line, "%lld %lld %lld %lld", &id[0], &id[1], &id[2], &id[3]) != 4)
		return -1;
	return id[3];
}

static bool in_group(pid_t tid, uint32_t gid)
{
	char line[4096], *at = line, *end;

	if (fs_id(tid, "Gid") == gid)
		return true;
	if (!status_line(tid, "Groups", line, sizeof(line)))
		return true;
	for (;;) {
		unsigned long long one = strtoull(at, &end, 10);

		if (end == at)
			return false;
		if (one == gid)
			return true;
		at = end;
	}
}

/* By mode and owner; who is root may when anybody may (path_resolution(7)). */
static bool may_execute(pid_t tid, const struct env_file *file)
{
	long long uid;

	if (!(file->mode & 0111) || (file->mode & 0111) == 0111)
		return file->mode & 0111;
	uid = fs_id(tid, "Uid");
	if (uid <= 0)
		return true;
	if (uid == file->uid)
		return file->mode & S_IXUSR;
	return file->mode & (in_group(tid, file->gid) ? S_IXGRP : S_IXOTH);
}

int exec_refused(pid_t tid, const struct env_file *file)
{
	if (!S_ISREG(file->mode) || !may_execute(tid, file))
		return EACCES;
	return file->runs ? 0 : ENOEXEC;
}

bool exec_attempt_read(const struct gate_call *call, struct exec_attempt *out)
{
	bool at = call->nr == __NR_execveat;
	uint64_t pointer[ARGS_SEEN];
	char line[32];
	unsigned n;

	out->args_len = 0;
	out->cut = false;
	if (!thread_text(call->tid, call->args[at], out->file, sizeof(out->file)) ||
	    !status_line(call->tid, "Tgid", line, sizeof(line)))
		return false;
	out->pid = atoi(line);
	out->file_len = strlen(out->file) + 1;
	n = thread_bytes(call->tid, call->args[1 + at], pointer, sizeof(pointer)) /
	    sizeof(pointer[0]);
	for (unsigned i = 0; i < n && pointer[i]; i++) {
		char *to = out->args + out->args_len;
		size_t room = sizeof(out->args) - out->args_len;

		if (room > ARG_MAX_SEEN)
			room = ARG_MAX_SEEN;
		if (room < 2 || i == ARGS_SEEN - 1) {
			out->cut = true;
			break;
		}
		memset(to, 0, room);
		if (!thread_text(call->tid, pointer[i], to, room)) {
			out->cut = true;
			to[room - 1] = 0;
		}
		out->args_len += strlen(to) + 1;
	}
	return true;
}
