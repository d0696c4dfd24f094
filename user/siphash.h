/* siphash.h: SipHash-2-4 with 128-bit output (Aumasson, Bernstein: "SipHash: a fast short-input PRF"). */
#ifndef INVIGIL_SIPHASH_H
#define INVIGIL_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

void siphash128(const uint64_t key[2], const void *bytes, size_t n, uint64_t out[2]);

#endif
