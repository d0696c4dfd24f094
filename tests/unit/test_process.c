/* test_process.c: the process table, paths from kernel steps, roles, and who the others are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "process_table.h"
#include "test_case.h"

static char cwd[] = "/work/tree", boot[] = "0123456789abcdef", ci[] = "ci";
static struct run run = { .cwd = cwd, .boot_id = boot, .uid = 1000, .user = ci, .root_pid = 10 };

/* An exec record's tail in the making. */
struct shape {
	struct ev_hdr h;
	struct ev_exec e;
	struct buf tail;
};

static unsigned steps_add(struct buf *b, const char *path)
{
	unsigned n = 0;
	const char *end = path + strlen(path);

	while (end > path) {
		const char *at = end;
		struct ev_comp c = { .mode = 0100755 };

		while (at[-1] != '/')
			at--;
		c.len = end - at;
		memcpy(c.name, at, c.len);
		buf_add(b, &c, sizeof(c));
		n++;
		end = at - 1;
	}
	return n;
}

/* args: words separated by '|'. */
static struct process *exec_env(struct process_table *t, unsigned pid, const char *exe,
				const char *args, const char *env, size_t env_len)
{
	struct shape s = { .h = { .pid = pid, .start = pid * 100, .time = pid * 100 + 5 } };
	struct process *p;
	size_t args_at;

	s.e.exe_comps = steps_add(&s.tail, exe);
	s.e.cwd_comps = steps_add(&s.tail, cwd);
	s.e.file_len = strlen(exe) + 1;
	buf_add(&s.tail, exe, s.e.file_len);
	s.e.args_len = s.e.args_want = strlen(args) + 1;
	args_at = s.tail.len;
	buf_add(&s.tail, args, s.e.args_len);
	for (size_t i = args_at; i < s.tail.len; i++)
		if (s.tail.ptr[i] == '|')
			s.tail.ptr[i] = 0;
	s.e.env_len = env_len;
	buf_add(&s.tail, env, env_len);
	s.h.len = s.h.want = s.tail.len;
	p = table_exec(t, &s.h, &s.e, s.tail.ptr, &run);
	buf_free(&s.tail);
	return p;
}

static struct process *exec(struct process_table *t, unsigned pid, const char *exe,
			    const char *args)
{
	return exec_env(t, pid, exe, args, "HOME\0TOKEN!", 12);
}

static struct process *fork_of(struct process_table *t, struct process *parent, unsigned pid)
{
	struct ev_fork e = { .child_pid = pid, .child_start = pid * 100, .child_vpid = pid };

	return table_fork(t, parent, &e, &run);
}

static void an_entity_id_names_boot_pid_and_start(void **state)
{
	struct process_table *t = table_new();
	bool missed = false;

	(void)state;
	assert_string_equal(table_find(t, 7, 99, &run, &missed)->entity_id, "01234567-7-99");
	assert_true(missed);
	missed = false;
	assert_true(table_find(t, 7, 99, &run, &missed)->missed);
	assert_false(missed);
	table_free(t);
}

static void a_reused_pid_is_another_process(void **state)
{
	struct process_table *t = table_new();
	bool missed;

	(void)state;
	assert_ptr_not_equal(table_find(t, 7, 1, &run, &missed),
			     table_find(t, 7, 2, &run, &missed));
	table_free(t);
}

static void a_forked_child_has_its_parents_image_until_it_executes(void **state)
{
	struct process_table *t = table_new();
	struct process *a = exec(t, 10, "/usr/bin/python3.11", "python3|t.py"),
		       *b = fork_of(t, a, 11);

	(void)state;
	assert_string_equal(b->exe.text, "/usr/bin/python3.11");
	assert_int_equal(b->roles, a->roles);
	assert_false(b->executed);
	assert_ptr_equal(b->parent, a);
	exec(t, 11, "/usr/bin/ls", "ls");
	assert_string_equal(b->name, "ls");
	assert_string_equal(a->name, "python3.11");
	assert_true(b->executed);
	table_exit(t, a, 5000, 0);
	assert_string_equal(b->parent->script, "t.py");
	table_free(t);
}

static void ended_processes_go_when_nobody_needs_them(void **state)
{
	struct process_table *t = table_new();
	struct process *a = exec(t, 10, "/bin/sh", "sh"), *b = fork_of(t, a, 11);
	unsigned n;

	(void)state;
	table_exit(t, a, 1, 0);
	assert_int_equal(table_size(t), 2);
	process_hold(b);
	table_exit(t, b, 2, 0);
	assert_int_equal(table_size(t), 2);
	free(table_alive(t, &n));
	assert_int_equal(n, 0);
	process_drop(b);
	assert_int_equal(table_size(t), 0);
	assert_null(table_alive(t, &n));
	table_free(t);
}

