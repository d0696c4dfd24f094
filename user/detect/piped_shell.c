/* piped_shell.c: R4, pipes between parent and child, and shells given command strings. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "detect.h"
#include "docker_text.h"
#include "inline_code.h"
#include "shell_flow.h"

#define SHAPE_MAX 120

static void look_pipes(const struct fact *f, struct report *out)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	const struct process *p = f->process;
	struct buf b = { 0 }, by = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (p->fd[i].kind == FD_PIPE && p->ppid && p->fd[i].peer_pid == p->ppid)
			buf_fmt(&b, "%s%s", b.len ? ", " : "", names[i]);
	source_phrase(f->source, p->ppid, f->run->cwd, &by);
	if (b.len)
		finding(out, "R4.1", span_of(p->name), "%s %s held by the parent%.*s", b.ptr,
			strchr(b.ptr, ',') ? "are pipes" : "is a pipe", (int)by.len,
			by.len ? by.ptr : "");
	buf_free(&b);
	buf_free(&by);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The base name of the first word; of an assignment only its name: the value may be anything. */
static void shape_word(struct span s, struct buf *out)
{
	char plain[64];
	const char *slash;
	size_t i = 0, n;

	while (i < s.len && is_blank(s.ptr[i]))
		i++;
	for (n = 0; i + n < s.len && n < sizeof(plain); n++) {
		char c = s.ptr[i + n];

		if (is_blank(c) || (c && strchr(";&|<>()`=", c)) || (unsigned char)c == 0xff)
			break;
	}
	n = shell_unquote((struct span){ s.ptr + i, n }, plain, sizeof(plain));
	slash = memrchr(plain, '/', n);
	buf_str(out, slash ? slash + 1 : plain);
}

/* Length of the control operator at i, outside of quotes or (quote) inside double ones; else 0. */
static size_t operator_at(struct span s, size_t i, char quote)
{
	char c = s.ptr[i], next = i + 1 < s.len ? s.ptr[i + 1] : 0;

	if (c == '`')
		return 1;
	if (c == '$' && next == '(')
		return 2;
	if (quote)
		return 0;
	if (c == ';' || c == '&' || c == '|' || c == '<' || c == '>')
		return (next == c && c != ';') ? 2 : 1;
	if (c == '\n') {
		/* A line end separates commands only when another one follows. */
		while (++i < s.len && is_blank(s.ptr[i]))
			;
		return i < s.len;
	}
	return 0;
}

/* The words of the string replaced: first word, then the control operators. Returns whether it has
 * any. */
static bool shape_add(struct span s, struct buf *out)
{
	bool control = false;
	char quote = 0;

	shape_word(s, out);
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	for (size_t i = 0; i < s.len && out->len < SHAPE_MAX; i++) {
		char c = s.ptr[i];
		size_t n;

		if (c == '\\' && quote != '\'') {
			i++;
		} else if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
		} else if (!quote && c == '#' && (!i || is_blank(s.ptr[i - 1]))) {
			while (i + 1 < s.len && s.ptr[i + 1] != '\n')
				i++;
		} else if (quote != '\'' && (n = operator_at(s, i, quote))) {
			if (!control)
				buf_byte(out, ' ');
			control = true;
			if (c == '\n')
				buf_byte(out, ';');
			else
				buf_add(out, s.ptr + i, n);
			i += n - 1;
		}
	}
	return control;
}

static void look_string(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;
	const struct process *giver = p->parent;
	struct span string, name;
	struct buf subject = { 0 }, by = { 0 };
	bool control;

	if (!(p->roles & ROLE_SHELL) || !giver || !(giver->roles & ROLE_TEST) ||
	    giver->roles & (ROLE_BUILD_TOOL | ROLE_RUNTIME))
		return;
	string = shell_command_string(p);
	if (!string.len)
		return;
	name = span_of(giver->script ? giver->script : giver->name);
	if (name.len)
		buf_add(&subject, name.ptr, name.len);
	buf_str(&subject, ": ");
	control = shape_add(string, &subject);
	source_phrase(f->source, p->ppid, f->run->cwd, &by);
	finding(out, control ? "R4.3" : "R4.2", (struct span){ subject.ptr, subject.len },
		"%.*s gives %s -c: %.*s%.*s", SPANF(name), p->name ? p->name : "a shell",
		SPANF(string), (int)by.len, by.len ? by.ptr : "");
	buf_free(&subject);
	buf_free(&by);
}

static void look_download(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;
	struct buf text = { 0 };

	if (!(p->origins & ORIGIN_NETWORK))
		return;
	line_write(f->line, ORIGIN_NETWORK, &text);
	finding(out, "R4.4", (struct span){ text.ptr, text.len },
		"a download is the program of %s: %.*s", p->name ? p->name : "an interpreter",
		SPANF(((struct span){ text.ptr, text.len })));
	buf_free(&text);
}

