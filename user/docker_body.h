/* docker_body.h: what a call asks for a container, wherever that stands in its body. Pure. */
#ifndef INVIGIL_DOCKER_BODY_H
#define INVIGIL_DOCKER_BODY_H

#include "docker.h"
#include "jsonr.h"

/*
 * As json_walk() of the call's body, with each value at the place where container-create has it: a swarm's service has
 * its own names for the same (Docker Engine API, ServiceSpec), a start before API 1.24 is a HostConfig. What a service
 * alone can say (EndpointSpec, TaskTemplate/Networks, ContainerSpec's Privileges and the service's Name) keeps its
 * path; the rest of a service is not told.
 */
enum json_end docker_body_walk(const struct docker_call *c, json_fn *fn, void *ctx);

#endif
