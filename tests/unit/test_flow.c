/* test_flow.c: pipes between processes, files that the run wrote, PATH and start-up variables, decoders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "decoder.h"
#include "plumbing.h"
#include "process_table.h"
#include "provenance.h"
#include "shell_flow.h"
#include <stdlib.h>
#include "startup.h"

static char cwd[] = "/work/tree";
static struct run run = { .cwd = cwd, .root_pid = 1 };

/* A process of the table that executed name with the ends of pipes in and out (0: none). */
static struct process *piped(struct process_table *t, unsigned pid, const char *name, uint64_t in,
			     uint64_t out)
{
	struct ev_hdr h = { .pid = pid, .start = pid, .time = pid };
	struct ev_exec e = { .exe_comps = 1 };
	struct buf tail = { 0 };
	struct ev_comp c = { .len = strlen(name) };
	struct process *p;

	memcpy(c.name, name, c.len);
	buf_add(&tail, &c, sizeof(c));
	e.args_len = e.args_want = c.len + 1;
	buf_add(&tail, name, e.args_len);
	h.len = h.want = tail.len;
	if (in)
		e.fd[0] = (struct ev_fd){ .ino = in, .kind = FD_PIPE };
	if (out)
		e.fd[1] = (struct ev_fd){ .ino = out, .kind = FD_PIPE };
	p = table_exec(t, &h, &e, tail.ptr, &run);
	buf_free(&tail);
	return p;
}

static const char *line_text(const struct plumbing *u, struct process *p)
{
	static struct buf b;
	struct pipe_line line;

	buf_reset(&b);
	plumbing_line(u, p, &line);
	line_write(&line, ORIGIN_NETWORK, &b);
	return b.ptr;
}

static void programs_on_pipes_form_a_line_in_whatever_order_they_come(void **s)
{
	struct process_table *t = table_new();
	struct plumbing *u = plumbing_new();
	struct process *sh = piped(t, 3, "sh", 8, 0), *curl, *tee;

	(void)s;
	plumbing_exec(u, sh);
	assert_string_equal(line_text(u, sh), "sh");
	curl = piped(t, 4, "curl", 5, 7);
	plumbing_exec(u, curl);
	assert_string_equal(line_text(u, sh), "sh");
	tee = piped(t, 5, "tee", 7, 8);
	plumbing_exec(u, tee);
	assert_string_equal(line_text(u, sh), "curl | tee | sh");
	/* From the source on; others that write to the same pipe give way to it. */
	plumbing_exec(u, piped(t, 6, "echo", 0, 5));
	plumbing_exec(u, piped(t, 7, "date", 0, 8));
	assert_string_equal(line_text(u, sh), "date | sh");
	tee->origins = curl->origins = ORIGIN_NETWORK;
	assert_string_equal(line_text(u, sh), "curl | tee | sh");
	plumbing_free(u);
	table_free(t);
}

static void a_pipe_that_feeds_itself_is_no_endless_line(void **s)
{
	struct process_table *t = table_new();
	struct plumbing *u = plumbing_new();
	struct process *a = piped(t, 3, "a", 1, 2), *b = piped(t, 4, "b", 2, 1);

	(void)s;
	plumbing_exec(u, a);
	plumbing_exec(u, b);
	assert_string_equal(line_text(u, a), "b | a");
	plumbing_free(u);
	table_free(t);
}

static void count(void *ctx, struct process *reader)
{
	(void)reader;
	++*(unsigned *)ctx;
}

/* python3 -c: its child runs a shell, which runs another one; all have the pipe as standard input. */
static void what_a_one_liner_pipes_to_its_child_reaches_the_childs_child(void **s)
{
	static char args[] = "python3\0-c\0os.popen('sh', 'w').write(x)";
	struct process_table *t = table_new();
	struct plumbing *u = plumbing_new();
	struct process *python = piped(t, 2, "python3", 0, 0), *sh, *inner;
	char *own = python->args;
	unsigned readers = 0;

	(void)s;
	python->args = args;
	python->args_len = python->args_want = sizeof(args);
	python->argc = 3;
	python->roles |= ROLE_INTERPRETER;
	plumbing_exec(u, python);
	sh = piped(t, 3, "sh", 77, 0);
	sh->parent = python;
	process_hold(python);
	plumbing_readers(u, python, count, &readers);
	assert_int_equal(readers, 0);
	sh->fd[0].peer_pid = 2;
	plumbing_exec(u, sh);
	inner = piped(t, 4, "sh", 77, 0);
	plumbing_exec(u, inner);
	plumbing_readers(u, python, count, &readers);
	assert_int_equal(readers, 2);
	readers = 0;
	plumbing_exec(u, piped(t, 5, "sh", 78, 0)); /* another pipe */
	plumbing_readers(u, python, count, &readers);
	assert_int_equal(readers, 2);
	readers = 0;
	plumbing_readers(u, piped(t, 6, "python3", 0, 0), count, &readers);
	assert_int_equal(readers, 0);
	python->args = own;
	plumbing_free(u);
	table_free(t);
}

