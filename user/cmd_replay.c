/* cmd_replay.c: `invigil replay`: a recording through the same pipeline, without privileges. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "command.h"
#include "output.h"
#include "pipeline.h"
#include "recording.h"
#include "report_file.h"

static const char *replay(struct pipeline *p, FILE *f)
{
	char *record = xcalloc(1, RECORDING_RECORD_MAX);
	enum recording_next next;
	size_t n;

	while ((next = recording_read(f, record, &n)) == RECORDING_RECORD)
		pipeline_replay(p, record, n);
	free(record);
	pipeline_finish(p);
	return next == RECORDING_CUT   ? "it ends in the middle: the run's last events are missing"
	       : next == RECORDING_BAD ? "a record of impossible size"
	       : !pipeline_run(p)->id[0] ? "no run begins in it"
					 : NULL;
}

int cmd_replay(struct config *c)
{
	const char *file = c->argc == 1 ? c->argv[0] : NULL, *wrong = NULL, *why = NULL;
	const char *output = c->output ? c->output : "-", *files[2];
	struct output out = { .fd = -1 };
	struct report_file markdown = { 0 };
	struct pipeline_verdict v;
	struct buf text = { 0 };
	struct pipeline *p;
	unsigned n = 0;
	FILE *f;
	int err, report_err = 0, status;

	if (!file) {
		fprintf(stderr, "invigil: replay takes one RECORDING (see invigil help replay)\n");
		return 125;
	}
	f = fopen(file, "re");
	if (!f || (wrong = recording_open(f))) {
		fprintf(stderr, "invigil: recording %s: %s\n", file,
			wrong ? wrong : strerror(errno));
		if (f)
			fclose(f);
		return 125;
	}
	err = output_open(&out, output, geteuid(), getegid(), 0640, &why);
	if (err) {
		fprintf(stderr, "invigil: output %s: %s: %s\n", output, why, strerror(-err));
		fclose(f);
		return 125;
	}
	if (c->markdown) {
		err = report_open(&markdown, c->markdown, geteuid(), getegid(), &why);
		if (err) {
			fprintf(stderr, "invigil: report %s: %s: %s\n", c->markdown, why,
				strerror(-err));
			output_close(&out);
			fclose(f);
			return 125;
		}
	}
	p = pipeline_new(c, output_line, &out);
	wrong = replay(p, f);
	err = output_flush(&out);
	v = pipeline_verdict(p);
	if (!err && strcmp(output, "-"))
		files[n++] = output;
	if (c->markdown) {
		pipeline_markdown(p, &text);
		report_err = report_commit(&markdown, (struct span){ text.ptr, text.len });
		if (report_err)
			fprintf(stderr, "invigil: report %s: %s\n", c->markdown,
				strerror(-report_err));
		else
			files[n++] = c->markdown;
		report_close(&markdown);
		buf_free(&text);
	}
	if (!c->quiet) {
		pipeline_summary(p, files, n, isatty(2) && !getenv("NO_COLOR"), c->verbose, &text);
		fwrite(text.ptr, 1, text.len, stderr);
		buf_free(&text);
	}
	if (wrong)
		fprintf(stderr, "invigil: recording %s: %s\n", file, wrong);
	if (err)
		fprintf(stderr, "invigil: output %s: %s\n", output, strerror(-err));
	status = wrong || err || report_err || v.rejected ? 125 : v.tripped ? 120 : 0;
	pipeline_free(p);
	output_close(&out);
	fclose(f);
	return status;
}
