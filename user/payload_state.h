/* payload_state.h: what the files behind payload.h share. */
#ifndef INVIGIL_PAYLOAD_STATE_H
#define INVIGIL_PAYLOAD_STATE_H

#include "payload.h"

struct search {
	unsigned layer; /* of the runs that are found now, from 1 */
	payload_fn *fn;
	void *ctx;
};

/* Says a run, if it is one. Returns whether it was. */
bool payload_run(const struct search *x, enum payload_coding coding, struct span run,
		 struct span decoded);
/* payload_escape.c */
void payload_escaped(const struct search *x, struct span s);
/* payload_code.c */
void payload_codes(const struct search *x, struct span s);

#endif
