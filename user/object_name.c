/* object_name.c: how clients may write the id, name or reference of an object of the Engine. */
#include "object_name.h"
#include <string.h>

struct span slash_trim(struct span s)
{
	while (s.len && *s.ptr == '/') {
		s.ptr++;
		s.len--;
	}
	return s;
}

bool id_is_hex(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!strchr("0123456789abcdef", s.ptr[i]) || !s.ptr[i])
			return false;
	return s.len > 0;
}

struct span digest_trim(struct span s)
{
	return span_starts(s, "sha256:") ? (struct span){ s.ptr + 7, s.len - 7 } : s;
}

bool id_is_full(struct span s)
{
	s = digest_trim(s);
	return s.len == 64 && id_is_hex(s);
}

void reference_normalise(struct span s, struct buf *out)
{
	static const char *const prefixes[] = { "docker.io/", "index.docker.io/",
						"registry-1.docker.io/" };
	const char *at, *colon = NULL, *slash;
	struct span digest = { NULL, 0 };

	buf_reset(out);
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (span_starts(s, prefixes[i])) {
			s.ptr += strlen(prefixes[i]);
			s.len -= strlen(prefixes[i]);
		}
	if (span_starts(s, "library/")) {
		s.ptr += 8;
		s.len -= 8;
	}
	at = s.len ? memchr(s.ptr, '@', s.len) : NULL;
	if (at) {
		digest = (struct span){ at, s.len - (at - s.ptr) };
		s.len = at - s.ptr;
	}
	slash = s.len ? memrchr(s.ptr, '/', s.len) : NULL;
	if (s.len)
		colon = memchr(slash ? slash : s.ptr, ':', s.len - (slash ? slash - s.ptr : 0));
	buf_add(out, s.len ? s.ptr : "", digest.len && colon ? (size_t)(colon - s.ptr) : s.len);
	if (digest.len)
		buf_add(out, digest.ptr, digest.len);
	else if (!colon)
		buf_str(out, ":latest");
}
