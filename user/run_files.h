/* run_files.h: the files of one run: its stream, its recording, its report. */
#ifndef INVIGIL_RUN_FILES_H
#define INVIGIL_RUN_FILES_H

#include <stdio.h>
#include "host.h"
#include "option.h"
#include "outputs.h"
#include "report_file.h"

struct run_files {
	struct output out, record;
	struct report_file markdown;
	struct outputs outputs; /* out and those of the configuration */
	FILE *recording;        /* NULL: none is asked for */
};

/* id: of the run, for {run} in a path. False after a message: COMMAND is not to be started. */
bool run_files_open(struct run_files *f, const struct config *c, const struct account *a,
		    const char *id);
/*
 * Writes what waits. recording_error: the pipeline's, 0 or -errno. whole[*n...]: paths of those that are; at most 2
 * more. False after a message: one of them, or of the configuration's, is not.
 */
bool run_files_flush(struct run_files *f, const struct config *c, int recording_error,
		     const char **whole, unsigned *n);
/* False after a message: COMMAND has cut or removed one of them. */
bool run_files_whole(struct run_files *f, const struct config *c, const struct account *a);
void run_files_close(struct run_files *f);

#endif
