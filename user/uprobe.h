/* uprobe.h: one probe in a file, by the quickest way that the kernel has. */
#ifndef INVIGIL_UPROBE_H
#define INVIGIL_UPROBE_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_link;
struct bpf_program;

/*
 * A perf event waits for the kernel's readers under a lock that all events of the machine share: 1.5 s
 * each on a machine with eight runs, where a link of uprobe_multi (since 6.6) takes 0.02 s. libbpf before
 * 1.3 does not know that link.
 */
#define ATTACH_UPROBE_MULTI 48 /* enum bpf_attach_type: BPF_TRACE_UPROBE_MULTI */

struct uprobe {
	struct bpf_link *perf; /* NULL: by fd */
	int fd;
};

/* at_return: not where that link is used. The program was loaded for ATTACH_UPROBE_MULTI, or for none. 0 or -errno. */
int uprobe_attach(struct uprobe *u, const struct bpf_program *prog, const char *path,
		  uint64_t offset, uint64_t cookie, bool at_return);
void uprobe_detach(struct uprobe *u);
/* A program that does nothing, where that link works. A descriptor that holds it, or -errno. */
int uprobe_empty(const char *path, uint64_t offset);
/* 0 or -errno. */
int uprobe_multi_try(void);

#endif
