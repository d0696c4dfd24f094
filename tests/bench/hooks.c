/* hooks.c: attaches what one side of a benchmark is to have, when its turn comes, and detaches what the last one had. */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "buf.h"
#include "probe.h"

#define HOOKS_MAX 64

struct hook {
	char program[32], event[64];
	bool engine;
	enum bpf_prog_type type;
	int ours, empty, link;
};

static struct hook hooks[HOOKS_MAX];
static size_t n_hooks;

static void fail(const char *what, const char *which)
{
	fprintf(stderr, "hooks: %s %s: %s\n", what, which, strerror(errno));
	exit(1);
}

/* As of this kernel, without the uprobes: "on_sys_open@creat" is a program and its event. */
static void hooks_choose(struct bpf_object *obj)
{
	struct bpf_program *prog = NULL;

	bpf_object__for_each_program(prog, obj) bpf_program__set_autoload(prog, false);
	for (size_t i = 0; i < n_needs; i++) {
		const struct tier *t = need_tier(&needs[i]);

		if (!t || need_is_env(&needs[i]) || !need_asked(&needs[i]) ||
		    need_when(&needs[i]) == WHEN_DAEMON)
			continue;
		for (const char *const *name = t->programs; *name && n_hooks < HOOKS_MAX; name++) {
			struct hook *h = &hooks[n_hooks++];
			const char *call = strchr(*name, '@');

			snprintf(h->program, sizeof(h->program), "%.*s", (int)strcspn(*name, "@"),
				 *name);
			prog = bpf_object__find_program_by_name(obj, h->program);
			if (!prog)
				fail("no program", h->program);
			h->type = bpf_program__type(prog);
			h->engine = !strncmp(needs[i].name, "engine ", 7);
			h->link = -1;
			if (call)
				snprintf(h->event, sizeof(h->event), "%s%s",
					 h->type == BPF_PROG_TYPE_TRACEPOINT ? "sys_exit_" : "",
					 call + 1);
			else
				snprintf(h->event, sizeof(h->event), "%s",
					 strrchr(bpf_program__section_name(prog), '/') + 1);
			bpf_program__set_autoload(prog, true);
			if (call && h->type == BPF_PROG_TYPE_TRACING)
				bpf_program__set_attach_target(prog, 0, h->event);
		}
	}
}

static void hooks_load(struct bpf_object *obj)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	if (bpf_object__load(obj))
		fail("load", "");
	for (struct hook *h = hooks; h < hooks + n_hooks; h++) {
		struct bpf_program *prog = bpf_object__find_program_by_name(obj, h->program);
		LIBBPF_OPTS(bpf_prog_load_opts, opts);

		if (h->type == BPF_PROG_TYPE_TRACING) {
			opts.expected_attach_type = bpf_program__expected_attach_type(prog);
			opts.attach_btf_id =
				libbpf_find_vmlinux_btf_id(h->event, opts.expected_attach_type);
		}
		h->ours = bpf_program__fd(prog);
		h->empty =
			bpf_prog_load(h->type, "empty", "GPL", nothing, ARRAY_SIZE(nothing), &opts);
		if (h->empty < 0)
			fail("load an empty", h->program);
	}
}

static int perf_attach(const char *event, int prog)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT,
					.size = sizeof(attr),
					.sample_period = 1 };
	char path[128];
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/syscalls/%s/id", event);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%llu", &attr.config) != 1)
		fail("no event", event);
	fclose(f);
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog) ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		fail("perf event", event);
	return fd;
}

/* side: none, engine, rest or all, after "empty_" of programs that do nothing. */
static void hooks_switch(const char *side)
{
	bool empty = !strncmp(side, "empty_", 6);
	const char *which = empty ? side + 6 : side;

	for (struct hook *h = hooks; h < hooks + n_hooks; h++) {
		int prog = empty ? h->empty : h->ours;

		if (h->link >= 0)
			close(h->link);
		h->link = -1;
		if (strcmp(which, "all") && strcmp(which, h->engine ? "engine" : "rest") &&
		    strcmp(which, h->program))
			continue;
		if (h->type == BPF_PROG_TYPE_TRACEPOINT)
			h->link = perf_attach(h->event, prog);
		else
			h->link = bpf_raw_tracepoint_open(
				h->type == BPF_PROG_TYPE_TRACING ? NULL : h->event, prog);
		if (h->link < 0)
			fail("attach", h->program);
	}
}

/*
 * OBJECT BYTES MINE NEXT SIDE...: the turn comes by the FIFO MINE and goes on by NEXT, each time with another side's hooks.
 * BYTES: as of --engine-bytes, or empty.
 */
int main(int argc, char **argv)
{
	struct bpf_object *obj = argc > 5 ? bpf_object__open_file(argv[1], NULL) : NULL;
	int mine, next, at = 5;
	char c;

	if (!obj)
		fail("open", argc > 1 ? argv[1] : "");
	engine_bytes_ask(*argv[2] ? argv[2] : NULL);
	hooks_choose(obj);
	hooks_load(obj);
	mine = open(argv[3], O_RDWR | O_CLOEXEC);
	next = open(argv[4], O_RDWR | O_CLOEXEC);
	while (read(mine, &c, 1) == 1) {
		hooks_switch(argv[at]);
		if (write(next, ".", 1) != 1)
			fail("turn to", argv[4]);
		at = at + 1 < argc ? at + 1 : 5;
	}
	fail("turn by", argv[3]);
}
