/* docker.c: the one table from method and path of the Docker Engine API (1.24 to 1.51) to an action. */
#include "docker.h"
#include <string.h>
#include <strings.h>
#include "codec.h"

#define A CHANGE_ACCESS
#define N CHANGE_CREATION
#define C CHANGE_CHANGE
#define D CHANGE_DELETION

/* First match wins: what is spelled out stands before what has a {name} in the same place. */
/* clang-format off */
static const struct docker_route routes[] = {
	{ "GET", "/_ping", ACT_ENGINE_PING, "engine-ping", OBJ_SYSTEM, A },
	{ "HEAD", "/_ping", ACT_ENGINE_PING, "engine-ping", OBJ_SYSTEM, A },
	{ "GET", "/version", ACT_SYSTEM_VERSION, "system-version", OBJ_SYSTEM, A },
	{ "GET", "/info", ACT_SYSTEM_INFO, "system-info", OBJ_SYSTEM, A },
	{ "GET", "/events", ACT_SYSTEM_EVENTS, "system-events", OBJ_SYSTEM, A },
	{ "GET", "/system/df", ACT_SYSTEM_DF, "system-df", OBJ_SYSTEM, A },
	{ "POST", "/auth", ACT_SYSTEM_AUTH, "system-auth", OBJ_SYSTEM, A },
	{ "POST", "/session", ACT_SESSION, "session", OBJ_SYSTEM, A },
	{ "POST", "/grpc", ACT_GRPC, "grpc", OBJ_SYSTEM, A },

	{ "POST", "/build", ACT_IMAGE_BUILD, "image-build", OBJ_IMAGE, N },
	{ "POST", "/build/prune", ACT_BUILD_PRUNE, "build-prune", OBJ_BUILD, D },
	{ "POST", "/build/cancel", ACT_REQUEST, "docker-request", OBJ_BUILD, C },
	{ "GET", "/images/json", ACT_IMAGE_LIST, "image-list", OBJ_IMAGE, A },
	{ "GET", "/images/search", ACT_IMAGE_SEARCH, "image-search", OBJ_IMAGE, A },
	{ "GET", "/images/get", ACT_IMAGE_SAVE, "image-save", OBJ_IMAGE, A },
	{ "POST", "/images/create", ACT_IMAGE_PULL, "image-pull", OBJ_IMAGE, N },
	{ "POST", "/images/load", ACT_IMAGE_LOAD, "image-load", OBJ_IMAGE, N },
	{ "POST", "/images/prune", ACT_IMAGE_PRUNE, "image-prune", OBJ_IMAGE, D },
	{ "GET", "/images/{name...}/json", ACT_IMAGE_INSPECT, "image-inspect", OBJ_IMAGE, A },
	{ "GET", "/images/{name...}/history", ACT_IMAGE_HISTORY, "image-history", OBJ_IMAGE, A },
	{ "GET", "/images/{name...}/get", ACT_IMAGE_SAVE, "image-save", OBJ_IMAGE, A },
	{ "POST", "/images/{name...}/push", ACT_IMAGE_PUSH, "image-push", OBJ_IMAGE, C },
	{ "POST", "/images/{name...}/tag", ACT_IMAGE_TAG, "image-tag", OBJ_IMAGE, C },
	{ "DELETE", "/images/{name...}", ACT_IMAGE_REMOVE, "image-remove", OBJ_IMAGE, D },
	{ "GET", "/distribution/{name...}/json", ACT_DISTRIBUTION_INSPECT, "distribution-inspect", OBJ_IMAGE, A },

	{ "POST", "/commit", ACT_CONTAINER_COMMIT, "container-commit", OBJ_CONTAINER, N },
	{ "GET", "/containers/json", ACT_CONTAINER_LIST, "container-list", OBJ_CONTAINER, A },
	{ "GET", "/containers/ps", ACT_CONTAINER_LIST, "container-list", OBJ_CONTAINER, A },
	{ "POST", "/containers/create", ACT_CONTAINER_CREATE, "container-create", OBJ_CONTAINER, N },
	{ "POST", "/containers/prune", ACT_CONTAINER_PRUNE, "container-prune", OBJ_CONTAINER, D },
	{ "GET", "/containers/{name...}/json", ACT_CONTAINER_INSPECT, "container-inspect", OBJ_CONTAINER, A },
	{ "GET", "/containers/{name...}/top", ACT_CONTAINER_TOP, "container-top", OBJ_CONTAINER, A },
	{ "GET", "/containers/{name...}/logs", ACT_CONTAINER_LOGS, "container-logs", OBJ_CONTAINER, A },
	{ "GET", "/containers/{name...}/changes", ACT_CONTAINER_CHANGES, "container-changes", OBJ_CONTAINER, A },
	{ "GET", "/containers/{name...}/export", ACT_CONTAINER_EXPORT, "container-export", OBJ_CONTAINER, A },
	{ "GET", "/containers/{name...}/stats", ACT_CONTAINER_STATS, "container-stats", OBJ_CONTAINER, A },
	{ "GET", "/containers/{name...}/attach/ws", ACT_CONTAINER_ATTACH, "container-attach", OBJ_CONTAINER, A },
	{ "HEAD", "/containers/{name...}/archive", ACT_CONTAINER_ARCHIVE_INFO, "container-archive-info",
	  OBJ_CONTAINER, A },
	{ "GET", "/containers/{name...}/archive", ACT_CONTAINER_ARCHIVE_GET, "container-archive-get",
	  OBJ_CONTAINER, A },
	{ "PUT", "/containers/{name...}/archive", ACT_CONTAINER_ARCHIVE_PUT, "container-archive-put",
	  OBJ_CONTAINER, C },
	{ "POST", "/containers/{name...}/copy", ACT_CONTAINER_ARCHIVE_GET, "container-archive-get", OBJ_CONTAINER, A },
	{ "POST", "/containers/{name...}/exec", ACT_EXEC_CREATE, "exec-create", OBJ_CONTAINER, N },
	{ "POST", "/containers/{name...}/start", ACT_CONTAINER_START, "container-start", OBJ_CONTAINER, C },
	{ "POST", "/containers/{name...}/stop", ACT_CONTAINER_STOP, "container-stop", OBJ_CONTAINER, C },
	{ "POST", "/containers/{name...}/kill", ACT_CONTAINER_KILL, "container-kill", OBJ_CONTAINER, C },
	{ "POST", "/containers/{name...}/restart", ACT_CONTAINER_RESTART, "container-restart", OBJ_CONTAINER, C },
	{ "POST", "/containers/{name...}/pause", ACT_CONTAINER_PAUSE, "container-pause", OBJ_CONTAINER, C },
	{ "POST", "/containers/{name...}/unpause", ACT_CONTAINER_UNPAUSE, "container-unpause", OBJ_CONTAINER, C },
	{ "POST", "/containers/{name...}/wait", ACT_CONTAINER_WAIT, "container-wait", OBJ_CONTAINER, A },
	{ "POST", "/containers/{name...}/resize", ACT_CONTAINER_RESIZE, "container-resize", OBJ_CONTAINER, C },
	{ "POST", "/containers/{name...}/attach", ACT_CONTAINER_ATTACH, "container-attach", OBJ_CONTAINER, A },
	{ "POST", "/containers/{name...}/update", ACT_CONTAINER_UPDATE, "container-update", OBJ_CONTAINER, C },
	{ "POST", "/containers/{name...}/rename", ACT_CONTAINER_RENAME, "container-rename", OBJ_CONTAINER, C },
	{ "GET", "/containers/{name...}/checkpoints", ACT_CONTAINER_CHECKPOINT, "container-checkpoint-list",
	  OBJ_CONTAINER, A },
	{ "POST", "/containers/{name...}/checkpoints", ACT_CONTAINER_CHECKPOINT, "container-checkpoint-create",
	  OBJ_CONTAINER, C },
	{ "DELETE", "/containers/{name...}/checkpoints/{id}", ACT_CONTAINER_CHECKPOINT, "container-checkpoint-remove",
	  OBJ_CONTAINER, C },
	{ "DELETE", "/containers/{name...}", ACT_CONTAINER_REMOVE, "container-remove", OBJ_CONTAINER, D },
	{ "GET", "/exec/{name...}/json", ACT_EXEC_INSPECT, "exec-inspect", OBJ_EXEC, A },
	{ "POST", "/exec/{name...}/start", ACT_EXEC_START, "exec-start", OBJ_EXEC, C },
	{ "POST", "/exec/{name...}/resize", ACT_EXEC_RESIZE, "exec-resize", OBJ_EXEC, C },

	{ "GET", "/networks", ACT_NETWORK_LIST, "network-list", OBJ_NETWORK, A },
	{ "GET", "/networks/", ACT_NETWORK_LIST, "network-list", OBJ_NETWORK, A },
	{ "POST", "/networks/create", ACT_NETWORK_CREATE, "network-create", OBJ_NETWORK, N },
	{ "POST", "/networks/prune", ACT_NETWORK_PRUNE, "network-prune", OBJ_NETWORK, D },
	{ "POST", "/networks/{name...}/connect", ACT_NETWORK_CONNECT, "network-connect", OBJ_NETWORK, C },
	{ "POST", "/networks/{name...}/disconnect", ACT_NETWORK_DISCONNECT, "network-disconnect", OBJ_NETWORK, C },
	{ "GET", "/networks/{name...}", ACT_NETWORK_INSPECT, "network-inspect", OBJ_NETWORK, A },
	{ "DELETE", "/networks/{name...}", ACT_NETWORK_REMOVE, "network-remove", OBJ_NETWORK, D },
	{ "GET", "/volumes", ACT_VOLUME_LIST, "volume-list", OBJ_VOLUME, A },
	{ "POST", "/volumes/create", ACT_VOLUME_CREATE, "volume-create", OBJ_VOLUME, N },
	{ "POST", "/volumes/prune", ACT_VOLUME_PRUNE, "volume-prune", OBJ_VOLUME, D },
	{ "GET", "/volumes/{name...}", ACT_VOLUME_INSPECT, "volume-inspect", OBJ_VOLUME, A },
	{ "PUT", "/volumes/{name...}", ACT_VOLUME_UPDATE, "volume-update", OBJ_VOLUME, C },
	{ "DELETE", "/volumes/{name...}", ACT_VOLUME_REMOVE, "volume-remove", OBJ_VOLUME, D },

	{ "GET", "/swarm", ACT_SWARM, "swarm-inspect", OBJ_SWARM, A },
	{ "GET", "/swarm/unlockkey", ACT_SWARM, "swarm-unlock-key", OBJ_SWARM, A },
	{ "POST", "/swarm/init", ACT_SWARM_MEMBER, "swarm-init", OBJ_SWARM, N },
	{ "POST", "/swarm/join", ACT_SWARM_MEMBER, "swarm-join", OBJ_SWARM, C },
	{ "POST", "/swarm/leave", ACT_SWARM_MEMBER, "swarm-leave", OBJ_SWARM, D },
	{ "POST", "/swarm/update", ACT_SWARM, "swarm-update", OBJ_SWARM, C },
	{ "POST", "/swarm/unlock", ACT_SWARM, "swarm-unlock", OBJ_SWARM, C },
	{ "GET", "/nodes", ACT_SWARM, "node-list", OBJ_SWARM, A },
	{ "POST", "/nodes/{name}/update", ACT_SWARM, "node-update", OBJ_SWARM, C },
	{ "GET", "/nodes/{name}", ACT_SWARM, "node-inspect", OBJ_SWARM, A },
	{ "DELETE", "/nodes/{name}", ACT_SWARM, "node-remove", OBJ_SWARM, D },
	{ "GET", "/services", ACT_SWARM, "service-list", OBJ_SWARM, A },
	{ "POST", "/services/create", ACT_SERVICE, "service-create", OBJ_SWARM, N },
	{ "POST", "/services/{name}/update", ACT_SERVICE, "service-update", OBJ_SWARM, C },
	{ "GET", "/services/{name}/logs", ACT_SWARM, "service-logs", OBJ_SWARM, A },
	{ "GET", "/services/{name}", ACT_SWARM, "service-inspect", OBJ_SWARM, A },
	{ "DELETE", "/services/{name}", ACT_SWARM, "service-remove", OBJ_SWARM, D },
	{ "GET", "/tasks", ACT_SWARM, "task-list", OBJ_SWARM, A },
	{ "GET", "/tasks/{name}/logs", ACT_SWARM, "task-logs", OBJ_SWARM, A },
	{ "GET", "/tasks/{name}", ACT_SWARM, "task-inspect", OBJ_SWARM, A },
	{ "GET", "/secrets", ACT_SWARM, "secret-list", OBJ_SWARM, A },
	{ "POST", "/secrets/create", ACT_SWARM, "secret-create", OBJ_SWARM, N },
	{ "POST", "/secrets/{name}/update", ACT_SWARM, "secret-update", OBJ_SWARM, C },
	{ "GET", "/secrets/{name}", ACT_SWARM, "secret-inspect", OBJ_SWARM, A },
	{ "DELETE", "/secrets/{name}", ACT_SWARM, "secret-remove", OBJ_SWARM, D },
	{ "GET", "/configs", ACT_SWARM, "config-list", OBJ_SWARM, A },
	{ "POST", "/configs/create", ACT_SWARM, "config-create", OBJ_SWARM, N },
	{ "POST", "/configs/{name}/update", ACT_SWARM, "config-update", OBJ_SWARM, C },
	{ "GET", "/configs/{name}", ACT_SWARM, "config-inspect", OBJ_SWARM, A },
	{ "DELETE", "/configs/{name}", ACT_SWARM, "config-remove", OBJ_SWARM, D },

	{ "GET", "/plugins", ACT_PLUGIN, "plugin-list", OBJ_PLUGIN, A },
	{ "GET", "/plugins/privileges", ACT_PLUGIN, "plugin-privileges", OBJ_PLUGIN, A },
	{ "POST", "/plugins/pull", ACT_PLUGIN, "plugin-pull", OBJ_PLUGIN, N },
	{ "POST", "/plugins/create", ACT_PLUGIN, "plugin-create", OBJ_PLUGIN, N },
	{ "GET", "/plugins/{name...}/json", ACT_PLUGIN, "plugin-inspect", OBJ_PLUGIN, A },
	{ "POST", "/plugins/{name...}/enable", ACT_PLUGIN, "plugin-enable", OBJ_PLUGIN, C },
	{ "POST", "/plugins/{name...}/disable", ACT_PLUGIN, "plugin-disable", OBJ_PLUGIN, C },
	{ "POST", "/plugins/{name...}/push", ACT_PLUGIN, "plugin-push", OBJ_PLUGIN, C },
	{ "POST", "/plugins/{name...}/upgrade", ACT_PLUGIN, "plugin-upgrade", OBJ_PLUGIN, C },
	{ "POST", "/plugins/{name...}/set", ACT_PLUGIN, "plugin-set", OBJ_PLUGIN, C },
	{ "DELETE", "/plugins/{name...}", ACT_PLUGIN, "plugin-remove", OBJ_PLUGIN, D },
};
/* clang-format on */