/* An interpreter's program, given in its arguments, fetches what it runs. */
static void look_code(const struct process *p, struct report *out)
{
	struct span code = program_code(p);

	if (!(code_runs_origins(code) & ORIGIN_NETWORK))
		return;
	code.len = strnlen(code.ptr, code.len);
	finding(out, "R4.4", code, "%s is given a program that runs what it fetches: %.*s",
		p->name ? p->name : "an interpreter", SPANF(code));
}

struct text {
	const struct fact *f;
	struct report *out;
	const char *where;
};

static void flow_say(void *ctx, const struct shell_flow *flow)
{
	const struct text *t = ctx;
	struct buf subject = { 0 };

	if (!(flow->origins & ORIGIN_NETWORK) || flow->way > FLOW_WORDS ||
	    (t->f->kind == FACT_EXEC && flow->told))
		return;
	buf_fmt(&subject, "%s: ", t->where);
	buf_add(&subject, flow->text.ptr, flow->text.len);
	finding(t->out, "R4.4", (struct span){ subject.ptr, subject.len },
		"%s makes a download a program: %.*s", t->where, SPANF(flow->text));
	buf_free(&subject);
}

static void text_look(void *ctx, const char *where, struct span text, bool shell)
{
	struct text *t = ctx;

	t->where = where;
	if (shell)
		shell_flows(text, flow_say, t);
}

static bool is_inet(const struct ev_fd *fd)
{
	return fd->kind == FD_SOCKET && (fd->family == AF_INET || fd->family == AF_INET6);
}

/* A one-liner that is connected itself gives the shell a terminal or a socket of its own making. */
static bool is_relayed(const struct process *p)
{
	const struct process *giver = p->parent;
	const struct ev_fd *in = &p->fd[0];

	return p->roles & ROLE_SHELL && giver && giver->inet && program_code(giver).len &&
	       reads_program(p) && (in->ino != giver->fd[0].ino || in->dev != giver->fd[0].dev) &&
	       (in->kind == FD_TTY || in->kind == FD_SOCKET);
}

/* Standard input and output are pipes of a network client's making, and the program comes through them. */
static bool is_piped_by_client(const struct process *p)
{
	const struct process *giver = p->parent;

	return p->roles & ROLE_SHELL && giver && giver->roles & ROLE_NETWORK_CLIENT &&
	       reads_program(p) && p->fd[0].kind == FD_PIPE && p->fd[1].kind == FD_PIPE &&
	       p->fd[0].peer_pid == giver->pid && p->fd[1].peer_pid == giver->pid;
}

/* A pair of sockets made by a network client for its child (socat EXEC:) is as good as its own. */
static void look_socket(const struct process *p, struct report *out)
{
	const struct process *giver = p->parent;
	const char *name = p->name ? p->name : "a shell";
	bool same = p->fd[0].kind == FD_SOCKET && p->fd[1].kind == FD_SOCKET &&
		    p->fd[0].ino == p->fd[1].ino;

	if (p->roles & ROLE_SHELL && same && is_inet(&p->fd[0]))
		finding(out, "R4.5", span_of(name),
			"standard input and output of %s are one network socket", name);
	else if (p->roles & ROLE_SHELL && same && giver && giver->roles & ROLE_NETWORK_CLIENT)
		finding(out, "R4.5", span_of(name),
			"standard input and output of %s are a socket of %s", name, giver->name);
	else if (is_piped_by_client(p))
		finding(out, "R4.5", span_of(name),
			"standard input and output of %s are pipes of %s", name, giver->name);
	else if (is_relayed(p))
		finding(out, "R4.5", span_of(name),
			"standard input of %s was made by %s, which is connected to the network",
			name, giver->name);
	else if (giver && giver->roles & ROLE_SHELL && giver->inet && is_inet(&p->fd[0]))
		finding(out, "R4.5", span_of(giver->name),
			"%s opened a network connection, and %s reads from it", giver->name, name);
}

/* exec 3<>/dev/tcp/... alone only opens it, as who waits for a port does; <>/dev/tcp/... is the input. */
static bool opens_as_input(struct span string)
{
	for (size_t i = 0; i + 2 <= string.len; i++)
		if (!memcmp(string.ptr + i, "<>", 2) &&
		    (!i || string.ptr[i - 1] < '1' || string.ptr[i - 1] > '9'))
			return true;
	return false;
}

/* The shell says in its own words that it takes input from a network connection. */
static void look_connection(const struct process *p, struct report *out)
{
	static const char *const inputs[] = { "<&", "0<", "</dev/", "< /dev/", "0>&", "read -u" };
	struct span string = shell_command_string(p);
	bool feeds = opens_as_input(string);

	if (span_ifind(string, "/dev/tcp/") < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++)
		feeds |= span_find(string, span_of(inputs[i])) >= 0;
	if (feeds)
		finding(out, "R4.5", span_of(p->name),
			"%s connected to the network by itself and feeds on it: %.*s", p->name,
			SPANF(string));
}

