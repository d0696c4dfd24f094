/* test_scrub.c: secrets are found in whatever shape they come, and nothing else is touched. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "scrub.h"

#define VALUE "s3cr3t/Value+42&x"

static struct masker m;

static int begin(void **state)
{
	uint8_t seed[32];

	(void)state;
	for (int i = 0; i < 32; i++)
		seed[i] = (uint8_t)(i * 37 + 11);
	masker_init(&m, seed);
	return 0;
}

static int end(void **state)
{
	(void)state;
	masker_free(&m);
	return 0;
}

static void learn(const char *variable)
{
	char *block = strdup(variable);

	scrub_environment(&m, block, strlen(block) + 1);
	free(block);
}

/* Text as a sink would show it. */
static const char *shown(const char *bytes, size_t n)
{
	static char out[8192];
	struct buf b = { 0 };

	for (size_t i = 0; i < n;) {
		const struct secret *which;
		size_t k = masker_at(&m, (struct span){ bytes + i, n - i }, &which);

		if (k) {
			buf_str(&b, "<");
			if (which)
				secret_label(which, &b);
			buf_str(&b, ">");
			i += k;
		} else {
			buf_byte(&b, bytes[i] ? bytes[i] : '|');
			i++;
		}
	}
	snprintf(out, sizeof(out), "%s", b.ptr ? b.ptr : "");
	buf_free(&b);
	return out;
}

/* A copy of exactly n bytes on the heap, so that ASan sees every step beyond. */
static const char *bytes_n(const char *text, size_t n)
{
	char *copy = malloc(n ? n : 1);
	const char *out;

	memcpy(copy, text, n);
	scrub_bytes(&m, copy, n);
	out = shown(copy, n);
	free(copy);
	return out;
}

static const char *bytes(const char *text)
{
	return bytes_n(text, strlen(text));
}

#define ARGS(literal) args_n(literal, sizeof(literal))
static const char *args_n(const char *text, size_t n)
{
	char *copy = malloc(n);
	const char *out;

	memcpy(copy, text, n);
	scrub_arguments(&m, copy, n);
	out = shown(copy, n);
	free(copy);
	return out;
}

static bool sensitive(const char *name)
{
	return name_is_sensitive(&m, span_of(name));
}

static void names_of_secrets_are_sensitive(void **state)
{
	static const char *const yes[] = {
		"TOKEN",
		"GITHUB_TOKEN",
		"AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN",
		"PGPASSWORD",
		"MYSQL_PWD",
		"KUBECONFIG",
		"DATABASE_URL",
		"DOCKER_AUTH_CONFIG",
		"CI_REPOSITORY_URL",
		"OPENAI_API_KEY",
		"SSH_PRIVATE_KEY",
		"DB_PASSWD",
		"APP_CREDENTIALS",
		"REGISTRY_AUTH",
		"password",
		"--password",
		"identitytoken",
		"IdentityToken",
		"auth",
		"access_key",
		"secret_key",
		"api-key",
		"private_key",
		"client_secret",
		"credentials",
		"--github-token",
		"npm_config__authToken",
		"_authToken",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!sensitive(yes[i]))
			fail_msg("%s is not sensitive", yes[i]);
}

