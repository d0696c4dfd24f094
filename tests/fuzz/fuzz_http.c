/* fuzz_http.c: any segments in both directions through dialogue and ledger. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "build_steps.h"
#include "container_leaf.h"
#include "dialogue.h"

/* As take_engine.c does, without the record between. */
static void on_dockerfile(void *ctx, uint64_t sk, uint64_t ino, struct span text, bool complete)
{
	dialogue_dockerfile(*(struct dialogue **)ctx, sk, ino, text, complete);
}

static void on_build(void *ctx, struct span dockerfile, bool over)
{
	static struct build_step steps[BUILD_STEPS_MAX];
	unsigned runs;

	(void)ctx;
	(void)over;
	if (build_steps(dockerfile, steps, &runs) > BUILD_STEPS_MAX)
		abort();
}

static void on_container(void *ctx, struct span id)
{
	(void)ctx;
	if (id.len < CONTAINER_ID_SHORT)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	struct dialogue *d;
	struct dialogue_ops ops = {
		.build = on_build, .container = on_container, .dockerfile = on_dockerfile, .ctx = &d
	};
	struct ledger *l = ledger_new(NULL, 0);
	static int process[4];
	uint64_t time = 1;

	d = dialogue_new(&ops, l);
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
