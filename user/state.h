/* state.h: what the daemon leaves behind of each run that is active, for the next one. */
#ifndef INVIGIL_STATE_H
#define INVIGIL_STATE_H

#include "job.h"

/* A run as it is in its file, in a folder that lives as long as the processes: beside the daemon's socket. */
struct state {
	char id[37];
	bool asked; /* by a caller */
	struct job_identity identity;
	struct ev_ancestor root; /* its first process; start 0: not known */
	uint64_t sequence;       /* of the last line of its stream that was written */
	struct buf begin;        /* tail of its first record */
	char *containers;        /* EV_CONTAINER_LEN bytes each */
	unsigned n_containers;
	bool taken; /* it goes on, or was ended */
};

/*
 * Opens the folder; key: of the identities, that of the daemon before when there was one. socket: its path, or
 * NULL. False after printing why.
 */
bool state_open(const char *socket, uint64_t key[2]);
/* A file descriptor for what changes, or -errno. */
int state_save(const struct state *s);
void state_root(int fd, struct ev_ancestor root);
void state_sequence(int fd, uint64_t sequence);
void state_container(int fd, const char id[EV_CONTAINER_LEN]);
void state_remove(const char *id);
/* All that are there; the caller frees them. */
struct state *state_load(unsigned *n);
void state_free(struct state *s);
/* The last number that a line of this run has at the end of the file; 0: none. *ended is set if that is its end. */
uint64_t stream_last(const char *path, const char *run, bool *ended);

#endif
