/* fuzz_http.c: any segments in both directions through dialogue and ledger. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "dialogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	struct dialogue_ops ops = { 0 };
	struct ledger *l = ledger_new(NULL, 0);
	struct dialogue *d = dialogue_new(&ops, l);
	static int process[4];
	uint64_t time = 1;

	dialogue_connect(d, 0, 0, true, false);
	/* Two bytes: direction, connection, flags, process; length. Then the segment. */
	while (n >= 2) {
		struct ev_data e = { .dir = in[0] & 1,
				     .sk = in[0] >> 1 & 1,
				     .flags = in[0] >> 2 & 3 };
		size_t have = in[1], gap = in[0] & 0x80 ? in[0] >> 4 & 7 : 0;
		void *p = &process[in[0] >> 4 & 3];
		char *copy;

		in += 2;
		n -= 2;
		have = have < n ? have : n;
		copy = malloc(have + 1);
		if (!copy)
			abort();
		memcpy(copy, in, have);
		dialogue_data(d, p, time++, &e, copy, have, have + gap);
		if (have == 255)
			dialogue_process_end(d, p, time);
		free(copy);
		in += have;
		n -= have;
	}
	dialogue_finish(d, time);
	dialogue_free(d);
	ledger_free(l);
	return 0;
}
