/* mounts.h: host paths that containers are given: sockets, sensitive places, read-only or not. */
#ifndef INVIGIL_MOUNTS_H
#define INVIGIL_MOUNTS_H

#include "detect.h"
#include "jsonr.h"

/* One mount while its members are read; they come in any order, and more than once. */
struct mounts {
	struct report *out;
	struct buf sources, devices, targets; /* every one given, each with a NUL */
	bool open, bind, local_bind, read_only, writable, other_driver, shared;
	const char *note; /* of a duplicate or oddly folded key */
};

void mount_bind(struct span bind, const char *note, struct report *out); /* "/src:/dst[:options]" */
void mounts_value(void *ctx,
		  const struct json_value *v); /* /HostConfig/Mounts of container-create */
void volume_value(void *ctx, const struct json_value *v); /* volume-create with o=bind */
void mounts_end(struct mounts *m);

/* What evidence says of a key that is there twice or matches by folding only; "" otherwise. */
const char *key_note(const struct json_value *v);

#endif
