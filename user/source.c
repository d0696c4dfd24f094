/* source.c: keeps code objects, and tells from a stack which line, function and API made a process. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "source.h"
#include "source_line.h"
#include "utf8.h"

#define CODES_MAX   200000      /* a test run has some thousands */
#define BYTES_MAX   (64u << 20) /* of their texts and tables */
#define CODES_ASKED 1024
#define RECENT      256 /* sources: tests do the same again and again */

struct source_codes {
	void *root;
	unsigned n;
	size_t bytes;
	struct source *recent[RECENT];
	struct source_code *asked[CODES_ASKED]; /* the last, by their ids */
};

/* ---- code objects ---- */

static int code_compare(const void *a, const void *b)
{
	uint64_t x = ((const struct source_code *)a)->id, y = ((const struct source_code *)b)->id;

	return x == y ? 0 : x < y ? -1 : 1;
}

struct source_codes *source_codes_new(void)
{
	return xcalloc(1, sizeof(struct source_codes));
}

void source_codes_free(struct source_codes *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < RECENT; i++)
		source_drop(c->recent[i]);
	tdestroy(c->root, free);
	free(c);
}

/* pyenv, virtualenvs and Debian alike: PREFIX/lib/python3.11/, PREFIX/lib/python3/dist-packages/. */
static bool is_library(struct span file)
{
	static const char *const parts[] = { "/lib/python3", "/lib64/python3", "/site-packages/",
					     "/dist-packages/" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (span_find(file, span_of(parts[i])) >= 0)
			return true;
	return span_starts(file, "<frozen ");
}

bool source_code_add(struct source_codes *c, const struct ev_code *e, const char *tail)
{
	struct source_code key = { .id = e->id }, *code, **in;
	size_t n = (size_t)e->file_len + e->name_len + e->table_len;
	char *text;

	if (!(e->flags & CODE_SETTLED) || !e->id || !e->file_len || !e->name_len ||
	    c->n == CODES_MAX || n > BYTES_MAX - c->bytes || tfind(&key, &c->root, code_compare))
		return false;
	code = xcalloc(1, sizeof(*code) + n);
	text = (char *)(code + 1);
	memcpy(text, tail, n);
	code->id = e->id;
	code->version = e->version;
	code->first_line = e->first_line;
	code->file = (struct span){ text, e->file_len };
	code->name = (struct span){ text + e->file_len, e->name_len };
	code->table = (struct span){ code->name.ptr + e->name_len, e->table_len };
	code->library = is_library(code->file);
	in = tsearch(code, &c->root, code_compare);
	if (!in)
		abort(); /* tsearch's own malloc failed */
	c->n++;
	c->bytes += n;
	return true;
}

static struct source_code *code_find(struct source_codes *c, uint64_t id)
{
	struct source_code **last = &c->asked[id * 0x9e3779b97f4a7c15u >> 54];
	struct source_code key = { .id = id }, *known = *last, **found;

	if (known && known->id == id)
		return known;
	found = tfind(&key, &c->root, code_compare);
	if (found)
		*last = *found;
	return found ? *found : NULL;
}

void source_text(const char *chars, size_t n, unsigned kind, struct buf *out)
{
	for (size_t i = 0; kind && i + kind <= n; i += kind) {
		uint32_t c = 0;

		memcpy(&c, chars + i, kind); /* both sides are little endian */
		if (c >= 0xdc80 && c <= 0xdcff)
			buf_byte(out, (char)(c & 0xff)); /* PEP 383 */
		else
			utf8_add(out, c);
	}
}

/* ---- stacks ---- */

/* module: "/subprocess.py", a package: "/asyncio/", or one of those in the program: "<frozen os>". */
static bool is_of(const struct source *s, unsigned i, const char *module)
{
	const struct source_code *c = i < s->n ? s->frame[i].code : NULL;

	if (!c || !c->library)
		return false;
	if (module[strlen(module) - 1] == '/')
		return span_find(c->file, span_of(module)) >= 0;
	return span_ends(c->file, module);
}

/* Frozen into the program from 3.11 on. */
static bool is_of_os(const struct source *s, unsigned i)
{
	return is_of(s, i, "/os.py") || is_of(s, i, "<frozen os>");
}

/* Of a read: os.environ is a mapping, and its methods stand between it and who asks. */
static bool asks_from_library(const struct source *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (!is_of_os(s, i) && !is_of(s, i, "/_collections_abc.py") &&
		    !is_of(s, i, "<frozen _collections_abc>"))
			return s->frame[i].code->library;
	return s->n && !s->cut;
}

/* What stands behind the last dot of a qualified name. */
static struct span name_last(const struct source_code *c)
{
	const char *dot = memrchr(c->name.ptr, '.', c->name.len);

	return dot ? (struct span){ dot + 1, c->name.ptr + c->name.len - dot - 1 } : c->name;
}

/* Frames of a module that made the process for its caller: the outermost names what was called. */
static unsigned api_of_module(struct source *s, unsigned from, const char *file, const char *prefix)
{
	unsigned i = from;
	struct span name;

	while (is_of(s, i, file))
		i++;
	if (i == from)
		return from;
	name = name_last(s->frame[i - 1].code);
	if (span_eq(name, "__init__"))
		name = SPAN("Popen");
	snprintf(s->api, sizeof(s->api), "%s%.*s", prefix, (int)(name.len < 32 ? name.len : 32),
		 name.ptr);
	return i;
}

/* Names the API and returns the frame that called it. */
static unsigned api_of(struct source *s, const struct ev_stack *e)
{
	static const struct {
		const char *file, *prefix;
	} modules[] = {
		{ "/subprocess.py", "" },
		{ "/os.py", "os." },
		{ "<frozen os>", "os." },
		{ "/pty.py", "pty." },
	};
	const char *plain = e->flags & STACK_SYSTEM   ? "os.system"
			    : e->flags & STACK_SHARED ? "os.posix_spawn"
						      : "os.fork";
	unsigned i = 0, from = 0;

	if (is_of(s, 0, "/multiprocessing/")) {
		strcpy(s->api, "multiprocessing");
		return 0;
	}
	/* Its own os.fork; its subprocess.py has the names of the one that it stands for. */
	while (is_of(s, from, "/gevent/os.py"))
		from++;
	for (size_t k = 0; k < ARRAY_SIZE(modules) && i <= from; k++)
		i = api_of_module(s, from, modules[k].file, modules[k].prefix);
	if (i == from)
		strcpy(s->api, plain);
	else if (is_of_os(s, i) && span_eq(s->frame[i].code->name, "popen"))
		strcpy(s->api, "os.popen");
	else if (is_of(s, i, "/asyncio/unix_events.py") && !strcmp(s->api, "Popen"))
		strcpy(s->api, "asyncio");
	return i;
}

static bool is_test(const struct source_frame *f)
{
	struct span name = name_last(f->code);

	return !f->code->library && name.len > 4 && !memcmp(name.ptr, "test", 4) &&
	       (name.ptr[4] == '_' || (name.ptr[4] >= 'A' && name.ptr[4] <= 'Z'));
}

/*
 * Nothing but libraries: whoever made a process, and exact only when the stack is whole, since the
 * script may stand further out. What the interpreter itself reads is no line of a script.
 */
static bool script_find(struct source *s, unsigned from)
{
	for (s->at = from; s->at < s->n; s->at++)
		if (!s->frame[s->at].code->library) {
			s->exact = true;
			return true;
		}
	s->at = from;
	s->exact = !s->cut;
	return s->api[0] && from < s->n;
}

/* Most stacks of a run begin alike, with the same frames. */
static int line_of(struct source_code *c, int at)
{
	if (!c->told || c->at != at) {
		c->told = true;
		c->at = at;
		c->line = source_line(c->version, c->first_line, (const uint8_t *)c->table.ptr,
				      c->table.len, at);
	}
	return c->line;
}

/* The frames that are known, and what they mean. NULL: as source_new() has it. */
static struct source *source_make(struct source_codes *c, const struct ev_stack *e,
				  const struct ev_frame *frames, unsigned n, uint32_t pid)
{
	struct source *s = xcalloc(1, sizeof(*s));

	s->refs = 1;
	s->reason = e->reason;
	s->flags = e->flags;
	s->pid = pid;
	s->test = -1;
	s->cut = e->flags & (STACK_DEEPER | STACK_BROKEN);
	for (unsigned i = 0; i < n && i < EV_FRAMES; i++) {
		struct source_frame *f = &s->frame[s->n];
		int line;

		f->code = code_find(c, frames[i].code);
		f->at = frames[i].at;
		if (!f->code) {
			s->cut = true;
			break;
		}
		line = line_of(f->code, f->at);
		f->line = line > 0 ? line : 0;
		s->n++;
	}
	s->script = script_find(s, e->reason == STACK_FORK ? api_of(s, e) : 0);
	s->library = e->reason == STACK_ENV && asks_from_library(s);
	if (!s->script && !s->library) {
		free(s);
		return NULL;
	}
	s->json = xcalloc(SOURCE_TEXTS, sizeof(*s->json));
	if (!s->script)
		return s;
	for (unsigned i = 0; i <= s->at; i++)
		s->exact = s->exact && s->frame[i].line;
	for (unsigned i = s->at; i < s->n && s->test < 0; i++)
		if (is_test(&s->frame[i]))
			s->test = (int)i;
	return s;
}

static bool is_source_of(const struct source *s, const struct ev_stack *e,
			 const struct ev_frame *frames, unsigned n, uint32_t pid)
{
	if (s->reason != e->reason || s->flags != e->flags || s->pid != pid || s->n != n)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (s->frame[i].code->id != frames[i].code || s->frame[i].at != frames[i].at)
			return false;
	return true;
}

struct source *source_new(struct source_codes *c, const struct ev_stack *e,
			  const struct ev_frame *frames, unsigned n, uint32_t pid)
{
	uint64_t hash = pid ^ e->reason ^ (uint64_t)e->flags << 32;
	struct source **recent;

	for (unsigned i = 0; i < n; i++)
		hash = (hash ^ frames[i].code ^ (uint32_t)frames[i].at) * 0x9e3779b97f4a7c15u;
	recent = &c->recent[hash >> 56];
	if (!*recent || !is_source_of(*recent, e, frames, n, pid)) {
		source_drop(*recent);
		*recent = source_make(c, e, frames, n, pid);
	}
	return source_hold(*recent);
}

struct source *source_hold(struct source *s)
{
	if (s)
		s->refs++;
	return s;
}

void source_drop(struct source *s)
{
	if (!s || --s->refs)
		return;
	for (unsigned i = 0; i < SOURCE_TEXTS; i++)
		buf_free(&s->json[i]);
	free(s->json);
	free(s);
}

void source_place(const struct source *s, const char *tree, struct buf *out)
{
	const struct source_frame *f = source_at(s);
	struct span file = f->code->file;
	size_t n = tree ? strlen(tree) : 0;

	if (n > 1 && file.len > n + 1 && !memcmp(file.ptr, tree, n) && file.ptr[n] == '/') {
		file.ptr += n + 1;
		file.len -= n + 1;
	}
	buf_add(out, file.ptr, file.len);
	if (f->line)
		buf_fmt(out, ":%d", f->line);
}

#define PHRASE_NAME 80 /* bytes of a function's name */

void source_phrase(const struct source *s, uint32_t pid, const char *tree, struct buf *out)
{
	struct span name;

	if (!s)
		return;
	name = source_at(s)->code->name;
	buf_str(out, pid == s->pid && s->api[0] ? " (" : " (from ");
	if (pid == s->pid && s->api[0])
		buf_fmt(out, "%s at ", s->api);
	source_place(s, tree, out);
	buf_fmt(out, " in %.*s)", (int)(name.len < PHRASE_NAME ? name.len : PHRASE_NAME), name.ptr);
}
