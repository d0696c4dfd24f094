/* env_attach.h: probes on the functions that read the environment, in the files that a run executes. */
#ifndef INVIGIL_ENV_ATTACH_H
#define INVIGIL_ENV_ATTACH_H

#include <stdbool.h>

struct env_attach;
struct invigil;

struct env_attach *env_attach_new(struct invigil *skel, bool c_only);
void env_attach_free(struct env_attach *a);
/*
 * Probes of one file (or script) and of the libraries it names, once each. Returns how many were
 * attached now. Below /proc/PID/ libraries are those of that process's root.
 */
int env_attach_file(struct env_attach *a, const char *path);
/* Something that went wrong and was not told yet; NULL nothing. */
const char *env_attach_trouble(struct env_attach *a);
void env_attach_prescan(struct env_attach *a, const char *path_variable);

#endif
