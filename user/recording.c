/* recording.c: writes and reads the file of scrubbed records. */
#include <errno.h>
#include <string.h>
#include "recording.h"

struct head {
	char magic[16];
	__u32 version;
	__u32 abi;
};

static int put(FILE *f, const void *bytes, size_t n)
{
	return fwrite(bytes, 1, n, f) == n ? 0 : -errno;
}

int recording_begin(FILE *f)
{
	struct head h = { RECORDING_MAGIC, RECORDING_VERSION, EV_ABI };

	return put(f, &h, sizeof(h));
}

int recording_add(FILE *f, const struct record *r)
{
	__u32 n = record_size(r);
	int err = put(f, &n, sizeof(n));

	return err ? err : put(f, r->h, n); /* header, body and tail lie together */
}

int recording_end(FILE *f)
{
	__u32 n = 0;

	return put(f, &n, sizeof(n));
}

const char *recording_open(FILE *f)
{
	struct head h;

	if (fread(&h, 1, sizeof(h), f) != sizeof(h) ||
	    memcmp(h.magic, RECORDING_MAGIC, sizeof(h.magic)))
		return "not an invigil recording";
	if (h.version != RECORDING_VERSION)
		return "a recording of another version";
	if (h.abi != EV_ABI)
		return "a recording with another event ABI";
	return NULL;
}

enum recording_next recording_read(FILE *f, void *buf, size_t *size)
{
	__u32 n;

	if (fread(&n, 1, sizeof(n), f) != sizeof(n))
		return RECORDING_CUT;
	if (!n)
		return RECORDING_END;
	if (n > RECORDING_RECORD_MAX)
		return RECORDING_BAD;
	*size = n;
	return fread(buf, 1, n, f) == n ? RECORDING_RECORD : RECORDING_CUT;
}
