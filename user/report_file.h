/* report_file.h: a report that is there whole at the end of the run, or not at all. */
#ifndef INVIGIL_REPORT_FILE_H
#define INVIGIL_REPORT_FILE_H

#include "output.h"

struct report_file {
	struct output out; /* what becomes the file, beside it, under another name */
	const char *path;
	char *part;
	uid_t uid;
};

/* As output_open(): what cannot be written is said before COMMAND is started. path must stay. "-" is standard output. */
int report_open(struct report_file *r, const char *path, uid_t uid, gid_t gid, const char **why);
/* Writes it and gives it its name, in place of a file that is called so. 0 or -errno. */
int report_commit(struct report_file *r, struct span text);
/* Removes what was not committed. Zeroes: nothing to do. */
void report_close(struct report_file *r);

#endif
