/* mounts.h: host paths that containers are given: sockets, sensitive places, read-only or not. */
#ifndef INVIGIL_MOUNTS_H
#define INVIGIL_MOUNTS_H

#include "detect.h"
#include "jsonr.h"

/* One mount while its members are read. */
struct mounts {
	struct report *out;
	struct buf source;
	bool open, bind, read_only;
};

void mount_bind(struct span bind, struct report *out);		/* "/src:/dst[:options]" */
void mounts_value(void *ctx, const struct json_value *v);	/* /HostConfig/Mounts of container-create */
void volume_value(void *ctx, const struct json_value *v);	/* volume-create with o=bind */
void mounts_end(struct mounts *m);

#endif
