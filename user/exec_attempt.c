/* exec_attempt.c: what a call of execve asks for that will fail, and why its file will make it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "buf.h"
#include "exec_file.h"
#include "thread_memory.h"

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

/* The process of a thread; 0: it is gone. */
static pid_t process_of(pid_t tid)
{
	char line[32];

	/* Signal 0 asks whether there is such a thread in such a process (ESRCH), before it asks for the right to. */
	if (!syscall(SYS_tgkill, tid, tid, 0) || errno == EPERM)
		return tid;
	return status_line(tid, "Tgid", line, sizeof(line)) ? atoi(line) : 0;
}

/* One more argument; false: no more of them are seen. */
static bool arg_add(struct exec_attempt *out, pid_t tid, uint64_t addr, const char *known)
{
	char *to = out->args + out->args_len;
	size_t room = sizeof(out->args) - out->args_len;

	if (room > ARG_MAX_SEEN)
		room = ARG_MAX_SEEN;
	if (room < 2) {
		out->cut = true;
		return false;
	}
	memset(to, 0, room);
	if (known && strlen(known) < room) {
		memcpy(to, known, strlen(known));
	} else if (!thread_text(tid, addr, to, room)) {
		out->cut = true;
		to[room - 1] = 0;
	}
	out->args_len += strlen(to) + 1;
	return true;
}

bool exec_attempt_read(const struct gate_call *call, struct exec_attempt *out)
{
	bool at = call->nr == __NR_execveat;
	uint64_t pointer[ARGS_SEEN];
	struct thread_texts texts;
	unsigned n = ARGS_SEEN;

	if (!thread_call(call->tid, call->args[at], call->args[1 + at], out->file, pointer, &n))
		return false;
	out->pid = process_of(call->tid);
	if (!out->pid)
		return false;
	out->file_len = strlen(out->file) + 1;
	out->args_len = 0;
	out->cut = n == ARGS_SEEN;
	n -= out->cut;
	for (unsigned i = 0; i < n; i += TEXTS_MAX) {
		unsigned some = n - i < TEXTS_MAX ? n - i : TEXTS_MAX;

		thread_texts(call->tid, pointer + i, some, &texts);
		for (unsigned k = 0; k < some; k++)
			if (!arg_add(out, call->tid, pointer[i + k], texts.text[k]))
				n = 0;
		explicit_bzero(&texts, sizeof(texts));
	}
	return true;
}
