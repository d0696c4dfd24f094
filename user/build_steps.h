/* build_steps.h: what the RUN steps of a Dockerfile will execute. Pure. */
#ifndef INVIGIL_BUILD_STEPS_H
#define INVIGIL_BUILD_STEPS_H

#include "buf.h"
#include "build_step.h"
#include "scrub.h"

#define BUILD_STEPS_MAX 512

/*
 * Writes up to BUILD_STEPS_MAX of what may be executed and returns how many; *runs: how many RUN steps there are. One
 * whose shell is its image's own is written for the usual shell, and for any (BUILD_STEP_TEXT); one whose first bytes
 * hold a masked secret is not written.
 */
unsigned build_steps(struct span dockerfile, struct build_step steps[BUILD_STEPS_MAX],
		     unsigned *runs);

/*
 * Is what a program was given, args, a RUN step of the Dockerfile, in which m has masked secrets? Those are compared by
 * their digests, which MASKED_MAYBE says could not be done.
 */
enum masked build_has_step(struct span dockerfile, const struct masker *m, struct span args);

#endif
