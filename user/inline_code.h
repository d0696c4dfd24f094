/* inline_code.h: program text of whatever language: what it decodes or fetches, and whether it runs that. Pure. */
#ifndef INVIGIL_INLINE_CODE_H
#define INVIGIL_INLINE_CODE_H

#include "process.h"

/* Does it call what makes bytes of encoded text? */
bool code_decodes(struct span code);
/* Does it call what runs text or programs? */
bool code_runs(struct span code);
/* enum origin of what it runs: decoded, or fetched from the network, in the call itself or by way of one variable. */
unsigned code_runs_origins(struct span code);

#endif
