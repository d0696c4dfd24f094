/* ecs_parts.h: what the files behind ecs.h share. */
#ifndef INVIGIL_ECS_PARTS_H
#define INVIGIL_ECS_PARTS_H

#include "ecs.h"

void ecs_text(struct jsonw *j, const char *key, struct span s); /* nothing for an empty one */
/* "error": {"code": "ENOENT"}; message may be NULL. */
void ecs_error(struct jsonw *j, int error, const char *message);

/* ecs_engine.c: of a connect and of a call, top level members and those of the invigil object. */
void ecs_connect(struct jsonw *j, const struct fact *f);
void ecs_docker(struct jsonw *j, const struct docker_call *c);
void ecs_connect_invigil(struct jsonw *j, const struct fact *f);
void ecs_docker_invigil(struct jsonw *j, const struct docker_call *c, bool whole);

#endif
