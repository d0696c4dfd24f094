/* command_execution.c: R3, what was executed, who could have changed it, what its arguments give
 * away. */
#include <string.h>
#include <sys/stat.h>
#include "detect.h"
#include "shell_flow.h"

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

/*
 * The first step that others can change, for who changes it changes all below; or path->steps, also where a directory
 * before it lets none of them in.
 */
static unsigned changeable_at(const struct run *run, const struct path *path)
{
	for (unsigned i = 0; i < path->steps; i++) {
		const struct path_step *s = &path->step[i],
				       *next = i + 1 < path->steps ? s + 1 : NULL;

		if (step_changeable(run, s, next))
			return i;
		if (next && !others_can_enter(run, s->mode, s->uid, s->gid))
			break;
	}
	return path->steps;
}

static void look_path(const struct fact *f, const struct path *path, const char *noun,
		      struct report *out)
{
	unsigned i = path->text ? changeable_at(f->run, path) : path->steps;
	const struct path_step *s = &path->step[i];
	struct span what;

	if (i == path->steps)
		return;
	what = step_path(path, i);
	finding(out, "R3.2", what, "%s %.*s can be changed by others (mode %04o, owner %u:%u)",
		i + 1 == path->steps ? noun : "the directory", SPANF(what), s->mode & 07777, s->uid,
		s->gid);
}

/* What a start-up variable makes a program load. */
static void look_startup(const struct fact *f, struct report *out)
{
	const struct path *path = &f->file.path;
	unsigned i = changeable_at(f->run, path);
	const struct path_step *s = &path->step[i];
	struct span what;

	if (i == path->steps)
		return;
	what = step_path(path, i);
	finding(out, "R3.8", span_of(path->text),
		"%s points %s at %s, and others can change %.*s (mode %04o, owner %u:%u)",
		f->file.variable, f->process->name ? f->process->name : "a program", path->text,
		SPANF(what), s->mode & 07777, s->uid, s->gid);
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

/* 0xFF that nobody masked is a byte like any other: a short mask stands where a value can stand. */
static bool is_value(struct span a, size_t at, size_t n)
{
	size_t end = at + n;

	return at && strchr(":= \"'", a.ptr[at - 1]) &&
	       (end == a.len || strchr("@&,; \"'", a.ptr[end]));
}

static void look_arguments(const struct fact *f, struct report *out)
{
	const struct masker *m = &f->run->masker;
	const struct process *p = f->process;
	const char *program = p->name ? p->name : "";
	const char *end = p->args + p->args_len;
	struct span before = { NULL, 0 }, a = before;
	unsigned i = 0;

	/* What a step is told to execute is the Dockerfile's text, which R6.9 has looked at. */
	if (p->flags & EXEC_STEP)
		return;
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

			if (s || n >= 8 || (n && is_value(a, k, n))) {
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

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path ? path : "";
}

/* Was it looked for in PATH? Who names a directory shows it in argv[0], but a script's is lost. */
static bool was_searched(const struct process *p)
{
	struct span zero = process_arg(p, 0);

	if (!p->path_entry || !p->file)
		return false;
	if (p->name && strcmp(base_name(p->file), p->name))
		return true;
	return !zero.len || !memchr(zero.ptr, '/', zero.len);
}

/* path: of the program, or of the script that was looked for and that an interpreter opens now. */
static void look_search(const struct fact *f, const struct path *path, const char *name,
			struct report *out)
{
	const struct process *p = f->process;

	if (!was_searched(p))
		return;
	if (p->file[0] != '/') {
		/* Of a script that was said when its interpreter was executed. */
		if (path == &p->exe)
			finding(out, "R3.3", span_of(p->file),
				"%s was found through entry %u of PATH, which is relative: %s",
				name, p->path_entry, p->file);
		return;
	}
	for (unsigned i = 0; i + 1 < path->steps; i++) {
		struct span what = step_path(path, i);

		if (!step_changeable(f->run, &path->step[i], &path->step[i + 1]) ||
		    !span_starts(span_of(p->file), path->text))
			continue;
		finding(out, "R3.3", what,
			"%s was found through entry %u of PATH, and others can change %.*s", name,
			p->path_entry, SPANF(what));
		return;
	}
}

/* Programs that change identity or namespaces for their caller; set-id or not. */
static void look_privilege(const struct fact *f, struct report *out)
{
	static const char *const names[] = { "sudo",    "su",      "doas",   "pkexec",
					     "nsenter", "unshare", "sudo-rs" };
	const struct process *p = f->process;
	const struct path *path = &p->exe;
	uint32_t mode = path->steps ? path->step[path->steps - 1].mode : 0;
	uint32_t owner = path->steps ? path->step[path->steps - 1].uid : 0;
	const char *name = p->name ? p->name : "a program";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i])) {
			finding(out, "R3.5", span_of(name), "%s is executed", name);
			return;
		}
	if (!(p->flags & EXEC_GAINS))
		return;
	/* To the superuser another group gives nothing (utempter, of tmux and xterm). */
	if (mode & S_ISUID || (mode & S_ISGID && p->euid))
		finding(out, "R3.5", span_of(path->text),
			"%s has set-id bits (mode %04o, owner %u): effective ids are now %u:%u",
			name, mode & 07777, owner, p->euid, p->egid);
	else if (p->euid)
		finding(out, "R3.5", span_of(path->text), "%s has file capabilities", name);
}

