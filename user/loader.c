/* loader.c: loads the BPF side by the probe table and drains its ring. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "build_step.h"
#include "env_attach.h"
#include "event.h"
#include "found.h"
#include "loader.h"
#include "probe.h"
#include "uprobe.h"
#include "python.h"
#include "gunzip.h"
#include "plain_object.h"
#include "invigil.skel.h"

/* bpf/member.bpf.h */
struct member {
	uint32_t run, flags, script[4];
	char container[EV_CONTAINER_LEN];
};

struct loader {
	struct invigil *skel;
	struct buf plain; /* object; empty: the usual one */
	struct ring_buffer *ring;
	struct attached {
		struct bpf_link *link;
		const struct need *need;
	} links[40];
	unsigned n_links;
	bool daemon;
	const char *env_reads;
	const char *failed[32]; /* needs that could not be attached */
	const char *failed_why[32];
	unsigned n_failed;
	struct env_attach *env;
	uint64_t load_time;
	bool detached;
	/* during a drain */
	loader_fn *fn;
	void *ctx;
	char *copy;
};

static char log_text[1 << 20]; /* what libbpf said */

static int print_keep(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	size_t n = strlen(log_text);

	if (level == LIBBPF_WARN && n < sizeof(log_text) - 1)
		vsnprintf(log_text + n, sizeof(log_text) - n, fmt, ap);
	return 0;
}

/* A need without programs is met elsewhere: the gate. */
static bool is_ours(const struct need *n)
{
	return n->tiers[0].programs[0] != NULL;
}

/* "on_sys_open@creat": the program, and the system call at whose end it stands, its raw tracepoint or its function. */
static struct bpf_program *program_named(struct invigil *skel, const char *name)
{
	char program[64];

	snprintf(program, sizeof(program), "%.*s", (int)strcspn(name, "@"), name);
	return bpf_object__find_program_by_name(skel->obj, program);
}

static struct bpf_link *program_attach(struct invigil *skel, const char *name)
{
	struct bpf_program *prog = program_named(skel, name);
	const char *call = strchr(name, '@');
	char event[64];

	if (!call || bpf_program__type(prog) == BPF_PROG_TYPE_TRACING)
		return bpf_program__attach(prog);
	if (bpf_program__type(prog) == BPF_PROG_TYPE_RAW_TRACEPOINT)
		return bpf_program__attach_raw_tracepoint(prog, call + 1);
	snprintf(event, sizeof(event), "sys_exit_%s", call + 1);
	return bpf_program__attach_tracepoint(prog, "syscalls", event);
}

static void autoload_choose(struct invigil *skel, bool env, bool daemon)
{
	struct bpf_program *prog = NULL;

	bpf_object__for_each_program(prog, skel->obj) bpf_program__set_autoload(prog, false);
	for (size_t i = 0; i < n_needs; i++) {
		const struct tier *t = is_ours(&needs[i]) ? need_tier(&needs[i]) : NULL;

		if (!t || !need_asked(&needs[i]) || (need_is_env(&needs[i]) && !env) ||
		    (need_when(&needs[i]) == WHEN_DAEMON && !daemon))
			continue;
		for (const char *const *name = t->programs; *name; name++) {
			prog = program_named(skel, *name);
			bpf_program__set_autoload(prog, true);
			if (strchr(*name, '@') && bpf_program__type(prog) == BPF_PROG_TYPE_TRACING)
				bpf_program__set_attach_target(prog, 0, strchr(*name, '@') + 1);
			if (bpf_program__type(prog) != BPF_PROG_TYPE_KPROBE)
				continue;
			if (need_is_env(&needs[i]) && feature_works(FEAT_UPROBE_MULTI))
				bpf_program__set_expected_attach_type(
					prog, (enum bpf_attach_type)ATTACH_UPROBE_MULTI);
			if (t->feature == FEAT_UPROBE_SLEEPABLE)
				bpf_program__set_flags(prog, BPF_F_SLEEPABLE);
		}
	}
}

static void need_failed(struct loader *l, const struct need *n, const char *why)
{
	l->failed[l->n_failed] = n->name;
	l->failed_why[l->n_failed++] = why;
}

/* When it is attached: what could not be attached a second time stays, and sees nothing between runs. */
static enum when need_due(const struct loader *l, const struct need *n)
{
	const struct tier *t = need_tier(n);
	struct bpf_program *first = t ? program_named(l->skel, t->programs[0]) : NULL;

	if (l->daemon && first && bpf_program__expected_attach_type(first) == BPF_TRACE_FEXIT &&
	    !feature_works(FEAT_REATTACH))
		return WHEN_ALWAYS;
	return need_when(n);
}

