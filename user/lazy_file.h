/* lazy_file.h: the bytes of a file in memory, read when they are asked for. */
#ifndef INVIGIL_LAZY_FILE_H
#define INVIGIL_LAZY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lazy_file {
	char *bytes; /* room for all of them */
	size_t size;
	int fd;
	uint8_t *have; /* a bit for each part that was read */
};

/* fd is borrowed. False: no room. */
bool lazy_open(struct lazy_file *f, int fd, size_t size);
/* An elf_fetch_fn. False: the file is shorter by now, or cannot be read. */
bool lazy_fetch(void *lazy_file, uint64_t offset, uint64_t n);
void lazy_close(struct lazy_file *f);

#endif
