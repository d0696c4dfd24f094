/* build.bpf.c: steps of image builds whose containers nobody tells (quiet ones, BuildKit's), known by what they execute. */
#include "container.bpf.h"

struct builder builders[BUILDERS];
__u32 building;

struct step_room {
	struct build_step step;
	struct member member;
};

/* A slot for each processor: no program that uses it sleeps or is preempted. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct step_room);
} step_scratch SEC(".maps");

#define KIT_ID 25 /* letters and digits: moby/buildkit, identity/randomid.go */

static __always_inline bool is_word(const void *at, const char eight[9])
{
	u64 one, other;

	__builtin_memcpy(&one, at, sizeof(one));
	__builtin_memcpy(&other, eight, sizeof(other));
	return one == other;
}

/* A container's own cgroup, by its name's length and, of BuildKit's, by the one that it lies in. */
static __always_inline bool is_container(struct cgroup *cgroup, struct member *m)
{
	long n = leaf_take(cgroup, m);
	char parent[16] = {};

	if (n == EV_CONTAINER_LEN + 1 || n == LEAF_MAX)
		return true;
	if (n != KIT_ID + 1)
		return false;
	bpf_probe_read_kernel_str(parent, sizeof(parent),
				  BPF_CORE_READ(cgroup, self.parent, cgroup, kn, name));
	return is_word(parent, "buildkit") && !parent[8];
}

static __always_inline void stranger_tell(const struct member *at)
{
	for (u32 i = 0; i < BUILDERS; i++) {
		struct {
			struct ev_hdr h;
			struct ev_stranger e;
		} * r;

		if (!builders[i].run || builders[i].told)
			continue;
		r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
		if (!r) {
			count_lost(EV_STRANGER);
			continue;
		}
		builders[i].told = 1;
		hdr_fill(&r->h, EV_STRANGER, builders[i].run);
		/* Of no process of the run. */
		r->h.pid = r->h.tid = 0;
		r->h.start = 0;
		__builtin_memcpy(r->e.container, at->container, sizeof(r->e.container));
		bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	}
}

int step_enter(void)
{
	struct task_struct *task = task_current();
	u32 zero = 0;
	struct step_room *room = bpf_map_lookup_elem(&step_scratch, &zero);
	struct build_user *user;
	struct build_step *s;
	struct member *at;
	u64 start, n;

	if (!room)
		return 0;
	s = &room->step;
	at = &room->member;
	if (!is_container(cgroup_of(task), at))
		return 0;
	start = BPF_CORE_READ(task, mm, arg_start);
	n = BPF_CORE_READ(task, mm, arg_end) - start;
	__builtin_memset(s, 0, sizeof(*s));
	s->len = n;
	CLAMP(n, BUILD_STEP_ARGS);
	if (bpf_probe_read_user(s->args, n, (void *)start))
		s->len = 0;
	/* The runtime itself, on its way into the container. */
	if (is_word(s->args, "runc\0ini") && s->args[8] == 't')
		return 0;
	user = bpf_map_lookup_elem(&build_steps, s);
	if (!user || user->run == BUILD_STEP_MANY || is_dropped(user->run)) {
		stranger_tell(at);
		return 0;
	}
	at->run = user->run;
	at->flags = MEMBER_STEP;
	bpf_map_update_elem(&containers, at->container, &at->run, BPF_ANY);
	if (member_put(task, at))
		return at->run;
	__sync_fetch_and_add(&lost_members, 1);
	return 0;
}
