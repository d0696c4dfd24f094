/* scan.h: what procfs tells of the processes that were there before the daemon, as records. */
#ifndef INVIGIL_SCAN_H
#define INVIGIL_SCAN_H

#include <stdbool.h>
#include "found.h"

struct scan;

/*
 * Looks at them one after the other, parents before children, in a process of its own: reading another one's
 * memory, or a name in a file system that it serves, may never end. Takes the rows over. NULL: no process.
 */
struct scan *scan_start(struct found_task *rows, unsigned n);
int scan_fd(const struct scan *s);
/*
 * Hands over what has come: for each process a lineage and an exec record without a run, flagged EXEC_FOUND. False:
 * all are done. now: boot ns.
 */
bool scan_hear(struct scan *s, void (*fn)(void *bytes, size_t n), uint64_t now);
unsigned scan_skipped(const struct scan *s); /* that did not answer */
void scan_free(struct scan *s);

#endif
