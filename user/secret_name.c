/* secret_name.c: which variables, options and keys are sensitive by their name. */
#include <fnmatch.h>
#include <string.h>
#include "ascii.h"
#include "scrub.h"
#include "test_case.h"

#define NAME_MAX_LOOK 128

/* Whole words of upper-case names; an underscore inside stands for two words in a row. */
static const char *const name_words[] = {
	"TOKEN",       "TOKENS",     "SECRET",      "SECRETS",     "PASSWORD",
	"PASSWORDS",   "PASSWD",     "PASSPHRASE",  "PASS",        "PWD",
	"APIKEY",      "CREDENTIAL", "CREDENTIALS", "AUTH",        "API_KEY",
	"PRIVATE_KEY", "ACCESS_KEY", "SECRET_KEY",  "SIGNING_KEY", "ENCRYPTION_KEY",
	"ACCOUNT_KEY", "MASTER_KEY", "SSH_KEY",     "DEPLOY_KEY",  "JWT",
};

static const char *const name_exact[] = {
	"AWS_SECRET_ACCESS_KEY",
	"AWS_ACCESS_KEY_ID",
	"AWS_SESSION_TOKEN",
	"PGPASSWORD",
	"MYSQL_PWD",
	"KUBECONFIG",
	"DATABASE_URL",
	"DOCKER_AUTH_CONFIG",
	"CI_REPOSITORY_URL",
	"REDISCLI_AUTH",
	"SSHPASS",
	"RSYNC_PASSWORD",
};

static const char *const name_never[] = {
	"PWD", "OLDPWD", "SSH_AUTH_SOCK", "XAUTHORITY", "GPG_TTY", "TOKENIZERS_PARALLELISM",
};

/* Last words of names that have others. */
static const char *const name_endings[] = {
	"FILE",    "PATH",   "URL",  "URI",      "NAME",    "ID",    "DIR",      "TTL",
	"EXPIRY",  "SOCK",   "TYPE", "METHOD",   "HOST",    "PORT",  "ENABLED",  "HELPER",
	"TIMEOUT", "LENGTH", "USER", "USERNAME", "EXPIRES", "COUNT", "PROVIDER", "SERVER",
};

/* Option and JSON names; compared in lower case and without '_' and '-'. */
static const char *const key_exact[] = {
	"password",        "passwd",
	"passphrase",      "secret",
	"token",           "identitytoken",
	"registrytoken",   "auth",
	"accesskey",       "secretkey",
	"secretaccesskey", "sessiontoken",
	"apikey",          "privatekey",
	"clientsecret",    "credentials",
	"authtoken",       "accesstoken",
	"refreshtoken",    "bearertoken",
	"authorization",   "proxyauthorization",
	"xregistryauth",   "xregistryconfig",
	"unlockkey",       "signingcakey",
};

/* Last words of lower-case names with separators: --github-token, db_password. */
static const char *const key_endings[] = {
	"password", "passwd",    "passphrase", "secret",     "token",
	"apikey",   "accesskey", "secretkey",  "privatekey",
};

/* Each variable of each exec comes here: most differ in their first byte. */
static bool same(const char *a, const char *b)
{
	return *a == *b && !strcmp(a, b);
}

/* Does a word of the list begin at `at` and end where a word ends? */
static bool word_at(const char *at)
{
	for (size_t i = 0; i < ARRAY_SIZE(name_words); i++) {
		size_t k;

		if (*at != *name_words[i])
			continue;
		k = strlen(name_words[i]);
		if (!strncmp(at, name_words[i], k) && (!is_word(at[k]) || at[k] == '_'))
			return true;
	}
	return false;
}

static bool upper_is_sensitive(const char *n)
{
	const char *last = strrchr(n, '_');

	for (size_t i = 0; i < ARRAY_SIZE(name_never); i++)
		if (same(n, name_never[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(name_exact); i++)
		if (same(n, name_exact[i]))
			return true;
	for (size_t i = 0; last && last > n && i < ARRAY_SIZE(name_endings); i++)
		if (same(last + 1, name_endings[i]))
			return false;
	for (const char *at = n; *at; at++)
		if ((at == n || !is_word(at[-1]) || at[-1] == '_') && word_at(at))
			return true;
	return false;
}

static bool lower_is_sensitive(const char *n, size_t len)
{
	char flat[NAME_MAX_LOOK + 1];
	size_t k = 0;
	bool parted = false;

	for (size_t i = 0; i < len; i++) {
		if (n[i] == '_' || n[i] == '-' || n[i] == '.')
			parted |= i > 0;
		else
			flat[k++] = n[i] | (is_upper(n[i]) ? 32 : 0);
	}
	flat[k] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(key_exact); i++)
		if (same(flat, key_exact[i]))
			return true;
	for (size_t i = 0; parted && i < ARRAY_SIZE(key_endings); i++) {
		size_t e = strlen(key_endings[i]), at = len, left = e;

		if (k <= e || !same(flat + k - e, key_endings[i]))
			continue;
		/* The ending has to begin behind a separator. */
		while (at > 0 && left > 0) {
			at--;
			left -= n[at] != '_' && n[at] != '-' && n[at] != '.';
		}
		if (at > 0 && (n[at - 1] == '_' || n[at - 1] == '-' || n[at - 1] == '.'))
			return true;
	}
	/* npm_config__authToken and the like. */
	return parted && k > 9 && !strcmp(flat + k - 9, "authtoken");
}

bool name_is_sensitive(const struct masker *m, struct span name)
{
	char n[NAME_MAX_LOOK + 1];
	bool lower = false;

	while (name.len && *name.ptr == '-') {
		name.ptr++;
		name.len--;
	}
	if (!name.len)
		return false;
	/* Of a long name the end says what it is. */
	if (name.len > NAME_MAX_LOOK) {
		name.ptr += name.len - NAME_MAX_LOOK;
		name.len = NAME_MAX_LOOK;
	}
	for (size_t i = 0; i < name.len; i++) {
		n[i] = name.ptr[i];
		if (!n[i])
			return false;
		lower |= is_lower(n[i]);
	}
	n[name.len] = '\0';
	for (size_t i = 0; m && m->extra_names && m->extra_names[i]; i++)
		if (!fnmatch(m->extra_names[i], n, 0))
			return true;
	return (!lower && upper_is_sensitive(n)) || lower_is_sensitive(n, name.len);
}

/* Named in the contract: their values stand in the stream or decide a rule (invigil.test, R3.8, R7.6). */
static const char *const public_names[] = {
	"BATS_TEST_DESCRIPTION", "BATS_TEST_FILENAME", "LD_PRELOAD",    "LD_AUDIT",
	"LD_LIBRARY_PATH",       "BASH_ENV",           "PYTHONSTARTUP", "PERL5OPT",
	"NODE_OPTIONS",          "DOCKER_CONFIG",
};

bool variable_is_public(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(public_names); i++)
		if (span_eq(name, public_names[i]))
			return true;
	for (unsigned i = 0; i < TEST_FRAMEWORKS; i++)
		if (span_eq(name, test_variable(i)))
			return true;
	return false;
}
