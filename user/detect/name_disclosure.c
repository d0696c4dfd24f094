/* name_disclosure.c: R7, what names, host names, labels and image references give away. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "detect.h"
#include "docker_body.h"
#include "jsonr.h"

#define WORD_MIN    4 /* letters */
#define SUBJECT_MAX 256
#define NAMES_MAX   16 /* of one query parameter */

struct look {
	const struct fact *f;
	struct report *out;
};

/* What is looked for in a text. */
enum {
	LOOK_CHOSEN = 1, /* R7.1: the run chose this name */
	LOOK_NAME = 2,   /* R7.2, R7.5 */
	LOOK_LABEL = 4,  /* a label's value: a domain has to end there */
};

static bool is_word_byte(char c)
{
	return isalnum((unsigned char)c);
}

/* Is word in text with no letter or digit beside it? */
static bool has_word(struct span text, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; n && i + n <= text.len; i++) {
		if (strncasecmp(text.ptr + i, word, n))
			continue;
		if ((i == 0 || !is_word_byte(text.ptr[i - 1])) &&
		    (i + n == text.len || !is_word_byte(text.ptr[i + n])))
			return true;
	}
	return false;
}

/*
 * Does this word say something? Not when it is short, when images, distributions and CI products use it
 * for themselves, or when every machine has it: it then tells nothing about this one.
 */
static bool tells(const char *word)
{
	static const char *const common[] = {
		"localhost", "localdomain",   "local",         "root",      "user",
		"users",     "test",          "tests",         "tester",    "testing",
		"guest",     "admin",         "administrator", "nobody",    "daemon",
		"default",   "runner",        "builder",       "build",     "agent",
		"worker",    "server",        "client",        "service",   "host",
		"main",      "docker",        "podman",        "container", "linux",
		"ubuntu",    "debian",        "alpine",        "fedora",    "centos",
		"rocky",     "alma",          "arch",          "busybox",   "jenkins",
		"gitlab",    "gitlab-runner", "github",        "buildkite", "circleci",
		"vagrant",   "node",          "postgres",      "mysql",     "redis",
		"nginx",     "www-data",
	};
	unsigned letters = 0;

	if (!word)
		return false;
	for (const char *p = word; *p; p++)
		letters += !!isalpha((unsigned char)*p);
	for (size_t i = 0; i < ARRAY_SIZE(common); i++)
		if (!strcasecmp(word, common[i]))
			return false;
	return letters >= WORD_MIN;
}

/* An FQDN is long enough to be found inside of other things. */
static bool has_fqdn(const struct run *r, struct span text)
{
	const char *fqdn = r->host_fqdn;

	if (!tells(fqdn) || !strchr(fqdn, '.') || !strncasecmp(fqdn, "localhost.", 10))
		return false;
	return span_ifind(text, fqdn) >= 0;
}

static const char *identity_in(const struct run *r, struct span text)
{
	if (has_fqdn(r, text))
		return "the runner's FQDN";
	if (tells(r->host_name) && has_word(text, r->host_name))
		return "the runner's host name";
	if (tells(r->user) && has_word(text, r->user))
		return "the name of the run's user";
	for (unsigned i = 0; i < r->n_users; i++)
		if (r->users[i].login && tells(r->users[i].name) &&
		    has_word(text, r->users[i].name))
			return "a login user's name";
	return NULL;
}

static bool ends_with(struct span s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.len >= n && !strncasecmp(s.ptr + s.len - n, suffix, n);
}

