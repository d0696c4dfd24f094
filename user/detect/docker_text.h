/* docker_text.h: texts in container commands, exec commands, build arguments and Dockerfiles. */
#ifndef INVIGIL_DOCKER_TEXT_H
#define INVIGIL_DOCKER_TEXT_H

#include <stdbool.h>
#include "docker.h"

/* where: words for a person, no ids, no offsets. shell: it is (or may be) a command string; otherwise it is data. */
typedef void docker_text_fn(void *ctx, const char *where, struct span text, bool shell);

/* Calls fn for each text of a container or exec creation or a build; command strings come both ways. */
void docker_texts(const struct docker_call *c, docker_text_fn *fn, void *ctx);

#endif
