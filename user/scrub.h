/* scrub.h: masks secrets in place, with equal length, before anything is kept or shown. */
#ifndef INVIGIL_SCRUB_H
#define INVIGIL_SCRUB_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"

/*
 * How a masked secret looks in bytes. A secret of n >= 8 bytes becomes
 *	FF  n0 n1 n2  i1 i0  FF ... FF          (n bytes)
 * with n0..n2 a random tag of the run (each 0x80..0xBF, so the tag cannot be forged by guessing
 * and is never valid UTF-8) and i1, i0 the index into the secret table (6 bits each | 0x80).
 * Shorter values are overwritten by FF alone. Framing, offsets and JSON syntax survive. Consumers
 * (jsonw, detectors) recognise a mask in any bytes they hold with masker_at().
 */
enum secret_kind {
	SECRET_VARIABLE, /* value of a sensitive variable of the run */
	SECRET_NAMED, /* value behind a sensitive name (NAME=value, --password value, "Password":"…") */
	SECRET_TOKEN, /* a well-known credential format */
	SECRET_KEY,   /* a PEM private key */
	SECRET_URL,   /* user:password@ in a URL or image reference: the password */
	SECRET_AUTH,  /* Authorization, X-Registry-Auth, X-Registry-Config header; /auth body */
	SECRET_KINDS
};

struct secret {
	uint8_t kind;  /* enum secret_kind */
	char name[63]; /* variable, option, header or format, ASCII, NUL ended, cut */
	uint32_t len;
	uint64_t roll;      /* rolling hash of the bytes */
	uint64_t digest[2]; /* keyed digest */
};

#define SECRETS_MAX                                                                                \
	4096 /* what two six-bit digits can name; more are masked without index and counted */

struct masker {
	uint8_t tag[3];
	struct secret *secrets; /* NULL: none yet */
	unsigned count;
	uint64_t refused; /* found after the table was full */
	uint64_t key[2];  /* of the digest; random per run */
	/* the rest belongs to scrub.c */
	struct scrub_index *index;
	unsigned learned; /* how often anything was added to the index */
	/* Texts without a secret, by their length; until another is learned. */
	struct {
		struct buf text;
		unsigned learned;
	} clean[8];
	const char *const *extra_names; /* globs of the configuration, NULL ended; may be NULL */
};

/* seed: 32 random bytes of the run (they stand in the recording). */
void masker_init(struct masker *m, const uint8_t seed[32]);
void masker_free(struct masker *m);
/* The row (at < SECRETS_MAX), made if the table is shorter; pointers to rows stay good. */
struct secret *masker_row(struct masker *m, unsigned at);

/* A sensitive variable (or option, key) name, as RISKS.md defines; extra globs of the configuration. */
bool name_is_sensitive(const struct masker *m, struct span name);

/*
 * If a mask begins at s.ptr: its length, *which its secret (NULL when the mask carries no valid
 * index). Otherwise 0.
 */
size_t masker_at(const struct masker *m, struct span s, const struct secret **which);
/* Did the masks of masked hide what stands in raw? MAYBE: all that can be compared is the same. */
enum masked { MASKED_OTHER, MASKED_MAYBE, MASKED_SAME };
enum masked masker_compare(const struct masker *m, struct span masked, struct span raw);
/* Text of KIND in <redacted:KIND>, e.g. "variable:AWS_SECRET_ACCESS_KEY", "token:github". */
void secret_label(const struct secret *s, struct buf *out);
/* Does s hold a mask anywhere? First secret found, or NULL. */
const struct secret *masker_find(const struct masker *m, struct span s);

/* A variable whose value is no secret and is needed: the test case, start-up files of loaders and interpreters. */
bool variable_is_public(struct span name);

/*
 * Learns the values of sensitive variables ("NAME=value" NUL ended, repeated) and then rewrites the
 * block: "NAME NUL"; "NAME!NUL" for a sensitive one that was set and not empty; "NAME=value NUL" for
 * a public one, with secrets in it masked. Other values leave no trace: they are wiped from block.
 * Returns the new length. process_env_next() reads the result.
 */
size_t scrub_environment(struct masker *m, char *block, size_t len);
/* Masks in argument vectors (NUL separated): values known, NAME=value, --password[= ]value, URLs, tokens. */
void scrub_arguments(struct masker *m, char *args, size_t len);
/* Masks in any bytes (HTTP, JSON, tar, paths): values known (also base64, percent and hex forms), tokens,
 * "NAME=value" up to a quote, white space or end, JSON string values behind sensitive keys, credential
 * headers. Returns how many masks were set. */
unsigned scrub_bytes(struct masker *m, char *bytes, size_t len);

#endif
