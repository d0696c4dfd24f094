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

void flow_exec(struct pipeline *p, struct process *process, uint64_t time)
{
	unsigned origins = 0;
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
	f->file.origin = provenance_find(p->provenance, f->file.dev, f->file.ino);
	fact_emit(p, f);
}
