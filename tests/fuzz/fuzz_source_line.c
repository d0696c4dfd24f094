/* fuzz_source_line.c: any bytes as a line table: a line, none, or not known, and nothing else. */
#include <stdlib.h>
#include <string.h>
#include "source_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned versions[] = { 0x0308, 0x0309, 0x030a, 0x030b, 0x030c, 0x030d };
	int32_t first, at;

	if (size < 9)
		return 0;
	memcpy(&first, data, 4);
	memcpy(&at, data + 4, 4);
	if (source_line(versions[data[8] % 6], first, data + 9, size - 9, at) < -1)
		abort();
	return 0;
}
