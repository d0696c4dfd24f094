/* command_execution.c: R3, what was executed, who could have changed it, what its arguments give
 * away. */
#include <string.h>
#include <sys/stat.h>
#include "detect.h"

/* The path of step i: what stands behind it is taken off from the end (a cut path has no
 * beginning). */
static struct span step_path(const struct path *path, unsigned i)
{
	struct span s = span_of(path->text);

	for (unsigned behind = path->steps - 1 - i; behind && s.len; behind--) {
		const char *slash = memrchr(s.ptr, '/', s.len);

		if (!slash)
			break;
		s.len = (size_t)(slash - s.ptr);
	}
	return s;
}

static bool step_changeable(const struct run *run, const struct path_step *s,
			    const struct path_step *next)
{
	uint32_t mode = s->mode;

	/* In a sticky directory others change only what they own; its owner changes all. */
	if (next && mode & S_ISVTX &&
	    !others_can_write(run, next->mode & ~0022u, next->uid, next->gid))
		mode &= ~0022u;
	return others_can_write(run, mode, s->uid, s->gid);
}

/* The first one is enough: who changes it changes all below. */
static void look_path(const struct fact *f, struct report *out)
{
	const struct path *path = &f->process->exe;

	if (!path->text)
		return;
	for (unsigned i = 0; i < path->steps; i++) {
		const struct path_step *s = &path->step[i];
		bool file = i + 1 == path->steps;
		struct span what = step_path(path, i);

		if (!step_changeable(f->run, s, file ? NULL : s + 1))
			continue;
		finding(out, "R3.2", what,
			"%s %.*s can be changed by others (mode %04o, owner %u:%u)",
			file ? "the file" : "the directory", SPANF(what), s->mode & 07777, s->uid,
			s->gid);
		return;
	}
}

/* Masked secrets too short to carry an index are 0xFF alone. */
static bool is_short_mask(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] != 0xff)
			return false;
	return s.len > 0 && s.len < 8;
}

/* The name before a short masked value: --password=…, PASSWORD=…, or the option in front; else
 * empty. */
static struct span short_name(struct span before, struct span a)
{
	const char *sign = a.len ? memchr(a.ptr, '=', a.len) : NULL;

	if (sign && is_short_mask((struct span){ sign + 1, (size_t)(a.ptr + a.len - sign - 1) }))
		return (struct span){ a.ptr, (size_t)(sign - a.ptr) };
	if (before.len > 1 && before.ptr[0] == '-' && is_short_mask(a))
		return before;
	/* -u user:password, and mysql's -pPASSWORD */
	sign = a.len ? memchr(a.ptr, ':', a.len) : NULL;
	if (sign && before.len > 1 && before.ptr[0] == '-' &&
	    is_short_mask((struct span){ sign + 1, (size_t)(a.ptr + a.len - sign - 1) }))
		return before;
	if (a.len > 2 && a.ptr[0] == '-' && is_short_mask((struct span){ a.ptr + 2, a.len - 2 }))
		return (struct span){ a.ptr, 2 };
	return (struct span){ NULL, 0 };
}

static void look_arguments(const struct fact *f, struct report *out)
{
	const struct masker *m = &f->run->masker;
	const struct process *p = f->process;
	const char *program = p->name ? p->name : "";
	const char *end = p->args + p->args_len;
	struct span before = { NULL, 0 }, a = before;
	unsigned i = 0;

	for (const char *at = p->args; at < end && i < p->argc; i++) {
		struct buf subject = { 0 }, label = { 0 };

		before = a;
		a = (struct span){ at, strnlen(at, (size_t)(end - at)) };
		at += a.len + 1;
		/* Every mask begins with 0xFF: most arguments need no closer look. */
		if (!memchr(a.ptr, 0xff, a.len))
			continue;
		for (size_t k = 0; k < a.len;) {
			const struct secret *s = NULL;
			size_t n = masker_at(m, (struct span){ a.ptr + k, a.len - k }, &s);

			if (n) {
				buf_reset(&label);
				if (s)
					secret_label(s, &label);
				else
					buf_str(&label, "secret");
				buf_reset(&subject);
				buf_fmt(&subject, "%s: %s", program, label.ptr);
				finding(out, "R3.4", (struct span){ subject.ptr, subject.len },
					"argument %u of %s holds %s", i, program, label.ptr);
			}
			k += n ? n : 1;
		}
		if (!label.len) {
			struct span name = short_name(before, a);

			if (name.len) {
				buf_fmt(&subject, "%s: named:%.*s", program, SPANF(name));
				finding(out, "R3.4", (struct span){ subject.ptr, subject.len },
					"argument %u of %s is the operand of %.*s", i, program,
					SPANF(name));
			}
		}
		buf_free(&subject);
		buf_free(&label);
	}
}

static void look(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;
	struct span exe = p ? span_of(p->exe.text) : (struct span){ NULL, 0 };

	if (!p)
		return;
	finding(out, "R3.1", exe, "%.*s", SPANF(exe));
	look_path(f, out);
	look_arguments(f, out);
	if (p->flags & (EXEC_MEMFD | EXEC_DELETED) && !(p->roles & ROLE_RUNTIME))
		finding(out, "R3.10", span_of(p->name), "the file executed %s",
			p->flags & EXEC_MEMFD ? "is anonymous (memfd)" : "was deleted");
}

const struct detector detect_command_execution = { RISK_COMMAND_EXECUTION, FACT_EXEC, look };
