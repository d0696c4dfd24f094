/* fuzz_scrub.c: any bytes go through the scrubber; learned values never come out of it. */
#include <stdlib.h>
#include <string.h>
#include "scrub.h"

#define VALUE "hidden-Value/0815"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char variable[] = "A_TOKEN=" VALUE;
	uint8_t seed[32] = { 1, 2, 3, 4, 5 };
	char block[sizeof(variable)], *copy;
	const struct secret *which;
	struct masker m;

	if (!size)
		return 0;
	masker_init(&m, seed);
	memcpy(block, variable, sizeof(block));
	scrub_environment(&m, block, sizeof(block));
	copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data + 1, size - 1);
	switch (data[0] % 3) {
	case 0:
		scrub_bytes(&m, copy, size - 1);
		break;
	case 1:
		scrub_arguments(&m, copy, size - 1);
		break;
	default:
		if (scrub_environment(&m, copy, size - 1) > size - 1)
			abort();
	}
	if (data[0] % 3 < 2 && memmem(copy, size - 1, VALUE, strlen(VALUE)))
		abort();
	masker_find(&m, (struct span){ copy, size - 1 });
	for (size_t i = 0; i + 1 < size;) {
		size_t n = masker_at(&m, (struct span){ copy + i, size - 1 - i }, &which);

		if (n > size - 1 - i)
			abort();
		i += n ? n : 1;
	}
	free(copy);
	masker_free(&m);
	return 0;
}
