/* scrub.c: masks the secrets of environments, arguments and any other bytes of the run. */
#include <string.h>
#include "ascii.h"
#include "scrub_state.h"

#define CLEAN_MAX 1024 /* bytes of a text that is remembered */

/* Who polls says the same again and again: what held no secret holds none until another is learned. */
static bool is_clean(const struct masker *m, const char *bytes, size_t len)
{
	const struct buf *text = &m->clean[len % ARRAY_SIZE(m->clean)].text;

	return m->clean[len % ARRAY_SIZE(m->clean)].learned == m->learned && text->len == len &&
	       !memcmp(text->ptr, bytes, len);
}

static void clean_note(struct masker *m, const char *bytes, size_t len)
{
	struct buf *text = &m->clean[len % ARRAY_SIZE(m->clean)].text;

	if (len > CLEAN_MAX)
		return;
	buf_reset(text);
	buf_add(text, bytes, len);
	m->clean[len % ARRAY_SIZE(m->clean)].learned = m->learned;
}

unsigned scrub_bytes(struct masker *m, char *bytes, size_t len)
{
	unsigned done;

	if (!len || !masker_ready(m) || is_clean(m, bytes, len))
		return 0;
	done = scrub_known(m, bytes, len);
	done += scrub_escaped(m, bytes, len, true);
	done += scrub_looks(m, bytes, len);
	if (!done)
		clean_note(m, bytes, len);
	return done;
}

unsigned scrub_leaks(struct masker *m, char *bytes, size_t n)
{
	unsigned done;

	if (!n || !masker_ready(m))
		return 0;
	done = scrub_known(m, bytes, n);
	done += scrub_escaped(m, bytes, n, false);
	return done + scrub_tokens(m, bytes, n);
}

size_t scrub_environment(struct masker *m, char *block, size_t len)
{
	size_t out = 0;

	if (!len)
		return 0;
	for (size_t i = 0; i < len;) {
		char *e = memchr(block + i, '\0', len - i), *sign;
		size_t end = e ? (size_t)(e - block) : len, n;
		bool sensitive;

		sign = memchr(block + i, '=', end - i);
		/* Without a sign nobody can say that it is not the rest of a value. */
		if (sign && sign != block + i) {
			n = (size_t)(sign - block) - i;
			sensitive = end - i - n > 1 &&
				    name_is_sensitive(m, (struct span){ block + i, n });
			if (sensitive)
				learn_variable(m, (struct span){ block + i, n }, sign + 1,
					       end - i - n - 1);
			/* A name cannot claim the mark that follows it. */
			while (n && block[i + n - 1] == '!')
				n--;
			if (n) {
				memmove(block + out, block + i, n);
				out += n;
				if (sensitive) {
					block[out++] = '!';
				} else if (variable_is_public(
						   (struct span){ block + out - n, n })) {
					size_t value = block + end - sign; /* with its '=' */

					memmove(block + out, sign, value);
					scrub_looks(m, block + out, value);
					out += value;
				}
				/* The last value may have been cut together with its NUL. */
				if (out == len)
					out--;
				block[out++] = '\0';
			}
		}
		i = end + 1;
	}
	explicit_bzero(block + out, len - out);
	scrub_known(m, block, out);
	return out;
}

/* Options that take a credential and do not say so by their name. */
static const struct short_option {
	const char *program;
	const char *option;
	bool userinfo; /* user:password */
} short_options[] = {
	{ "docker", "-p", false }, { "podman", "-p", false },  { "sshpass", "-p", false },
	{ "curl", "-u", true },    { "curl", "--user", true }, { "curl", "--proxy-user", true },
};

/* The span behind the last '/' of argv[0]. */
static struct span program_of(struct span arg)
{
	for (size_t i = arg.len; i > 0; i--)
		if (arg.ptr[i - 1] == '/')
			return (struct span){ arg.ptr + i, arg.len - i };
	return arg;
}