static void old_ends_of_pipes_are_forgotten_and_ended_processes_let_go(void **s)
{
	struct process_table *t = table_new();
	struct plumbing *u = plumbing_new();
	struct process *w = piped(t, 2, "writer", 0, 9);
	unsigned readers = 0;

	(void)s;
	plumbing_exec(u, w);
	plumbing_exec(u, piped(t, 3, "reader", 9, 0));
	plumbing_readers(u, w, count, &readers);
	assert_int_equal(readers, 1);
	for (unsigned i = 0; i < PIPE_ENDS; i++) {
		struct process *p = piped(t, 100 + i, "x", 1000 + i, 0);

		plumbing_exec(u, p);
		table_exit(t, p, 1, 0);
	}
	readers = 0;
	plumbing_readers(u, w, count, &readers);
	assert_int_equal(readers, 0);
	assert_int_equal(table_size(t), PIPE_ENDS + 2);
	plumbing_free(u);
	assert_int_equal(table_size(t), 2);
	table_free(t);
}

static void a_file_carries_what_its_writers_carry(void **s)
{
	struct provenance *v = provenance_new();
	struct process p = { .pid = 5, .start = 1, .exec_time = 10, .name = (char *)"tool" };

	(void)s;
	provenance_write(v, &p, 9, 1, 100, "/a/before", true);
	provenance_write(v, &p, 11, 1, 101, "/a/after", true);
	provenance_origin(v, &p, ORIGIN_NETWORK);
	assert_int_equal(provenance_find(v, 1, 100)->origins, 0);
	assert_int_equal(provenance_find(v, 1, 101)->origins, ORIGIN_NETWORK);
	assert_null(provenance_find(v, 2, 101));
	provenance_write(v, &p, 12, 1, 102, "/a/later", true);
	assert_int_equal(provenance_find(v, 1, 102)->origins, ORIGIN_NETWORK);
	/* Emptied and written by somebody else; added to by him. */
	p = (struct process){ .pid = 6, .name = (char *)"cat" };
	provenance_write(v, &p, 13, 1, 102, "/a/later", false);
	assert_int_equal(provenance_find(v, 1, 102)->origins, ORIGIN_NETWORK);
	provenance_write(v, &p, 13, 1, 102, "/a/later", true);
	assert_int_equal(provenance_find(v, 1, 102)->origins, 0);
	provenance_free(v);
}

static void a_shell_opens_the_file_on_standard_output(void **s)
{
	struct provenance *v = provenance_new();
	struct process shell = { .pid = 5, .start = 1, .name = (char *)"sh" };
	struct process p = { .pid = 5, .start = 1, .exec_time = 20, .executed = true };

	(void)s;
	p.name = (char *)"curl";
	provenance_write(v, &shell, 15, 1, 100, "/a/out", true);
	p.fd[1] = (struct ev_fd){ .kind = FD_FILE, .ino = 100, .dev = 1 };
	provenance_origin(v, &p, ORIGIN_NETWORK);
	assert_int_equal(provenance_find(v, 1, 100)->origins, ORIGIN_NETWORK);
	assert_string_equal(provenance_find(v, 1, 100)->writer, "curl");
	provenance_free(v);
}

static void the_oldest_file_is_forgotten(void **s)
{
	struct provenance *v = provenance_new();
	struct process p = { .pid = 5 };

	(void)s;
	for (unsigned i = 0; i <= PROVENANCE_MAX; i++)
		provenance_write(v, &p, i, 1, 1000 + i, "/a", true);
	assert_null(provenance_find(v, 1, 1000));
	assert_non_null(provenance_find(v, 1, 1001));
	assert_non_null(provenance_find(v, 1, 1000 + PROVENANCE_MAX));
	provenance_free(v);
}

static uint32_t entry(const char *path, const char *file)
{
	struct buf env = { 0 };
	uint32_t n;

	buf_str(&env, "A=1");
	buf_byte(&env, 0);
	buf_fmt(&env, "PATH=%s", path);
	buf_byte(&env, 0);
	n = path_entry((struct span){ env.ptr, env.len }, span_of(file));
	buf_free(&env);
	return n;
}