static bool need_attach(struct loader *l, const struct need *n)
{
	const struct tier *t = need_tier(n);

	if (!t) {
		errno = ENOTSUP;
		need_failed(l, n, "no way on this kernel");
		return false;
	}
	for (const char *const *name = t->programs; *name && !need_is_env(n); name++) {
		struct bpf_link *link = program_attach(l->skel, *name);

		if (!link) {
			need_failed(l, n, strerror(errno));
			return false;
		}
		l->links[l->n_links++] = (struct attached){ link, n };
	}
	return true;
}

/* Everything that is due at this time. Sets *what; false when something required failed. */
static bool needs_attach(struct loader *l, bool idle, const char **what)
{
	for (size_t i = 0; i < n_needs; i++) {
		const struct need *n = &needs[i];

		*what = n->name;
		if (!is_ours(n) || !need_asked(n) || need_is_env(n) ||
		    (need_due(l, n) == WHEN_RUN) == idle ||
		    (need_when(n) == WHEN_DAEMON && !l->daemon))
			continue;
		if (!need_attach(l, n) && n->required)
			return false;
	}
	return true;
}

static void layouts_fill(struct invigil *skel)
{
	static const struct python_layout layouts[] = {
#define LAYOUT(...) { __VA_ARGS__ },
#include "python_layout.def"
#undef LAYOUT
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(layouts); i++)
		bpf_map_update_elem(bpf_map__fd(skel->maps.python_layouts), &i, &layouts[i], 0);
}

#define OBJECT_MAX (8u << 20)

static bool takes_memory(const struct btf *btf, const struct btf_type *function)
{
	const struct btf_type *proto = btf__type_by_id(btf, function->type);

	for (unsigned i = 0; i < btf_vlen(proto); i++)
		if (btf_is_ptr(btf__type_by_id(btf, btf_params(proto)[i].type)))
			return true;
	return false;
}

/* Where a global function may not take memory: a static one is verified with each caller. */
static void functions_static(struct btf *btf)
{
	for (uint32_t i = 1; i < btf__type_cnt(btf); i++) {
		struct btf_type *t = (struct btf_type *)btf__type_by_id(btf, i);

		if (btf_is_func(t) && takes_memory(btf, t))
			t->info = BTF_KIND_FUNC << 24 | BTF_FUNC_STATIC;
	}
}

/* Both objects have the same programs, maps and variables: the Makefile compares them. */
static struct invigil *object_open(struct loader *l)
{
	struct bpf_map *map = NULL;
	struct invigil *skel;

	if (feature_works(FEAT_LOOP))
		return invigil__open();
	skel = calloc(1, sizeof(*skel));
	if (!skel || !gunzip(plain_object(), OBJECT_MAX, &l->plain) ||
	    invigil__create_skeleton(skel))
		goto fail;
	skel->skeleton->data = l->plain.ptr;
	skel->skeleton->data_sz = l->plain.len;
	if (bpf_object__open_skeleton(skel->skeleton, NULL))
		goto fail;
	functions_static(bpf_object__btf(skel->obj));
	/* Memory allocated by a probe is a kernel warning there (94dacdbd5d2d). */
	bpf_object__for_each_map(map, skel->obj) if (bpf_map__type(map) == BPF_MAP_TYPE_HASH)
		bpf_map__set_map_flags(map, 0);
	bpf_map__set_max_entries(skel->maps.env_states, 2048);
	/* Of programs that this object does not load. */
	bpf_map__set_autocreate(skel->maps.python_walks, false);
	bpf_map__set_autocreate(skel->maps.conns, false);
	return skel;
fail:
	invigil__destroy(skel);
	return NULL;
}

static int on_ring(void *ctx, void *data, size_t n)
{
	struct loader *l = ctx;

	/* Ring memory is mapped read-only; the scrubber writes. */
	memcpy(l->copy, data, n);
	l->fn(l->ctx, l->copy, n);
	return 0;
}

static uint64_t cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void failure_say(const char *what, int err)
{
	const char *advice = features_advice();

	if (advice)
		fprintf(stderr, "invigil: cannot trace: %s\n", advice);
	else
		fprintf(stderr, "invigil: cannot trace: %s: %s\n%s", what, strerror(err), log_text);
}

#define RECORD_MAX (512u << 10)

/*
 * Who drains too late loses records; on a machine that is busy with the run itself it would. It needs a
 * fraction of what it watches. Where each session is a group of its own (sched(7), autogroup) it is the
 * group that counts. Refused: as it was.
 */
static void hurry(void)
{
	ssize_t n;
	int fd;

	setpriority(PRIO_PROCESS, 0, -10);
	if (getsid(0) != getpid())
		return; /* others are in the group */
	fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = write(fd, "-10", 3);
	(void)n;
	close(fd);
}