static void names_that_only_look_so_are_not(void **state)
{
	static const char *const no[] = {
		"PWD",
		"OLDPWD",
		"TOKENIZERS_PARALLELISM",
		"AWS_REGION",
		"SSH_AUTH_SOCK",
		"XAUTHORITY",
		"GPG_TTY",
		"MY_TOKEN_FILE",
		"SECRET_PATH",
		"TOKEN_URL",
		"SECRET_NAME",
		"TOKEN_ID",
		"SECRETS_DIR",
		"TOKEN_TTL",
		"TOKEN_EXPIRY",
		"AuthorizationPlugins",
		"SecretFile",
		"CredentialSpec",
		"Secrets",
		"TokenID",
		"SecretID",
		"GIT_AUTHOR_NAME",
		"PATH",
		"",
		"--",
		"password-stdin",
		"token-file",
		"max_tokens",
		"monkey",
		"AUTHOR",
		"BYPASS",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (sensitive(no[i]))
			fail_msg("%s is sensitive", no[i]);
}

static void globs_of_the_configuration_add_names(void **state)
{
	static const char *const extra[] = { "MY_COMPANY_*_KEY", NULL };

	(void)state;
	assert_false(sensitive("MY_COMPANY_BLUE_KEY"));
	m.extra_names = extra;
	assert_true(sensitive("MY_COMPANY_BLUE_KEY"));
}

static void an_environment_becomes_names(void **state)
{
	static const char in[] =
		"PATH=/bin\0GITHUB_TOKEN=" VALUE "\0API_KEY=\0stray value\0EVIL!=x\0=y";
	char block[sizeof(in)];
	size_t n;

	(void)state;
	memcpy(block, in, sizeof(in));
	n = scrub_environment(&m, block, sizeof(in));
	assert_string_equal(shown(block, n), "PATH|GITHUB_TOKEN!|API_KEY|EVIL|");
	for (size_t i = n; i < sizeof(in); i++)
		assert_int_equal(block[i], 0);
	assert_true(m.count > 1);
	assert_string_equal(m.secrets[0].name, "GITHUB_TOKEN");
	assert_int_equal(m.secrets[0].len, strlen(VALUE));
}

static void a_public_value_stays_and_a_secret_in_it_does_not(void **state)
{
	static const char in[] =
		"LD_PRELOAD=/x/a.so\0LD_PRELOADED=/x/b.so\0PYTEST_CURRENT_TEST=a::b[" VALUE
		"]\0T_TOKEN=" VALUE;
	char block[sizeof(in)];
	size_t n;

	(void)state;
	memcpy(block, in, sizeof(in));
	n = scrub_environment(&m, block, sizeof(in));
	assert_string_equal(
		shown(block, n),
		"LD_PRELOAD=/x/a.so|LD_PRELOADED|PYTEST_CURRENT_TEST=a::b[<variable:T_TOKEN>]|T_TOKEN!|");
}

static void a_cut_environment_is_no_trouble(void **state)
{
	static const char in[] = "A=1\0TOKEN=abcdefghij";

	(void)state;
	for (size_t n = 0; n < sizeof(in); n++) {
		char *block = malloc(n ? n : 1);
		size_t out;

		memcpy(block, in, n);
		out = scrub_environment(&m, block, n);
		assert_true(out <= n);
		assert_true(!out || !block[out - 1]);
		free(block);
	}
}

static void a_public_value_that_is_cut_is_no_trouble(void **state)
{
	static const char in[] = "LD_AUDIT=/x\0LD_PRELOAD=/x/a.so";

	(void)state;
	for (size_t n = 0; n < sizeof(in); n++) {
		char *block = malloc(n ? n : 1);
		size_t out;

		memcpy(block, in, n);
		out = scrub_environment(&m, block, n);
		assert_true(out <= n);
		assert_true(!out || !block[out - 1]);
		free(block);
	}
}

static void a_known_value_is_masked_anywhere_with_equal_length(void **state)
{
	(void)state;
	learn("GITHUB_TOKEN=" VALUE);
	assert_string_equal(bytes("x" VALUE "y"), "x<variable:GITHUB_TOKEN>y");
	assert_string_equal(bytes(VALUE VALUE), "<variable:GITHUB_TOKEN><variable:GITHUB_TOKEN>");
	assert_string_equal(bytes("s3cr3t/Value+42&"), "s3cr3t/Value+42&");
}

static void a_known_value_is_masked_in_escapes(void **state)
{
	static const char *const formats[] = { "\\x%02x", "\\x%02X", "\\%03o", "\\u%04x" };
	char block[] = "T_TOKEN=" VALUE;

	(void)state;
	scrub_environment(&m, block, sizeof(block));
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		char text[512] = "echo '";
		size_t n = strlen(text);

		for (const char *v = VALUE; *v; v++)
			n += (size_t)sprintf(text + n, formats[i], (unsigned char)*v);
		strcpy(text + n, "'");
		assert_true(scrub_bytes(&m, text, n + 1) > 0);
		assert_string_equal(shown(text, n + 1), "echo '<variable:T_TOKEN>'");
	}
}

