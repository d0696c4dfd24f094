/* file_table.h: what is known of the files that a run made or changed. Pure. */
#ifndef INVIGIL_FILE_TABLE_H
#define INVIGIL_FILE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct file_known {
	uint64_t ino;
	uint32_t dev;
	uint32_t mode, uid, gid; /* as last seen */
	uint64_t size;           /* likewise: it may have grown since */
	bool created;            /* by the run */
	bool secret;             /* the run wrote one to it */
};

/* What a record said of a file. */
struct file_last {
	uint64_t ino, size;
	uint32_t pid, tid, action, dev, mode, uid, gid, pad;
};

#define FILES_MAX 65536

struct file_table {
	void *root;
	unsigned n;
	bool full; /* some were not taken in: who made an unknown one cannot be told */
};

/* NULL: not known. */
struct file_known *file_find(const struct file_table *t, uint32_t dev, uint64_t ino);
/* Made when not known; NULL when there is no room. */
struct file_known *file_note(struct file_table *t, uint32_t dev, uint64_t ino);
void file_forget(struct file_table *t, uint32_t dev, uint64_t ino);
void file_table_free(struct file_table *t);

#endif
