/* peek.bpf.h: one process looks into another: its environment or its memory. */
#ifndef INVIGIL_PEEK_BPF_H
#define INVIGIL_PEEK_BPF_H

#include "event.bpf.h"

/* NULL: nobody has that pid any more. */
static __always_inline struct task_struct *task_of_pid(struct pid *pid)
{
	struct hlist_node *node = BPF_CORE_READ(pid, tasks[0].first); /* PIDTYPE_PID */

	return node ? (void *)node - bpf_core_field_offset(struct task_struct, pid_links) : NULL;
}

int peek_emit(u64 target, u32 run, u32 how);

#endif