static const struct docker_route unknown = { "", "", ACT_REQUEST, "docker-request", OBJ_NONE, A };

#undef A
#undef N
#undef C
#undef D

/* "/v1.43/info" is "/info", and so is "/info". */
static struct span version_strip(struct span path)
{
	size_t i = 2;

	if (path.len < 4 || path.ptr[0] != '/' || path.ptr[1] != 'v')
		return path;
	while (i < path.len && ((path.ptr[i] >= '0' && path.ptr[i] <= '9') || path.ptr[i] == '.'))
		i++;
	if (i == 2 || i >= path.len || path.ptr[i] != '/')
		return path;
	return (struct span){ path.ptr + i, path.len - i };
}

static bool path_match(const char *pattern, struct span path, struct span *name)
{
	const char *open = strchr(pattern, '{'), *close, *second;
	size_t before, after;
	bool many;

	*name = (struct span){ NULL, 0 };
	if (!open)
		return span_eq(path, pattern);
	close = strchr(open, '}') + 1;
	many = close[-2] == '.';
	before = open - pattern;
	second = strchr(close, '{');
	after = second ? (size_t)(second - close) : strlen(close);
	if (second) { /* one more step, whatever it is */
		const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;

		if (!slash || slash + 1 == path.ptr + path.len)
			return false;
		path.len = slash + 1 - path.ptr;
	}
	if (path.len <= before + after || memcmp(path.ptr, pattern, before) ||
	    memcmp(path.ptr + path.len - after, close, after))
		return false;
	*name = (struct span){ path.ptr + before, path.len - before - after };
	return many || !memchr(name->ptr, '/', name->len);
}

