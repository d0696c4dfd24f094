/* fuzz_text.c: any bytes as a command string and as data with encoded runs in it. */
#include <stdlib.h>
#include "payload.h"
#include "shell_flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void flow(void *ctx, const struct shell_flow *f)
{
	const struct span *in = ctx;

	if (f->text.ptr < in->ptr || f->text.ptr + f->text.len > in->ptr + in->len)
		abort();
}

static void payload(void *ctx, const struct payload *p)
{
	struct buf b = { 0 };

	payload_preview(ctx, p->core, 120, &b);
	if (p->layers > PAYLOAD_LAYERS + 1 || b.len > 130)
		abort();
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };
	static struct masker m;
	static const uint8_t seed[32] = { 1 };

	if (!m.tag[0])
		masker_init(&m, seed);
	shell_flows(in, flow, &in);
	payload_find(in, payload, &m);
	return 0;
}
