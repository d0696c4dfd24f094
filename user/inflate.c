/* inflate.c: unpacks the beginning of compressed data, to look into it. */
#include <string.h>
#include <zlib.h>
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#include "inflate.h"

#define ANY_HEADER 32 /* zlib.h: gzip or zlib, by the header */

static bool unzip(struct span in, struct buf *out)
{
	z_stream z = { .next_in = (Bytef *)in.ptr, .avail_in = in.len };
	unsigned char chunk[4096];
	size_t before = out->len;
	int status;

	if (inflateInit2(&z, MAX_WBITS + ANY_HEADER) != Z_OK)
		return false;
	do {
		z.next_out = chunk;
		z.avail_out = sizeof(chunk);
		status = inflate(&z, Z_NO_FLUSH);
		buf_add(out, chunk, sizeof(chunk) - z.avail_out);
	} while (status == Z_OK && !z.avail_out && out->len - before < INFLATE_MAX);
	inflateEnd(&z);
	return out->len > before;
}

static bool unxz(struct span in, struct buf *out)
{
#ifdef HAVE_LZMA
	lzma_stream z = LZMA_STREAM_INIT;
	unsigned char chunk[4096];
	size_t before = out->len;
	lzma_ret status;

	/* 16 MiB hold the dictionaries of all presets but the largest. */
	if (lzma_stream_decoder(&z, 16 << 20, 0) != LZMA_OK)
		return false;
	z.next_in = (const uint8_t *)in.ptr;
	z.avail_in = in.len;
	do {
		z.next_out = chunk;
		z.avail_out = sizeof(chunk);
		status = lzma_code(&z, LZMA_RUN);
		buf_add(out, chunk, sizeof(chunk) - z.avail_out);
	} while (status == LZMA_OK && !z.avail_out && out->len - before < INFLATE_MAX);
	lzma_end(&z);
	return out->len > before;
#else
	(void)in;
	(void)out;
	return false;
#endif
}

bool inflate_bytes(struct span in, struct buf *out)
{
	if (in.len < 8)
		return false;
	if (!memcmp(in.ptr, "\x1f\x8b\x08", 3))
		return unzip(in, out);
	/* zlib: deflate with a 32 KiB window, and the check of its header */
	if (in.ptr[0] == 0x78 &&
	    ((unsigned char)in.ptr[0] << 8 | (unsigned char)in.ptr[1]) % 31 == 0)
		return unzip(in, out);
	return !memcmp(in.ptr,
		       "\xfd"
		       "7zXZ\0",
		       6) &&
	       unxz(in, out);
}
