/* docker_removal.c: R9, what is removed, killed, stopped or pruned, and whose it was. */
#include "detect.h"

static bool is_removal(const struct docker_route *r)
{
	switch (r->action) {
	case ACT_CONTAINER_REMOVE:
	case ACT_CONTAINER_KILL:
	case ACT_CONTAINER_STOP:
	case ACT_IMAGE_REMOVE:
	case ACT_NETWORK_REMOVE:
	case ACT_VOLUME_REMOVE:
		return true;
	default:
		return r->object == OBJ_SWARM && r->change == CHANGE_DELETION;
	}
}

static bool is_prune(enum docker_action a)
{
	return a == ACT_CONTAINER_PRUNE || a == ACT_IMAGE_PRUNE || a == ACT_NETWORK_PRUNE ||
	       a == ACT_VOLUME_PRUNE || a == ACT_BUILD_PRUNE;
}

static bool is_forced(const struct docker_call *c)
{
	struct buf b = { 0 };
	bool forced = docker_query(c->query, "force", 0, &b) &&
		      docker_bool((struct span){ b.ptr, b.len });

	buf_free(&b);
	return forced;
}

/* A name is the same in every run, an id is not. A swarm that is left has neither. */
static struct span shown_of(const struct docker_call *c)
{
	if (!c->target.len)
		return span_of(docker_object_text(c->route->object));
	return c->route->object == OBJ_CONTAINER && c->container_name.len ? c->container_name
									  : c->target;
}

static void look_removal(const struct docker_call *c, struct report *out)
{
	const char *verb = c->route->text, *said = c->status ? "" : " (no answer seen)";
	bool done = c->status / 100 == 2 || c->status == 304 || !c->status;
	struct span what = shown_of(c);

	if (c->status == 404)
		finding(out, "R9.1", what, "%s %.*s: there was none", verb, SPANF(what));
	else if (c->status == 403 || c->status == 409)
		finding(out, "R9.5", what, "%s %.*s was refused (%d)", verb, SPANF(what),
			c->status);
	else if (!done)
		return; /* a fault of the request or of the Engine: nothing was removed */
	else if (c->owner == OWNER_FOREIGN)
		finding(out, "R9.2", what, "%s of foreign %.*s%s", verb, SPANF(what), said);
	else if (c->removed_names_foreign)
		finding(out, "R9.2", what, "%s %.*s took a name away that is not the run's own",
			verb, SPANF(what));
	else if (c->owner == OWNER_OWN)
		finding(out, "R9.1", what, "%s own %.*s%s", verb, SPANF(what), said);
	else if (is_forced(c))
		finding(out, "R9.4", what, "%s by force of %.*s, origin unknown%s", verb,
			SPANF(what), said);
	else
		finding(out, "R9.1", what, "%s %.*s, origin unknown%s", verb, SPANF(what), said);
}

static void look_prune(const struct docker_call *c, struct report *out)
{
	struct span subject = span_of(c->route->text);

	if (c->status == 403 || c->status == 409)
		finding(out, "R9.5", subject, "%s was refused (%d)", c->route->text, c->status);
	else if (!c->status)
		finding(out, "R9.3", subject,
			"%s: no answer seen, so what it removed cannot be told", c->route->text);
	else if (c->status / 100 != 2)
		return;
	else if (c->pruned_other)
		finding(out, "R9.3", subject, "%s removed %u object%s not known as the run's own%s",
			c->route->text, c->pruned_other, c->pruned_other == 1 ? "" : "s",
			c->pruned_unreadable ? "; the answer could not be read whole" : "");
	else if (c->pruned_unreadable)
		finding(out, "R9.3", subject, "%s: the answer could not be read whole",
			c->route->text);
	else if (c->pruned_own)
		finding(out, "R9.5", subject, "%s removed %u own object%s and no others",
			c->route->text, c->pruned_own, c->pruned_own == 1 ? "" : "s");
	else
		finding(out, "R9.5", subject, "%s removed nothing: there was nothing to remove",
			c->route->text);
}

static void look(const struct fact *f, struct report *out)
{
	const struct docker_call *c = &f->docker;

	if (is_removal(c->route))
		look_removal(c, out);
	else if (is_prune(c->route->action))
		look_prune(c, out);
}

const struct detector detect_docker_removal = { RISK_DOCKER_REMOVAL, FACT_DOCKER, look };
