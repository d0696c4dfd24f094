/* setup.h: a configuration in force in the daemon, and the files of its outputs. */
#ifndef INVIGIL_SETUP_H
#define INVIGIL_SETUP_H

#include "option.h"
#include "outputs.h"

/* The runs that began under it keep it when another is in force. */
struct setup {
	struct config config;   /* its outputs are all there are: that of -o, or the default, too */
	struct output **shared; /* as config.outputs; NULL: each run has its own */
	unsigned holders;
};

gid_t setup_group(void); /* invigil's, where there is one, else root's */
/* Opens the file that an output has for this run. NULL after printing why. */
struct output *output_configured(const struct output_config *c, const char *run);
/* Takes the configuration over. NULL after printing why. */
struct setup *setup_new(struct config *c);
/* The configuration as it is now, read as c was. NULL after printing why; nothing has changed then. */
struct setup *setup_again(const struct setup *old);
void setup_drop(struct setup *s); /* one holder less */
/* Opens the files of a run. False after printing why. */
bool setup_outputs(struct setup *s, const char *run, struct outputs *out);
/* For all files that runs share. */
void setup_flush(void);
void setup_reopen(void);
/* The lines of the files that runs share, each of which fn gets, and of all that are closed by now. fn may be NULL. */
struct line_counts setup_lines(void (*fn)(void *ctx, const struct output *o), void *ctx);
/* Outputs of a run go through this to be closed and counted. */
void setup_outputs_close(struct outputs *out);

#endif
