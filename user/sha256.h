/* sha256.h: SHA-256 (FIPS 180-4) of bytes that come in pieces. Pure. */
#ifndef INVIGIL_SHA256_H
#define INVIGIL_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32

struct sha256 {
	uint32_t state[8];
	uint64_t length;   /* bytes so far */
	uint8_t block[64]; /* what does not fill one yet */
};

void sha256_begin(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *bytes, size_t n);
void sha256_end(struct sha256 *h, uint8_t digest[SHA256_LEN]);

#endif
