/* command_execution.c: R3, what was executed, who could have changed it, what its arguments give away. */
#include <string.h>
#include "detect.h"

#define STICKY 01000

static void look_steps(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;
	const struct path *path = &p->exe;

	for (unsigned i = 0; i < path->steps; i++) {
		const struct path_step *s = &path->step[i];
		const struct path_step *next = i + 1 < path->steps ? &path->step[i + 1] : NULL;

		if (!others_can_write(f->run, s->mode, s->uid, s->gid))
			continue;
		/* In a sticky directory others change only what they own. */
		if (next && s->mode & STICKY && (next->uid == 0 || next->uid == f->run->uid))
			continue;
		finding(out, "R3.2", span_of(path->text), "%s of %s can be changed by others (mode %04o, uid %u)",
			next ? "a directory" : "the file", path->text, s->mode & 07777, s->uid);
		return;
	}
}

static void look_arguments(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;

	for (unsigned i = 1; i < p->argc && i < 4096; i++) {
		struct span arg = process_arg(p, i);
		const struct secret *s = masker_find(&f->run->masker, arg);
		struct buf label = { 0 };

		if (!s)
			continue;
		secret_label(s, &label);
		finding(out, "R3.4", span_of(p->name), "argument %u holds %s", i, label.ptr ? label.ptr : "a secret");
		buf_free(&label);
		return;
	}
}

static void look(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;

	finding(out, "R3.1", span_of(p->exe.text), "%s", p->exe.text ? p->exe.text : "unknown program");
	look_steps(f, out);
	look_arguments(f, out);
	if (p->flags & (EXEC_MEMFD | EXEC_DELETED) && !(p->roles & ROLE_RUNTIME))
		finding(out, "R3.10", span_of(p->name), "%s file executed",
			p->flags & EXEC_MEMFD ? "an anonymous (memfd)" : "a deleted");
}

const struct detector detect_command_execution = { RISK_COMMAND_EXECUTION, FACT_EXEC, look };
