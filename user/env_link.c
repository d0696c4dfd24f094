/* env_link.c: puts the probes of one file into its inode, and takes them out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "build_step.h"
#include "env_attach_state.h"
#include "invigil.skel.h"

#define LINKS_MAX 1024

void env_links_drop(struct env_attach *a, struct file *f)
{
	for (unsigned i = 0; i < f->links; i++)
		uprobe_detach(&f->link[i]);
	a->n_links -= f->links;
	f->links = 0;
}

bool env_build_add(struct env_attach *a, struct env_image *image)
{
	if (image->build >= 0)
		return true;
	if (a->n_builds == PYTHON_BUILDS) {
		env_trouble_add(a, "so many builds of CPython that no more are known");
		return false;
	}
	bpf_map_update_elem(bpf_map__fd(a->skel->maps.python_builds), &a->n_builds, &image->python,
			    0);
	image->build = a->n_builds++;
	return true;
}

bool env_is_python(const struct env_probe *p)
{
	return p->program == PROGRAM_PYTHON_ENCODE || p->program == PROGRAM_PYTHON_START;
}

static void link_add(struct env_attach *a, struct file *f, int fd, const struct bpf_program *prog,
		     uint64_t offset, uint64_t cookie, bool at_return)
{
	char path[32];
	int err;

	if (a->n_links == LINKS_MAX) {
		if (!a->full_told)
			env_trouble_add(a, "so many probes that no more are attached");
		a->full_told = true;
		return;
	}
	/* The descriptor keeps the inode, whatever happens to the name. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = uprobe_attach(&f->link[f->links], prog, path, offset, cookie, at_return);
	if (err) {
		env_trouble_add(a, strerror(-err));
		return;
	}
	f->links++;
	a->n_links++;
}

/* NULL: no program that was loaded does it. */
static struct bpf_program *program_of(const struct env_attach *a, const struct env_probe *p)
{
	struct bpf_program *prog = a->program[p->program];

	if (p->program == PROGRAM_STRING && p->cookie < ARRAY_SIZE(a->by_mechanism) &&
	    bpf_program__fd(prog) < 0)
		prog = a->by_mechanism[p->cookie];
	return prog && bpf_program__fd(prog) >= 0 ? prog : NULL;
}

void env_probe_attach(struct env_attach *a, struct file *f, int fd, const struct env_probe *p,
		      int build, const struct elf_file *e)
{
	struct bpf_program *prog = program_of(a, p);
	uint64_t offset, cookie = p->cookie;

	if (!prog || !elf_offset(e, p->address, &offset))
		return;
	if (env_is_python(p))
		cookie = (uint64_t)build << 56 | (p->cookie & ~(0xffull << 56));
	else if (prog != a->program[p->program])
		cookie = 0; /* the kernel has none */
	link_add(a, f, fd, prog, offset, cookie, false);
	if (p->program == PROGRAM_STRING && bpf_program__fd(a->at_return) >= 0)
		link_add(a, f, fd, a->at_return, offset, 0, true);
}
