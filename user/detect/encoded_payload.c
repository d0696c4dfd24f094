/* encoded_payload.c: R2, encoded data in command lines, container commands and Dockerfiles, and
 * where it goes. */
#include <string.h>
#include "codec.h"
#include "detect.h"
#include "docker_text.h"
#include "odd_name.h"
#include "payload.h"
#include "inline_code.h"
#include "shell_flow.h"

#define PREVIEW_MAX 120

struct place {
	const struct fact *f;
	struct report *out;
	const char *where; /* words for subject and evidence: no ids, no offsets */
};

/* ---- R2.1, R2.2 ---- */

static void payload_say(void *ctx, const struct payload *p)
{
	const struct place *at = ctx;
	struct buf subject = { 0 }, preview = { 0 }, layers = { 0 };
	struct span s;

	buf_fmt(&subject, "%s in %s", payload_coding_text(p->coding), at->where);
	if (p->layers > 1)
		buf_fmt(&layers, " in %u layers", p->layers);
	payload_preview(&at->f->run->masker, p->core, PREVIEW_MAX, &preview);
	s = (struct span){ subject.ptr, subject.len };
	finding(at->out, "R2.1", s, "%s, %zu bytes%s, decodes to %s: %s", subject.ptr,
		p->decoded.len, layers.ptr ? layers.ptr : "", payload_content_text(p->content),
		preview.ptr ? preview.ptr : "");
	if (payload_executes(p))
		finding(at->out, "R2.2", s, "%s%s decodes to %s: %s", subject.ptr,
			layers.ptr ? layers.ptr : "", payload_content_text(p->content),
			preview.ptr ? preview.ptr : "");
	buf_free(&subject);
	buf_free(&preview);
	buf_free(&layers);
}

/* ---- R2.3, R2.4 ---- */

static void flow_say(void *ctx, const struct shell_flow *flow)
{
	const struct place *at = ctx;
	bool file =
		flow->way == FLOW_MODE || flow->way == FLOW_EXECUTED || flow->way == FLOW_SOURCED;
	struct buf subject = { 0 };
	struct span s = file ? flow->file : flow->text;

	if (!(flow->origins & ORIGIN_DECODER) || (at->f->kind == FACT_EXEC && flow->told))
		return;
	buf_fmt(&subject, "%s: ", at->where);
	buf_add(&subject, s.ptr, s.len);
	s = (struct span){ subject.ptr, subject.len };
	if (file)
		finding(at->out, "R2.4", s, "%s writes decoded data to %.*s, then: %.*s", at->where,
			SPANF(flow->file), SPANF(flow->text));
	else
		finding(at->out, "R2.3", s, "%s makes decoded data a program: %.*s", at->where,
			SPANF(flow->text));
	buf_free(&subject);
}

static void text_look(void *ctx, const char *where, struct span text, bool shell)
{
	struct place *at = ctx;

	at->where = where;
	if (shell) {
		shell_flows(text, flow_say, at);
	} else {
		payload_find(text, payload_say, at);
	}
}

/* An interpreter's program, given in its arguments, decodes what it runs. */
static void look_code(const struct process *p, struct report *out)
{
	struct span code = program_code(p);

	code.len = code.len ? strnlen(code.ptr, code.len) : 0;
	if (!(code_runs_origins(program_code(p)) & ORIGIN_DECODER))
		return;
	finding(out, "R2.3", code, "%s is given a program that runs what it decodes: %.*s",
		p->name ? p->name : "an interpreter", SPANF(code));
}

static void look_exec(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;
	const char *at, *end;
	struct buf where = { 0 };
	struct place place = { f, out, NULL };

	if (!p || !p->args)
		return;
	buf_fmt(&where, "an argument of %s", p->name ? p->name : "a program");
	place.where = where.ptr;
	end = p->args + p->args_len;
	for (at = p->args; at < end;) {
		struct span a = { at, strnlen(at, (size_t)(end - at)) };

		payload_find(a, payload_say, &place);
		at += a.len + 1;
	}
	if (p->roles & ROLE_SHELL) {
		struct span string = shell_command_string(p);

		if (string.len)
			text_look(&place, where.ptr, string, true);
	}
	look_code(p, out);
	buf_free(&where);
}

/* The program or script at path was written by a decoder of the run, or holds a copy of that. */
static void look_origin(const struct written *w, const char *path, const char *what,
			struct report *out)
{
	if (w && path && w->origins & ORIGIN_DECODER)
		finding(out, "R2.4", span_of(path),
			"%s holds what was decoded (written by %s), and %s", path,
			w->writer ? w->writer : "a process of the run", what);
}

static void look_fed(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;
	struct buf text = { 0 };

	if (!(p->origins & ORIGIN_DECODER))
		return;
	line_write(f->line, ORIGIN_DECODER, &text);
	finding(out, "R2.3", (struct span){ text.ptr, text.len },
		"decoded data is the program of %s: %.*s", p->name ? p->name : "an interpreter",
		SPANF(((struct span){ text.ptr, text.len })));
	buf_free(&text);
}

static void look_name(const struct fact *f, const char *noun, struct span name, struct report *out)
{
	const char *odd = name_is_odd(&f->run->masker, name);
	struct buf text = { 0 };

	if (!odd)
		return;
	text_escape(name, PREVIEW_MAX, &text);
	finding(out, "R2.5", (struct span){ text.ptr, text.len }, "the name of %s %s: %s", noun,
		odd, text.ptr);
	buf_free(&text);
}

static void look_path(const struct fact *f, const char *noun, const struct path *path,
		      struct report *out)
{
	const char *slash = path->text ? strrchr(path->text, '/') : NULL;

	if (slash && slash[1])
		look_name(f, noun, span_of(slash + 1), out);
}

static bool names_object(enum docker_action action)
{
	return action == ACT_CONTAINER_CREATE || action == ACT_NETWORK_CREATE ||
	       action == ACT_VOLUME_CREATE;
}

static void look(const struct fact *f, struct report *out)
{
	switch (f->kind) {
	case FACT_EXEC:
		look_exec(f, out);
		if (f->process && !(f->process->flags & EXEC_MEMFD))
			look_path(f, "the program", &f->process->exe, out);
		if (f->process)
			look_origin(f->exec.origin, f->process->exe.text, "is executed", out);
		if (f->exec.input)
			look_origin(f->exec.input, f->exec.input->path, "is executed", out);
		break;
	case FACT_SCRIPT:
		look_origin(f->file.origin, f->file.path.text, "is executed", out);
		break;
	case FACT_FILE:
		look_path(f, "a file", &f->file.path, out);
		if (f->file.action == FILE_CHMOD && f->file.mode & 0111)
			look_origin(f->file.origin, f->file.path.text, "is made executable", out);
		break;
	case FACT_FED:
		look_fed(f, out);
		break;
	default:
		if (f->docker.target.len && names_object(f->docker.route->action))
			look_name(f, "an object", f->docker.target, out);
		docker_texts(&f->docker, text_look, &(struct place){ f, out, NULL });
	}
}

const struct detector detect_encoded_payload = {
	RISK_ENCODED_PAYLOAD, FACT_EXEC | FACT_SCRIPT | FACT_FED | FACT_FILE | FACT_DOCKER, look
};
