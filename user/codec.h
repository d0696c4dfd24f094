/* codec.h: base64, hex, octal, percent and escape decoding of bounded, untrusted bytes. Pure. */
#ifndef INVIGIL_CODEC_H
#define INVIGIL_CODEC_H

#include <stdbool.h>
#include "buf.h"

void base64_encode(struct span in, struct buf *out);
/* Standard and URL alphabets, padding optional; false on any other byte (out then holds what came before). */
bool base64_decode(struct span in, struct buf *out);
/* Upper case, padding optional; false on any other byte. */
bool base32_decode(struct span in, struct buf *out);
bool hex_decode(struct span in, struct buf *out); /* pairs of digits */
/* \xHH, \0ooo, \ooo, \uHHHH, \n … as echo -e and $'' take them; returns how many escapes were resolved. */
unsigned escape_decode(struct span in, struct buf *out);
/* One such escape; p is behind the backslash and before end. Returns what follows, NULL when it is none. */
const char *escape_one(const char *p, const char *end, struct buf *out);
unsigned percent_decode(
	struct span in,
	struct buf *out); /* bad sequences are kept as they are; returns the number decoded */
/* Printable preview for evidence: control bytes and non-UTF-8 as \xHH, at most max bytes. */
void text_escape(struct span in, size_t max, struct buf *out);
bool utf8_valid(struct span s);

#endif
