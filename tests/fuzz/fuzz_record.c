/* fuzz_record.c: any bytes as event records through the whole pipeline. */
#include <stdlib.h>
#include <string.h>
#include "host_begin.h"
#include "pipeline.h"
#include "record.h"

const struct command commands[] = { { 0 } };

static int sink(void *ctx, const char *line, size_t len)
{
	(void)ctx;
	return len && line[len - 1] == '\n' ? 0 : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config c = { .fail_on = -1, .env_reads = "all" };
	struct pipeline *p = pipeline_new(&c, sink, NULL);
	char *copy = aligned_alloc(8, 1 << 20);
	size_t n = host_begin(copy);

	pipeline_take(p, copy, n);
	/* The input is a sequence of: type (1), length of what follows (2), bytes. */
	while (size >= 3) {
		size_t want = data[1] | data[2] << 8;
		struct ev_hdr h = { .time = 1,
				    .start = 1,
				    .type = data[0] % EV_TYPES,
				    .run = 1,
				    .pid = 2,
				    .tid = 2 };

		data += 3;
		size -= 3;
		if (want > size)
			want = size;
		memcpy(copy, &h, sizeof(h));
		memcpy(copy + sizeof(h), data, want);
		/* Make the length right as often as possible: the body's size is found by trying. */
		for (size_t body = 0; body <= want && body <= 256; body += 8) {
			struct record r;

			((struct ev_hdr *)copy)->len = ((struct ev_hdr *)copy)->want = want - body;
			if (!record_decode(copy, sizeof(h) + want, &r))
				continue;
			pipeline_take(p, copy, sizeof(h) + want);
			break;
		}
		data += want;
		size -= want;
	}
	pipeline_finish(p);
	pipeline_free(p);
	free(copy);
	return 0;
}
