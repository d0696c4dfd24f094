/* fuzz_elf.c: any bytes as an executable file. */
#include "option.h"
#include "env_runtime.h"

const struct command commands[] = { { 0 } };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_file e;
	struct env_image image;

	if (!elf_open(&e, (struct span){ (const char *)data, size }))
		return 0;
	elf_build_id(&e);
	env_image_read(&e, "python3.11", false, &image);
	for (unsigned i = 0; i < image.probes; i++) {
		uint64_t offset;

		if (elf_offset(&e, image.probe[i].address, &offset))
			elf_address(&e, offset, &offset);
	}
	env_image_free(&image);
	return 0;
}
