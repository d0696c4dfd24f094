/* container.bpf.c: puts the processes of containers that a run created into the run, before they execute anything. */
#include "event.bpf.h"

struct container_id {
	char hex[EV_CONTAINER_LEN];
};

/*
 * Container id to run; the loader adds what a create response gave, which always comes before the
 * start. Kept for the whole run, so that a restarted container stays in. Full: counted by the loader.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct container_id);
	__type(value, u32);
} containers SEC(".maps");

/* The leaf is "<id>" (cgroupfs driver), "docker-<id>.scope" or "libpod-<id>.scope" (systemd driver). */
#define SCOPE_PREFIX 7

/* Runs in the runtime for the container's init and again for every exec; task is the one that moves. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(on_cgroup_attach, struct cgroup *cgroup, const char *path, struct task_struct *task)
{
	char leaf[SCOPE_PREFIX + EV_CONTAINER_LEN + 1] = {};
	struct member fresh = {}, *m;
	struct container_id id;
	u32 *run;

	bpf_probe_read_kernel_str(leaf, sizeof(leaf), BPF_CORE_READ(cgroup, kn, name));
	if (leaf[SCOPE_PREFIX - 1] == '-')
		__builtin_memcpy(&id, leaf + SCOPE_PREFIX, sizeof(id));
	else
		__builtin_memcpy(&id, leaf, sizeof(id));
	run = bpf_map_lookup_elem(&containers, &id);
	if (!run)
		return 0;
	m = bpf_task_storage_get(&members, task, 0, 0);
	if (m)
		return 0; /* other hierarchies of cgroup v1 attach again */
	fresh.run = *run;
	fresh.flags = MEMBER_WAITS;
	__builtin_memcpy(fresh.container, id.hex, sizeof(fresh.container));
	if (!bpf_task_storage_get(&members, task, &fresh, BPF_LOCAL_STORAGE_GET_F_CREATE))
		__sync_fetch_and_add(&lost_members, 1);
	return 0;
}
