/* credential.h: the docker client's credentials, where a variable says that they lie. Pure. */
#ifndef INVIGIL_CREDENTIAL_H
#define INVIGIL_CREDENTIAL_H

#include "process.h"

/* Is path the config.json of the DOCKER_CONFIG that the process, or what made it, had in its environment? */
bool credential_is_dockers(const struct process *p, struct span path);

#endif
