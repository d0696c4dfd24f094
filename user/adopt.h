/* adopt.h: may the daemon take in the process that a caller brings? */
#ifndef INVIGIL_ADOPT_H
#define INVIGIL_ADOPT_H

#include <sys/types.h>

/*
 * The process of a pidfd, when it is a child of the caller and the caller's user in every respect: nobody gets
 * to see what another user's process, or a set-user-id program, does. 0: *why says why not.
 */
pid_t adopt_pid(int pidfd, pid_t caller, uid_t uid, const char **why);

#endif
