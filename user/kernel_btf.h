/* kernel_btf.h: ids of types in the running kernel's BTF, by name. */
#ifndef INVIGIL_KERNEL_BTF_H
#define INVIGIL_KERNEL_BTF_H

#include <stdbool.h>

#define KERNEL_BTF_DIR "/sys/kernel/btf"
#define KERNEL_BTF     KERNEL_BTF_DIR "/vmlinux"

/*
 * From here on file is what this process, and what it forks, has in that place: all that asks for the kernel's types
 * looks there (libbpf's own btf_custom_path is for relocations, not for what is attached to). NULL: it stays as it
 * is. False after printing why.
 */
bool kernel_btf_use(const char *file);

#include <stdint.h>

struct kernel_type {
	const char *name;
	uint32_t kind; /* BTF_KIND_* (linux/btf.h) */
};

/*
 * One walk over the seven megabytes, without the index that libbpf makes of them (45 ms of the start,
 * against 5). ids[i] is the id, or -ENOENT; all of them are another -errno when there is no BTF. params[i]:
 * of a function, how many parameters it has.
 */
void kernel_types_find(const struct kernel_type *types, unsigned n, int *ids, unsigned *params);

#endif
