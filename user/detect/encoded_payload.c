/* encoded_payload.c: R2, encoded data in arguments, container commands and Dockerfiles. */
#include <string.h>
#include <strings.h>
#include "codec.h"
#include "detect.h"
#include "jsonr.h"
#include "payload.h"

#define PREVIEW 120	/* bytes of evidence */

/* A decoder, its output into a file, that file made executable or run: all in one line. */
static bool makes_executable(struct span line)
{
	static const char *const decoders[] = { "echo -e", "printf ", "base64 -d", "base64 --decode", "xxd -r" };
	long to = span_find(line, SPAN(">"));
	bool decodes = false;
	struct span rest, file;

	for (size_t i = 0; i < ARRAY_SIZE(decoders); i++) {
		long at = span_find(line, span_of(decoders[i]));

		decodes |= at >= 0 && at < to;
	}
	if (!decodes)
		return false;
	for (to++; to < (long)line.len && strchr("> ", line.ptr[to]); to++)
		;
	file = rest = (struct span){ line.ptr + to, line.len - to };
	for (file.len = 0; file.len < rest.len && !strchr(" \t;&|\n'\"", rest.ptr[file.len]); file.len++)
		;
	rest = (struct span){ file.ptr + file.len, rest.len - file.len };
	return file.len && span_find(rest, file) >= 0 &&
	       (span_find(rest, SPAN("chmod")) >= 0 || span_find(rest, SPAN("sh ")) >= 0 ||
		span_find(rest, SPAN(". ")) >= 0);
}

static void look_text(struct span text, const char *where, struct report *out)
{
	struct payload p = { 0 };
	struct buf subject = { 0 }, preview = { 0 };
	size_t at = 0;

	for (unsigned n = 0; n < 16 && payload_next(text, &at, &p); n++) {
		buf_reset(&subject);
		buf_reset(&preview);
		buf_fmt(&subject, "%s in %s", p.encoding, where);
		text_escape((struct span){ p.decoded.ptr, p.decoded.len }, PREVIEW, &preview);
		finding(out, p.kind == PAYLOAD_EXECUTABLE ? "R2.2" : "R2.1", (struct span){ subject.ptr, subject.len },
			"%s in %s, %zu bytes: %s", p.encoding, where, p.decoded.len, preview.ptr ? preview.ptr : "");
	}
	if (makes_executable(text))
		finding(out, "R2.4", span_of(where), "decoded content becomes an executable file in %s", where);
	buf_free(&p.decoded);
	buf_free(&subject);
	buf_free(&preview);
}

static void look_exec(const struct process *p, struct report *out)
{
	for (unsigned i = 1; i < p->argc && i < 4096; i++)
		look_text(process_arg(p, i), "an argument", out);
}

static void look_dockerfile(struct span file, struct report *out)
{
	for (size_t i = 0; i < file.len;) {
		const char *end = memchr(file.ptr + i, '\n', file.len - i);
		size_t n = end ? (size_t)(end - file.ptr) - i : file.len - i;

		look_text((struct span){ file.ptr + i, n }, "a Dockerfile", out);
		i += n + 1;
	}
}

static void command_value(void *ctx, const struct json_value *v)
{
	if (v->type == JSON_STRING && (json_path_is(v, "/Cmd/*") || json_path_is(v, "/Entrypoint/*")))
		look_text(v->text, "a container's command", ctx);
}

static void look(const struct fact *f, struct report *out)
{
	struct buf args = { 0 };

	if (f->kind == FACT_EXEC) {
		look_exec(f->process, out);
		return;
	}
	switch (f->docker.route->action) {
	case ACT_CONTAINER_CREATE:
	case ACT_EXEC_CREATE:
		json_walk(f->docker.body, command_value, out, NULL);
		break;
	case ACT_IMAGE_BUILD:
		look_dockerfile(f->docker.dockerfile, out);
		if (docker_query(f->docker.query, "buildargs", 0, &args))
			look_text((struct span){ args.ptr, args.len }, "a build argument", out);
		buf_free(&args);
		break;
	default:
		break;
	}
}

const struct detector detect_encoded_payload = { RISK_ENCODED_PAYLOAD, FACT_EXEC | FACT_DOCKER, look };
