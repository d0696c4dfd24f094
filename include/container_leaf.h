/* container_leaf.h: where in the name of a container's cgroup its id stands. */
#ifndef INVIGIL_CONTAINER_LEAF_H
#define INVIGIL_CONTAINER_LEAF_H

#define CONTAINER_ID_SHORT 12 /* digits of an id, as the engine says it to people */
#define CONTAINER_SCOPE    7  /* letters before it in the systemd driver's names */

/* "<id>" (cgroupfs driver), "docker-<id>.scope" or "libpod-<id>.scope" (systemd driver). */
static inline int container_leaf_scoped(const char *leaf)
{
	return leaf[CONTAINER_SCOPE - 1] == '-';
}

#endif
