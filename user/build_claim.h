/* build_claim.h: which build steps another invigil of this machine looks for at this moment. */
#ifndef INVIGIL_BUILD_CLAIM_H
#define INVIGIL_BUILD_CLAIM_H

#include <stdbool.h>

struct build_step;

/*
 * Two monitors know a step by the same thing: by what it executes. So each says what it looks for: by a lock on
 * the byte of a file that stands for the step; the file is never read or written. Locks go with their process,
 * whatever ends it. Nothing of the engine is in it: what a container executes does not tell whose engine made it.
 * Opens that file, which nobody but root can; -errno. To be called before privileges are given up.
 */
int claims_open(void);
/* Nothing happens for fd < 0. */
void claim_set(int fd, const struct build_step *s, bool on);
bool claimed(int fd, const struct build_step *s); /* by another process */
bool claimed_any(int fd);                         /* is anything at all? */

#endif