const struct docker_route *docker_route(struct span method, struct span path, struct span *name,
					struct span *endpoint)
{
	struct span p = version_strip(path);

	*endpoint = p;
	/* Most rows differ in the first letter behind the slash, which none leaves open. */
	for (size_t i = 0; p.len > 1 && i < ARRAY_SIZE(routes); i++)
		if (routes[i].path[1] == p.ptr[1] && span_eq(method, routes[i].method) &&
		    path_match(routes[i].path, p, name))
			return &routes[i];
	*name = (struct span){ NULL, 0 };
	return &unknown;
}

static void query_decode(struct span s, struct buf *out)
{
	struct buf plus = { 0 };

	buf_reset(out);
	for (size_t i = 0; i < s.len; i++)
		buf_byte(&plus, s.ptr[i] == '+' ? ' ' : s.ptr[i]);
	percent_decode((struct span){ plus.ptr, plus.len }, out);
	buf_free(&plus);
}

bool docker_query(struct span query, const char *key, unsigned n, struct buf *out)
{
	const char *p = query.len ? query.ptr : "", *end = p + query.len;

	buf_reset(out);
	while (p < end) {
		const char *amp = memchr(p, '&', end - p), *stop = amp ? amp : end;
		const char *eq = memchr(p, '=', stop - p);

		query_decode((struct span){ p, (eq ? eq : stop) - p }, out);
		if (span_eq((struct span){ out->ptr, out->len }, key) && !n--) {
			query_decode(eq ? (struct span){ eq + 1, stop - eq - 1 }
					: (struct span){ NULL, 0 },
				     out);
			return true;
		}
		p = stop + 1;
	}
	buf_reset(out);
	return false;
}

