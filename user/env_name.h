/* env_name.h: what is known of environment variables by their names alone. Pure. */
#ifndef INVIGIL_ENV_NAME_H
#define INVIGIL_ENV_NAME_H

#include <stdbool.h>
#include "buf.h"

enum env_name_class {
	ENV_NAME_OTHER,
	ENV_NAME_KNOWN, /* everybody reads them */
	ENV_NAME_SHELL, /* likewise, and shells do so by themselves */
	ENV_NAME_START, /* the start-up code of C libraries and interpreters reads them */
};

enum env_name_class env_name_class(struct span name);
/*
 * Was it the runtime that read it, not the program? Such reads are counted and not listed.
 * mechanism: enum ev_env_mechanism.
 */
bool env_read_is_startup(struct span name, unsigned mechanism);
/*
 * Would a library (TLS, HTTP) read it by itself, whatever the program is about? Of Python reads the
 * stack says it; the others have none.
 */
bool env_read_is_librarys(struct span name, unsigned mechanism);

#endif