static void the_entry_of_path_is_the_directory_as_it_was_asked_for(void **s)
{
	(void)s;
	assert_int_equal(entry("/usr/bin:/bin", "/bin/ls"), 2);
	assert_int_equal(entry("/usr/bin/:/bin", "/usr/bin//ls"), 1);
	assert_int_equal(entry("/usr/bin:/bin", "/sbin/ls"), 0);
	assert_int_equal(entry("bin:/bin", "bin/ls"), 1);
	assert_int_equal(entry("/bin:", "ls"), 2);
	assert_int_equal(entry("/bin:/usr", "ls"), 0);
	assert_int_equal(path_entry(SPAN("XPATH=/bin"), SPAN("/bin/ls")), 0);
}

static const struct written *loads(const char *program, const char *variable, const char *value,
				   const char *wrote)
{
	static struct provenance *v;
	struct process p = { .name = (char *)program, .cwd = { .text = cwd } }, w = { .pid = 9 };
	const struct written *found;
	const char *name = NULL;
	struct buf env = { 0 };

	provenance_free(v);
	v = provenance_new();
	provenance_write(v, &w, 1, 1, 1, wrote, true);
	buf_fmt(&env, "%s=%s", variable, value);
	buf_byte(&env, 0);
	p.env = env.ptr;
	p.env_len = env.len;
	found = startup_find(&p, cwd, v, &name);
	buf_free(&env);
	if (found)
		assert_string_equal(name, variable);
	return found;
}

static void a_start_up_variable_reaches_for_a_file_of_the_run(void **s)
{
	(void)s;
	assert_non_null(loads("ls", "LD_PRELOAD", "/dev/shm/x.so", "/dev/shm/x.so"));
	assert_null(loads("ls", "LD_PRELOAD", "/dev/shm/x.so", "/dev/shm/y.so"));
	assert_null(loads("ls", "LD_PRELOAD", "/work/tree/x.so", "/work/tree/x.so"));
	assert_non_null(loads("ls", "LD_AUDIT", "libm.so:/tmp/x.so", "/tmp/x.so"));
	assert_non_null(loads("ls", "LD_PRELOAD", "../../tmp/x.so", "/tmp/x.so"));
	assert_non_null(loads("ls", "LD_LIBRARY_PATH", "/usr/lib:/tmp/l/", "/tmp/l/libc.so.6"));
	assert_null(loads("ls", "LD_LIBRARY_PATH", "/tmp/l", "/tmp/lib/libc.so.6"));
	assert_non_null(loads("bash", "BASH_ENV", "/tmp/e", "/tmp/e"));
	assert_null(loads("ls", "BASH_ENV", "/tmp/e", "/tmp/e"));
	assert_non_null(loads("node", "NODE_OPTIONS", "--require=/tmp/h.js", "/tmp/h.js"));
	assert_null(loads("ls", "HOME_OF", "/tmp/e", "/tmp/e"));
	assert_non_null(loads("bash", "BASH_ENV", "../e", "/work/e"));
	assert_null(loads("ls", "LD_PRELOAD", "libx.so",
			  "/work/libx.so")); /* the loader's own places */
}

static bool path_count(void *ctx, const char *variable, struct span path, bool directory)
{
	struct buf *b = ctx;

	buf_fmt(b, "%s %.*s%s|", variable, (int)path.len, path.ptr, directory ? "/" : "");
	return b->len < 70;
}

static void every_path_of_start_up_variables_is_told_until_no_more_is_wanted(void **s)
{
	static const char env[] =
		"PATH=/bin\0LD_LIBRARY_PATH=/a:lib/b\0BASH_ENV=rc\0LD_PRELOAD=/p.so /q.so";
	struct process p = { .name = (char *)"bash", .cwd = { .text = cwd } };
	struct buf b = { 0 };

	(void)s;
	p.env = (char *)env;
	p.env_len = sizeof(env);
	startup_walk(&p, path_count, &b);
	assert_string_equal(b.ptr, "LD_LIBRARY_PATH /a/|LD_LIBRARY_PATH /work/tree/lib/b/|"
				   "BASH_ENV /work/tree/rc|");
	buf_free(&b);
}

