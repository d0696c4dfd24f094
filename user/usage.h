/* usage.h: what this process takes of the machine. */
#ifndef INVIGIL_USAGE_H
#define INVIGIL_USAGE_H

#include <stdint.h>

/* CPU time in ns, resident bytes, open descriptors; 0 what the system does not tell. */
void usage_now(uint64_t *cpu, uint64_t *resident, uint64_t *fds);

#endif
