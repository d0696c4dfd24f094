/* test_piped_shell.c: R4, each rule with a hit and the nearest miss. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_counts_when_the_parent_holds_it),
		cmocka_unit_test(a_string_without_control_is_low),
		cmocka_unit_test(a_string_with_control_is_medium),
		cmocka_unit_test(flags_do_not_hide_the_string),
		cmocka_unit_test(only_the_test_process_gives),
	};

	return FACT_TESTS(tests);
}