static bool decodes(const char *words)
{
	struct process p = { .executed = true };
	char args[256];
	size_t n = strlen(words);

	memcpy(args, words, n + 1);
	p.argc = 1;
	for (size_t i = 0; i < n; i++)
		if (args[i] == '|') {
			args[i] = 0;
			p.argc++;
		}
	p.args = args;
	p.args_len = n + 1;
	p.name = args;
	return decoder_process(&p);
}

static void a_decoder_is_told_by_what_it_does(void **s)
{
	(void)s;
	assert_true(decodes("base64|-d"));
	assert_true(decodes("base64|--decode|file"));
	assert_false(decodes("base64|file"));
	assert_true(decodes("xxd|-r|-p"));
	assert_false(decodes("xxd|-p"));
	assert_true(decodes("openssl|enc|-d|-aes-256-cbc"));
	assert_false(decodes("openssl|enc|-e|-aes-256-cbc"));
	assert_false(decodes("openssl|s_client|-d"));
	assert_true(decodes("/usr/bin/python3|-c|import base64; print(base64.b64decode(x))"));
	assert_false(decodes("/usr/bin/python3|-c|import base64; print(base64.b64encode(x))"));
	assert_true(decodes("printf|\\x69\\x64\\x69\\x64\\x69\\x64\\x69\\x64"));
	assert_true(decodes("printf|\\x69\\x64"));
	assert_false(decodes("printf|\\033[1mx\\033[0m"));
	assert_false(decodes("printf|\\x69"));
	assert_true(decodes("openssl|aes-256-cbc|-d|-in|f"));
	assert_false(decodes("openssl|aes-256-cbc|-e|-in|f"));
	assert_true(decodes("mawk|BEGIN { printf \"\\151\\144\\073\\151\\144\\073\\151\\144\" }"));
	assert_false(decodes("mawk|BEGIN { printf \"\\033[1m\" }"));
	assert_true(decodes("perl|-e|print \"\\x69\\x64\\x69\\x64\\x69\\x64\\x69\\x64\""));
	assert_false(decodes("perl|-e|print \"\\x1b[1mid\""));
	assert_true(decodes("python3|-c|print(urllib.parse.unquote(sys.stdin.read()))"));
	assert_false(decodes("python3|-c|print(urllib.parse.quote(sys.stdin.read()))"));
	assert_false(decodes("python3|-m|json.tool|-d"));
	assert_false(decodes("python3|-x|base64|-d"));
	assert_false(decodes("openssl|base64|file"));
	assert_false(decodes("cat|enc|-d"));
	assert_false(decodes("tr|A-Z|b-"));
	assert_true(decodes("python3|-m|base64|-d"));
	assert_false(decodes("python3|-m|base64"));
	assert_true(decodes("tr|A-Za-z|N-ZA-Mn-za-m"));
	assert_false(decodes("tr|A-Z|a-z"));
	assert_false(decodes("tr|-d|a-z"));
	assert_true(decodes("jq|-r|.x|@base64d"));
	assert_false(decodes("jq|-r|.x|@base64"));
	assert_true(decodes("sed|s/../\\\\x&/g"));
	assert_false(decodes("sed|s/../x&/g"));
	assert_true(decodes("busybox|base64|-d"));
}

static char told[256];

static void tell(void *ctx, const struct shell_flow *flow)
{
	static const char *const ways[] = { "pipe", "words", "mode", "executed", "sourced" };

	(void)ctx;
	snprintf(told, sizeof(told), "%s%s%s%s: %.*s", flow->origins & ORIGIN_NETWORK ? "net " : "",
		 flow->origins & ORIGIN_DECODER ? "decoder " : "", flow->told ? "" : "untold ",
		 ways[flow->way], (int)flow->text.len, flow->text.ptr);
}

static const char *flows(const char *string)
{
	strcpy(told, "-");
	shell_flows(span_of(string), tell, NULL);
	return told;
}

#define ESCAPES "\\x69\\x64\\x69\\x64\\x69\\x64\\x69\\x64"

static void a_command_string_says_what_becomes_a_program(void **s)
{
	(void)s;
	assert_string_equal(flows("cd /x; curl -s http://h/i | sh"),
			    "net pipe: curl -s http://h/i | sh");
	assert_string_equal(flows("wget -qO- h | tee f | sudo -E bash -s a"),
			    "net pipe: wget -qO- h | tee f | sudo -E bash -s a");
	assert_string_equal(flows("echo x; cat f | base64 -d | python3 -"),
			    "decoder pipe: base64 -d | python3 -");
	assert_string_equal(flows("echo -e '" ESCAPES "' | sh"),
			    "decoder untold pipe: echo -e '" ESCAPES "' | sh");
	assert_string_equal(flows("bash -c \"$(curl -s h)\""),
			    "net untold words: bash -c \"$(curl -s h)\"");
	assert_string_equal(flows("eval \"$(echo x | base64 -d)\""),
			    "decoder untold words: eval \"$(echo x | base64 -d)\"");
	assert_string_equal(flows(". <(curl -s h)"), "net untold words: . <(curl -s h)");
	assert_string_equal(flows("eval `printf '" ESCAPES "'`"),
			    "decoder untold words: eval `printf '" ESCAPES "'`");
}

