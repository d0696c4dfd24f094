/* empty.c: FILE SYMBOL...: probes that do nothing, until standard input ends: what the trap alone costs. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "elf_file.h"
#include "uprobe.h"

struct wanted {
	const char *name;
	uint64_t address;
};

static bool on_symbol(void *ctx, struct span name, uint64_t address, bool function)
{
	struct wanted *w = ctx;

	if (function && span_eq(name, w->name))
		w->address = address;
	return !w->address;
}

/* Stays attached as long as this process lives. */
static bool probe(const char *path, const char *symbol)
{
	struct wanted w = { .name = symbol };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf_file e;
	uint64_t offset;
	struct stat st;
	void *bytes;

	if (fd < 0 || fstat(fd, &st))
		return false;
	bytes = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED || !elf_open(&e, (struct span){ bytes, st.st_size }))
		return false;
	elf_symbols(&e, false, on_symbol, &w);
	return w.address && elf_offset(&e, w.address, &offset) && uprobe_empty(path, offset) >= 0;
}

int main(int argc, char **argv)
{
	char c;

	for (int i = 1; i + 1 < argc; i += 2)
		if (!probe(argv[i], argv[i + 1])) {
			fprintf(stderr, "empty: %s: no probe on %s\n", argv[i], argv[i + 1]);
			return 1;
		}
	puts("attached");
	fflush(stdout);
	return read(STDIN_FILENO, &c, 1) != 0;
}
