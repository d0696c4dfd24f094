/* test_command_execution.c: R3, each rule with a hit and the nearest miss. */
#include <sys/stat.h>
#include "facts.h"

static struct path_step step[3];

/* /srv/bin/tool, or /tmp/d/tool when sticky: modes and owners of the three steps. */
static struct process *tool(void)
{
	struct process *p = process_new("tool", 0, ARGV("tool"));

	step[0] = (struct path_step){ S_IFDIR | 0755, 0, 0 };
	step[1] = (struct path_step){ S_IFDIR | 0755, 0, 0 };
	step[2] = (struct path_step){ S_IFREG | 0755, 1000, 1000 };
	p->exe = (struct path){ .text = (char *)"/srv/bin/tool", .step = step, .steps = 3 };
	return p;
}

static void run_it(const struct process *p)
{
	exec_look(&detect_command_execution, p);
}

static void every_program_is_evidence(void **s)
{
	(void)s;
	run_it(tool());
	check_hit("R3.1");
	assert_int_equal(report.n, 1);
	assert_string_equal(report.at[0].subject.ptr, "/srv/bin/tool");
}

static void a_file_or_directory_that_others_can_change(void **s)
{
	struct process *p = tool();

	(void)s;
	step[2].mode |= 02;
	run_it(p);
	check_hit("R3.2");
	assert_string_equal(found("R3.2")->subject.ptr, "/srv/bin/tool");
	tool();
	step[1].mode |= 02;
	run_it(p);
	check_hit("R3.2");
	assert_string_equal(found("R3.2")->subject.ptr, "/srv/bin");
	assert_non_null(strstr(found("R3.2")->evidence.ptr, "0757"));
	tool();
	step[0].uid = 1001;
	run_it(p);
	check_hit("R3.2");
	assert_string_equal(found("R3.2")->subject.ptr, "/srv");
}

static void a_sticky_directory_protects_what_others_do_not_own(void **s)
{
	struct process *p = tool();

	(void)s;
	step[0].mode = S_IFDIR | 01777;
	run_it(p);
	check_miss("R3.2");
	step[1].uid = 1000;
	run_it(p);
	check_miss("R3.2");
	step[1].uid = 1001;
	run_it(p);
	check_hit("R3.2");
	step[1].uid = 0;
	step[0].uid = 1001;
	run_it(p);
	check_hit("R3.2");
	assert_string_equal(found("R3.2")->subject.ptr, "/srv");
}

static void argued(const char *name, const char *const *argv)
{
	run_it(process_new(name, 0, argv));
}

static void an_operand_of_an_option_named_like_a_secret(void **s)
{
	(void)s;
	argued("tool", ARGV("tool", "--password=correct-horse-battery"));
	check_hit("R3.4");
	argued("tool", ARGV("tool", "--passport=correct-horse-battery"));
	check_miss("R3.4");
	argued("tool", ARGV("tool", "--password", "s3cr3t"));
	check_hit("R3.4");
	argued("tool", ARGV("tool", "--password=s3cr3t"));
	check_hit("R3.4");
	argued("tool", ARGV("tool", "--password=xxxx"));
	check_miss("R3.4");
	argued("tool", ARGV("tool", "--password=$PASSWORD"));
	check_miss("R3.4");
	argued("docker", ARGV("docker", "run", "-e", "DB_PASSWORD=hunter2hunter2", "img"));
	check_hit("R3.4");
	argued("docker", ARGV("docker", "run", "-e", "DB_PASSWORD", "img"));
	check_miss("R3.4");
	argued("docker", ARGV("docker", "run", "-p", "8080:80", "img"));
	check_miss("R3.4");
}

static void a_value_never_stands_in_evidence(void **s)
{
	(void)s;
	argued("tool", ARGV("tool", "--password=correct-horse-battery"));
	for (unsigned i = 0; i < report.n; i++) {
		assert_null(strstr(report.at[i].evidence.ptr, "horse"));
		assert_null(
			strstr(report.at[i].subject.ptr ? report.at[i].subject.ptr : "", "horse"));
	}
}

static void a_token_in_the_middle_of_an_argument(void **s)
{
	(void)s;
	argued("curl", ARGV("curl", "-H", "X: AKIAIOSFODNN7EXAMPLZ", "http://x"));
	check_hit("R3.4");
	argued("curl", ARGV("curl", "-H", "X: AKIAIOSFO", "http://x"));
	check_miss("R3.4");
}

static void a_program_without_a_file(void **s)
{
	struct process *p = tool();

	(void)s;
	p->flags = EXEC_MEMFD;
	run_it(p);
	check_hit("R3.10");
	p->flags = EXEC_DELETED;
	run_it(p);
	check_hit("R3.10");
	p->roles = ROLE_RUNTIME;
	run_it(p);
	check_miss("R3.10");
	p->roles = 0;
	p->flags = EXEC_THREAD;
	run_it(p);
	check_miss("R3.10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_program_is_evidence),
		cmocka_unit_test(a_file_or_directory_that_others_can_change),
		cmocka_unit_test(a_sticky_directory_protects_what_others_do_not_own),
		cmocka_unit_test(an_operand_of_an_option_named_like_a_secret),
		cmocka_unit_test(a_value_never_stands_in_evidence),
		cmocka_unit_test(a_token_in_the_middle_of_an_argument),
		cmocka_unit_test(a_program_without_a_file),
	};

	return FACT_TESTS(tests);
}
