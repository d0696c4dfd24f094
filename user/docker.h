/* docker.h: Docker Engine API calls: one table from method and path to an action, and what a call says. */
#ifndef INVIGIL_DOCKER_H
#define INVIGIL_DOCKER_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"

/* clang-format off */
enum docker_object { OBJ_NONE, OBJ_CONTAINER, OBJ_IMAGE, OBJ_EXEC, OBJ_NETWORK, OBJ_VOLUME, OBJ_BUILD,
		     OBJ_SYSTEM, OBJ_SWARM, OBJ_PLUGIN, OBJ_KINDS };
enum docker_change { CHANGE_ACCESS, CHANGE_CREATION, CHANGE_CHANGE, CHANGE_DELETION };
/* How a client reaches the engine; what is not as the engine was bound is told by R8.6. */
enum docker_way { WAY_BOUND, WAY_TCP, WAY_RELAY, WAY_OTHER_PATH };
enum owner { OWNER_NONE, OWNER_OWN, OWNER_FOREIGN, OWNER_UNKNOWN };

/* X(ENUM, action of INTERFACE.md) is the list in docker.c's route table; an enum for detectors. */
enum docker_action {
	ACT_REQUEST,	/* docker-request: not in the table */
	ACT_IMAGE_BUILD, ACT_IMAGE_PULL, ACT_IMAGE_PUSH, ACT_IMAGE_REMOVE, ACT_IMAGE_PRUNE, ACT_IMAGE_LIST,
	ACT_IMAGE_INSPECT, ACT_IMAGE_TAG, ACT_IMAGE_LOAD, ACT_IMAGE_SAVE, ACT_IMAGE_IMPORT, ACT_IMAGE_HISTORY,
	ACT_IMAGE_SEARCH,
	ACT_CONTAINER_CREATE, ACT_CONTAINER_START, ACT_CONTAINER_STOP, ACT_CONTAINER_KILL, ACT_CONTAINER_RESTART,
	ACT_CONTAINER_REMOVE, ACT_CONTAINER_PRUNE, ACT_CONTAINER_LIST, ACT_CONTAINER_INSPECT, ACT_CONTAINER_ATTACH,
	ACT_CONTAINER_LOGS, ACT_CONTAINER_COMMIT, ACT_CONTAINER_ARCHIVE_GET, ACT_CONTAINER_ARCHIVE_PUT,
	ACT_CONTAINER_ARCHIVE_INFO, ACT_CONTAINER_UPDATE, ACT_CONTAINER_RENAME, ACT_CONTAINER_PAUSE,
	ACT_CONTAINER_UNPAUSE, ACT_CONTAINER_WAIT, ACT_CONTAINER_TOP, ACT_CONTAINER_STATS, ACT_CONTAINER_RESIZE,
	ACT_CONTAINER_CHANGES, ACT_CONTAINER_EXPORT, ACT_CONTAINER_CHECKPOINT,
	ACT_EXEC_CREATE, ACT_EXEC_START, ACT_EXEC_INSPECT, ACT_EXEC_RESIZE,
	ACT_NETWORK_CREATE, ACT_NETWORK_CONNECT, ACT_NETWORK_DISCONNECT, ACT_NETWORK_REMOVE, ACT_NETWORK_PRUNE,
	ACT_NETWORK_LIST, ACT_NETWORK_INSPECT,
	ACT_VOLUME_CREATE, ACT_VOLUME_UPDATE, ACT_VOLUME_REMOVE, ACT_VOLUME_PRUNE, ACT_VOLUME_LIST, ACT_VOLUME_INSPECT,
	ACT_SYSTEM_INFO, ACT_SYSTEM_VERSION, ACT_SYSTEM_DF, ACT_SYSTEM_EVENTS, ACT_SYSTEM_AUTH, ACT_BUILD_PRUNE,
	ACT_DISTRIBUTION_INSPECT, ACT_ENGINE_PING, ACT_SESSION, ACT_GRPC,
	ACT_SWARM, ACT_SWARM_MEMBER /* the engine becomes or ceases to be one */, ACT_SERVICE /* what its containers are to be: made, or changed */, ACT_PLUGIN,
	ACTIONS
};
/* clang-format on */

#define SHARES_HOST "Networks=host"

struct docker_route {
	const char *method;
	const char
		*path; /* "/containers/{name}/start"; {name} is one step, {name...} one or more */
	enum docker_action action;
	const char *text; /* "container-start" */
	enum docker_object object;
	enum docker_change change;
};

/*
 * One API call. Spans point into memory of the dialogue and live only as long as the fact. Names and
 * paths are percent-decoded once, as net/http does; all of them are bytes chosen by the client.
 */
struct docker_call {
	const struct docker_route *route; /* never NULL; ACT_REQUEST for what the table lacks */
	struct span method, path;         /* path decoded, with its version prefix */
	struct span query;                /* as sent, without '?' */
	struct span user_agent;
	struct span endpoint; /* path without version and decoded */
	struct span
		target; /* the {name} of the route; for a create the name= asked for; else empty */
	struct span body; /* request body as far as captured */
	struct span content_type;
	uint64_t request_bytes; /* body bytes announced or counted */
	bool request_complete;  /* headers and body were captured whole */
	int status;             /* 0: no response seen */
	struct span
		response; /* body of the response as far as captured; empty where nobody reads it */
	bool response_complete;
	struct span date;                 /* of the response, by the engine's clock */
	uint64_t response_time, duration; /* ns; 0 unknown */
	enum owner owner;                 /* of target, before this call took effect */
	struct span dockerfile;           /* of a build: found in the tar, else empty */
	bool dockerfile_complete;
	struct span created_id; /* id that the response gave */
	struct span image_name; /* container create: Image; known image of the target, if any */
	bool image_own;         /* container create: the run made that image */
	unsigned pruned_own, pruned_other; /* prune: objects named in the response */
	bool pruned_unreadable;
	bool removed_names_foreign;
	/*
	 * A container or a build is given what is a foreign container's: "PidMode=container:x", each member with its
	 * NUL; or a service the host's network, by its id: SHARES_HOST.
	 */
	struct span shares;
	struct span container_id, container_name; /* of target, as far as the ledger knows */
	bool tcp, verified;                       /* transport; engine identified by the kernel */
	uint64_t sk, ino;                         /* the connection's key */
	enum docker_way way;
	struct span peer; /* what is connected to: the bound name, or host:port; empty unknown */
};

/* method and decoded path (query removed). Sets *rest to what {name} matched. Never NULL. */
const struct docker_route *docker_route(struct span method, struct span path, struct span *name,
					struct span *endpoint);
/* Value of a query parameter, percent-decoded into out (reset); false when absent. n-th occurrence from 0. */
bool docker_query(struct span query, const char *key, unsigned n, struct buf *out);
/* Go's strconv.ParseBool is not what Docker uses: "", "0", "no", "false", "none" (any case) are false. */
bool docker_bool(struct span value);
const char *owner_text(enum owner o); /* "own", "foreign", "unknown", NULL for none */
const char *docker_object_text(enum docker_object o);

#endif
