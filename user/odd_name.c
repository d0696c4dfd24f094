/* odd_name.c: control bytes, bytes that are no UTF-8, and encodings in names. */
#include <string.h>
#include "codec.h"
#include "odd_name.h"
#include "payload.h"
#include "utf8.h"

#define ENCODED_MIN 6 /* "2e2e2f" */

static bool climbs(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || (unsigned char)s.ptr[i] >= 0x7f)
			return false;
	return span_find(s, SPAN("../")) >= 0;
}

static const char *bytes_odd(const struct masker *m, struct span s)
{
	for (size_t i = 0; i < s.len;) {
		struct span rest = { s.ptr + i, s.len - i };
		size_t mask = masker_at(m, rest, NULL);
		int n;

		if (mask) {
			i += mask;
			continue;
		}
		n = utf8_step(rest.ptr, rest.len);
		if (n < 0)
			return "holds bytes that are not UTF-8";
		if ((unsigned char)rest.ptr[0] < 0x20 || rest.ptr[0] == 0x7f)
			return "holds control bytes";
		if (utf8_steers(rest.ptr))
			return "holds characters that steer a terminal";
		i += (size_t)n;
	}
	return NULL;
}

static void payload_note(void *ctx, const struct payload *p)
{
	(void)p;
	*(bool *)ctx = true;
}

const char *name_is_odd(const struct masker *m, struct span name)
{
	const char *odd = bytes_odd(m, name);
	struct buf b = { 0 };
	bool encoded = false;

	if (odd || name.len < ENCODED_MIN)
		return odd;
	if ((hex_decode(name, &b) && climbs((struct span){ b.ptr, b.len })))
		odd = "decodes (hex) to a path that climbs";
	buf_reset(&b);
	if (!odd && memchr(name.ptr, '%', name.len) && percent_decode(name, &b) &&
	    climbs((struct span){ b.ptr, b.len }))
		odd = "decodes (percent) to a path that climbs";
	buf_reset(&b);
	if (!odd && base64_decode(name, &b) && climbs((struct span){ b.ptr, b.len }))
		odd = "decodes (base64) to a path that climbs";
	buf_free(&b);
	if (odd || name.len < PAYLOAD_MIN)
		return odd;
	payload_find(name, payload_note, &encoded);
	return encoded ? "is encoded data" : NULL;
}