/* Names that engines and orchestrators give to everybody: host.docker.internal, x.svc.cluster.local. */
static bool is_everybodys(struct span domain)
{
	static const char *const names[] = { "docker.internal", "containers.internal",
					     "testcontainers.internal", "cluster.local",
					     "metadata.google.internal" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (ends_with(domain, names[i]))
			return true;
	return false;
}

/* An internal domain with a host before it; within a name more may follow, as in db.internal.example.com. */
static bool is_internal(const struct run *r, struct span text, unsigned how)
{
	static const char *const domains[] = { ".internal", ".corp",     ".lan",
					       ".local",    ".intranet", ".home.arpa" };

	for (size_t d = 0; d < ARRAY_SIZE(domains); d++) {
		size_t n = strlen(domains[d]);

		for (size_t i = 1; i + n <= text.len; i++) {
			size_t end = i + n;

			if (text.ptr[i] != '.' || !is_word_byte(text.ptr[i - 1]) ||
			    strncasecmp(text.ptr + i, domains[d], n))
				continue;
			if (end < text.len &&
			    (is_word_byte(text.ptr[end]) || text.ptr[end] == '_' ||
			     (how & LOOK_LABEL && strchr(".-", text.ptr[end]))))
				continue;
			if (!is_everybodys((struct span){ text.ptr, end }))
				return true;
		}
	}
	return r->domain && strchr(r->domain, '.') && tells(r->domain) && has_word(text, r->domain);
}

/* "algorithm:hex" behind an @ is a digest; names of algorithms are short. */
static bool is_digest(struct span s)
{
	const char *colon = s.len ? memchr(s.ptr, ':', s.len > 32 ? 32 : s.len) : NULL;
	size_t hex = 0;

	while (colon && colon + 1 + hex < s.ptr + s.len &&
	       isxdigit((unsigned char)colon[1 + hex]) && hex < 32)
		hex++;
	return hex >= 32;
}

/*
 * "user:password@host" in a reference, a name or a URL of a label: where the password stands. It is masked
 * already when it looked like one to the scrubber.
 */
static bool find_credential(struct span text, struct span *password)
{
	for (size_t i = 1; i + 1 < text.len; i++) {
		size_t begin = i;
		const char *colon;

		if (text.ptr[i] != '@' ||
		    is_digest((struct span){ text.ptr + i + 1, text.len - i - 1 }))
			continue;
		if (!is_word_byte(text.ptr[i + 1]) && text.ptr[i + 1] != '[')
			continue;
		while (begin && !memchr("/ \t\"'<>(),;@", text.ptr[begin - 1], 12) &&
		       i - begin < 512)
			begin--;
		colon = memchr(text.ptr + begin, ':', i - begin);
		if (!colon || colon == text.ptr + begin || colon + 1 == text.ptr + i)
			continue;
		if (colon - (text.ptr + begin) == 6 && !strncasecmp(text.ptr + begin, "mailto", 6))
			continue;
		*password = (struct span){ colon + 1, (size_t)(text.ptr + i - colon - 1) };
		return true;
	}
	return false;
}

/* As shown: without the password. */
static void name_show(struct span text, const struct span *password, struct buf *b)
{
	size_t before = password ? (size_t)(password->ptr - text.ptr) : text.len;

	if (before)
		buf_add(b, text.ptr, before);
	if (password) {
		buf_str(b, "<redacted>");
		buf_add(b, password->ptr + password->len, text.len - before - password->len);
	}
	if (b->len > SUBJECT_MAX)
		b->len = SUBJECT_MAX;
}

static void look_text(struct look *l, struct span text, const char *what, unsigned how)
{
	struct span password, shown;
	struct buf b = { 0 };
	const char *who;
	bool credential;

	if (!text.len)
		return;
	credential = find_credential(text, &password);
	name_show(text, credential ? &password : NULL, &b);
	shown = (struct span){ b.ptr, b.len };
	if (credential || masker_find(&l->f->run->masker, text))
		finding(l->out, "R7.3", span_of(what), "%s %.*s carries a credential or secret",
			what, SPANF(shown));
	who = how & LOOK_NAME ? identity_in(l->f->run, text) : NULL;
	if (who)
		finding(l->out, "R7.2", shown, "%s %.*s carries %s", what, SPANF(shown), who);
	if (how & LOOK_NAME && is_internal(l->f->run, text, how))
		finding(l->out, "R7.5", shown, "%s %.*s carries an internal domain", what,
			SPANF(shown));
	if (how & LOOK_CHOSEN)
		finding(l->out, "R7.1", shown, "%s %.*s", what, SPANF(shown));
	buf_free(&b);
}

static void look_label(struct look *l, struct span key, struct span value)
{
	if (key.len && value.len && masker_find(&l->f->run->masker, key))
		finding(l->out, "R7.3", SPAN("label"), "the key of a label carries a secret");
	look_text(l, value, "label", LOOK_NAME | LOOK_LABEL);
}

/* "container:alias"; the container has its name from elsewhere. */
static void look_link(struct look *l, struct span text)
{
	const char *colon = text.len ? memrchr(text.ptr, ':', text.len) : NULL;

	if (colon)
		look_text(l, (struct span){ colon + 1, (size_t)(text.ptr + text.len - colon - 1) },
			  "link alias", LOOK_NAME);
}

/* What the "Name" of a body is the name of; NULL: it is none that was chosen. */
static const char *named(const struct docker_route *r)
{
	static const struct {
		const char *action, *what;
	} kinds[] = {
		{ "network-create", "network" }, { "volume-create", "volume" },
		{ "service-create", "service" }, { "secret-create", "swarm secret" },
		{ "config-create", "config" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(r->text, kinds[i].action))
			return kinds[i].what;
	return NULL;
}

static void body_value(void *ctx, const struct json_value *v)
{
	static const struct {
		const char *path, *what;
		unsigned how;
	} names[] = {
		{ "/Hostname", "host name", LOOK_CHOSEN | LOOK_NAME },
		{ "/Domainname", "domain name", LOOK_NAME },
		{ "/NetworkingConfig/EndpointsConfig/*/Aliases/*", "alias", LOOK_NAME },
		{ "/EndpointConfig/Aliases/*", "alias", LOOK_NAME },
		{ "/TaskTemplate/Networks/*/Aliases/*", "alias", LOOK_NAME }, /* of a service */
		{ "/Image", "image reference", 0 },
	};
	struct look *l = ctx;
	const char *kind = named(l->f->docker.route);

	if (v->type != JSON_STRING)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (json_path_is(v, names[i].path))
			look_text(l, v->text, names[i].what, names[i].how);
	if (json_path_is(v, "/Name") && kind)
		look_text(l, v->text, kind, LOOK_CHOSEN | LOOK_NAME);
	if (json_path_is(v, "/HostConfig/Links/*") ||
	    json_path_is(v, "/NetworkingConfig/EndpointsConfig/*/Links/*") ||
	    json_path_is(v, "/EndpointConfig/Links/*"))
		look_link(l, v->text);
	if (json_path_is(v, "/Labels/*"))
		look_label(l, v->path[1].key, v->text);
}

static void label_value(void *ctx, const struct json_value *v)
{
	if (v->type == JSON_STRING && v->depth == 1)
		look_label(ctx, v->path[0].key, v->text);
}

static void look_queries(struct look *l)
{
	static const struct {
		enum docker_action action;
		const char *key, *what;
		unsigned how;
	} names[] = {
		{ ACT_CONTAINER_CREATE, "name", "container", LOOK_CHOSEN | LOOK_NAME },
		{ ACT_CONTAINER_RENAME, "name", "container", LOOK_CHOSEN | LOOK_NAME },
		{ ACT_IMAGE_BUILD, "t", "image", LOOK_CHOSEN | LOOK_NAME },
		{ ACT_IMAGE_TAG, "repo", "image", LOOK_CHOSEN | LOOK_NAME },
		{ ACT_IMAGE_TAG, "tag", "image tag", LOOK_NAME },
		{ ACT_CONTAINER_COMMIT, "repo", "image", LOOK_CHOSEN | LOOK_NAME },
		{ ACT_CONTAINER_COMMIT, "tag", "image tag", LOOK_NAME },
		{ ACT_IMAGE_PULL, "repo", "image", LOOK_CHOSEN | LOOK_NAME }, /* an import */
		{ ACT_IMAGE_PULL, "fromImage", "image reference", 0 },
		{ ACT_IMAGE_PULL, "fromSrc", "image source", 0 },
		{ ACT_IMAGE_BUILD, "remote", "build context", 0 },
	};
	struct buf value = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (unsigned n = 0;
		     names[i].action == l->f->docker.route->action && n < NAMES_MAX &&
		     docker_query(l->f->docker.query, names[i].key, n, &value);
		     n++)
			look_text(l, (struct span){ value.ptr, value.len }, names[i].what,
				  names[i].how);
	if (l->f->docker.route->action == ACT_IMAGE_BUILD &&
	    docker_query(l->f->docker.query, "labels", 0, &value))
		json_walk((struct span){ value.ptr, value.len }, label_value, l, NULL);
	buf_free(&value);
}

static void look_inspect(const struct docker_call *c, struct report *out)
{
	struct span shown = c->container_name.len ? c->container_name : c->target;

	if (c->owner == OWNER_FOREIGN && c->status / 100 == 2)
		finding(out, "R7.4", shown, "%s of foreign %.*s", c->route->text, SPANF(shown));
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
	case ACT_NETWORK_CONNECT:
	case ACT_SERVICE:
		docker_body_walk(c, body_value, &l);
		break;
	case ACT_CONTAINER_INSPECT:
	case ACT_VOLUME_INSPECT:
	case ACT_NETWORK_INSPECT:
		look_inspect(c, out);
		break;
	case ACT_IMAGE_PUSH:
	case ACT_IMAGE_INSPECT:
		look_text(&l, c->target, "image reference", 0);
		break;
	case ACT_SWARM:
		if (!strcmp(c->route->text, "secret-inspect"))
			look_inspect(c, out);
		else if (named(c->route))
			json_walk(c->body, body_value, &l, NULL);
		break;
	default:
		break;
	}
}

const struct detector detect_name_disclosure = { RISK_NAME_DISCLOSURE, FACT_DOCKER, look };
