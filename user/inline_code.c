/* inline_code.c: looks for calls in program text, in whatever language; follows one variable, parses nothing. */
#include <string.h>
#include "inline_code.h"

#define NAMES_MAX 16 /* variables that are followed from one call */

/* Tell by themselves. */
static const char *const decodes[] = {
	"b64decode", "b32decode",     "b16decode",        "b85decode",
	"a85decode", "decodebytes",   "fromhex",          "unhexlify",
	"a2b_",      "decode_base64", "unpack(",          "unpack1",
	"pack(",     "decode64",      "'base64'",         "\"base64\"",
	"atob(",     "base64_decode", "FromBase64String", "codecs.decode",
	"str_rot13", "hex2bin",       "uudecode",         "unquote(",
};
/* Everybody calls them; they tell when their result is run. */
static const char *const transforms[] = {
	"decompress(",   "chr(",       "chr ",   "fromCharCode", "unescape(", "decodeURIComponent(",
	"rot13",         "rot_13",     "'hex'",  "\"hex\"",      "gzinflate", "gzuncompress",
	"gzdecode",      "urldecode(", "[::-1]", "strrev(",      "unpack ",   "pack ",
	"marshal.loads",
};
static const char *const fetches[] = {
	"urlopen(",
	"urlretrieve(",
	"requests.get(",
	"requests.post(",
	"http.get(",
	"https.get(",
	"Net::HTTP",
	"LWP::",
	"HTTP::Tiny",
	"file_get_contents(\"http",
	"file_get_contents('http",
	"fetch(",
	"DownloadString",
	"URI.open(",
	"httpx.get(",
	"curl_exec(",
};
/* Calls that run text or programs. weak: a word of many meanings, which tells nothing by itself. */
static const struct {
	const char *name;
	bool weak;
} calls[] = {
	{ "exec", false },      { "eval", false },          { "system", false },
	{ "popen", false },     { "Popen", false },         { "execSync", false },
	{ "spawnSync", false }, { "shell_exec", false },    { "passthru", false },
	{ "proc_open", false }, { "check_output", false },  { "check_call", false },
	{ "getoutput", false }, { "execl", false },         { "execv", false },
	{ "execvp", false },    { "execlp", false },        { "Invoke-Expression", false },
	{ "IEX", false },       { "instance_eval", false }, { "runInThisContext", false },
	{ "pty.spawn", false }, { "spawn", true },          { "Function", true },
	{ "run", true },        { "call", true },
};

static bool holds(struct span s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_find(s, span_of(list[i])) >= 0)
			return true;
	return false;
}

static bool is_name(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* What stands in the parentheses that begin at i; without any, up to the end of the statement. */
static struct span argument(struct span s, size_t i)
{
	bool parens = i < s.len && s.ptr[i] == '(';
	unsigned open = 0;
	size_t from = i;

	for (; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '(')
			open++;
		else if (c == ')' && open && !--open && parens)
			break;
		else if (!parens && !open && (c == ';' || c == '\n'))
			break;
	}
	return (struct span){ s.ptr + from, i - from };
}

/* Behind the name of a call that ends at i and is no other word: where its argument begins; else 0. */
static size_t argument_at(struct span s, size_t i, bool weak)
{
	size_t end = i;

	while (end < s.len && s.ptr[end] == ' ')
		end++;
	if (end == s.len)
		return 0;
	if (s.ptr[end] == '(')
		return end;
	/* Without parentheses, as in Perl; eval { } catches errors. */
	return end == i || weak || strchr("{=", s.ptr[end]) ? 0 : end;
}

/*
 * The next call that runs something from *at on: its argument; *at moves behind the call's name.
 * Empty: there is none.
 */
static struct span call_next(struct span s, size_t *at, bool weak)
{
	for (size_t i = *at; i < s.len; i++) {
		if (i && is_name(s.ptr[i - 1]))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(calls); k++) {
			size_t n = strlen(calls[k].name), from;

			if ((calls[k].weak && !weak) || i + n >= s.len ||
			    memcmp(s.ptr + i, calls[k].name, n))
				continue;
			/* A regular expression's, in JavaScript. */
			if (!strcmp(calls[k].name, "exec") && i && s.ptr[i - 1] == '.' &&
			    span_find(s, SPAN("child_process")) < 0)
				continue;
			from = argument_at(s, i + n, calls[k].weak);
			if (!from)
				continue;
			*at = i + n;
			return argument(s, from);
		}
	}
	return (struct span){ NULL, 0 };
}

static unsigned origins_of(struct span s)
{
	unsigned origins = 0;

	if (holds(s, decodes, ARRAY_SIZE(decodes)) || holds(s, transforms, ARRAY_SIZE(transforms)))
		origins |= ORIGIN_DECODER;
	if (holds(s, fetches, ARRAY_SIZE(fetches)))
		origins |= ORIGIN_NETWORK;
	return origins;
}

/* Of what is assigned to this variable anywhere. */
static unsigned origins_of_variable(struct span code, struct span name)
{
	unsigned origins = 0;

	for (size_t i = 0; i + name.len < code.len; i++) {
		size_t end = i + name.len;

		if ((i && is_name(code.ptr[i - 1])) || memcmp(code.ptr + i, name.ptr, name.len))
			continue;
		while (end < code.len && code.ptr[end] == ' ')
			end++;
		if (end + 1 < code.len && code.ptr[end] == '=' && code.ptr[end + 1] != '=')
			origins |= origins_of(argument(code, end));
	}
	return origins;
}

bool code_decodes(struct span code)
{
	return holds(code, decodes, ARRAY_SIZE(decodes));
}

bool code_runs(struct span code)
{
	size_t at = 0;

	for (;;) {
		struct span a = call_next(code, &at, false);

		/* Prose has no parentheses there. */
		if (!a.len || a.ptr[0] == '(')
			return a.len;
	}
}

unsigned code_runs_origins(struct span code)
{
	unsigned origins = 0, names = 0;
	size_t at = 0;

	for (;;) {
		struct span a = call_next(code, &at, true);

		if (!a.len)
			return origins;
		origins |= origins_of(a);
		for (size_t i = 0; i < a.len && names < NAMES_MAX;) {
			size_t from = i;

			while (i < a.len && is_name(a.ptr[i]))
				i++;
			if (i > from) {
				names++;
				origins |= origins_of_variable(
					code, (struct span){ a.ptr + from, i - from });
			} else {
				i++;
			}
		}
	}
}