static void a_worm_that_forks_and_exits_keeps_the_table_small(void **state)
{
	struct process_table *t = table_new();
	struct process *p = exec(t, 10, "/usr/bin/python3", "python3|t.py"), *root = p;

	(void)state;
	for (unsigned pid = 11; pid < 20000; pid++) {
		struct process *next = fork_of(t, p, pid);

		if (p != root)
			table_exit(t, p, pid * 100, 0);
		p = next;
	}
	assert_true(table_size(t) < 200);
	assert_ptr_equal(process_with_role(p, ROLE_TEST), p);
	exec(t, 19999, "/bin/ls", "ls");
	assert_non_null(process_with_role(p, ROLE_TEST));
	table_free(t);
}

static void a_process_is_never_its_own_ancestor(void **state)
{
	struct process_table *t = table_new();
	struct process *a = exec(t, 10, "/bin/sh", "sh"), *b = fork_of(t, a, 11);
	struct ev_fork again = { .child_pid = 10, .child_start = 1000 };

	(void)state;
	table_fork(t, b, &again, &run);
	table_fork(t, a, &again, &run);
	assert_null(a->parent);
	table_free(t);
}

static void arguments_are_found_by_number(void **state)
{
	struct process_table *t = table_new();
	struct process *p = exec(t, 10, "/bin/echo", "echo||b");

	(void)state;
	assert_int_equal(p->argc, 3);
	assert_true(span_eq(process_arg(p, 0), "echo"));
	assert_int_equal(process_arg(p, 1).len, 0);
	assert_true(span_eq(process_arg(p, 2), "b"));
	assert_int_equal(process_arg(p, 3).len, 0);
	table_free(t);
}

static void a_variable_is_in_the_environment_or_not_or_not_known(void **state)
{
	struct process_table *t = table_new();
	struct process *p = exec(t, 10, "/bin/echo", "echo");
	bool missed;

	(void)state;
	assert_int_equal(process_env_has(p, SPAN("HOME")), 1);
	assert_int_equal(process_env_has(p, SPAN("TOKEN")), 1);
	assert_int_equal(process_env_has(p, SPAN("HOM")), 0);
	assert_int_equal(process_env_has(p, SPAN("")), 0);
	assert_int_equal(process_env_value(p, "HOME").len, 0);
	p->env_cut = true;
	assert_int_equal(process_env_has(p, SPAN("PATH")), -1);
	p = exec_env(t, 4, "/bin/x", "x", "A\0LD_PRELOAD=/x=y\0LD_AUDIT=", 28);
	assert_true(span_eq(process_env_value(p, "LD_PRELOAD"), "/x=y"));
	assert_int_equal(process_env_has(p, SPAN("LD_PRELOAD")), 1);
	assert_int_equal(process_env_has(p, SPAN("LD_AUDIT")), 1);
	assert_int_equal(process_env_value(p, "LD_AUDIT").len, 0);
	assert_int_equal(process_env_has(table_find(t, 3, 3, &run, &missed), SPAN("HOME")), -1);
	table_free(t);
}

static void a_name_is_read_first_once_per_image(void **state)
{
	struct process_table *t = table_new();
	struct process *p = exec(t, 10, "/bin/echo", "echo");

	(void)state;
	assert_true(process_first_read(p, SPAN("A")));
	assert_false(process_first_read(p, SPAN("A")));
	assert_true(process_first_read(p, SPAN("B")));
	exec(t, 10, "/bin/cat", "cat");
	assert_true(process_first_read(p, SPAN("A")));
	table_free(t);
}

static void a_path_is_built_from_the_root(void **state)
{
	struct ev_comp c[2] = { { .mode = 0100644, .len = 1, .name = "f" },
				{ .mode = 040755, .len = 9, .name = "a/b\xff\0xyz" } };
	struct path p;

	(void)state;
	path_from_comps(&p, c, 2, false);
	assert_string_equal(p.text, "/a_b\xff/f");
	assert_int_equal(p.steps, 2);
	assert_int_equal(p.step[0].mode, 040755);
	path_free(&p);
	path_from_comps(&p, c, 1, true);
	assert_string_equal(p.text, ".../f");
	path_free(&p);
	path_from_comps(&p, c, 0, false);
	assert_string_equal(p.text, "/");
	path_free(&p);
}

static void a_container_comes_with_the_exec_and_goes_to_children(void **state)
{
	struct process_table *t = table_new();
	struct ev_hdr h = { .pid = 3, .start = 1 };
	struct ev_exec e = { .comm = "x" };
	struct process *p;

	(void)state;
	memset(e.container, 'a', sizeof(e.container));
	p = table_exec(t, &h, &e, "", &run);
	assert_int_equal(strlen(p->container_id), sizeof(e.container));
	assert_string_equal(fork_of(t, p, 4)->container_id, p->container_id);
	table_free(t);
}

