/* gunzip.c: unpacks what there is of a gzip stream, up to a limit. */
#include "gunzip.h"
#include <string.h>
#include <zlib.h>

#define WINDOW 16 /* added to the window's bits: a gzip header (zlib.h, inflateInit2) */

bool gunzip_looks(struct span s)
{
	return s.len > 2 && !memcmp(s.ptr, "\x1f\x8b\x08", 3); /* RFC 1952, 2.3 */
}

bool gunzip(struct span in, size_t max, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)in.ptr, .avail_in = in.len };
	unsigned char piece[16384];
	int end = Z_OK;

	buf_reset(out);
	if (inflateInit2(&z, MAX_WBITS + WINDOW) != Z_OK)
		return false;
	while (end == Z_OK && out->len < max) {
		size_t n;

		z.next_out = piece;
		z.avail_out = sizeof(piece);
		end = inflate(&z, Z_NO_FLUSH);
		n = sizeof(piece) - z.avail_out;
		buf_add(out, piece, n < max - out->len ? n : max - out->len);
	}
	inflateEnd(&z);
	return end == Z_STREAM_END && out->len < max;
}
