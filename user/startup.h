/* startup.h: how PATH and start-up variables make a program run other code than its name says. Pure. */
#ifndef INVIGIL_STARTUP_H
#define INVIGIL_STARTUP_H

#include "provenance.h"

/*
 * env: "NAME=value", NUL separated, before it is scrubbed; file: as asked to be executed. The entry of
 * PATH, from 1, that is file's directory; an empty one is the current directory. 0: none. Only this
 * number leaves the function.
 */
uint32_t path_entry(struct span env, struct span file);
/* path: absolute; of a file, or of a directory that files are looked for in. false: no more is wanted. */
typedef bool startup_fn(void *ctx, const char *variable, struct span path, bool directory);

/* Calls fn for each path that p's start-up variables point at, whether it is there or not. */
void startup_walk(const struct process *p, startup_fn *fn, void *ctx);
/*
 * A file that the run wrote outside its working tree and that a start-up variable makes p load;
 * *variable is the name. NULL: none.
 */
const struct written *startup_find(const struct process *p, const char *tree,
				   const struct provenance *v, const char **variable);

#endif