static void look_origin(const struct fact *f, const struct written *w, const char *path,
			struct report *out)
{
	if (!w || !(w->origins & ORIGIN_NETWORK) || installs_packages(f->process))
		return;
	finding(out, "R3.6", span_of(path), "%s was received over the network: %s wrote it", path,
		w->writer ? w->writer : "a process of the run");
}

/* A shell reads a file into itself, or a pipe with a name is the script: no file event would tell. */
static void flow_say(void *ctx, const struct shell_flow *flow)
{
	struct report *out = ctx;

	if (flow->file.len && flow->way != FLOW_MODE && !flow->told &&
	    flow->origins & ORIGIN_NETWORK)
		finding(out, "R3.6", flow->file, "%.*s was received over the network: %.*s",
			SPANF(flow->file), SPANF(flow->text));
}

/* Does the string set the variable name ("NAME=") to this path? */
static bool sets_variable(struct span s, const char *name, struct span path)
{
	long at = span_find(s, span_of(name));
	size_t i, end;

	if (at < 0)
		return false;
	i = (size_t)at + strlen(name);
	i += i < s.len && (s.ptr[i] == '"' || s.ptr[i] == '\'');
	end = i + path.len;
	return end <= s.len && !memcmp(s.ptr + i, path.ptr, path.len) &&
	       (end == s.len || strchr(" \t\n;&|:\"')", s.ptr[end]));
}

/* A file is written that a shell above was told to point a start-up variable at. */
static void look_written(const struct fact *f, struct report *out)
{
	static const char *const names[] = { "LD_PRELOAD=", "LD_AUDIT=", "BASH_ENV=",
					     "PYTHONSTARTUP=" };
	struct span path = span_of(f->file.path.text);

	if (f->file.path.cut || !path.len || lies_in(path, NULL, f->run->cwd))
		return;
	for (const struct process *p = f->process; p; p = p->parent) {
		struct span s = { NULL, 0 };

		if (p->roles & ROLE_SHELL)
			s = shell_command_string(p);
		for (size_t i = 0; s.len && i < ARRAY_SIZE(names); i++)
			if (sets_variable(s, names[i], path)) {
				finding(out, "R3.8", path,
					"%s is told to point %.*s at %.*s, which the run writes",
					p->name ? p->name : "a shell", (int)strlen(names[i]) - 1,
					names[i], SPANF(path));
				return;
			}
	}
}

static void look(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;
	struct span exe = p ? span_of(p->exe.text) : (struct span){ NULL, 0 };
	struct buf by = { 0 };

	if (!p)
		return;
	if (f->kind == FACT_FILE) {
		if (f->file.action == FILE_STARTUP)
			look_startup(f, out);
		else
			look_written(f, out);
		return;
	}
	if (f->kind == FACT_SCRIPT) {
		look_path(f, &f->file.path, "the script", out);
		look_search(f, &f->file.path, base_name(f->file.path.text), out);
		look_origin(f, f->file.origin, f->file.path.text, out);
		return;
	}
	source_phrase(f->source, p->ppid, f->run->cwd, &by);
	finding(out, "R3.1", exe, "%.*s%.*s", SPANF(exe), (int)by.len, by.len ? by.ptr : "");
	buf_free(&by);
	look_path(f, &p->exe, "the file", out);
	look_search(f, &p->exe, p->name ? p->name : "a program", out);
	look_privilege(f, out);
	look_origin(f, f->exec.origin, p->exe.text ? p->exe.text : "a file", out);
	if (f->exec.input)
		look_origin(f, f->exec.input, f->exec.input->path ? f->exec.input->path : "a file",
			    out);
	if (f->exec.startup)
		finding(out, "R3.8", span_of(f->exec.startup->path),
			"%s makes %s load %s, which the run wrote (%s)", f->exec.variable,
			p->name ? p->name : "a program", f->exec.startup->path,
			f->exec.startup->writer ? f->exec.startup->writer : "unknown");
	look_arguments(f, out);
	if (p->roles & ROLE_SHELL)
		shell_flows(shell_command_string(p), flow_say, out);
	if (p->flags & (EXEC_MEMFD | EXEC_DELETED) && !(p->roles & ROLE_RUNTIME))
		finding(out, "R3.10", span_of(p->name), "the file executed %s",
			p->flags & EXEC_MEMFD ? "is anonymous (memfd)" : "was deleted");
}

const struct detector detect_command_execution = { RISK_COMMAND_EXECUTION,
						   FACT_EXEC | FACT_SCRIPT | FACT_FILE, look };
