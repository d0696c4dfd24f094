/* sha256.c: the compression function and padding of SHA-256. */
#include <string.h>
#include "sha256.h"

static const uint32_t round_constant[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t turn(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static uint32_t word_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* One round; the first word stands r places before s[8]. */
static inline __attribute__((always_inline)) void compress_round(uint32_t s[8], int r, uint32_t in)
{
	uint32_t a = s[(8 - r) % 8], b = s[(9 - r) % 8], c = s[(10 - r) % 8];
	uint32_t e = s[(12 - r) % 8], f = s[(13 - r) % 8], g = s[(14 - r) % 8];
	uint32_t one = s[(15 - r) % 8] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
		       ((e & f) ^ (~e & g)) + in;

	s[(11 - r) % 8] += one;
	s[(15 - r) % 8] =
		one + (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
}

static void compress(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[64], s[8];

	for (int i = 0; i < 16; i++)
		w[i] = word_at(block + 4 * i);
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] +
		       (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(s, state, sizeof(s));
	/* Eight rounds bring each word back to its place: none is moved. */
	for (int i = 0; i < 64; i += 8) {
		compress_round(s, 0, w[i] + round_constant[i]);
		compress_round(s, 1, w[i + 1] + round_constant[i + 1]);
		compress_round(s, 2, w[i + 2] + round_constant[i + 2]);
		compress_round(s, 3, w[i + 3] + round_constant[i + 3]);
		compress_round(s, 4, w[i + 4] + round_constant[i + 4]);
		compress_round(s, 5, w[i + 5] + round_constant[i + 5]);
		compress_round(s, 6, w[i + 6] + round_constant[i + 6]);
		compress_round(s, 7, w[i + 7] + round_constant[i + 7]);
	}
	for (int i = 0; i < 8; i++)
		state[i] += s[i];
}

void sha256_begin(struct sha256 *h)
{
	static const uint32_t initial[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memcpy(h->state, initial, sizeof(initial));
	h->length = 0;
}

void sha256_add(struct sha256 *h, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	size_t have = h->length % 64;

	h->length += n;
	while (n) {
		size_t take = 64 - have < n ? 64 - have : n;

		memcpy(h->block + have, p, take);
		have = (have + take) % 64;
		p += take;
		n -= take;
		if (!have)
			compress(h->state, h->block);
	}
}

void sha256_end(struct sha256 *h, uint8_t digest[SHA256_LEN])
{
	static const uint8_t padding[64] = { 0x80 };
	uint64_t bits = h->length * 8;
	uint8_t length[8];

	for (int i = 0; i < 8; i++)
		length[i] = bits >> (56 - 8 * i);
	sha256_add(h, padding, (119 - h->length % 64) % 64 + 1);
	sha256_add(h, length, sizeof(length));
	for (int i = 0; i < 32; i++)
		digest[i] = h->state[i / 4] >> (24 - 8 * (i % 4));
}
