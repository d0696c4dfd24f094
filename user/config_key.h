/* config_key.h: the one table of the configuration's keys: reader, refusals and manual page go by its rows. */
#ifndef INVIGIL_CONFIG_KEY_H
#define INVIGIL_CONFIG_KEY_H

#include "option.h"

struct config_key {
	const char *path;  /* "outputs[].rotate.size"; [] an element of a list, * any word */
	const char *value; /* as the manual calls it; NULL: it has members */
	/*
	 * Sets the value, or begins an element with members (*word NULL then). name: what stood for the
	 * path's *, else NULL. Returns what is wrong with *word, which may be changed to another word.
	 */
	const char *(*set)(struct config *c, const char *name, const char **word);
	/* What an element that was read whole lacks. */
	const char *(*lacks)(const struct config *c);
};

extern const struct config_key config_keys[];
extern const size_t n_config_keys;

const struct config_key *config_key_find(const char *path); /* NULL: there is none */
bool config_key_has_members(const struct config_key *k);
/* "unix:/PATH", "127.0.0.1:PORT" or "[::1]:PORT". */
bool metrics_address_valid(const char *text);
/* "id=ID", "name=GLOB", "label=K[=V]" or "project=NAME". */
bool config_own_add(struct config *c, const char *word);

#endif
