/* plain_object.c: the packed BPF object for kernels without loops and task storage. */
#include <stdint.h>
#include "plain_object.h"

__asm__(".section .rodata\n"
	".balign 8\n"
	"plain_len: .quad 1f - plain_begin\n"
	"plain_begin: .incbin \"" PLAIN_OBJECT "\"\n"
	"1:\n"
	".previous");

extern const uint64_t plain_len;
extern const char plain_begin[];

struct span plain_object(void)
{
	return (struct span){ plain_begin, plain_len };
}
