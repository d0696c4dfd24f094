/* ledger.h: which engine objects this run created, by every id and name that responses gave. Pure. */
#ifndef INVIGIL_LEDGER_H
#define INVIGIL_LEDGER_H

#include "docker.h"
#include "run.h"
#include "scrub.h"

struct ledger;

/* own: the run's --own selectors (borrowed). */
struct ledger *ledger_new(const struct selector *own, unsigned n_own);
void ledger_free(struct ledger *l);

/* What an object, named as a client would (name, id, unique id prefix, repo[:tag], digest), is to the run. */
enum owner ledger_owner(const struct ledger *l, enum docker_object kind, struct span name);
/* Full id and name of a known object; false when the ledger knows none. Spans live until the next ledger call. */
bool ledger_lookup(const struct ledger *l, enum docker_object kind, struct span name,
		   struct span *id, struct span *display, struct span *image);
/* Learns from an inspection what --own gives: before it is judged. */
void ledger_inspect(struct ledger *l, const struct docker_call *call);
/* Sets call->owner, container_id, container_name, image_name, pruned_*; before the call's effect is learned. */
void ledger_judge(const struct ledger *l, struct docker_call *call);
/* What call->shares says, into out (reset before). */
void ledger_shares(const struct ledger *l, const struct docker_call *call, struct buf *out);
/* Learns from a successful response: created, renamed, tagged, removed. Call after ledger_judge. */
void ledger_learn(struct ledger *l, const struct docker_call *call);
/* An engine did what is not in the Docker Engine API, and what the ledger cannot know, as podman's own /libpod/ is. */
bool call_is_unknown_change(const struct docker_call *call);
/*
 * To be called when m knows more secrets than before: a name that holds one comes masked from now on, so it is
 * masked here too, to be found again and to be shown so.
 */
void ledger_mask(struct ledger *l, struct masker *m);
/* Do these two, or whoever looks for what it created, read the body of such a call's response? Of most nobody does. */
bool ledger_reads(const struct docker_route *route);
/*
 * A step of a classic build runs in a container, or made an image; ids as the builder says them, their first
 * 12 digits. What a step prints can look like that: executed, the step was seen in it, and so it is the run's own.
 * False: the container is known.
 */
bool ledger_build_container(struct ledger *l, struct span id, struct span image, bool executed);
/* Its builder has removed it, or whether it did is not seen. */
void ledger_build_gone(struct ledger *l, struct span id);
/* The container of that whole id is the run's by --own alone, and this was not asked before. */
bool ledger_given(struct ledger *l, struct span id);
void ledger_build_image(struct ledger *l, struct span id);
/* Something was missed (cut stream, lost records, undecodable connection): what is not in the ledger is unknown from now on. */
void ledger_blind(struct ledger *l);
/* Objects created by the run and not removed: fn is called with kind, id (may be empty), name. */
void ledger_left(const struct ledger *l,
		 void (*fn)(void *ctx, enum docker_object kind, struct span id, struct span name),
		 void *ctx);

#endif