/*
 * libbpf tries links of perf events by loading a program, when the first one is made: that may be after this
 * process has given up to load any. No perf event is asked for.
 */
static void perf_links_try(struct invigil *skel)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	bpf_link__destroy(bpf_program__attach_perf_event(skel->progs.on_exec, fd));
	close(fd);
	log_text[0] = 0;
}

struct loader *loader_open(const char *env_reads, bool daemon, bool any_file)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	struct loader *l = xcalloc(1, sizeof(*l));
	bool env = strcmp(env_reads, "off");
	const char *what = "open";
	int err;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(print_keep);
	/* Refused without CAP_SYS_RESOURCE: no error, memory is accounted by cgroup since 5.11. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	l->copy = xcalloc(1, RECORD_MAX);
	l->skel = object_open(l);
	if (!l->skel)
		goto fail;
	bpf_map__set_max_entries(l->skel->maps.exec_scratch, libbpf_num_possible_cpus());
	l->daemon = daemon;
	l->env_reads = env_reads;
	autoload_choose(l->skel, env, daemon);
	bpf_map__set_autocreate(l->skel->maps.conns_numbered,
				!feature_works(FEAT_LOOP) ||
					bpf_program__autoload(l->skel->progs.on_sys_transfer));
	l->skel->rodata->many_runs = daemon;
	l->skel->rodata->can_sleep = feature_works(FEAT_UPROBE_SLEEPABLE);
	l->skel->rodata->tcp_recv_params = probe_tcp_recv_params();
	l->skel->rodata->setattr_params = probe_setattr_params();
	if (getrandom((void *)l->skel->rodata->env_seed, sizeof(l->skel->rodata->env_seed), 0) < 0)
		goto fail;
	l->skel->rodata->any_name = any_file;
	what = "load";
	l->load_time = cpu_now();
	err = invigil__load(l->skel);
	l->load_time = cpu_now() - l->load_time;
	if (err) {
		errno = -err;
		goto fail;
	}
	layouts_fill(l->skel);
	if (!needs_attach(l, true, &what) || (!daemon && !needs_attach(l, false, &what)))
		goto fail;
	what = "ring";
	l->ring = ring_buffer__new(bpf_map__fd(l->skel->maps.ring), on_ring, l, NULL);
	if (!l->ring)
		goto fail;
	hurry();
	perf_links_try(l->skel);
	if (env && !daemon)
		l->env = env_attach_new(l->skel, !strcmp(env_reads, "c"));
	return l;
fail:
	failure_say(what, errno);
	loader_close(l);
	return NULL;
}

void loader_stop(struct loader *l)
{
	l->skel->bss->stopped = 1;
	/* A program that read the old value needs a moment to submit: one more drain after all CPUs were here. */
	syscall(SYS_membarrier, 1 << 0 /* MEMBARRIER_CMD_GLOBAL: an RCU grace period */, 0, 0);
}

void loader_detach(struct loader *l)
{
	if (l->detached)
		return;
	l->detached = true;
	env_attach_free(l->env);
	l->env = NULL;
	for (unsigned i = 0; i < l->n_links; i++)
		bpf_link__destroy(l->links[i].link);
}

bool loader_activate(struct loader *l)
{
	const char *what;

	if (!needs_attach(l, false, &what)) {
		fprintf(stderr, "invigil: cannot attach: %s: %s\n", what, strerror(errno));
		return false;
	}
	if (strcmp(l->env_reads, "off"))
		l->env = env_attach_new(l->skel, !strcmp(l->env_reads, "c"));
	return true;
}

void loader_idle(struct loader *l)
{
	unsigned kept = 0;

	env_attach_free(l->env);
	l->env = NULL;
	for (unsigned i = 0; i < l->n_links; i++)
		if (need_due(l, l->links[i].need) == WHEN_RUN)
			bpf_link__destroy(l->links[i].link);
		else
			l->links[kept++] = l->links[i];
	l->n_links = kept;
	l->n_failed = 0;
}

int loader_found(struct loader *l, void (*fn)(void *ctx, const struct found_task *t), void *ctx)
{
	struct bpf_link *link = bpf_program__attach_iter(l->skel->progs.on_found, NULL);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -errno;
	struct found_task rows[64];
	size_t have = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, (char *)rows + have, sizeof(rows) - have)) > 0) {
		have += n;
		for (size_t i = 0; fn && i < have / sizeof(rows[0]); i++)
			fn(ctx, &rows[i]);
		memmove(rows, (char *)rows + have - have % sizeof(rows[0]), have % sizeof(rows[0]));
		have %= sizeof(rows[0]);
	}
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return fd < 0 ? fd : 0;
}