static struct process *exec_in(struct process_table *t, struct process *up, unsigned pid,
			       const char *env, size_t n)
{
	fork_of(t, up, pid);
	return exec_env(t, pid, "/usr/bin/x", "x", env, n);
}

static void a_process_is_in_the_innermost_test_case(void **state)
{
	static const char outer[] = "TMT_TEST_NAME=/smoke",
			  inner[] = "TMT_TEST_NAME=/smoke\0BATS_TEST_NAME=t",
			  other[] = "TMT_TEST_NAME=/other";
	struct process_table *t = table_new();
	struct process *tmt, *bats, *last;

	(void)state;
	tmt = exec_env(t, 3, "/usr/bin/x", "x", outer, sizeof(outer));
	assert_string_equal(tmt->test->framework, "tmt");
	bats = exec_in(t, tmt, 4, inner, sizeof(inner));
	assert_string_equal(bats->test->framework, "bats");
	/* What it was started in is known better than what its environment says. */
	last = exec_in(t, bats, 5, other, sizeof(other));
	assert_string_equal(last->test->framework, "bats");
	last = exec_in(t, tmt, 6, other, sizeof(other));
	assert_true(span_eq(last->test->name, "/smoke"));
	table_free(t);
}

static void lengths_that_do_not_fit_the_tail_are_taken_as_absent(void **state)
{
	struct ev_hdr h = { .pid = 3, .len = 5, .want = 5 };
	struct ev_exec e = {
		.exe_comps = 24, .cwd_comps = ~0u, .file_len = ~0u, .args_len = ~0u, .comm = "x"
	};
	struct process_table *t = table_new();
	char *tail = malloc(5);
	struct process *p;

	(void)state;
	memcpy(tail, "abcde", 5);
	p = table_exec(t, &h, &e, tail, &run);
	assert_null(p->exe.text);
	assert_string_equal(p->name, "x");
	assert_int_equal(p->argc, 0);
	free(tail);
	table_free(t);
}

static const struct {
	const char *exe, *args;
	unsigned roles;
	const char *script;
} roles[] = {
	{ "/usr/bin/bash", "sh|-c|ls", ROLE_SHELL, NULL },
	{ "/usr/bin/bash", "bash|-eo|pipefail|/opt/x.sh", ROLE_SHELL, "x.sh" },
	{ "/usr/bin/bash", "bash|-e|/opt/x.sh|a", ROLE_SHELL, "x.sh" },
	{ "/usr/bin/busybox", "ash", ROLE_SHELL, NULL },
	{ "/usr/bin/busybox", "busybox|wget|http://x", ROLE_NETWORK_CLIENT, NULL },
	{ "/usr/bin/python3.11", "python3|tests/t.py", ROLE_INTERPRETER | ROLE_TEST, "t.py" },
	{ "/usr/bin/python3.11", "python3|-W|ignore|/opt/t.py", ROLE_INTERPRETER, "t.py" },
	{ "/usr/bin/python3.11", "python3|../tree2/t.py", ROLE_INTERPRETER, "t.py" },
	{ "/usr/bin/python3.11", "python3|../tree/t.py", ROLE_INTERPRETER | ROLE_TEST, "t.py" },
	{ "/usr/bin/python3.11", "python3|-c|x", ROLE_INTERPRETER, NULL },
	{ "/usr/bin/python3.11", "python3|-Im|pytest", ROLE_INTERPRETER | ROLE_TEST, "pytest" },
	{ "/usr/bin/python3.11", "python3|-m|unittest", ROLE_INTERPRETER | ROLE_TEST, "unittest" },
	{ "/usr/bin/python3.11", "python3|/usr/bin/ansible-playbook|p.yml",
	  ROLE_INTERPRETER | ROLE_BUILD_TOOL, "ansible-playbook" },
	{ "/usr/bin/python3.11", "python3|/tmp/AnsiballZ_command.py", ROLE_INTERPRETER,
	  "AnsiballZ_command.py" },
	{ "/usr/bin/python3.11", "python3|-m|pip", ROLE_INTERPRETER | ROLE_BUILD_TOOL, "pip" },
	{ "/usr/bin/python3.11", "python3|/usr/bin/pytest", ROLE_INTERPRETER | ROLE_TEST,
	  "pytest" },
	{ "/usr/bin/python3.11", "python3|/usr/bin/docker-compose|up",
	  ROLE_INTERPRETER | ROLE_CONTAINER_CLIENT, "docker-compose" },
	{ "/work/tree/build/test_x", "test_x", ROLE_TEST, NULL },
	{ "/work/treehouse/test_x", "test_x", 0, NULL },
	{ "/work/tree/bin/curl", "curl", ROLE_NETWORK_CLIENT, NULL },
	{ "/usr/bin/docker", "docker|ps", ROLE_CONTAINER_CLIENT, NULL },
	{ "/usr/bin/x86_64-linux-gnu-gcc-12", "gcc", ROLE_BUILD_TOOL, NULL },
	{ "/usr/bin/containerd-shim-runc-v2", "x", ROLE_RUNTIME, NULL },
	{ "/usr/bin/ps", "ps", ROLE_LISTING, NULL },
	{ "/usr/bin/dockerfile-lint", "x", 0, NULL },
};

