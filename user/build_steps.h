/* build_steps.h: what the RUN steps of a Dockerfile will execute. Pure. */
#ifndef INVIGIL_BUILD_STEPS_H
#define INVIGIL_BUILD_STEPS_H

#include "buf.h"
#include "build_step.h"

#define BUILD_STEPS_MAX 256

/*
 * Writes up to BUILD_STEPS_MAX steps and returns how many; *runs: how many RUN steps there are. Those of an
 * unknown base image's own shell, and here-documents, are not known and not among them.
 */
unsigned build_steps(struct span dockerfile, struct build_step steps[BUILD_STEPS_MAX],
		     unsigned *runs);

#endif
