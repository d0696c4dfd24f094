/* json_keys.h: the keys that one walk has met, to tell those that stand twice in an object. */
#ifndef INVIGIL_JSON_KEYS_H
#define INVIGIL_JSON_KEYS_H

#include "jsonr.h"

#define KEYS_FIRST 64u /* slots that need no allocation */

/* A key of an open or closed object: digest of the object's number and the folded key; {0}: free. */
struct key_slot {
	uint64_t digest[2];
};

struct json_keys {
	struct buf fold; /* a folded key */
	uint64_t seed[2];
	struct key_slot first[KEYS_FIRST];
	struct key_slot *slots;
	unsigned slot_count, used;
};

void json_keys_begin(struct json_keys *k); /* of zeroes */
void json_keys_free(struct json_keys *k);
/* Notes a key of the object with that number: did it stand there before? *beyond: folding changed more than ASCII. */
bool json_keys_note(struct json_keys *k, uint64_t object, struct span key, bool *beyond);

#endif