static void the_material_of_an_encoded_key_is_masked(void **state)
{
	static const char key[] = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHhIDDEN\n"
				  "-----END PRIVATE KEY-----\n";
	char text[1024] = "echo ", hidden[64] = "", kind[64] = "";
	size_t n = strlen(text);

	(void)state;
	for (const char *k = key; *k; k++)
		n += (size_t)sprintf(text + n, "\\x%02x", (unsigned char)*k);
	for (const char *k = "IDDEN"; *k; k++)
		sprintf(hidden + strlen(hidden), "\\x%02x", (unsigned char)*k);
	for (const char *k = "MC4CAQAwBQYD"; *k; k++)
		sprintf(kind + strlen(kind), "\\x%02x", (unsigned char)*k);
	assert_non_null(strstr(text, hidden));
	assert_int_equal(scrub_bytes(&m, text, n), 1);
	assert_null(strstr(text, hidden));
	assert_non_null(strstr(shown(text, n), "<key:private>"));
	/* What says that something is encoded stays. */
	assert_non_null(strstr(text, kind));
	assert_int_equal(scrub_bytes(&m, text, n), 0);
}

static void of_two_known_values_the_longer_is_masked(void **state)
{
	(void)state;
	learn("A_TOKEN=correct-horse");
	learn("B_TOKEN=correct-horse-battery");
	assert_string_equal(bytes("correct-horse-battery correct-horse-b"),
			    "<variable:B_TOKEN> <variable:A_TOKEN>-b");
}

static void a_known_value_is_masked_behind_mixed_escapes(void **state)
{
	static const char *const texts[] = {
		"\\u0063orrect/h\u00e4 horse",     "correct\\/h\\u00e4 horse",
		"c\\u006frrect/h\\xc3\\xa4 horse", "correct%2Fh%c3%A4%20horse",
		"correct/h\\\\u00e4 horse",        "correct\\u002Fh%C3%A4 horse",
		"%5cu0063orrect/h\u00e4 horse"
	};
	char text[128];

	(void)state;
	learn("T_TOKEN=correct/h\u00e4 horse");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		snprintf(text, sizeof(text), "{\"a\": \"%s\", \"b\\u0041\": \"\\u0041\"}",
			 texts[i]);
		assert_string_equal(bytes(text),
				    "{\"a\": \"<variable:T_TOKEN>\", \"b\\u0041\": \"\\u0041\"}");
	}
	/* One character less is not the value. */
	assert_string_equal(bytes("\\u0063orrect/h\\u00e4 hors"), "\\u0063orrect/h\\u00e4 hors");
}

static void a_known_value_is_masked_in_base64_at_each_alignment(void **state)
{
	(void)state;
	learn("GITHUB_TOKEN=correct-horse");
	assert_non_null(strstr(bytes(" Y29ycmVjdC1ob3JzZQ== "), "<variable:GITHUB_TOKEN>"));
	assert_non_null(strstr(bytes(" YWNvcnJlY3QtaG9yc2U= "), "<variable:GITHUB_TOKEN>"));
	assert_non_null(strstr(bytes(" YWFjb3JyZWN0LWhvcnNl "), "<variable:GITHUB_TOKEN>"));
	learn("OTHER_TOKEN=correct?>horse~~");
	assert_non_null(strstr(bytes(" Y29ycmVjdD8+aG9yc2V+fg== "), "<variable:OTHER_TOKEN>"));
	assert_non_null(strstr(bytes(" Y29ycmVjdD8-aG9yc2V-fg== "), "<variable:OTHER_TOKEN>"));
}

static void a_known_value_is_masked_in_percent_and_hex_form(void **state)
{
	(void)state;
	learn("GITHUB_TOKEN=" VALUE);
	assert_string_equal(bytes("q:s3cr3t%2FValue%2B42%26x;"), "q:<variable:GITHUB_TOKEN>;");
	assert_string_equal(bytes("q:7333637233742f56616c75652b34322678;"),
			    "q:<variable:GITHUB_TOKEN>;");
	assert_string_equal(bytes("q:s3cr3t/Value+42\\u0026x;"), "q:<variable:GITHUB_TOKEN>;");
}

static void common_words_are_not_learned(void **state)
{
	(void)state;
	learn("MY_TOKEN=localhost");
	learn("MY_TOKEN=password");
	learn("MY_TOKEN=12345678901");
	learn("MY_TOKEN=short");
	learn("MYSQL_PASSWORD=wordpress");
	learn("MY_TOKEN=xxxxxxxxxxxx");
	learn("KUBECONFIG=/home/u/.kube/config");
	learn("TOKEN_FILE=/home/u/token-file");
	assert_int_equal(m.count, 0);
	learn("MYSQL_PASSWORD=wordpresss");
	assert_int_not_equal(m.count, 0);
}

