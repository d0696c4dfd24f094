/* ledger_state.h: what the files behind ledger.h share: the objects a run made, and how they are found. */
#ifndef INVIGIL_LEDGER_STATE_H
#define INVIGIL_LEDGER_STATE_H

#include "ledger.h"

struct object {
	enum docker_object kind;
	struct span id, name, image; /* owned */
	enum owner owner;            /* of an exec: of its container */
	struct object *container;    /* of an exec; may be NULL */
	bool created;                /* by the run; false: named by --own */
	bool given;                  /* not created: ledger_given() was asked */
	bool removed, auto_remove, started, stopped;
	bool shares;   /* a container that has another's volumes */
	bool nameless; /* an image that a call made and gave no name */
	bool alias;    /* a tag of the run's on an image that is not known as the run's */
	bool step;     /* a container of a build; its builder removes it, usually */
	bool unsure;   /* the end of the answer was not seen; or it may have been there before */
};

struct ledger {
	const struct selector *own;
	unsigned n_own;
	struct object **at;
	unsigned n, cap;
	void *keys;      /* struct key */
	struct buf host; /* the id of the network "host", when an answer told it */
	bool blind, blind_images,
		containers; /* containers: some were made, with volumes as their images say */
};

struct span span_copy(struct span s);
struct object *key_find(const struct ledger *l, enum docker_object kind, struct span text);
void key_set(struct ledger *l, enum docker_object kind, struct span text, struct object *o);
void key_drop(struct ledger *l, enum docker_object kind, struct span text);
struct object *object_find(const struct ledger *l, enum docker_object kind, struct span name);
/*
 * What an engine's membership of a swarm is called here, made by the run or joined; no service can be called so.
 * What the run makes in a swarm of its own ends with it.
 */
#define SWARM_MADE   SPAN("of this engine")
#define SWARM_JOINED SPAN("joined by this engine")
/* NULL: there are too many; the ledger is blind then. */
struct object *object_add(struct ledger *l, enum docker_object kind, struct span id,
			  struct span name);
void object_remove(struct ledger *l, struct object *o);

bool call_is_good(const struct docker_call *c);
/* What responses about images say of images that the run made, tagged or removed. */
void build_learn(struct ledger *l, const struct docker_call *c);
void pull_learn(struct ledger *l, const struct docker_call *c);
void load_learn(struct ledger *l, const struct docker_call *c);
void tag_learn(struct ledger *l, const struct docker_call *c);
void commit_learn(struct ledger *l, const struct docker_call *c);
void images_removed_learn(struct ledger *l, const struct docker_call *c);

#endif