static bool is_engine_client(struct span program)
{
	return span_eq(program, "docker") || span_eq(program, "podman") ||
	       span_eq(program, "nerdctl") || span_eq(program, "buildah") ||
	       span_eq(program, "buildctl") || span_eq(program, "docker-buildx");
}

/* docker build --secret id=name,src=file names a secret and holds none. */
static bool names_secret(struct span program, struct span option, const char *v, size_t n)
{
	while (option.len && *option.ptr == '-') {
		option.ptr++;
		option.len--;
	}
	return span_eq(option, "secret") &&
	       (is_engine_client(program) || starts(v, n, "id=") || starts(v, n, "type=") ||
		starts(v, n, "src=") || starts(v, n, "source="));
}

static void mask_operand(struct masker *m, char *v, size_t n, struct span name, bool userinfo)
{
	if (userinfo) {
		char *colon = memchr(v, ':', n);

		if (!colon)
			return;
		n -= (size_t)(colon + 1 - v);
		v = colon + 1;
	}
	if (!is_placeholder(v, n))
		mask_set(m, v, n, SECRET_NAMED, name);
}

static void scrub_argument(struct masker *m, struct span program, struct span before, char *a,
			   size_t n, bool login)
{
	char *sign = memchr(a, '=', n);
	size_t k = sign ? (size_t)(sign - a) : 0;

	for (size_t i = 0; before.len && i < ARRAY_SIZE(short_options); i++) {
		const struct short_option *o = &short_options[i];

		/* docker run -p publishes a port. */
		if (span_eq(program, o->program) && span_eq(before, o->option) &&
		    (!is_engine_client(program) || login))
			mask_operand(m, a, n, before, o->userinfo);
	}
	if (before.len > 1 && before.ptr[0] == '-' && !memchr(before.ptr, '=', before.len) && n &&
	    a[0] != '-' && name_is_sensitive(m, before) && !names_secret(program, before, a, n))
		mask_operand(m, a, n, before, false);
	if (!sign || !k)
		return;
	for (size_t i = 0; i < k; i++)
		if (!is_word(a[i]) && a[i] != '-' && a[i] != '.')
			return;
	/* A script for a shell may begin with an assignment and go on. */
	if (a[0] != '-' && before.len > 1 && before.ptr[0] == '-' &&
	    before.ptr[before.len - 1] == 'c' && memchr(a, ' ', n))
		return;
	if (name_is_sensitive(m, (struct span){ a, k }) &&
	    !names_secret(program, (struct span){ a, k }, sign + 1, n - k - 1)) {
		/* A quote at both ends belongs to the value's own syntax; masking it is harmless
		 * here. */
		mask_operand(m, sign + 1, n - k - 1, (struct span){ a, k }, false);
	}
}

/* "--secret=id=…" would look like an assignment to the general pass. */
static bool argument_is_plain(struct span program, const char *a, size_t n)
{
	const char *sign = memchr(a, '=', n);

	return sign && a[0] == '-' &&
	       names_secret(program, (struct span){ a, (size_t)(sign - a) }, sign + 1,
			    n - (size_t)(sign - a) - 1);
}

void scrub_arguments(struct masker *m, char *args, size_t len)
{
	struct span program = { NULL, 0 }, before = { NULL, 0 };
	bool login = false, first = true;

	if (!len || !masker_ready(m))
		return;
	/* First what is known: a value may stand in the middle of what the looks would mask whole.
	 */
	scrub_known(m, args, len);
	for (size_t i = 0; i < len;) {
		char *e = memchr(args + i, '\0', len - i);
		size_t n = e ? (size_t)(e - args) - i : len - i;
		struct span arg = { args + i, n };

		if (first)
			program = program_of(arg);
		else
			scrub_argument(m, program, before, args + i, n, login);
		if (span_eq(arg, "login"))
			login = true;
		if (!argument_is_plain(program, args + i, n))
			scrub_bytes(m, args + i, n);
		first = false;
		before = arg;
		i += n + 1;
	}
}
