/* loader.c: loads the BPF side by the probe table and drains its ring. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "build_claim.h"
#include "build_step.h"
#include "found.h"
#include "loader_state.h"
#include "python.h"
#include "record.h"
#include "uprobe.h"

static char log_text[1 << 20]; /* what libbpf said */

static int print_keep(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	size_t n = strlen(log_text);

	if (level == LIBBPF_WARN && n < sizeof(log_text) - 1)
		vsnprintf(log_text + n, sizeof(log_text) - n, fmt, ap);
	return 0;
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

/*
 * Does it fault pages in? Only what does may sleep: where a program that may makes its thread's storage it is put to
 * sleep in the middle, and before 6.2 nobody else on that processor finds any meanwhile (FEAT_STORAGE_FOUND).
 */
static bool program_faults(const struct bpf_program *prog)
{
	const struct bpf_insn *insns = bpf_program__insns(prog);

	for (size_t i = 0; i < bpf_program__insn_cnt(prog); i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) && !insns[i].src_reg &&
		    insns[i].imm == BPF_FUNC_copy_from_user)
			return true;
	return false;
}

static void autoload_choose(struct invigil *skel, bool env, bool daemon)
{
	struct bpf_program *prog = NULL;

	bpf_object__for_each_program(prog, skel->obj) bpf_program__set_autoload(prog, false);
	for (size_t i = 0; i < n_needs; i++) {
		const struct tier *t = need_is_ours(&needs[i]) ? need_tier(&needs[i]) : NULL;

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
			if (t->feature == FEAT_UPROBE_SLEEPABLE && program_faults(prog))
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

/*
 * A child of ours that was forked while the run before was attached, and that no processor had time for yet, has its links until it
 * closes them, which is the first it does: then a program cannot be attached again (EEXIST at a perf event, EBUSY at a trampoline).
 */
static struct bpf_link *program_attach_again(struct loader *l, const char *name)
{
	enum { TRIES = 300 }; /* of a millisecond */
	struct bpf_link *link;

	for (unsigned i = 0;; i++) {
		link = program_attach(l->skel, name);
		if (link || !l->idled || i == TRIES || (errno != EEXIST && errno != EBUSY))
			return link;
		poll(NULL, 0, 1);
	}
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
		struct bpf_link *link = program_attach_again(l, *name);

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
		if (!need_is_ours(n) || !need_asked(n) || need_is_env(n) ||
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

static int on_ring(void *ctx, void *data, size_t n)
{
	struct loader *l = ctx;

	/* Ring memory is mapped read-only; the scrubber writes. Much of a record may be room that it did not need. */
	n = record_used(data, n);
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

static void builds_begin(struct loader *l)
{
	l->builds.steps = bpf_map__fd(l->skel->maps.build_steps);
	l->builds.builders = l->skel->bss->builders;
	l->builds.building = &l->skel->bss->building;
	l->builds.claims = claims_open();
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
	l->builds.claims = -1;
	l->skel = skeleton_open(&l->plain);
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
	l->skel->rodata->libraries_told = env;
	l->skel->rodata->storage_hides = !feature_works(FEAT_STORAGE_FOUND);
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
	builds_begin(l);
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
	l->idled = true;
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

void loader_links_leave(struct loader *l)
{
	for (unsigned i = 0; i < l->n_links; i++)
		close(bpf_link__fd(l->links[i].link));
}

void loader_close(struct loader *l)
{
	if (!l)
		return;
	loader_detach(l);
	ring_buffer__free(l->ring);
	invigil__destroy(l->skel);
	if (l->builds.claims >= 0)
		close(l->builds.claims);
	buf_free(&l->plain);
	free(l->copy);
	free(l);
}

int loader_ring_fd(const struct loader *l)
{
	return ring_buffer__epoll_fd(l->ring);
}

int loader_wait_ms(unsigned empty, bool hurry)
{
	/* Records are submitted without wake-up, but for those that cannot wait, and where many come at once. */
	enum { BUSY = 10, QUIET = 20, SILENT = 40, CALM = 100 };

	if (!hurry)
		return CALM;
	if (empty)
		return empty < 1000 / QUIET ? QUIET : SILENT; /* nothing for a second */
	return BUSY;
}

int loader_drain(struct loader *l, loader_fn *fn, void *ctx)
{
	int n;

	l->fn = fn;
	l->ctx = ctx;
	n = ring_buffer__consume(l->ring);
	return n < 0 ? n : 0;
}

unsigned loader_env_probes(const struct loader *l)
{
	return l->env ? env_attach_probes(l->env) : 0;
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