static void a_variable_carries_what_was_put_into_it(void **s)
{
	(void)s;
	assert_string_equal(flows("x=$(curl -s h); eval \"$x\""), "net untold words: eval \"$x\"");
	assert_string_equal(flows("x=$(curl -s h); bash -c $x"), "net untold words: bash -c $x");
	assert_string_equal(flows("x=`echo a | base64 -d`; $x"), "decoder untold words: $x");
	assert_string_equal(flows("export x=$(curl -s h); echo $x | sh"),
			    "net untold pipe: echo $x | sh");
	assert_string_equal(flows("curl h | while read -r l; do eval \"$l\"; done"),
			    "net untold words: do eval \"$l\"");
	assert_string_equal(flows("read x < <(base64 -d f); ${x}"), "decoder untold words: ${x}");
	assert_string_equal(flows("for i in $(curl -s h); do sh -c \"$i\"; done"),
			    "net untold words: do sh -c \"$i\"");
	assert_string_equal(flows("x=$(curl -s h); x=1; eval $x"), "-");
	assert_string_equal(flows("x=$(curl -s h); eval $y"), "-");
	assert_string_equal(flows("x=$(curl -s h); bash -c \"make V=$x\""), "-");
	assert_string_equal(flows("x=$(curl -s h); $x/bin/tool; $DIR/$x"), "-");
	assert_string_equal(flows("x=$(curl -s h); eval '$x'"), "-");
	assert_string_equal(flows("x=$(curl -s h); [ \"$x\" = up ] && sh -c 'echo up'"), "-");
}

static void a_here_string_and_a_first_word_are_programs(void **s)
{
	(void)s;
	assert_string_equal(flows("bash <<< \"$(curl -s h)\""),
			    "net untold words: bash <<< \"$(curl -s h)\"");
	assert_string_equal(flows("$(echo x | base64 -d)"),
			    "decoder untold words: $(echo x | base64 -d)");
	assert_string_equal(flows("$'\\x69\\x64'"), "decoder untold words: $'\\x69\\x64'");
	assert_string_equal(flows("exec 3< <(curl -s h); sh /dev/fd/3"),
			    "net untold words: sh /dev/fd/3");
	assert_string_equal(flows("curl h | source /dev/stdin"),
			    "net untold words: source /dev/stdin");
	assert_string_equal(flows("cat <<< \"$(curl -s h)\""), "-");
	assert_string_equal(flows("echo $'\\x69\\x64'"), "-");
	assert_string_equal(flows("exec 3< <(curl -s h); cat /dev/fd/3"), "-");
	/* What a script or an option that takes no program has behind it is none. */
	assert_string_equal(flows("bash -x \"$(curl -s h)\""), "-");
	assert_string_equal(flows("bash -xc \"$(curl -s h)\""),
			    "net untold words: bash -xc \"$(curl -s h)\"");
	assert_string_equal(flows("bash doc \"$(curl -s h)\""), "-");
	assert_string_equal(flows("curl h | source ./x"), "-");
}