static void the_password_of_a_url_is_known_by_itself(void **state)
{
	(void)state;
	learn("DATABASE_URL=postgres://app:hunter2hunter@db/x");
	assert_string_equal(bytes("pw hunter2hunter."), "pw <variable:DATABASE_URL>.");
}

static void credentials_are_known_by_their_shape(void **state)
{
	(void)state;
	assert_string_equal(bytes("id AKIAIOSFODNN7EXAMPLZ."), "id <token:aws>.");
	assert_string_equal(bytes("id AKIAIOSFODNN7EXAMPLE."), "id AKIAIOSFODNN7EXAMPLE.");
	assert_string_equal(bytes("a ghp_0123456789abcdefghijABCDEFGHIJ012345 b"),
			    "a <token:github> b");
	assert_string_equal(bytes("glpat-abcdEFGH1234ijklMNOP"), "<token:gitlab>");
	assert_string_equal(bytes("xoxb-1234567890-abcdef"), "<token:slack>");
	assert_string_equal(bytes("x%3Dghp_0123456789abcdefghijABCDEFGHIJ012345"),
			    "x%3D<token:github>");
	assert_string_equal(bytes("ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
			    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_string_equal(bytes("NAKIAIOSFODNN7EXAMPLZ"), "NAKIAIOSFODNN7EXAMPLZ");
	assert_string_equal(bytes("pypi-mirror-of-the-whole-company-cache"),
			    "pypi-mirror-of-the-whole-company-cache");
}

static void a_private_key_is_masked_up_to_its_end(void **state)
{
	(void)state;
	assert_string_equal(bytes("a\n-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAtest\n"
				  "-----END RSA PRIVATE KEY-----\nb"),
			    "a\n<key:private>\nb");
	assert_string_equal(bytes("{\"k\":\"-----BEGIN PRIVATE KEY-----\\nMIIEpAIBAAKCAQEAtest\"}"),
			    "{\"k\":\"<key:private>\"}");
	assert_string_equal(bytes("grep -- '-----BEGIN PRIVATE KEY-----' f"),
			    "grep -- '-----BEGIN PRIVATE KEY-----' f");
}

static void assignments_are_masked_up_to_their_end(void **state)
{
	(void)state;
	assert_string_equal(bytes("{\"Env\":[\"API_TOKEN=abcdefghi\",\"A=b\"]}"),
			    "{\"Env\":[\"API_TOKEN=<named:API_TOKEN>\",\"A=b\"]}");
	assert_string_equal(bytes("{\"Env\":[\"API_TOKEN=\",\"A=b\"]}"),
			    "{\"Env\":[\"API_TOKEN=\",\"A=b\"]}");
	assert_string_equal(bytes("?token=abcdefghj&x=1"), "?token=<named:token>&x=1");
	assert_string_equal(bytes("API_KEY=\"abc defghi\" x"), "API_KEY=\"<named:API_KEY>\" x");
	assert_string_equal(bytes("\\nAPI_KEY=abcdefgi\\n"), "\\nAPI_KEY=<named:API_KEY>\\n");
	assert_string_equal(bytes("[\"API_KEY=abcdef\\\\\",\"x\"]"),
			    "[\"API_KEY=<named:API_KEY>\",\"x\"]");
	assert_string_equal(bytes("PASSWORD=short"), "PASSWORD=<>");
}

static void placeholders_stay(void **state)
{
	static const char *const same[] = {
		"TOKEN=",
		"TOKEN=***",
		"TOKEN=<your token>",
		"TOKEN=${VAR}",
		"TOKEN=$VAR",
		"TOKEN=xxx",
		"TOKEN=null",
		"TOKEN=changeme",
		"TOKEN=YOUR_API_KEY",
		"{\"token\":\"\"}",
		"{\"password\":null}",
		"TOKEN==x",
		"TOKEN=1",
		"{\"auth\":\"<redacted>\"}",
		"X-Registry-Auth: e30=\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		assert_string_equal(bytes(same[i]), same[i]);
}

static void json_members_are_masked_inside_their_quotes(void **state)
{
	(void)state;
	assert_string_equal(bytes("{\"password\": \"a\\\"bcdefgh\", \"x\":1}"),
			    "{\"password\": \"<named:password>\", \"x\":1}");
	assert_string_equal(bytes("{\"IdentityToken\":\"abcdefghi\"}"),
			    "{\"IdentityToken\":\"<named:IdentityToken>\"}");
	assert_string_equal(bytes("{\"s\":\"{\\\"token\\\":\\\"abcdefghk\\\"}\"}"),
			    "{\"s\":\"{\\\"token\\\":\\\"<named:token>\\\"}\"}");
	assert_string_equal(bytes("/build?buildargs=%7B%22API_TOKEN%22%3A%22abcdefghz%22%7D&q=1"),
			    "/build?buildargs=%7B%22API_TOKEN%22%3A%22<named:API_TOKEN>%22%7D&q=1");
}

static void credentials_of_urls_are_masked_behind_escapes(void **state)
{
	(void)state;
	assert_string_equal(
		bytes("/build?labels=%7B%22at%22%3A%22https%3A%2F%2Fbob%3Ahunter2-is%40r.io%2Fx%22%7D"),
		"/build?labels=%7B%22at%22%3A%22https%3A%2F%2Fbob%3A<url:password>%40r.io%2Fx%22%7D");
	assert_string_equal(bytes("{\"at\":\"https:\\/\\/bob:hunter2-is@r.io\\/x\"}"),
			    "{\"at\":\"https:\\/\\/bob:<url:password>@r.io\\/x\"}");
	assert_string_equal(bytes("/images/create?fromImage=bob%3Ahunter2-is%40r.io%2Fx&tag=1"),
			    "/images/create?fromImage=bob%3A<url:password>%40r.io%2Fx&tag=1");
	assert_string_equal(bytes("{\"x\":\"https%3A%2F%2Fbob%3Ahunter2%252Dis%40r.io\"}"),
			    "{\"x\":\"https%3A%2F%2Fbob%3A<url:password>%40r.io\"}");
}

static void a_query_s_parameters_are_not_taken_for_one_url(void **state)
{
	static const char *const same[] = {
		"/build?remote=https%3A%2F%2Fr.io%3A80&t=hunter2%40r.io%2Fx",
		"/build?remote=https%3A%2F%2Fr.io%3A80%2Fcontext.tar&labels=%7B%22a%22%3A%22b%40c%22%7D",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		assert_string_equal(bytes(same[i]), same[i]);
}

static void the_engines_own_words_stay(void **state)
{
	static const char same[] =
		"{\"Secrets\":[{\"SecretID\":\"abcdefghijk\",\"SecretName\":\"abcdefgh\"}],"
		"\"CredentialSpec\":\"file://"
		"abcdefghij\",\"Authorization\":null,\"TokenID\":\"abcdefghij\"}";

	(void)state;
	assert_string_equal(bytes(same), same);
}

static void credential_headers_are_masked(void **state)
{
	(void)state;
	assert_string_equal(
		bytes("GET / HTTP/1.1\r\nAuthorization: Bearer abcdefghij\r\nA: b\r\n"),
		"GET / HTTP/1.1\r\nAuthorization: Bearer <auth:Authorization>\r\nA: b\r\n");
	assert_string_equal(bytes("\r\nx-registry-auth: eyJhIjoiYiJ9\r\n"),
			    "\r\nx-registry-auth: <auth:X-Registry-Auth>\r\n");
}

static void passwords_of_urls_are_masked(void **state)
{
	(void)state;
	assert_string_equal(bytes("https://u:secretpw@host/x"), "https://u:<url:password>@host/x");
	assert_string_equal(bytes("u:secretpw@registry.example/x"),
			    "u:<url:password>@registry.example/x");
	assert_string_equal(bytes("http://u@host/ img:1@sha256:abc/ git@github.com:a/b"),
			    "http://u@host/ img:1@sha256:abc/ git@github.com:a/b");
}

static void what_a_swarm_is_to_keep_is_masked(void **state)
{
	(void)state;
	assert_string_equal(bytes("POST /v1.41/secrets/create HTTP/1.1\r\nHost: d\r\n\r\n"
				  "{\"Name\":\"s\",\"data\":\"c2FsYW1hbmRlcg==\"}"),
			    "POST /v1.41/secrets/create HTTP/1.1\r\nHost: d\r\n\r\n"
			    "{\"Name\":\"s\",\"data\":\"<named:data>\"}");
	/* What is asked of another, stands before it, or is called otherwise. */
	assert_string_equal(bytes("POST /v1.41/configs/create HTTP/1.1\r\n\r\n"
				  "{\"Name\":\"s\",\"Data\":\"c2FsYW1hbmRyZQ==\"}"),
			    "POST /v1.41/configs/create HTTP/1.1\r\n\r\n"
			    "{\"Name\":\"s\",\"Data\":\"c2FsYW1hbmRyZQ==\"}");
	assert_string_equal(bytes("{\"Data\":\"c2FsYW1hbmRyZQ==\"} POST /secrets/create "
				  "{\"Database\":\"c2FsYW1hbmRyZQ==\"}"),
			    "{\"Data\":\"c2FsYW1hbmRyZQ==\"} POST /secrets/create "
			    "{\"Database\":\"c2FsYW1hbmRyZQ==\"}");
}

static void arguments_are_masked_by_option(void **state)
{
	(void)state;
	assert_string_equal(ARGS("x\0--password\0ab cdefgh\0y"),
			    "x|--password|<named:password>|y|");
	assert_string_equal(ARGS("x\0--password=ab cdefgi\0y"), "x|--password=<named:password>|y|");
	assert_string_equal(ARGS("docker\0login\0-p\0abcdefgh"), "docker|login|-p|<named:p>|");
	assert_string_equal(ARGS("docker\0run\0-p\0"
				 "8080:8080"),
			    "docker|run|-p|8080:8080|");
	assert_string_equal(ARGS("curl\0-u\0me:abcdefgj"), "curl|-u|me:<named:u>|");
	assert_string_equal(ARGS("docker\0build\0--secret\0id=tok,src=f"),
			    "docker|build|--secret|id=tok,src=f|");
	assert_string_equal(ARGS("docker\0build\0--secret=id=tok,src=f"),
			    "docker|build|--secret=id=tok,src=f|");
	assert_string_equal(ARGS("sh\0-c\0TOKEN=abcdefgk make test"),
			    "sh|-c|TOKEN=<named:TOKEN> make test|");
	assert_string_equal(ARGS("x\0--password-stdin\0host"), "x|--password-stdin|host|");
}

static void scrubbing_twice_changes_nothing(void **state)
{
	char text[] = "TOKEN=abcdefghi {\"auth\":\"abcdefgh\"} https://u:secretpw@h/ " VALUE;
	char once[sizeof(text)];

	(void)state;
	learn("A_TOKEN=" VALUE);
	scrub_bytes(&m, text, sizeof(text) - 1);
	memcpy(once, text, sizeof(text));
	assert_int_equal(scrub_bytes(&m, text, sizeof(text) - 1), 0);
	assert_memory_equal(once, text, sizeof(text));
	assert_non_null(masker_find(&m, (struct span){ text, sizeof(text) - 1 }));
}

static void a_mask_cannot_be_forged_without_the_tag(void **state)
{
	const struct secret *which;

	(void)state;
	learn("A_TOKEN=" VALUE);
	masker_at(&m, (struct span){ "\xff\x80\x80\x80\x80\x80\xff\xff", 8 }, &which);
	assert_null(which);
	assert_int_equal(masker_at(&m, (struct span){ NULL, 0 }, &which), 0);
}

static void a_full_table_is_counted_and_still_masks(void **state)
{
	(void)state;
	for (int i = 0; i < SECRETS_MAX + 10; i++) {
		char text[64];

		snprintf(text, sizeof(text), "TOKEN=value-number-%d", i);
		scrub_bytes(&m, text, strlen(text));
	}
	assert_int_equal(m.count, SECRETS_MAX);
	assert_int_equal(m.refused, 10);
	assert_string_equal(bytes("TOKEN=one-value-more x"), "TOKEN=<> x");
}

static void what_only_looks_like_a_secret_takes_no_room_from_variables(void **state)
{
	(void)state;
	for (int i = 0; i < 70000; i++) {
		char text[64];

		snprintf(text, sizeof(text), "TOKEN=value-number-%d", i);
		scrub_bytes(&m, text, strlen(text));
	}
	learn("GITHUB_TOKEN=" VALUE);
	assert_string_equal(bytes("x " VALUE " y"), "x <> y");
}

static void a_long_value_is_known_piece_by_piece(void **state)
{
	char value[3000], variable[3100], text[3100];

	(void)state;
	for (size_t i = 0; i < sizeof(value) - 1; i++)
		value[i] = (char)('a' + (i * i + i / 7) % 26);
	value[sizeof(value) - 1] = '\0';
	snprintf(variable, sizeof(variable), "BIG_SECRET=%s", value);
	learn(variable);
	snprintf(text, sizeof(text), "<%s>", value);
	scrub_bytes(&m, text, strlen(text));
	for (size_t i = 1; i + 1 < strlen(text); i++)
		assert_true((uint8_t)text[i] >= 0x80);
}

static void a_large_record_is_quick(void **state)
{
	static char big[65536];
	struct timespec a, b;

	(void)state;
	for (int i = 0; i < 60; i++) {
		char v[64];

		snprintf(v, sizeof(v), "V%d_TOKEN=some-long-value-%d-%d", i, i * 7919, i);
		learn(v);
	}
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(' ' + (i * 2654435761u >> 13) % 90);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a); /* this machine may be busy */
	scrub_bytes(&m, big, sizeof(big));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	/* Generous: sanitizers. */
	assert_true((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 < 500);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
static void a_text_that_was_clean_is_masked_once_its_secret_is_known(void **state)
{
	char text[] = "GET /images/hunter2-hunter2/json",
	     other[] = "GET /images/hunter3-hunter3/json";

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(scrub_bytes(&m, text, strlen(text)), 0);
		assert_int_equal(scrub_bytes(&m, other, strlen(other)), 0);
	}
	learn("API_TOKEN=hunter2-hunter2");
	assert_int_equal(scrub_bytes(&m, other, strlen(other)), 0);
	assert_int_equal(scrub_bytes(&m, text, strlen(text)), 1);
	assert_string_equal(shown(text, strlen(text)), "GET /images/<variable:API_TOKEN>/json");
	learn("API_TOKEN=hunter3-hunter3");
	assert_int_equal(scrub_bytes(&m, other, strlen(other)), 1);
	assert_string_equal(shown(other, strlen(other)), "GET /images/<variable:API_TOKEN>/json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(names_of_secrets_are_sensitive),
		T(names_that_only_look_so_are_not),
		T(globs_of_the_configuration_add_names),
		T(an_environment_becomes_names),
		T(a_public_value_stays_and_a_secret_in_it_does_not),
		T(a_cut_environment_is_no_trouble),
		T(a_public_value_that_is_cut_is_no_trouble),
		T(a_known_value_is_masked_anywhere_with_equal_length),
		T(a_known_value_is_masked_in_escapes),
		T(the_material_of_an_encoded_key_is_masked),
		T(of_two_known_values_the_longer_is_masked),
		T(a_known_value_is_masked_behind_mixed_escapes),
		T(a_known_value_is_masked_in_base64_at_each_alignment),
		T(a_known_value_is_masked_in_percent_and_hex_form),
		T(credentials_of_urls_are_masked_behind_escapes),
		T(a_query_s_parameters_are_not_taken_for_one_url),
		T(common_words_are_not_learned),
		T(the_password_of_a_url_is_known_by_itself),
		T(credentials_are_known_by_their_shape),
		T(a_private_key_is_masked_up_to_its_end),
		T(assignments_are_masked_up_to_their_end),
		T(placeholders_stay),
		T(json_members_are_masked_inside_their_quotes),
		T(the_engines_own_words_stay),
		T(credential_headers_are_masked),
		T(passwords_of_urls_are_masked),
		T(what_a_swarm_is_to_keep_is_masked),
		T(arguments_are_masked_by_option),
		T(scrubbing_twice_changes_nothing),
		T(a_mask_cannot_be_forged_without_the_tag),
		T(a_full_table_is_counted_and_still_masks),
		T(what_only_looks_like_a_secret_takes_no_room_from_variables),
		T(a_long_value_is_known_piece_by_piece),
		T(a_large_record_is_quick),
		T(a_text_that_was_clean_is_masked_once_its_secret_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
