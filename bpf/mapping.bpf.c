/* mapping.bpf.c: which inode a mapping of this process really has: of a file in an overlay, its layer's. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* What the last call found; 0: nothing. Of the process that calls, which does nothing else meanwhile. */
__u64 mapping_ino;
__u32 mapping_dev; /* kernel encoding */

static long on_area(struct task_struct *task, struct vm_area_struct *area, void *unused)
{
	struct inode *inode = BPF_CORE_READ(area, vm_file, f_inode);

	mapping_ino = BPF_CORE_READ(inode, i_ino);
	mapping_dev = BPF_CORE_READ(inode, i_sb, s_dev);
	return 0;
}

/* Attached to nothing: called by BPF_PROG_TEST_RUN, with the address as its argument. */
SEC("raw_tp")
int on_mapping(u64 *ctx)
{
	mapping_ino = 0;
	bpf_find_vma(bpf_get_current_task_btf(), ctx[0], on_area, NULL, 0);
	return 0;
}
