/* begin.h: the first record of a run: all that replay cannot look up for itself. Pure. */
#ifndef INVIGIL_BEGIN_H
#define INVIGIL_BEGIN_H

#include <stdbool.h>
#include "buf.h"
#include "run.h"

/*
 * Keys, each "key NUL value NUL", some repeated in order:
 *	kind run.id seed(64 hex) wall_offset(ns) cwd uid root_pid  arg...  own...
 *	hook tier("none", "off") lacks(what is not seen by it; may be missing) limit(what no tier sees; likewise)...: how each is covered
 *	exec_gate(exec|mmap|off: in force)
 *	resumed(lines of its stream that are there) began(unix ns): a run that another daemon began
 *	host.name host.fqdn host.id host.arch host.kernel boot_id domain
 *	user: "UID:NAME:LOGIN(0|1)"...
 *	ci: a provider of ci.c, then its fields under their own names
 */
void begin_add(struct buf *b, const char *key, struct span value);
/*
 * Adds COMMAND's arguments with their secrets as <redacted:KIND>: what stands behind a sensitive name
 * or has the form of a credential, and values of sensitive variables of envp (what COMMAND will get).
 * And the public parts of the CI job that envp names.
 */
/* Text of the caller's (a directory) without what the variables say is secret; the caller frees it. */
char *begin_redacted(const char *text, char *const *envp);
void begin_add_command(struct buf *b, char *const *argv, char *const *envp);
/* Fills a zeroed run. False: what is needed is missing or malformed. */
bool begin_read(struct span tail, struct run *r);
/* "id=…", "name=GLOB", "label=K[=V]", "project=NAME" */
bool selector_parse(const char *text, struct selector *s);
void run_free(struct run *r);

#endif
