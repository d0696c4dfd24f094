/* jsonr.h: walks JSON as Go's encoding/json takes it; no tree, bounded depth, survives a cut. */
#ifndef INVIGIL_JSONR_H
#define INVIGIL_JSONR_H

#include <stdbool.h>
#include "buf.h"

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_OBJECT,
	JSON_ARRAY
};

#define JSON_DEPTH 64

/* One step: a key (decoded: escapes resolved, may hold any byte, NUL too) or an index (key.ptr NULL). */
struct json_step {
	struct span key;
	unsigned index;
};

struct json_value {
	enum json_type type;
	struct span text; /* STRING: decoded; NUMBER: as written; others: empty */
	const struct json_step *path;
	unsigned depth; /* number of steps */
	bool duplicate; /* this key stood in this object before (folded comparison) */
	bool folded;    /* a key of the path matches its ASCII form only by folding beyond case */
};

/* Called for every scalar, and for each object and array before its members. */
typedef void json_fn(void *ctx, const struct json_value *v);

enum json_end {
	JSON_OK,
	JSON_CUT,  /* the bytes ended inside a value; all that came before was reported */
	JSON_BAD,  /* not JSON from *at on */
	JSON_DEEP, /* deeper than JSON_DEPTH; Go itself stops at 10000 */
};

/* Walks one value. at, if not NULL, gets the offset behind it (or of the fault). */
enum json_end json_walk(struct span text, json_fn *fn, void *ctx, size_t *at);

/*
 * Key comparison of Go's encoding/json: ASCII case folded, U+017F is s, U+212A is k. Pattern is
 * "/HostConfig/Binds/star" style with a star (one whole step, key or index) written as '*'.
 * Bytes of a key never act as a separator.
 */
bool json_path_is(const struct json_value *v, const char *pattern);
bool json_key_is(struct span key, const char *name);

/* First (or with last: last) string at a path: convenience for responses. False when absent. The
 * result is copied into out (reset before). */
bool json_string_at(struct span text, const char *pattern, struct buf *out);

#endif