static void a_file_carries_it_through_copies(void **s)
{
	(void)s;
	assert_string_equal(flows("base64 -d e > x; sh x"), "decoder executed: sh x");
	assert_string_equal(flows("base64 -d e > x; chmod 755 x"), "decoder mode: chmod 755 x");
	assert_string_equal(flows("base64 -d e > x; cp x y; cat y > z; . ./z"),
			    "decoder untold sourced: . ./z");
	assert_string_equal(flows("curl -so x h; dd if=x of=y; sh < y"), "net executed: sh < y");
	assert_string_equal(flows("mkfifo p; sh p & curl h > p"), "net untold executed: sh p");
	assert_string_equal(flows("printf '" ESCAPES "' > x; sh x"),
			    "decoder untold executed: sh x");
	assert_string_equal(flows("curl h > /dev/shm/x; . /dev/shm/x"),
			    "net untold sourced: . /dev/shm/x");
	assert_string_equal(flows("curl h > /dev/null; . /dev/null"), "-");
	assert_string_equal(flows("busybox wget -O- h | sh"), "net pipe: busybox wget -O- h | sh");
	assert_string_equal(flows("busybox cat h | sh"), "-");
	assert_string_equal(flows("echo wget | sh"), "-");
	assert_string_equal(flows("curl h | dd bs=1 of=x; sh x"), "net executed: sh x");
	assert_string_equal(flows("curl h | cat of=x; sh x"), "-");
	assert_string_equal(flows("curl h | dd if=x; sh x"), "-");
	/* Of a file nothing is executed by a word that PATH is looked through for, and its mode may take the right away. */
	assert_string_equal(flows("base64 -d e > x; ./x"), "decoder executed: ./x");
	assert_string_equal(flows("base64 -d e > x; x"), "-");
	assert_string_equal(flows("base64 -d e > x; sudo ./x"), "decoder executed: sudo ./x");
	assert_string_equal(flows("base64 -d e > x; sudo ./y"), "-");
	assert_string_equal(flows("base64 -d e > x; chmod 755 y x"), "decoder mode: chmod 755 y x");
	assert_string_equal(flows("base64 -d e > x; chmod a-w,u+x x"),
			    "decoder mode: chmod a-w,u+x x");
	assert_string_equal(flows("base64 -d e > x; chmod u+r-x x"), "-");
	assert_string_equal(flows("base64 -d e > x; chmod u+r,o-x x"), "-");
	assert_string_equal(flows("x=$(curl -s h); exec $x y; sh /dev/fd/3"), "-");
	assert_string_equal(flows("fox i in $(curl -s h); sh -c \"$i\""), "-");
	assert_string_equal(flows("curl h | cat; > x; sh x"), "-");
	assert_string_equal(flows("curl h > x; > x; sh x"), "-");
	assert_string_equal(flows("cat a | curl h | cat | sh"), "net pipe: curl h | cat | sh");
	assert_string_equal(flows("sh x; curl h > x"), "-");
	assert_string_equal(flows("base64 -d e > x; chmod 600 x"), "-");
	assert_string_equal(flows("base64 -d e > x; wc x > y; sh y"), "-");
	assert_string_equal(flows("base64 -d e > x; echo 1 > x; sh x"), "-");
}

static void most_command_strings_do_not(void **s)
{
	static const char *const strings[] = {
		"curl -s h | sh -c 'cat >/dev/null'",
		"curl -s h | python3 -m json.tool",
		"curl -s h | python3 x.py",
		"curl -s h; sh",
		"curl -s h | tar x | true; echo x | sh",
		"base64 f | sh",
		"echo -e '\\033[1mx' | sh",
		"X=$(curl -s h); sh x.sh",
		"echo \"$(curl -s h)\"",
		"curl -s $(cat url) | grep x",
		"bash x.sh $(curl -s h)",
		"",
	};

	(void)s;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		assert_string_equal(flows(strings[i]), "-");
}

int main(void)
{
	static const uint8_t seed[32] = { 1 };
	int failed;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_on_pipes_form_a_line_in_whatever_order_they_come),
		cmocka_unit_test(a_pipe_that_feeds_itself_is_no_endless_line),
		cmocka_unit_test(what_a_one_liner_pipes_to_its_child_reaches_the_childs_child),
		cmocka_unit_test(old_ends_of_pipes_are_forgotten_and_ended_processes_let_go),
		cmocka_unit_test(a_file_carries_what_its_writers_carry),
		cmocka_unit_test(a_shell_opens_the_file_on_standard_output),
		cmocka_unit_test(the_oldest_file_is_forgotten),
		cmocka_unit_test(the_entry_of_path_is_the_directory_as_it_was_asked_for),
		cmocka_unit_test(a_start_up_variable_reaches_for_a_file_of_the_run),
		cmocka_unit_test(every_path_of_start_up_variables_is_told_until_no_more_is_wanted),
		cmocka_unit_test(a_decoder_is_told_by_what_it_does),
		cmocka_unit_test(a_command_string_says_what_becomes_a_program),
		cmocka_unit_test(a_variable_carries_what_was_put_into_it),
		cmocka_unit_test(a_here_string_and_a_first_word_are_programs),
		cmocka_unit_test(a_file_carries_it_through_copies),
		cmocka_unit_test(most_command_strings_do_not),
	};

	masker_init(&run.masker, seed);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	masker_free(&run.masker);
	return failed;
}
