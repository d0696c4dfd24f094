/* loader_state.h: what the files behind loader.h share. */
#ifndef INVIGIL_LOADER_STATE_H
#define INVIGIL_LOADER_STATE_H

#include "build_table.h"
#include "env_attach.h"
#include "loader.h"
#include "probe.h"
#include "skeleton.h"

struct loader {
	struct invigil *skel;
	struct buf plain; /* object; empty: the usual one */
	struct ring_buffer *ring;
	struct attached {
		struct bpf_link *link;
		const struct need *need;
	} links[40];
	unsigned n_links;
	bool daemon, idled; /* something was detached */
	const char *env_reads;
	const char *failed[32]; /* needs that could not be attached */
	const char *failed_why[32];
	unsigned n_failed;
	struct env_attach *env;
	uint64_t load_time;
	struct build_table builds;
	bool detached;
	/* during a drain */
	loader_fn *fn;
	void *ctx;
	char *copy;
};

/* A need without programs is met elsewhere: the gate. */
static inline bool need_is_ours(const struct need *n)
{
	return n->tiers[0].programs[0] != NULL;
}

#endif
