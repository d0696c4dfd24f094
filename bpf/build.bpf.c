/* build.bpf.c: steps of image builds whose containers nobody tells (quiet ones, BuildKit's), known by what they execute. */
#include "container.bpf.h"

struct builder builders[BUILDERS];
__u32 building;

struct step_room {
	struct build_step step;
	struct member member;
	u64 text; /* where the last argument begins */
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

static __always_inline struct step_room *step_room(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&step_scratch, &zero);
}

static __always_inline u32 step_look(const struct build_step *s)
{
	struct build_user *user = bpf_map_lookup_elem(&build_steps, s);

	return user ? user->run : 0;
}

/*
 * Whose step is in the room; of one with a secret only a beginning is known, which is all that is left in the room then.
 * Global, as text_begin(): verified once.
 */
__attribute__((noinline)) u32 step_find(void)
{
	struct step_room *room = step_room();
	struct build_step *s = &room->step;
	u32 run;

	if (!room)
		return 0;
	run = step_look(s);
#define STEP_PART(from, to)                                                                        \
	if (!run) {                                                                                \
		__builtin_memset(s->args + (from), 0, (to) - (from));                              \
		s->len |= BUILD_STEP_PART;                                                         \
		run = step_look(s);                                                                \
	}
	STEP_PART(192, BUILD_STEP_ARGS)
	STEP_PART(128, 192)
	STEP_PART(64, 128)
	STEP_PART(32, 64)
	STEP_PART(16, 32)
#undef STEP_PART
	return run;
}

#define SHELL_ARGS 64 /* bytes of what stands before a step's text */

/*
 * Where the last argument begins, when the one before it ends in c, as a shell's option does; 0: no such. It is kept in
 * the map: of a variable the verifier would tell each value apart.
 */
__attribute__((noinline)) u64 text_begin(void)
{
	struct step_room *room = step_room();
	volatile u64 *text = &room->text;
	const char *args = room->step.args;

	if (!room)
		return 0;
	*text = 0;
	for (u32 i = 2; i < SHELL_ARGS; i++)
		if (!args[i] && args[i - 1] == 'c' && args[i + 1])
			*text = i + 1;
	return *text;
}

/* The len bytes of arguments that begin at start. */
static __always_inline void step_read(struct build_step *s, u64 start, u64 len, u32 flags)
{
	u64 n = len;

	__builtin_memset(s, 0, sizeof(*s));
	s->len = len | flags;
	CLAMP(n, BUILD_STEP_ARGS);
	if (bpf_probe_read_user(s->args, n, (void *)start))
		s->len = 0;
}

#define STEP_RUNTIME 0xfffffffdu /* the runtime itself, on its way into the container */

/* Whose step the current task begins to execute; 0: none's. Global, as text_begin(). */
__attribute__((noinline)) u32 step_run(void)
{
	struct task_struct *task = task_current();
	struct step_room *room = step_room();
	struct build_step *s;
	u64 start, n, text;
	u32 run;

	if (!room)
		return 0;
	s = &room->step;
	start = BPF_CORE_READ(task, mm, arg_start);
	n = BPF_CORE_READ(task, mm, arg_end) - start;
	step_read(s, start, n, 0);
	if (is_word(s->args, "runc\0ini") && s->args[8] == 't')
		return STEP_RUNTIME;
	text = text_begin();
	run = step_find();
	if (!run && text) {
		step_read(s, start + text, n - text, BUILD_STEP_TEXT);
		run = step_find();
	}
	return run;
}

int step_of(u32 run)
{
	u32 whose = step_run();

	return whose && (whose == run || whose == BUILD_STEP_MANY || whose == BUILD_STEP_ASK);
}

int step_enter(void)
{
	struct task_struct *task = task_current();
	struct step_room *room = step_room();
	struct member *at;
	u32 run;

	if (!room)
		return 0;
	at = &room->member;
	if (!is_container(cgroup_of(task), at))
		return 0;
	run = step_run();
	if (run == STEP_RUNTIME)
		return 0;
	/* What two runs build is not looked for by less: that would be a guess. */
	if (!run || run == BUILD_STEP_MANY || is_dropped(run)) {
		stranger_tell(at);
		return 0;
	}
	at->run = run == BUILD_STEP_ASK ? bpf_get_prandom_u32() | TICKET : run;
	at->flags = MEMBER_STEP;
	bpf_map_update_elem(&containers, at->container, &at->run, BPF_ANY);
	if (member_put(task, at))
		return at->run;
	__sync_fetch_and_add(&lost_members, 1);
	return 0;
}
