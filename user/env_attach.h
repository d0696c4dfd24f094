/* env_attach.h: finds in ELF files the functions that read the environment and puts probes there. */
#ifndef INVIGIL_ENV_ATTACH_H
#define INVIGIL_ENV_ATTACH_H

#include <stdbool.h>

struct env_attach;
struct invigil;

struct env_attach *env_attach_new(struct invigil *skel, bool python);
void env_attach_free(struct env_attach *a);
/* Probes of one file and, once each, of the libraries it names. Returns how many were attached. */
int env_attach_file(struct env_attach *a, const char *path);
void env_attach_prescan(struct env_attach *a, const char *path_variable);

#endif