static bool name_in(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!fnmatch(list[i], name, 0))
			return true;
	return false;
}

/* tar starts its compressor by a shell. */
static bool is_compressor(const struct process *p)
{
	static const char *const names[] = { "gzip", "bzip2", "xz",   "zstd",    "lzip",
					     "lzma", "lzop",  "pigz", "compress" };
	struct span s = shell_command_string(p);
	size_t n = 0;
	char *word;
	bool is;

	while (n < s.len && s.ptr[n] >= '0')
		n++;
	word = xstrndup(n ? s.ptr : "", n);
	is = name_in(word, names, ARRAY_SIZE(names));
	free(word);
	while (is && n < s.len)
		is = !strchr(";&|<>`$", s.ptr[n++]);
	return is;
}

/* Programs whose purpose is to start others, with what they were given. */
static bool is_wrapper(const char *name)
{
	static const char *const names[] = {
		"env",       "timeout",     "nice",     "ionice",   "nohup",   "setsid",
		"stdbuf",    "time",        "flock",    "script",   "watch",   "su",
		"sudo*",     "doas",        "runuser",  "setpriv",  "unshare", "nsenter",
		"chroot",    "strace",      "ltrace",   "perf",     "taskset", "setarch",
		"linux*",    "xvfb-run",    "fakeroot", "parallel", "entr",    "tini",
		"dumb-init", "systemd-run", "chrt",     "prlimit",  "xargs",   "docker-init",
	};

	return name_in(name, names, ARRAY_SIZE(names));
}

/* Does the starter hold the shell's string inside one of its own arguments, with more around it? */
static bool holds_string(const struct process *starter, struct span string)
{
	for (unsigned i = 1; string.len && i < starter->argc; i++) {
		struct span a = process_arg(starter, i);

		if (a.len > string.len && span_find(a, string) >= 0)
			return true;
	}
	return false;
}

/* Programs with a way to start others that nobody uses them for, and one-liners of the languages. */
static void look_starter(const struct process *p, struct report *out)
{
	static const char *const names[] = {
		"awk",     "gawk",  "mawk",   "nawk",   "original-awk", "find", "vi",
		"vim",     "vim.*", "nvim",   "view",   "ed",           "less", "more",
		"gdb",     "tar",   "cpio",   "zip",    "sed",          "nmap", "ftp",
		"busybox", "split", "ssh",    "rsync",  "*gcc*",        "man",  "sqlite3",
		"mysql",   "psql",  "expect", "tclsh*", "wish*"
	};
	static const char *const languages[] = { "perl", "perl5*", "ruby*",   "node", "nodejs",
						 "php*", "lua*",   "python*", "pypy*" };
	const struct process *giver = p->parent;
	const char *starter = p->before ? p->before : giver ? giver->name : NULL;
	struct span string = shell_command_string(p);
	bool hit;

	if (!(p->roles & ROLE_SHELL) || !starter)
		return;
	hit = name_in(starter, names, ARRAY_SIZE(names));
	if (!strcmp(starter, "busybox"))
		hit = giver && !(giver->roles & ROLE_SHELL); /* an applet of it */
	if (!strcmp(starter, "tar") || !strcmp(starter, "split"))
		hit = !is_compressor(p);
	if (!strcmp(starter, "xargs") && giver)
		hit = reads_program(giver);
	if (name_in(starter, languages, ARRAY_SIZE(languages)))
		hit = p->before || (!giver->script && !reads_program(giver));
	/* A test that gives a string is R4.2 or R4.3 already. */
	if (hit && giver && giver->roles & ROLE_TEST && string.len && !strncmp(starter, "py", 2))
		hit = false;
	if (!hit && !p->before && giver &&
	    !(giver->roles & (ROLE_SHELL | ROLE_TEST | ROLE_BUILD_TOOL | ROLE_RUNTIME)) &&
	    !is_wrapper(starter))
		hit = holds_string(giver, string);
	if (hit)
		finding(out, "R4.6", span_of(starter), "%s starts %s", starter, p->name);
}

static void look(const struct fact *f, struct report *out)
{
	const struct process *p = f->process;

	if (!p)
		return;
	switch (f->kind) {
	case FACT_DOCKER:
		docker_texts(&f->docker, text_look, &(struct text){ f, out, NULL });
		break;
	case FACT_FED:
		look_download(f, out);
		break;
	case FACT_INET:
		look_connection(p, out);
		break;
	default:
		look_pipes(f, out);
		look_string(f, out);
		look_socket(p, out);
		look_starter(p, out);
		look_code(p, out);
		if (p->roles & ROLE_SHELL)
			text_look(&(struct text){ f, out, NULL }, p->name ? p->name : "a shell",
				  shell_command_string(p), true);
	}
}

const struct detector detect_piped_shell = { RISK_PIPED_SHELL,
					     FACT_EXEC | FACT_FED | FACT_INET | FACT_DOCKER, look };
