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
struct member {
	uint32_t run, flags, script[4];
	char container[EV_CONTAINER_LEN];
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

int loader_member_fd(struct loader *l, int pidfd, uint32_t run)
{
	struct member m = { .run = run };
	uint32_t pid;

	if (l->plain.len) {
		pid = pidfd_process(pidfd);
		return pid ? bpf_map_update_elem(bpf_map__fd(l->skel->maps.members), &pid, &m,
						 BPF_ANY)
			   : -ESRCH;
	}
	return bpf_map_update_elem(bpf_map__fd(l->skel->maps.members), &pidfd, &m, BPF_ANY);
}

int loader_member(struct loader *l, pid_t pid, uint32_t run)
{
	int fd = syscall(SYS_pidfd_open, pid, 0), err;

	if (fd < 0)
		return -errno;
	err = loader_member_fd(l, fd, run);
	close(fd);
	return err;
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

/* A step that several runs build, or one run several times, is counted. */
static int step_change(struct loader *l, const struct build_step *s, uint32_t run, bool on)
{
	int fd = bpf_map__fd(l->skel->maps.build_steps), err;
	struct build_user u = { run, 0 };

	err = bpf_map_lookup_elem(fd, s, &u);
	if (err && !on)
		return 0;
	if (u.run != run)
		u.run = BUILD_STEP_MANY;
	u.builds += on ? 1 : -1;
	return u.builds ? bpf_map_update_elem(fd, s, &u, BPF_ANY) : bpf_map_delete_elem(fd, s);
}

int loader_build(struct loader *l, const struct build_step *steps, unsigned n, uint32_t run,
		 bool on)
{
	struct builder *free_one = NULL, *mine = NULL, *b;
	int err = 0;

	for (b = l->skel->bss->builders; b < l->skel->bss->builders + BUILDERS; b++) {
		if (b->run == run)
			mine = b;
		else if (!b->run && !free_one)
			free_one = b;
	}
	for (unsigned i = 0; i < n; i++) {
		int bad = step_change(l, steps + i, run, on);

		err = err ? err : bad;
	}
	if (on && (mine || free_one)) {
		b = mine ? mine : free_one;
		l->skel->bss->building += !b->builds++;
		b->told = 0;
		b->run = run;
	} else if (!on && mine && !--mine->builds) {
		l->skel->bss->building--;
		mine->run = 0;
	}
	return on && !mine && !free_one ? -E2BIG : err;
}

void loader_guard(struct loader *l, unsigned role, pid_t pid)
{
	l->skel->bss->ours[role] = pid;
}

int loader_watch(struct loader *l, uint64_t ino, uint32_t dev, uint32_t run)
{
	struct {
		uint64_t ino;
		uint32_t dev, run;
	} key = { ino, dev, run };
	uint64_t left = l->skel->rodata->watch_file_budget;

	int err = bpf_map_update_elem(bpf_map__fd(l->skel->maps.watched), &key, &left, BPF_NOEXIST);

	return err == -EEXIST ? 0 : err; /* its budget goes on */
}
