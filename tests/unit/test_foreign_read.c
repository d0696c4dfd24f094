/* test_foreign_read.c: R1.5, R1.6, R1.9 and R1.10, each with a hit and the nearest miss. */
#include "facts.h"

static void looked(struct process *who, unsigned how, enum relation relation, bool agent)
{
	struct fact f = { .kind = FACT_PEEK, .run = &run, .process = who };

	f.peek.how = how;
	f.peek.target_pid = 77;
	f.peek.target_comm = "target";
	f.peek.relation = relation;
	f.peek.agent = agent;
	report_reset(&report);
	detect_foreign_read.look(&f, &report);
}

static void the_environment_of_a_process_that_is_no_child(void **s)
{
	struct process *p = process_new("cat", 0, ARGV("cat", "/proc/77/environ"));

	(void)s;
	looked(p, PEEK_ENVIRON, RELATION_OUTSIDE, false);
	check_hit("R1.5");
	looked(p, PEEK_ENVIRON, RELATION_MEMBER, false);
	check_hit("R1.5");
	looked(p, PEEK_ENVIRON, RELATION_DESCENDANT, false);
	assert_int_equal(report.n, 0);
	looked(p, PEEK_ENVIRON, RELATION_SELF, false);
	assert_int_equal(report.n, 0);
}

static void the_environment_of_a_ci_agent(void **s)
{
	struct process *p = process_new("cat", 0, ARGV("cat", "/proc/77/environ"));

	(void)s;
	looked(p, PEEK_ENVIRON, RELATION_OUTSIDE, true);
	check_hit("R1.9");
	check_miss("R1.5");
	looked(p, PEEK_ENVIRON, RELATION_DESCENDANT, true);
	assert_int_equal(report.n, 0);
}

static void memory_of_a_descendant_is_a_debuggers_business(void **s)
{
	static const unsigned hows[] = { PEEK_MEM, PEEK_VM_READ, PEEK_PTRACE };
	struct process *p = process_new("gdb", 0, ARGV("gdb"));

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(hows); i++) {
		looked(p, hows[i], RELATION_DESCENDANT, false);
		check_hit("R1.10");
		check_miss("R1.9");
		looked(p, hows[i], RELATION_MEMBER, false);
		check_hit("R1.9");
		looked(p, hows[i], RELATION_OUTSIDE, false);
		check_hit("R1.9");
		looked(p, hows[i], RELATION_SELF, false);
		assert_int_equal(report.n, 0);
	}
}

static void ps(const char *const *argv, const char *exe, uint32_t owner)
{
	struct process *p = process_new("ps", ROLE_LISTING, argv);
	struct path_step step[3] = { { 040755, 0, 0 }, { 040755, 0, 0 }, { 0100755, owner, 0 } };

	p->exe = (struct path){ (char *)exe, step, 3, false };
	looked(p, PEEK_ENVIRON, RELATION_OUTSIDE, false);
}

static void who_is_no_lister_or_is_not_known_is_no_ps(void **s)
{
	struct path_step step[2] = { { 040755, 0, 0 }, { 0100755, 0, 0 } };
	struct process *p = process_new("top", ROLE_LISTING, ARGV("top"));

	(void)s;
	p->exe = (struct path){ (char *)"/usr/bin/top", step, 2, false };
	looked(p, PEEK_ENVIRON, RELATION_OUTSIDE, false); /* opens one only when it is told to */
	check_hit("R1.6");
	p->roles = 0;
	looked(p, PEEK_ENVIRON, RELATION_OUTSIDE, false);
	check_miss("R1.6");
	check_hit("R1.5");
	p->roles = ROLE_LISTING;
	p->exe.cut = true;
	looked(p, PEEK_ENVIRON, RELATION_OUTSIDE, false);
	check_hit("R1.5");
}

static void ps_is_asked_for_environments_by_a_letter_without_a_dash(void **s)
{
	(void)s;
	ps(ARGV("ps", "auxe"), "/usr/bin/ps", 0);
	check_hit("R1.6");
	check_miss("R1.5");
	ps(ARGV("ps", "-ef", "e"), "/usr/bin/ps", 0);
	check_hit("R1.6");
	ps(ARGV("ps", "aux"), "/usr/bin/ps", 0);
	assert_int_equal(report.n, 0);
	ps(ARGV("ps", "-ef"), "/usr/bin/ps", 0);
	assert_int_equal(report.n, 0);
	process.argc = 1; /* what stands behind its arguments is none of them */
	ps(ARGV("ps"), "/usr/bin/ps", 0);
	assert_int_equal(report.n, 0);
	ps(ARGV("ps", "-o", "user"), "/usr/bin/ps", 0);
	assert_int_equal(report.n, 0);
	ps(ARGV("ps", "axo", "user"), "/usr/bin/ps", 0);
	assert_int_equal(report.n, 0);
}

static void a_program_that_calls_itself_ps_is_not_the_distributions(void **s)
{
	(void)s;
	ps(ARGV("ps", "aux"), "/home/builder/ps", 0);
	check_hit("R1.5");
	ps(ARGV("ps", "aux"), "/usr/bin/ps", 1000);
	check_hit("R1.5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_of_a_process_that_is_no_child),
		cmocka_unit_test(the_environment_of_a_ci_agent),
		cmocka_unit_test(memory_of_a_descendant_is_a_debuggers_business),
		cmocka_unit_test(who_is_no_lister_or_is_not_known_is_no_ps),
		cmocka_unit_test(ps_is_asked_for_environments_by_a_letter_without_a_dash),
		cmocka_unit_test(a_program_that_calls_itself_ps_is_not_the_distributions),
	};

	return FACT_TESTS(tests);
}
