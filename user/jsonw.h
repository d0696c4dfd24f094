/* jsonw.h: streaming JSON writer for one line; whatever bytes come in, valid UTF-8 JSON goes out. */
#ifndef INVIGIL_JSONW_H
#define INVIGIL_JSONW_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"

struct masker; /* scrub.h: knows how a masked secret looks in bytes, may be NULL */

/*
 * Keys are literals of ours (NUL ended, no escaping needed). key NULL: element of an array.
 * Bytes that are not valid UTF-8 become U+FFFD; the dotted path of such a field and its original
 * bytes (at most 4096, base64) are remembered and written by jsonw_raw() as invigil.raw wants.
 * Masked secrets (scrub.h) come out as <redacted:KIND> and are no invalid bytes; in the base64 of
 * jsonw_raw they stay masked.
 */
struct jsonw {
	struct buf *out;
	const struct masker *masker;
	struct buf path; /* dotted path of the open object */
	struct buf raw;  /* records for jsonw_raw */
	unsigned masks;  /* shown so far */
	int64_t second;  /* unix, of time */
	char time[33];   /* the last one written, in quotes; empty: none yet */
	unsigned depth;
	uint32_t comma; /* bit per depth */
	uint32_t array; /* bit per depth */
	unsigned path_at[32];
};

void jsonw_begin(struct jsonw *j, struct buf *out, const struct masker *m); /* writes '{' */
void jsonw_end(struct jsonw *j); /* writes '}' and '\n' */
void jsonw_free(struct jsonw *j);

void jsonw_obj(struct jsonw *j, const char *key);
void jsonw_arr(struct jsonw *j, const char *key);
void jsonw_close(struct jsonw *j); /* object or array, whichever is open */

void jsonw_str(struct jsonw *j, const char *key, const char *s); /* NULL: nothing is written */
void jsonw_span(struct jsonw *j, const char *key, struct span s);
void jsonw_fmt(struct jsonw *j, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void jsonw_u64(struct jsonw *j, const char *key, uint64_t v);
void jsonw_i64(struct jsonw *j, const char *key, int64_t v);
void jsonw_bool(struct jsonw *j, const char *key, bool v);
void jsonw_time(struct jsonw *j, const char *key, uint64_t unix_ns); /* RFC 3339, ns, UTC */
void jsonw_copy(struct jsonw *j, const char *bytes, size_t n); /* ready members, "\"a\":1,..." */
/*
 * Members that are the same in line after line: written by write once, into kept too, and copied from
 * there until it is reset. NULL, and what is larger than JSONW_KEPT: written each time. So is what shows
 * a mask, whose name may become known, and what is not UTF-8, which is noted for each line.
 */
void jsonw_once(struct jsonw *j, struct buf *kept, void (*write)(struct jsonw *j, const void *what),
		const void *what);
#define JSONW_KEPT 16384
/* Writes key: [{"field":…,"base64":…}] when any field was not UTF-8. */
void jsonw_raw(struct jsonw *j, const char *key);

#endif
