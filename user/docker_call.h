/* docker_call.h: what one request to the Engine and its answer say. Pure. */
#ifndef INVIGIL_DOCKER_CALL_H
#define INVIGIL_DOCKER_CALL_H

#include "docker.h"

/* The query of a request's target (without '?'), and its path; an absolute target names the host first. */
struct span target_split(struct span target, struct span *path);
/* The id (volume: name) that a good answer gives to what was created; empty: none. */
void call_created_id(const struct docker_call *c, struct buf *out);
/* Sets c->target of calls that name it in query or body; it lies in out. */
void call_target(struct docker_call *c, struct buf *out);
/* Sets c->dockerfile of a build from its context, unpacked. */
void call_dockerfile(struct docker_call *c, struct span context);
/* Would nothing but an engine be asked for this? tcp: of other services, too, some paths are likely. */
bool path_is_docker(bool tcp, struct span method, struct span path);
/* Does its answer go on for as long as the client stays? */
bool route_streams(const struct docker_route *route, struct span target);

#endif
