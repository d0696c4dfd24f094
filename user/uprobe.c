/* uprobe.c: attaches a program to an offset of a file, by uprobe_multi where it works, else by a perf event. */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "buf.h"
#include "uprobe.h"

/* union bpf_attr's link_create with its uprobe_multi part; linux/bpf.h of Debian 12 ends before it. */
struct link_create {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t count, multi_flags, pid, pad;
};

static int multi_attach(int prog, const char *path, uint64_t offset, uint64_t cookie)
{
	struct link_create l = { .prog_fd = prog,
				 .attach_type = ATTACH_UPROBE_MULTI,
				 .path = (uintptr_t)path,
				 .offsets = (uintptr_t)&offset,
				 .cookies = (uintptr_t)&cookie,
				 .count = 1 };
	int fd = syscall(SYS_bpf, BPF_LINK_CREATE, &l, sizeof(l));

	return fd < 0 ? -errno : fd;
}

int uprobe_attach(struct uprobe *u, const struct bpf_program *prog, const char *path,
		  uint64_t offset, uint64_t cookie, bool at_return)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = cookie, .retprobe = at_return);

	u->perf = NULL;
	if ((int)bpf_program__expected_attach_type(prog) == ATTACH_UPROBE_MULTI) {
		u->fd = multi_attach(bpf_program__fd(prog), path, offset, cookie);
		return u->fd < 0 ? u->fd : 0;
	}
	u->perf = bpf_program__attach_uprobe_opts(prog, -1, path, offset, &opts);
	return u->perf ? 0 : -errno;
}

void uprobe_detach(struct uprobe *u)
{
	if (u->perf)
		bpf_link__destroy(u->perf);
	else
		close(u->fd);
}

int uprobe_empty(const char *path, uint64_t offset)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = (enum bpf_attach_type)ATTACH_UPROBE_MULTI);
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int prog = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "trial", "GPL", nothing, ARRAY_SIZE(nothing),
				 &opts);
	int link;

	if (prog < 0)
		return prog;
	link = multi_attach(prog, path, offset, 0);
	close(prog);
	return link;
}

int uprobe_multi_try(void)
{
	int link = uprobe_empty("/proc/self/exe", 0);

	if (link < 0)
		return link;
	close(link);
	return 0;
}
