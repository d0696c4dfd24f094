/* provenance.h: files that the run opened for writing: who wrote them, and where their content came from. Pure. */
#ifndef INVIGIL_PROVENANCE_H
#define INVIGIL_PROVENANCE_H

#include "process.h"

#define PROVENANCE_MAX 4096 /* the oldest is forgotten */

struct written {
	uint64_t ino;
	uint32_t dev;
	uint32_t pid; /* of the last writer, and its start and the time */
	uint64_t start, time;
	unsigned origins; /* enum origin, of all writers since it was made or emptied */
	char *path;       /* as of the open */
	char *writer;     /* program */
};

struct provenance;

struct provenance *provenance_new(void);
void provenance_free(struct provenance *v);
/* fresh: made or emptied by this open. */
void provenance_write(struct provenance *v, const struct process *p, uint64_t time, uint32_t dev,
		      uint64_t ino, const char *path, bool fresh);
/*
 * What p writes comes from there, from now on and in what it has written since its exec; also in the
 * file on its standard output, which a shell may have opened for it.
 */
void provenance_origin(struct provenance *v, struct process *p, unsigned origins);
/* It has this path from now on. */
void provenance_rename(struct provenance *v, uint32_t dev, uint64_t ino, const char *path);
/* NULL: the run did not write it, or it is forgotten. */
const struct written *provenance_find(const struct provenance *v, uint32_t dev, uint64_t ino);
/* The last that was written at this path, or (directory) anywhere below it. */
const struct written *provenance_at(const struct provenance *v, struct span path, bool directory);

#endif
