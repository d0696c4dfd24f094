/* loader_maps.c: what user space tells the loaded programs: members, engines, containers, builds, files. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "found.h"
#include "loader_state.h"

/* bpf/member.bpf.h */
#define MEMBER_WAITS 1
struct member {
	uint32_t run, flags, script[4];
	char container[EV_CONTAINER_LEN];
	uint64_t last[7]; /* the plain object has none: its value ends before */
};

int loader_take_in(struct loader *l, uint32_t pid, uint64_t start, uint32_t run)
{
	struct found_taken t = { .start = start, .run = run };

	return bpf_map_update_elem(bpf_map__fd(l->skel->maps.taken), &pid, &t, BPF_ANY);
}

static int name_add(int map, const char *name, size_t size)
{
	char key[EV_COMM_MAX + EV_MARKER_MAX] = { 0 };
	uint32_t one = 1;

	strncpy(key, name, size - 1);
	return bpf_map_update_elem(map, key, &one, BPF_ANY);
}

int loader_marker(struct loader *l, const char *variable)
{
	return name_add(bpf_map__fd(l->skel->maps.markers), variable, EV_MARKER_MAX);
}

int loader_program(struct loader *l, const char *comm)
{
	return name_add(bpf_map__fd(l->skel->maps.programs), comm, EV_COMM_MAX);
}

int loader_user(struct loader *l, uid_t uid)
{
	uint32_t key = uid, one = 1;

	return bpf_map_update_elem(bpf_map__fd(l->skel->maps.users), &key, &one, BPF_ANY);
}

void loader_every_exec(struct loader *l)
{
	l->skel->bss->every_exec = 1;
}

int loader_live(struct loader *l, uint32_t run)
{
	uint32_t one = 1;

	return bpf_map_update_elem(bpf_map__fd(l->skel->maps.living), &run, &one, BPF_ANY);
}

int loader_drop(struct loader *l, uint32_t run)
{
	uint32_t one = 1;

	bpf_map_delete_elem(bpf_map__fd(l->skel->maps.living), &run);
	return bpf_map_update_elem(bpf_map__fd(l->skel->maps.dropped), &run, &one, BPF_ANY);
}

#define KEY_MAX EV_CONTAINER_LEN /* bytes, of the maps below */

struct watch_key {
	uint64_t ino;
	uint32_t dev, run;
};

static bool container_of_run(int map, const void *key, uint32_t run)
{
	uint32_t of;

	return !bpf_map_lookup_elem(map, key, &of) && of == run;
}

static bool file_of_run(int map, const void *key, uint32_t run)
{
	(void)map;
	return ((const struct watch_key *)key)->run == run;
}

/* The next key is asked for while this one is still there: behind one that is gone the kernel begins anew. */
static void entries_delete(int map, bool (*is_its)(int map, const void *key, uint32_t run),
			   uint32_t run)
{
	uint64_t key[KEY_MAX / 8], next[KEY_MAX / 8];
	bool more = !bpf_map_get_next_key(map, NULL, next);

	while (more) {
		memcpy(key, next, sizeof(key));
		more = !bpf_map_get_next_key(map, key, next);
		if (is_its(map, key, run))
			bpf_map_delete_elem(map, key);
	}
}

void loader_forget(struct loader *l, uint32_t run)
{
	entries_delete(bpf_map__fd(l->skel->maps.containers), container_of_run, run);
	entries_delete(bpf_map__fd(l->skel->maps.watched), file_of_run, run);
}

static bool is_any(int map, const void *key, uint32_t run)
{
	(void)map;
	(void)key;
	(void)run;
	return true;
}

void loader_libraries_forget(struct loader *l)
{
	entries_delete(bpf_map__fd(l->skel->maps.libraries), is_any, 0);
}

/* The process of a pidfd, as /proc says it. 0: none. */
static uint32_t pidfd_process(int pidfd)
{
	char path[64], line[64];
	uint32_t pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Pid: %u", &pid) == 1)
			break;
	if (f)
		fclose(f);
	return pid;
}

static int member_set(struct loader *l, int pidfd, const struct member *m, uint64_t flags)
{
	int map = bpf_map__fd(l->skel->maps.members);
	uint32_t pid;

	if (!l->plain.len)
		return bpf_map_update_elem(map, &pidfd, m, flags);
	pid = pidfd_process(pidfd);
	return pid ? bpf_map_update_elem(map, &pid, m, flags) : -ESRCH;
}

int loader_member_fd(struct loader *l, int pidfd, uint32_t run)
{
	return member_set(l, pidfd, &(struct member){ .run = run }, BPF_ANY);
}

static int member_by_pid(struct loader *l, pid_t pid, const struct member *m, uint64_t flags)
{
	int fd = syscall(SYS_pidfd_open, pid, 0), err;

	if (fd < 0)
		return -errno;
	err = member_set(l, fd, m, flags);
	close(fd);
	return err;
}

int loader_member(struct loader *l, pid_t pid, uint32_t run)
{
	return member_by_pid(l, pid, &(struct member){ .run = run }, BPF_ANY);
}

int loader_member_inside(struct loader *l, pid_t pid, uint32_t run,
			 const char container[EV_CONTAINER_LEN], bool waits)
{
	struct member m = { .run = run, .flags = waits ? MEMBER_WAITS : 0 };

	memcpy(m.container, container, sizeof(m.container));
	return member_by_pid(l, pid, &m, BPF_NOEXIST);
}

int loader_engine(struct loader *l, uint64_t ino, uint32_t dev)
{
	struct {
		uint64_t ino;
		uint32_t dev, pad;
	} key = { ino, dev, 0 };
	uint32_t one = 1;

	return bpf_map_update_elem(bpf_map__fd(l->skel->maps.engines), &key, &one, BPF_ANY);
}

int loader_container(struct loader *l, const char id[EV_CONTAINER_LEN], uint32_t run)
{
	return bpf_map_update_elem(bpf_map__fd(l->skel->maps.containers), id, &run, BPF_ANY);
}

struct build_table *loader_builds(struct loader *l)
{
	return &l->builds;
}

void loader_guard(struct loader *l, unsigned role, pid_t pid)
{
	l->skel->bss->ours[role] = pid;
}

int loader_watch(struct loader *l, uint64_t ino, uint32_t dev, uint32_t run)
{
	struct watch_key key = { ino, dev, run };
	uint64_t left = l->skel->rodata->watch_file_budget;

	int err = bpf_map_update_elem(bpf_map__fd(l->skel->maps.watched), &key, &left, BPF_NOEXIST);

	return err == -EEXIST ? 0 : err; /* its budget goes on */
}
