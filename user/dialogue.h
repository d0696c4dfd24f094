/* dialogue.h: engine connections: bytes to HTTP messages to Docker calls, with the ownership ledger. Pure. */
#ifndef INVIGIL_DIALOGUE_H
#define INVIGIL_DIALOGUE_H

#include "event.h"
#include "docker.h"
#include "ledger.h"
#include "scrub.h"

struct process;

/* Budgets, bytes: what is kept of one message; the rest is counted and the call marked incomplete. */
#define DIALOGUE_REQUEST_MAX  (1u << 20)
#define DIALOGUE_RESPONSE_MAX (256u << 10)
#define DIALOGUE_UNPACKED_MAX (4u << 20) /* of a gzip'd build context */

/* What became of a connection's bytes that cannot be decoded (R0.3, R6.13). */
struct dialogue_gap {
	const struct process *process;
	const char *
		reason; /* static text: "bytes not readable", "stream cut", "not HTTP", "HTTP/2", "TLS" */
	uint64_t bytes;
};

struct dialogue_ops {
	/* One finished call. request_time is that of the first byte of the request, boot ns. */
	void (*call)(void *ctx, const struct process *p, uint64_t request_time,
		     const struct docker_call *call);
	void (*gap)(void *ctx, uint64_t time, const struct dialogue_gap *gap);
	/* A step of a build runs in a container with an id that begins so. May be NULL. */
	void (*container)(void *ctx, struct span id);
	/* A build's Dockerfile is known, before its steps run, or (over) the build has ended. May be NULL. */
	void (*build)(void *ctx, struct span dockerfile, bool over);
	/*
	 * A Dockerfile out of a packed context, or of a session on that connection: to be given back by
	 * dialogue_dockerfile() before this returns. May be NULL.
	 */
	void (*dockerfile)(void *ctx, uint64_t sk, uint64_t ino, struct span text, bool complete);
	/* After scrubbing of an assembled message: masks secrets split over segments. May be NULL. */
	void (*scrub)(void *ctx, char *bytes, size_t len);
	/* process p is still referred to (+1) or no longer (-1). May be NULL. */
	void (*hold)(void *ctx, const struct process *p, int by);
	void *ctx;
};

struct dialogue;

struct dialogue *dialogue_new(const struct dialogue_ops *ops, struct ledger *ledger);
void dialogue_free(struct dialogue *d);

/* A connection was made or first used. verified: the peer is a known engine socket. */
void dialogue_connect(struct dialogue *d, uint64_t sk, uint64_t ino, bool verified, bool tcp);
/*
 * Bytes of one segment: have of want were captured (have <= want; the missing ones are at the end).
 * On an unverified connection nothing is reported until a request line with a Docker-shaped path
 * (/vN.NN/…, /_ping, /containers/…, …) was seen; true from then on, false: not an engine so far.
 * What no recording may keep, because nothing can be masked in it, is blanked: packed bodies, BuildKit sessions.
 */
bool dialogue_data(struct dialogue *d, const struct process *p, uint64_t time,
		   const struct ev_data *e, void *bytes, size_t have, size_t want);
/*
 * Will anybody look at what an answer that comes now says, besides its framing, its type and its date? False only
 * when it is sure: then its bytes need not be masked.
 */
bool dialogue_reads(struct dialogue *d, uint64_t sk, uint64_t ino);
/* Is a message of that direction (DATA_SEND, DATA_RECV) not over yet, or is it no HTTP? */
bool dialogue_open(struct dialogue *d, uint64_t sk, uint64_t ino, unsigned dir);
/* A build's Dockerfile, as ops.dockerfile told it or a recording has it. */
void dialogue_dockerfile(struct dialogue *d, uint64_t sk, uint64_t ino, struct span text,
			 bool complete);
/* Does a call build an image at this moment? */
bool dialogue_building(const struct dialogue *d);
/* Is that a step of a build that is under way? As build_has_step(). */
enum masked dialogue_builds(struct dialogue *d, const struct masker *m, struct span args);
/* Records were lost: from here on an answer that stands long before a request is not taken for its own. */
void dialogue_lost(struct dialogue *d);
/* A process ended: its open calls are reported (status 0) when nobody else uses the connection. */
void dialogue_process_end(struct dialogue *d, const struct process *p, uint64_t time);
/* End of run: every call without an answer is reported with status 0. */
void dialogue_finish(struct dialogue *d, uint64_t time);

#endif
