/* request.c: writes and reads what an unprivileged `invigil run` asks of the daemon. */
#include <stdlib.h>
#include <string.h>
#include "begin.h"
#include "message.h"
#include "request.h"

static const struct flag {
	const char *key;
	size_t offset;
} flags[] = {
	{ "require_complete", offsetof(struct request, require_complete) },
	{ "summary", offsetof(struct request, summary) },
	{ "verbose", offsetof(struct request, verbose) },
	{ "colour", offsetof(struct request, colour) },
	{ "markdown", offsetof(struct request, markdown) },
	{ "record", offsetof(struct request, record) },
};

static const char *flag_read(struct request *r, const char *key, const char *value)
{
	for (const struct flag *f = flags; f < flags + ARRAY_SIZE(flags); f++)
		if (!strcmp(key, f->key)) {
			*(bool *)((char *)r + f->offset) = true;
			return strcmp(value, "1") ? "a flag that is not 1" : NULL;
		}
	return "an unknown key";
}

static bool is_job_field(const struct request *r, const char *key)
{
	for (unsigned i = 0; r->ci && i < CI_FIELDS && r->ci->fields[i].path; i++)
		if (!strcmp(key, r->ci->fields[i].path))
			return true;
	return false;
}

/* NULL, or what is wrong. */
static const char *pair_read(struct request *r, const char *key, const char *value)
{
	if (!strcmp(key, "cwd")) {
		r->cwd = value;
		return *value == '/' ? NULL : "a directory that is not absolute";
	}
	if (!strcmp(key, "fail_on")) {
		if (value[0] < '0' + SEV_LOW || value[0] > '0' + SEV_CRITICAL || value[1])
			return "an unknown level";
		r->fail_on = value[0] - '0';
		return NULL;
	}
	if (!strcmp(key, "file")) {
		if (r->n_files == ARRAY_SIZE(r->files))
			return "too many files";
		r->files[r->n_files++] = value;
		return NULL;
	}
	if (!strcmp(key, "ci")) {
		if (r->ci)
			return "a second CI job";
		r->ci = ci_named(value);
		if (!r->ci)
			return "an unknown CI system";
	} else if (strcmp(key, "arg") && !is_job_field(r, key)) {
		return flag_read(r, key, value);
	}
	begin_add(&r->begin, key, span_of(value));
	return NULL;
}

bool request_read(struct span text, struct request *r, const char **why)
{
	const char *p = text.ptr, *end = text.ptr + text.len;

	*r = (struct request){ .fail_on = -1 };
	while (p < end) {
		const char *value = memchr(p, 0, end - p), *next;

		*why = "it is cut";
		if (!value || !(next = memchr(value + 1, 0, end - value - 1)))
			return false;
		*why = pair_read(r, p, value + 1);
		if (*why)
			return false;
		p = next + 1;
	}
	*why = r->cwd ? NULL : "no directory";
	return r->cwd;
}

void request_make(const struct config *c, const char *cwd, bool colour, char *const *envp,
		  struct buf *out)
{
	const bool set[] = { c->require_complete, !c->quiet,        c->verbose, colour,
			     c->markdown != NULL, c->record != NULL };
	const char *const files[] = { c->output, c->record, c->markdown };
	char level[2] = { (char)('0' + c->fail_on), 0 };
	char *here = begin_redacted(cwd, envp);
	struct buf begin = { 0 };
	size_t room, kept;

	begin_add(out, "cwd", span_of(here));
	free(here);
	if (c->fail_on > 0)
		begin_add(out, "fail_on", span_of(level));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i] && strcmp(files[i], "-"))
			begin_add(out, "file", span_of(files[i]));
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (set[i])
			begin_add(out, flags[i].key, SPAN("1"));
	begin_add_command(&begin, c->argv, envp);
	/* Only a command line of that length does not fit: the first event of the run has it. */
	room = REQUEST_MAX - sizeof(struct message) - out->len;
	if (begin.len > room) {
		for (kept = 0; kept < begin.len;) {
			size_t pair = strlen(begin.ptr + kept) + 1;

			pair += strlen(begin.ptr + kept + pair) + 1;
			if (kept + pair > room - sizeof("arg\0<cut>"))
				break;
			kept += pair;
		}
		buf_add(out, begin.ptr, kept);
		begin_add(out, "arg", SPAN("<cut>"));
	} else {
		buf_add(out, begin.ptr, begin.len);
	}
	buf_free(&begin);
}