int loader_take_in(struct loader *l, uint32_t pid, uint64_t start, uint32_t run)
{
	struct found_taken t = { .start = start, .run = run };

	return bpf_map_update_elem(bpf_map__fd(l->skel->maps.taken), &pid, &t, BPF_ANY);
}

void loader_links_leave(struct loader *l)
{
	for (unsigned i = 0; i < l->n_links; i++)
		close(bpf_link__fd(l->links[i].link));
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

void loader_close(struct loader *l)
{
	if (!l)
		return;
	loader_detach(l);
	ring_buffer__free(l->ring);
	invigil__destroy(l->skel);
	buf_free(&l->plain);
	free(l->copy);
	free(l);
}

bool loader_missed(const struct loader *l, const char *hook)
{
	for (unsigned i = 0; i < l->n_failed; i++)
		if (!strcmp(l->failed[i], hook))
			return true;
	return false;
}

void loader_gaps(const struct loader *l,
		 void (*fn)(void *ctx, const char *hook, const char *reason, const char *effect,
			    bool required),
		 void *ctx)
{
	for (unsigned i = 0; i < l->n_failed; i++)
		for (size_t k = 0; k < n_needs; k++)
			if (needs[k].name == l->failed[i])
				fn(ctx, needs[k].name, l->failed_why[i], needs[k].effect, true);
	for (size_t k = 0; k < n_needs; k++)
		if (need_is_env(&needs[k]) && !need_tier(&needs[k]))
			fn(ctx, needs[k].name, "no way on this kernel", needs[k].effect, false);
	if (!l->env)
		fn(ctx, "environment reads", "switched off", "variables read by name", false);
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

int loader_ring_fd(const struct loader *l)
{
	return ring_buffer__epoll_fd(l->ring);
}

int loader_drain(struct loader *l, loader_fn *fn, void *ctx)
{
	int n;

	l->fn = fn;
	l->ctx = ctx;
	n = ring_buffer__consume(l->ring);
	return n < 0 ? n : 0;
}

void loader_programs(const struct loader *l,
		     void (*fn)(void *ctx, const char *name, uint32_t verified), void *ctx)
{
	struct bpf_program *prog = NULL;

	bpf_object__for_each_program(prog, l->skel->obj)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t n = sizeof(info);

		if (bpf_program__fd(prog) < 0 ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &n))
			continue;
		fn(ctx, bpf_program__name(prog), info.verified_insns);
	}
}

uint64_t loader_load_time(const struct loader *l)
{
	return l->load_time;
}

void loader_losses(const struct loader *l, void (*fn)(void *ctx, uint32_t type, uint64_t count),
		   void *ctx)
{
	for (uint32_t i = 0; i < EV_TYPES; i++)
		if (l->skel->bss->lost[i])
			fn(ctx, i, l->skel->bss->lost[i]);
	if (l->skel->bss->lost_members)
		fn(ctx, EV_UNKNOWN, l->skel->bss->lost_members);
}

unsigned loader_env_probes(const struct loader *l)
{
	return l->env ? env_attach_probes(l->env) : 0;
}

void loader_hooks(const struct loader *l, void (*fn)(void *ctx, const struct loader_hook *h),
		  void *ctx)
{
	for (size_t i = 0; i < n_needs; i++) {
		const struct tier *t = need_tier(&needs[i]);
		struct loader_hook h = { .need = &needs[i],
					 .how = t ? t->name : NULL,
					 .in_files = need_is_env(&needs[i]) };

		if (!is_ours(&needs[i]))
			continue;
		for (unsigned k = 0; k < l->n_links; k++)
			h.programs += l->links[k].need == &needs[i];
		for (unsigned k = 0; k < l->n_failed; k++)
			if (l->failed[k] == needs[i].name)
				h.why = l->failed_why[k];
		if (need_is_env(&needs[i]) && !strcmp(l->env_reads, "off"))
			h.why = "switched off";
		if (!need_asked(&needs[i]))
			h.why = "not asked for";
		fn(ctx, &h);
	}
}

const char *loader_env_trouble(struct loader *l)
{
	return l->env ? env_attach_trouble(l->env) : NULL;
}

bool loader_env_unseen(struct loader *l, struct env_unseen *out)
{
	return l->env && env_attach_unseen(l->env, out);
}

void loader_attach_env(struct loader *l, int path_fd, const struct env_place *place,
		       struct env_file *file)
{
	if (l->env)
		env_attach_file(l->env, path_fd, place, file);
	else if (path_fd >= 0)
		close(path_fd);
}

void loader_prescan(struct loader *l, const char *path_variable)
{
	if (l->env)
		env_attach_prescan(l->env, path_variable);
}

bool loader_idle_scan(struct loader *l, const char *path_variable, unsigned step)
{
	return l->env && env_attach_idle(l->env, path_variable, step);
}
