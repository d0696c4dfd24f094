/* process_table.h: the processes of one run by (pid, start): who made whom, what it runs. Pure. */
#ifndef INVIGIL_PROCESS_TABLE_H
#define INVIGIL_PROCESS_TABLE_H

#include "process.h"
#include "run.h"

/*
 * A process lives while it runs, while a child of it is in the table, and while somebody holds it.
 * Freeing the table frees all of them, held or not.
 */
struct process_table;

struct process_table *table_new(void);
void table_free(struct process_table *t);

/* The child has its parent's image and roles until it executes something. parent may be NULL. */
struct process *table_fork(struct process_table *t, struct process *parent, const struct ev_fork *e,
			   const struct run *run);
/* tail: h->len bytes as event.h has them, scrubbed. What does not fit inside is taken as absent. */
struct process *table_exec(struct process_table *t, const struct ev_hdr *h, const struct ev_exec *e,
			   const char *tail, const struct run *run);
/* p may be gone afterwards. */
void table_exit(struct process_table *t, struct process *p, uint64_t time, uint32_t status);
/* An unknown process gets a placeholder, and *missed is set (never cleared). Never NULL. */
struct process *table_find(struct process_table *t, uint32_t pid, uint64_t start,
			   const struct run *run, bool *missed);
/* NULL: no process of the run. */
struct process *table_known(const struct process_table *t, uint32_t pid, uint64_t start);
/* The last that had that number; NULL: no process of the run. */
struct process *table_newest(const struct process_table *t, uint32_t pid);
/* Those that have not ended, by pid and start, in memory the caller frees; NULL: there are none. */
struct process **table_alive(const struct process_table *t, unsigned *n);
unsigned table_size(const struct process_table *t);

/* Only for processes of a table. A dropped one may be gone afterwards. */
void process_hold(struct process *p);
void process_drop(struct process *p);
/* First time a name is given for this image of p; always true for those beyond SEEN_MAX. */
bool process_first_read(struct process *p, struct span name);
/* Was it given before? */
bool process_has_read(const struct process *p, struct span name);
/* This one is new again. */
void process_read_forget(struct process *p, struct span name);
/* From here on every name is new again. */
void process_reads_forget(struct process *p);
#define SEEN_MAX 4096

/* comps is leaf first. None and not cut: the root directory. Names keep their bytes, except '/'. */
void path_from_comps(struct path *path, const struct ev_comp *comps, unsigned n, bool cut);
void path_free(struct path *path);

/* role.c: bits of enum process_role. */
unsigned role_of(const struct process *p, const struct run *run);
/* What an interpreter or shell runs: base name of the script, or the module's name; or NULL. */
char *script_of(const struct process *p);

#endif
