/* lazy_file.c: reads parts of a file on demand: of a program of a hundred megabytes a few are looked at. */
/*
 * Never by mmap of the file: whoever shortens it would end this process.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "buf.h"
#include "lazy_file.h"

#define PART (64u << 10)

bool lazy_open(struct lazy_file *f, int fd, size_t size)
{
	*f = (struct lazy_file){ .fd = fd, .size = size };
	f->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (f->bytes == MAP_FAILED)
		return false;
	/* Faults of a page each would cost more than the reading. */
	madvise(f->bytes, size, MADV_HUGEPAGE);
	f->have = xcalloc(size / PART / 8 + 1, 1);
	return true;
}

static bool part_read(struct lazy_file *f, size_t at, size_t end)
{
	while (at < end) {
		ssize_t got = pread(f->fd, f->bytes + at, end - at, at);

		if (got <= 0 && !(got < 0 && errno == EINTR))
			return false;
		at += got > 0 ? got : 0;
	}
	return true;
}

bool lazy_fetch(void *lazy_file, uint64_t offset, uint64_t n)
{
	struct lazy_file *f = lazy_file;

	if (offset > f->size || n > f->size - offset)
		return false;
	for (size_t i = offset / PART; n && i <= (offset + n - 1) / PART; i++) {
		size_t at = i * PART;

		if (f->have[i / 8] & 1 << i % 8)
			continue;
		if (!part_read(f, at, f->size - at < PART ? f->size : at + PART))
			return false;
		f->have[i / 8] |= 1 << i % 8;
	}
	return true;
}

void lazy_close(struct lazy_file *f)
{
	munmap(f->bytes, f->size);
	free(f->have);
}
