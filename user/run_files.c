/* run_files.c: the files of one run: its stream, its recording, its report. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "recording.h"
#include "run_files.h"
#include "setup.h"

bool run_files_open(struct run_files *f, const struct config *c, const struct account *a,
		    const char *id)
{
	const char *why;
	int err;

	f->out.fd = f->record.fd = f->markdown.out.fd = -1;
	if (c->output) {
		err = output_open(&f->out, c->output, a->invoker, a->invoker_gid, 0640, &why);
		if (err) {
			fprintf(stderr, "invigil: output %s: %s: %s\n", c->output, why,
				strerror(-err));
			return false;
		}
	}
	if (c->output)
		outputs_add(&f->outputs, &f->out, true, c->alerts_only);
	for (unsigned i = 0; i < c->n_outputs; i++) {
		struct output *o = output_configured(&c->outputs[i], id);

		if (!o)
			return false;
		outputs_add(&f->outputs, o, false, c->alerts_only || c->outputs[i].alerts_only);
	}
	if (c->record) {
		err = output_open(&f->record, c->record, a->invoker, a->invoker_gid, 0600, &why);
		if (!err && !(f->recording = fdopen(f->record.fd, "w")))
			err = -errno;
		if (!err)
			err = recording_begin(f->recording);
		if (err) {
			fprintf(stderr, "invigil: recording %s: %s: %s\n", c->record, why,
				strerror(-err));
			return false;
		}
	}
	if (c->markdown) {
		err = report_open(&f->markdown, c->markdown, a->invoker, a->invoker_gid, &why);
		if (err)
			fprintf(stderr, "invigil: report %s: %s: %s\n", c->markdown, why,
				strerror(-err));
		return !err;
	}
	return true;
}

bool run_files_flush(struct run_files *f, const struct config *c, int recording_error,
		     const char **whole, unsigned *n)
{
	bool good = !outputs_flush(&f->outputs);

	for (const struct output_to *t = f->outputs.to; t < f->outputs.to + f->outputs.n; t++) {
		bool own = t->output == &f->out;
		const char *path = own ? c->output : t->output->path;

		if (t->output->lines.dropped > t->dropped)
			fprintf(stderr, "invigil: output %s: not written whole: %s\n", path,
				strerror(-t->output->error));
		else if (own && strcmp(path, "-"))
			whole[(*n)++] = path;
	}
	if (!f->recording)
		return good;
	if (!recording_error && fflush(f->recording))
		recording_error = -errno;
	if (!recording_error && ferror(f->recording))
		recording_error = -EIO;
	if (recording_error)
		fprintf(stderr, "invigil: recording %s: not written whole: %s\n", c->record,
			strerror(-recording_error));
	else
		whole[(*n)++] = c->record;
	return good && !recording_error;
}

/* COMMAND may remove what lies in a folder of its own, and cut what lies there when it is root. */
bool run_files_whole(struct run_files *f, const struct config *c, const struct account *a)
{
	const char *stream = c->output ? output_harm(&f->out, c->output, f->out.whole) : NULL;
	const char *record =
		f->recording ? output_harm(&f->record, c->record, ftello(f->recording)) : NULL;

	if (stream)
		fprintf(stderr, "invigil: output %s: %s\n", c->output, stream);
	if (record)
		fprintf(stderr, "invigil: recording %s: %s\n", c->record, record);
	/* The user who is to replay it may read it, once COMMAND cannot write to it any more. */
	if (f->recording && !geteuid() && fchown(f->record.fd, a->invoker, a->invoker_gid))
		fprintf(stderr, "invigil: recording %s: %s\n", c->record, strerror(errno));
	return !stream && !record;
}

void run_files_close(struct run_files *f)
{
	outputs_close(&f->outputs);
	output_close(&f->out);
	report_close(&f->markdown);
	if (f->recording)
		fclose(f->recording);
}
