/* flow.c: where bytes go between processes of the run: from the network and decoders into files and interpreters. */
#include <string.h>
#include "decoder.h"
#include "pipeline_state.h"

struct passing {
	struct pipeline *p;
	const struct process *from;
	uint64_t time;
};

/* Said once for each source, as soon as what flows into the interpreter is known. */
static void fed_emit(struct pipeline *p, struct process *process, uint64_t time)
{
	struct fact f = { .kind = FACT_FED, .time = time, .process = process };
	struct pipe_line line;

	if (!(process->origins & ~process->fed) || !reads_program(process))
		return;
	plumbing_line(p->plumbing, process, &line);
	if (line.n < 2)
		return;
	process->fed = process->origins;
	f.line = &line;
	fact_emit(p, &f);
}

static void origin_pass(void *ctx, struct process *reader)
{
	struct passing *x = ctx;

	provenance_origin(x->p->provenance, reader, x->from->origins);
	fed_emit(x->p, reader, x->time);
}

static void origin_add(struct pipeline *p, struct process *process, unsigned origins, uint64_t time)
{
	struct passing x = { p, process, time };

	provenance_origin(p->provenance, process, origins);
	fed_emit(p, process, time);
	if (process->origins)
		plumbing_readers(p->plumbing, process, origin_pass, &x);
}

/* Of the files that it is given to copy. */
static unsigned copied_origins(struct pipeline *p, const struct process *process)
{
	const char *cwd = process->cwd.cut ? NULL : process->cwd.text;
	struct shell_command c;
	unsigned origins = 0;

	shell_command_of(process, &c);
	for (unsigned i = 1; copier_command(&c) && i < c.words; i++) {
		const struct written *w = NULL;
		struct buf path = { 0 };

		path_resolve(copier_operand(&c, i), cwd, &path);
		if (path.len)
			w = provenance_at(p->provenance, (struct span){ path.ptr, path.len },
					  false);
		if (w)
			origins |= w->origins;
		buf_free(&path);
	}
	return origins;
}

const struct written *flow_input(struct pipeline *p, const struct process *process)
{
	const struct ev_fd *in = &process->fd[0];

	return in->kind == FD_FILE ? provenance_find(p->provenance, in->dev, in->ino) : NULL;
}

void flow_exec(struct pipeline *p, struct process *process, uint64_t time)
{
	const struct written *input = flow_input(p, process);
	unsigned origins = copied_origins(p, process) | (input ? input->origins : 0);
	struct pipe_line line;

	plumbing_exec(p->plumbing, process);
	plumbing_line(p->plumbing, process, &line);
	for (unsigned i = 0; i + 1 < line.n; i++)
		origins |= line.at[i]->origins;
	if (process->roles & ROLE_NETWORK_CLIENT)
		origins |= ORIGIN_NETWORK;
	if (decoder_process(process))
		origins |= ORIGIN_DECODER;
	origin_add(p, process, origins, time);
}

void flow_connect(struct pipeline *p, struct process *process, uint64_t time)
{
	struct fact f = { .kind = FACT_INET, .time = time, .process = process };

	/* Of a shell that has executed nothing yet it is the redirection of a command to come. */
	process->inet = true;
	if (process->roles & ROLE_SHELL)
		fact_emit(p, &f);
	if (!(process->roles & (ROLE_SHELL | ROLE_BUILD_TOOL | ROLE_CONTAINER_CLIENT)))
		origin_add(p, process, ORIGIN_NETWORK, time);
}

void flow_script(struct pipeline *p, struct process *process, struct fact *f)
{
	const char *slash = strrchr(f->file.path.text, '/');

	if (process->script_seen || !process->script || !slash ||
	    strcmp(slash + 1, process->script))
		return;
	process->script_seen = true;
	f->kind = FACT_SCRIPT;
	fact_emit(p, f);
}
