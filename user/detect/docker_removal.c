/* docker_removal.c: R9, what is removed, killed, stopped or pruned, and whose it was. */
#include "detect.h"

static bool is_removal(enum docker_action a)
{
	return a == ACT_CONTAINER_REMOVE || a == ACT_CONTAINER_KILL || a == ACT_CONTAINER_STOP || a == ACT_IMAGE_REMOVE ||
	       a == ACT_NETWORK_REMOVE || a == ACT_VOLUME_REMOVE;
}

static bool is_prune(enum docker_action a)
{
	return a == ACT_CONTAINER_PRUNE || a == ACT_IMAGE_PRUNE || a == ACT_NETWORK_PRUNE || a == ACT_VOLUME_PRUNE;
}

static bool is_forced(const struct docker_call *c)
{
	struct buf b = { 0 };
	bool forced = docker_query(c->query, "force", 0, &b) && docker_bool((struct span){ b.ptr, b.len });

	buf_free(&b);
	return forced;
}

static void look_removal(const struct docker_call *c, struct report *out)
{
	const char *verb = c->route->text, *said = c->status ? "" : " (no answer seen)";
	bool done = c->status / 100 == 2 || c->status == 304 || !c->status;

	if (c->status == 404)
		finding(out, "R9.1", c->target, "%s %.*s: there was none", verb, SPANF(c->target));
	else if (c->status == 403 || c->status == 409)
		finding(out, "R9.5", c->target, "%s %.*s was refused (%d)", verb, SPANF(c->target), c->status);
	else if (!done)
		return;
	else if (c->owner == OWNER_OWN)
		finding(out, "R9.1", c->target, "%s own %.*s%s", verb, SPANF(c->target), said);
	else if (c->owner == OWNER_FOREIGN)
		finding(out, "R9.2", c->target, "%s of foreign %.*s%s", verb, SPANF(c->target), said);
	else if (is_forced(c))
		finding(out, "R9.4", c->target, "%s by force of %.*s, whose origin is unknown%s", verb, SPANF(c->target),
			said);
	else
		finding(out, "R9.1", c->target, "%s %.*s, whose origin is unknown%s", verb, SPANF(c->target), said);
}

static void look_prune(const struct docker_call *c, struct report *out)
{
	if (c->status / 100 != 2)
		return;
	if (c->pruned_other || c->pruned_unreadable)
		finding(out, "R9.3", span_of(c->route->text), "%s removed %u objects that are not the run's own%s",
			c->route->text, c->pruned_other, c->pruned_unreadable ? "; the answer was not whole" : "");
	else
		finding(out, "R9.5", span_of(c->route->text), "%s removed %u own objects", c->route->text, c->pruned_own);
}

static void look(const struct fact *f, struct report *out)
{
	const struct docker_call *c = &f->docker;

	if (is_removal(c->route->action) ||
	    (c->route->object == OBJ_SWARM && c->route->change == CHANGE_DELETION))
		look_removal(c, out);
	else if (is_prune(c->route->action))
		look_prune(c, out);
}

const struct detector detect_docker_removal = { RISK_DOCKER_REMOVAL, FACT_DOCKER, look };
