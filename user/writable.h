/* writable.h: leaves a process a few folders to write to. */
#ifndef INVIGIL_WRITABLE_H
#define INVIGIL_WRITABLE_H

/*
 * In a mount namespace of this process's own everything but the folders, and what is mounted later, is for
 * reading only. Needs CAP_SYS_ADMIN, Linux 5.12 and a root whose mounts propagate: otherwise what is mounted
 * later would not be seen, and what is unmounted would be held. folders: absolute, as realpath(3) has them.
 * NULL, or why it is not so; where the root is read-only already, nothing is done. Descriptors that are open
 * are not concerned.
 */
const char *writable_only(char *const *folders, unsigned n);

#endif