static void a_role_is_told_from_program_and_arguments(void **state)
{
	struct process_table *t = table_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		struct process *p = exec(t, 100 + i, roles[i].exe, roles[i].args);

		if (p->roles != roles[i].roles)
			fail_msg("%s: roles %#x, not %#x", roles[i].args, p->roles, roles[i].roles);
		if (!roles[i].script)
			assert_null(p->script);
		else
			assert_string_equal(p->script ? p->script : "(none)", roles[i].script);
	}
	table_free(t);
}

static void command_itself_is_a_test_unless_it_is_a_tool(void **state)
{
	struct process_table *t = table_new();

	(void)state;
	assert_int_equal(exec(t, 10, "/bin/dash", "sh|-c|x")->roles, ROLE_SHELL | ROLE_TEST);
	assert_int_equal(exec(t, 10, "/usr/bin/make", "make")->roles, ROLE_BUILD_TOOL);
	table_free(t);
}

static void others_are_neither_root_nor_the_runs_user(void **state)
{
	(void)state;
	assert_false(others_can_write(&run, 0100664, 1000, 1000));
	assert_false(others_can_write(&run, 0100660, 0, 0));
	assert_true(others_can_write(&run, 0100664, 1000, 100));
	assert_true(others_can_write(&run, 0100666, 1000, 1000));
	assert_true(others_can_write(&run, 0100400, 33, 1000));
	assert_true(others_can_read(&run, 0100644, 1000, 1000));
	assert_false(others_can_read(&run, 0100640, 1000, 0));
	assert_string_equal(run_user_name(&run, 1000), "ci");
	assert_null(run_user_name(&run, 7));
}

/* Whatever order they came in, and whoever stands beside them. */
static void the_newest_of_a_number_is_the_one_that_began_last(void **state)
{
	static const uint64_t starts[] = { 500, 100, 900, 300, 700 };
	struct process_table *t = table_new();
	bool missed = false;

	(void)state;
	assert_null(table_newest(t, 5));
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		for (uint32_t pid = 3; pid < 60; pid += 2)
			table_find(t, pid, starts[i] + pid, &run, &missed);
	for (uint32_t pid = 2; pid < 62; pid++) {
		struct process *p = table_newest(t, pid);

		if (pid % 2 && pid < 60) {
			assert_non_null(p);
			assert_int_equal(p->pid, pid);
			assert_int_equal(p->start, 900 + pid);
			assert_ptr_equal(table_find(t, pid, 900 + pid, &run, &missed), p);
			assert_ptr_equal(table_known(t, pid, 900 + pid), p);
			table_exit(t, p, 1000, 0); /* nobody holds it: gone */
			assert_null(table_known(t, pid, 900 + pid));
			assert_int_equal(table_newest(t, pid)->start, 700 + pid);
		} else {
			assert_null(p);
		}
	}
	table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entity_id_names_boot_pid_and_start),
		cmocka_unit_test(a_reused_pid_is_another_process),
		cmocka_unit_test(a_forked_child_has_its_parents_image_until_it_executes),
		cmocka_unit_test(ended_processes_go_when_nobody_needs_them),
		cmocka_unit_test(a_worm_that_forks_and_exits_keeps_the_table_small),
		cmocka_unit_test(a_process_is_never_its_own_ancestor),
		cmocka_unit_test(arguments_are_found_by_number),
		cmocka_unit_test(a_variable_is_in_the_environment_or_not_or_not_known),
		cmocka_unit_test(a_name_is_read_first_once_per_image),
		cmocka_unit_test(a_path_is_built_from_the_root),
		cmocka_unit_test(a_container_comes_with_the_exec_and_goes_to_children),
		cmocka_unit_test(a_process_is_in_the_innermost_test_case),
		cmocka_unit_test(lengths_that_do_not_fit_the_tail_are_taken_as_absent),
		cmocka_unit_test(a_role_is_told_from_program_and_arguments),
		cmocka_unit_test(command_itself_is_a_test_unless_it_is_a_tool),
		cmocka_unit_test(others_are_neither_root_nor_the_runs_user),
		cmocka_unit_test(the_newest_of_a_number_is_the_one_that_began_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
