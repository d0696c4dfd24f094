/* name_disclosure.c: R7, what names, host names, labels and image references give away. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "detect.h"
#include "jsonr.h"

#define WORD_MIN 4	/* letters */

struct look {
	const struct fact *f;
	struct report *out;
};

/* Is word in text with no letter or digit beside it? */
static bool has_word(struct span text, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; n && i + n <= text.len; i++) {
		if (strncasecmp(text.ptr + i, word, n))
			continue;
		if ((i == 0 || !isalnum((unsigned char)text.ptr[i - 1])) &&
		    (i + n == text.len || !isalnum((unsigned char)text.ptr[i + n])))
			return true;
	}
	return false;
}

/* A word that says something: long enough, and no word that images and tests use for themselves. */
static bool tells(const char *word)
{
	static const char *const common[] = { "localhost", "test", "docker", "admin", "user", "runner", "ubuntu", "debian",
					      "build", "linux", "alpine", "busybox", "builder" };
	unsigned letters = 0;

	for (const char *p = word; *p; p++)
		letters += !!isalpha((unsigned char)*p);
	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		if (!strcasecmp(word, common[i]))
			return false;
	return letters >= WORD_MIN;
}

static void look_identity(struct look *l, struct span text, const char *what)
{
	const struct run *r = l->f->run;

	if (tells(r->host_name) && has_word(text, r->host_name))
		finding(l->out, "R7.2", text, "%s %.*s carries the runner's host name", what, SPANF(text));
	else if (strcmp(r->host_fqdn, r->host_name) && has_word(text, r->host_fqdn))
		finding(l->out, "R7.2", text, "%s %.*s carries the runner's FQDN", what, SPANF(text));
	else if (tells(r->user) && has_word(text, r->user))
		finding(l->out, "R7.2", text, "%s %.*s carries the name of the run's user", what, SPANF(text));
	else
		for (unsigned i = 0; i < r->n_users; i++)
			if (r->users[i].login && tells(r->users[i].name) && has_word(text, r->users[i].name)) {
				finding(l->out, "R7.2", text, "%s %.*s carries a login user's name", what, SPANF(text));
				break;
			}
}

/* A label of a domain name ends in an internal one. */
static bool is_internal(const struct run *r, struct span text)
{
	static const char *const domains[] = { ".internal", ".corp", ".lan", ".local", ".intranet", ".home.arpa" };

	for (size_t i = 0; i < ARRAY_SIZE(domains); i++) {
		int at = span_ifind(text, domains[i]);
		size_t end = at < 0 ? 0 : at + strlen(domains[i]);

		if (at > 0 && (end == text.len || (!isalnum((unsigned char)text.ptr[end]) && text.ptr[end] != '_')))
			return true;
	}
	return strchr(r->domain, '.') && has_word(text, r->domain);
}

/* "user:password@host" in a reference; the password is masked already. */
static bool has_credential(struct span text)
{
	const char *at = text.len ? memchr(text.ptr, '@', text.len) : NULL, *colon;

	if (!at || at == text.ptr || (at + 7 < text.ptr + text.len && !memcmp(at, "@sha256:", 7)))
		return false;
	colon = memchr(text.ptr, ':', at - text.ptr);
	return colon && colon != text.ptr && colon + 1 < at && !memchr(colon, '/', at - colon);
}

static void look_name(struct look *l, struct span text, const char *what)
{
	if (!text.len)
		return;
	finding(l->out, "R7.1", text, "%s %.*s", what, SPANF(text));
	if (masker_find(&l->f->run->masker, text) || has_credential(text))
		finding(l->out, "R7.3", span_of(what), "%s %.*s carries a credential or secret", what, SPANF(text));
	look_identity(l, text, what);
	if (is_internal(l->f->run, text))
		finding(l->out, "R7.5", text, "%s %.*s carries an internal domain", what, SPANF(text));
}

static void create_value(void *ctx, const struct json_value *v)
{
	static const struct {
		const char *path, *what;
	} names[] = {
		{ "/Hostname", "host name" }, { "/Domainname", "domain name" }, { "/HostConfig/Links/*", "link" },
		{ "/NetworkingConfig/EndpointsConfig/*/Aliases/*", "alias" }, { "/Name", "name" },
	};
	struct look *l = ctx;

	if (v->type != JSON_STRING)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (json_path_is(v, names[i].path))
			look_name(l, v->text, names[i].what);
	if (!json_path_is(v, "/Labels/*"))
		return;
	if (masker_find(&l->f->run->masker, v->text) || has_credential(v->text))
		finding(l->out, "R7.3", v->path[1].key, "label %.*s carries a credential or secret",
			SPANF(v->path[1].key));
	look_identity(l, v->text, "label");
	if (is_internal(l->f->run, v->text))
		finding(l->out, "R7.5", v->text, "label %.*s carries an internal domain", SPANF(v->text));
}

static void look_queries(struct look *l)
{
	static const struct {
		enum docker_action action;
		const char *key, *what;
	} names[] = {
		{ ACT_CONTAINER_CREATE, "name", "container" }, { ACT_CONTAINER_RENAME, "name", "container" },
		{ ACT_IMAGE_BUILD, "t", "image" },	       { ACT_IMAGE_TAG, "repo", "image" },
		{ ACT_CONTAINER_COMMIT, "repo", "image" },     { ACT_IMAGE_PULL, "fromImage", "image" },
		{ ACT_IMAGE_PULL, "repo", "image" },
	};
	struct buf value = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (unsigned n = 0; names[i].action == l->f->docker.route->action && n < 16 &&
				     docker_query(l->f->docker.query, names[i].key, n, &value); n++)
			look_name(l, (struct span){ value.ptr, value.len }, names[i].what);
	buf_free(&value);
}

static void look(const struct fact *f, struct report *out)
{
	const struct docker_call *c = &f->docker;
	struct look l = { f, out };

	look_queries(&l);
	switch (c->route->action) {
	case ACT_CONTAINER_CREATE:
	case ACT_NETWORK_CREATE:
	case ACT_VOLUME_CREATE:
		json_walk(c->body, create_value, &l, NULL);
		break;
	case ACT_CONTAINER_INSPECT:
	case ACT_VOLUME_INSPECT:
	case ACT_NETWORK_INSPECT:
		if (c->owner == OWNER_FOREIGN && c->status / 100 == 2)
			finding(out, "R7.4", c->target, "%s of foreign %.*s", c->route->text, SPANF(c->target));
		break;
	default:
		break;
	}
}

const struct detector detect_name_disclosure = { RISK_NAME_DISCLOSURE, FACT_DOCKER, look };