bool docker_bool(struct span value)
{
	static const char *const no[] = { "", "0", "no", "false", "none" };

	while (value.len && (*value.ptr == ' ' || *value.ptr == '\t')) {
		value.ptr++;
		value.len--;
	}
	while (value.len && (value.ptr[value.len - 1] == ' ' || value.ptr[value.len - 1] == '\t'))
		value.len--;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (value.len == strlen(no[i]) &&
		    (!value.len || !strncasecmp(value.ptr, no[i], value.len)))
			return false;
	return true;
}

const char *owner_text(enum owner o)
{
	return o == OWNER_OWN       ? "own"
	       : o == OWNER_FOREIGN ? "foreign"
	       : o == OWNER_UNKNOWN ? "unknown"
				    : NULL;
}

const char *docker_object_text(enum docker_object o)
{
	static const char *const text[OBJ_KINDS] = {
		[OBJ_NONE] = "none",     [OBJ_CONTAINER] = "container", [OBJ_IMAGE] = "image",
		[OBJ_EXEC] = "exec",     [OBJ_NETWORK] = "network",     [OBJ_VOLUME] = "volume",
		[OBJ_BUILD] = "build",   [OBJ_SYSTEM] = "system",       [OBJ_SWARM] = "swarm",
		[OBJ_PLUGIN] = "plugin",
	};

	return o < OBJ_KINDS ? text[o] : "none";
}
