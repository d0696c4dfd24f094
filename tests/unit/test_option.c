/* test_option.c: the command line, the environment and the configuration file, and who wins. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "option.h"

const struct command commands[] = {
	{ "run", "run [OPTIONS] [--] COMMAND [ARG...]", "trace", NULL },
	{ "replay", "replay [OPTIONS] RECORDING", "again", NULL },
	{ "risks", "risks", "catalogue", NULL },
	{ "check", "check", "kernel", NULL },
	{ "version", "version", "version", NULL },
	{ 0 },
};

static struct config c;
static char said[4096];
static char path[64];

static int begin(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	c.fail_on = -1;
	c.env_reads = "all";
	c.gate = "exec";
	unsetenv("SUDO_UID");
	return 0;
}

static int end(void **state)
{
	static const char *const set[] = { "INVIGIL_OUTPUT", "INVIGIL_FAIL_ON", "INVIGIL_OWN",
					   "INVIGIL_QUIET",  "INVIGIL_CONFIG",  "INVIGIL_SARIF",
					   "SUDO_UID" };

	(void)state;
	config_free(&c);
	for (size_t i = 0; i < ARRAY_SIZE(set); i++)
		unsetenv(set[i]);
	if (path[0])
		unlink(path);
	path[0] = '\0';
	return 0;
}

/* Runs the parser with standard output and error caught in said[]. */
static int parse(unsigned cmd, char **argv)
{
	int argc = 0, status, old = dup(2), out = dup(1);
	FILE *f = tmpfile();
	size_t n;

	while (argv[argc])
		argc++;
	fflush(stdout);
	assert_non_null(f);
	dup2(fileno(f), 2);
	dup2(fileno(f), 1);
	status = options_parse(&commands[cmd], argc, argv, &c);
	config_use(&c);
	fflush(stdout);
	fflush(stderr);
	dup2(old, 2);
	dup2(out, 1);
	close(old);
	close(out);
	rewind(f);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = '\0';
	fclose(f);
	return status;
}

#define RUN(...)    parse(0, (char *[]){ __VA_ARGS__, NULL })
#define REPLAY(...) parse(1, (char *[]){ __VA_ARGS__, NULL })

static void config_write(const char *text, mode_t mode)
{
	int fd;

	strcpy(path, "/tmp/invigil-test-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	fchmod(fd, mode);
	close(fd);
}

static void command_begins_at_the_first_word_that_is_no_option(void **state)
{
	(void)state;
	assert_int_equal(RUN("-qo", "x", "--fail-on=high", "make", "-j2", "--output"), 0);
	assert_int_equal(c.argc, 3);
	assert_string_equal(c.argv[0], "make");
	assert_null(c.argv[3]);
	assert_string_equal(c.output, "x");
	assert_true(c.quiet);
	assert_int_equal(c.fail_on, SEV_HIGH);
}

static void two_dashes_end_the_options(void **state)
{
	(void)state;
	assert_int_equal(RUN("-o", "-", "--", "-odd", "x"), 0);
	assert_string_equal(c.output, "-");
	assert_string_equal(c.argv[0], "-odd");
	assert_int_equal(c.argc, 2);
}

static void two_files_of_one_name_are_refused(void **state)
{
	char other[80];

	(void)state;
	assert_int_equal(RUN("-o", "x", "--markdown", "x", "true"), 125);
	assert_non_null(strstr(said, "--output and --markdown name one file: \"x\""));
	assert_int_equal(RUN("-o", "x", "--markdown", "y", "--record", "z", "true"), 0);
	assert_int_equal(RUN("-o", "/dev/null", "--markdown", "/dev/null", "true"), 0);
	/* What is replayed is not written over, whatever it is called. */
	config_write("a recording", 0600);
	snprintf(other, sizeof(other), "/tmp/../%s", path);
	assert_int_equal(REPLAY("-o", other, path), 125);
	assert_non_null(strstr(said, "--output and RECORDING name one file"));
	c.output = NULL;
	assert_int_equal(REPLAY("--markdown", path, path), 125);
	c.markdown = NULL;
	assert_int_equal(REPLAY("-o", "/tmp/invigil-test-other", path), 0);
}

static void an_output_is_a_file(void **state)
{
	(void)state;
	assert_int_equal(RUN("-o", "https://siem.example:8088", "true"), 125);
	assert_non_null(strstr(said, "outputs other than files are not in this version"));
	assert_int_equal(RUN("-o", "https:8088", "true"), 0);
}

static void an_unknown_option_is_named(void **state)
{
	(void)state;
	assert_int_equal(RUN("--frobnicate", "true"), 125);
	assert_string_equal(said,
			    "invigil: unknown option \"--frobnicate\" (see invigil help run)\n");
	assert_int_equal(REPLAY("--record", "x", "y"), 125);
	assert_int_equal(RUN("-qZ", "true"), 125);
}

static void options_of_later_versions_are_refused_and_said(void **state)
{
	static char *const later[] = { "--report", "--sarif", "--junit", "--attestation",
				       "--policy" };
	char expected[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		assert_int_equal(RUN(later[i], "x", "true"), 125);
		snprintf(expected, sizeof(expected), "invigil: option %s is not in this version\n",
			 later[i]);
		assert_string_equal(said, expected);
	}
	assert_int_equal(RUN("-f", "ocsf", "true"), 125);
	assert_non_null(strstr(said, "ocsf is not in this version"));
}

static void a_missing_command_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(RUN("-q"), 125);
	assert_int_equal(RUN("-o"), 125);
	assert_int_equal(REPLAY("-q"), 125);
	assert_int_equal(REPLAY("a", "b"), 125);
}

static void replay_takes_options_behind_its_operand(void **state)
{
	(void)state;
	assert_int_equal(REPLAY("rec", "-o", "x"), 0);
	assert_int_equal(c.argc, 1);
	assert_string_equal(c.argv[0], "rec");
	assert_null(c.argv[1]);
	assert_string_equal(c.output, "x");
}

static void a_wrong_word_is_named(void **state)
{
	(void)state;
	assert_int_equal(RUN("--fail-on", "loud", "true"), 125);
	assert_non_null(strstr(said, "\"loud\""));
	assert_int_equal(RUN("--env-reads", "some", "true"), 125);
	assert_int_equal(RUN("--own", "what", "true"), 125);
	assert_non_null(strstr(said, "\"what\""));
}

static void selectors_are_read(void **state)
{
	(void)state;
	assert_int_equal(RUN("--own", "label=a=b=c", "--own", "name=x*", "--own", "label=k", "t"),
			 0);
	assert_int_equal(c.n_own, 3);
	assert_int_equal(c.own[0].kind, OWN_LABEL);
	assert_string_equal(c.own[0].key, "a");
	assert_string_equal(c.own[0].value, "b=c");
	assert_int_equal(c.own[1].kind, OWN_NAME);
	assert_null(c.own[2].value);
}

static void help_is_printed(void **state)
{
	(void)state;
	assert_int_equal(RUN("-q", "--help"), -1);
	assert_non_null(strstr(said, "run [OPTIONS] [--] COMMAND"));
	assert_non_null(strstr(said, "--fail-on LEVEL"));
	assert_null(strstr(said, "--sarif"));
}

static void the_environment_stands_behind_the_command_line(void **state)
{
	(void)state;
	setenv("INVIGIL_OUTPUT", "env", 1);
	setenv("INVIGIL_FAIL_ON", "low", 1);
	setenv("INVIGIL_OWN", "id=1 name=b", 1);
	setenv("INVIGIL_QUIET", "1", 1);
	assert_int_equal(RUN("-o", "line", "true"), 0);
	assert_string_equal(c.output, "line");
	assert_int_equal(c.fail_on, SEV_LOW);
	assert_int_equal(c.n_own, 2);
	assert_true(c.quiet);
}

static void replay_does_not_read_the_environment(void **state)
{
	(void)state;
	setenv("INVIGIL_OUTPUT", "env", 1);
	assert_int_equal(REPLAY("rec"), 0);
	assert_null(c.output);
}

static void under_sudo_the_environment_names_no_files(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	setenv("SUDO_UID", "1000", 1);
	setenv("INVIGIL_OUTPUT", "/etc/passwd", 1);
	assert_int_equal(RUN("true"), 125);
	assert_non_null(strstr(said, "INVIGIL_OUTPUT is refused under sudo"));
	unsetenv("INVIGIL_OUTPUT");
	setenv("INVIGIL_CONFIG", "/nowhere", 1);
	assert_int_equal(RUN("true"), 125);
	assert_non_null(strstr(said, "INVIGIL_CONFIG is refused under sudo"));
}

static void the_gate_serves_environment_reads_alone(void **state)
{
	(void)state;
	assert_int_equal(RUN("true"), 0);
	assert_int_equal(config_gate(&c), GATE_EXEC);
	assert_int_equal(RUN("--gate", "mmap", "true"), 0);
	assert_int_equal(config_gate(&c), GATE_MMAP);
	assert_int_equal(RUN("--gate=off", "true"), 0);
	assert_int_equal(config_gate(&c), GATE_OFF);
	assert_int_equal(RUN("--gate=exec", "--env-reads=off", "true"), 0);
	assert_int_equal(config_gate(&c), GATE_OFF);
	assert_int_equal(RUN("--gate=ptrace", "true"), 125);
	assert_non_null(strstr(said, "ptrace"));
}

#ifdef HAVE_YAML
static void the_file_stands_behind_both(void **state)
{
	(void)state;
	config_write(
		"rules:\n  R6.7: {severity: low}\nsecrets:\n  names: [\"MY_*_KEY\"]\nlogs:\n"
		"  patterns: [\"*.out\"]\nfail_on: high\nenv_reads: off\ngate: mmap\nown: [\"id=7\"]\n",
		0600);
	assert_int_equal(RUN("-c", path, "--own", "id=8", "--fail-on", "critical", "true"), 0);
	assert_int_equal(c.fail_on, SEV_CRITICAL);
	assert_string_equal(c.env_reads, "off");
	assert_string_equal(c.gate, "mmap");
	assert_string_equal(c.secret_names[0], "MY_*_KEY");
	assert_null(c.secret_names[1]);
	assert_string_equal(c.log_patterns[0], "*.out");
	assert_int_equal(c.n_own, 2);
	assert_int_equal(rule_severity(rule_find("R6.7")), SEV_LOW);
}

static void what_the_file_gets_wrong_is_named_with_its_line(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "fail_on: high\ncolour: red\n", ":2: unknown key \"colour\"" },
		{ "rules:\n  R6.7: {loud: low}\n", ":2: unknown key \"loud\"" },
		{ "rules:\n  R99.1: low\n", ":2: unknown rule \"R99.1\"" },
		{ "rules:\n  R6.7: loud\n", ":2: unknown level \"loud\"" },
		{ "secrets:\n  name: [a]\n", ":2: unknown key \"name\"" },
		{ "gate: ptrace\n", ":1: gate is exec, mmap or off, not" },
		{ "own: [x]\n", ":1: unknown selector \"x\"" },
		{ "fail_on: [high\n", ":" },
		{ "- a\n", ":1: not a mapping" },
		{ "gate: off\ngate: exec\n", ":2: a second time: \"gate\"" },
		{ "own: x\n", ":1: not a list: \"own\"" },
		{ "rules: low\n", ":1: not a mapping: \"rules\"" },
		{ "fail_on: {a: b}\n", ":1: not a word for \"fail_on\"" },
		{ "own: [[id=1]]\n", ":1: not a word for \"own[]\"" },
		{ "own: [\"\"]\n", ":1: nothing for \"own[]\"" },
		{ "\"own[]\": id=1\n", ":1: unknown key \"own[]\"" },
		{ "rules.R6.7: low\n", ":1: unknown key \"rules.R6.7\"" },
		{ "\"rules.*\": low\n", ":1: unknown key \"rules.*\"" },
		{ "require_complete: yes\n", ":1: require_complete is true or false, not \"yes\"" },
		{ "runs:\n  - program: make\n", ":2: not an absolute path for program: \"make\"" },
		{ "a: &x [*x]\n", ":1: " },
	};
	char expected[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		config_write(rows[i].text, 0600);
		assert_int_equal(RUN("-c", path, "true"), 125);
		snprintf(expected, sizeof(expected), "%s%s", path, rows[i].says);
		if (!strstr(said, expected))
			fail_msg("\"%s\" not in \"%s\"", expected, said);
		unlink(path);
	}
}

static void a_file_that_others_can_write_is_refused(void **state)
{
	(void)state;
	config_write("fail_on: high\n", 0666);
	assert_int_equal(RUN("-c", path, "true"), 125);
	assert_non_null(strstr(said, "can be written by others"));
	assert_int_equal(RUN("-c", "/dev/null", "true"), 125);
	assert_int_equal(RUN("-c", "/nowhere", "true"), 125);
}

/* A folder laid out like /etc/invigil. */
static void folder_write(char *dir, const char *name, const char *text, mode_t mode)
{
	char file[128];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", dir, name);
	f = fopen(file, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(file, mode);
}

static void a_later_file_stands_over_an_earlier_one_and_adds_to_its_lists(void **state)
{
	char dir[] = "/tmp/invigil-test-XXXXXX", file[128], sub[64];
	static const char *const names[] = { "invigil.yaml", "conf.d/20-b.yaml", "conf.d/10-a.yaml",
					     "conf.d/30-c.yml", "conf.d/.h.yaml" };

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sub, sizeof(sub), "%s/conf.d", dir);
	assert_int_equal(mkdir(sub, 0755), 0);
	folder_write(dir, "invigil.yaml", "fail_on: low\ngate: mmap\nown: [id=1]\n", 0644);
	folder_write(dir, "conf.d/20-b.yaml", "fail_on: high\nown: [id=3]\n", 0644);
	folder_write(dir, "conf.d/10-a.yaml", "fail_on: medium\nown: [id=2]\n", 0644);
	folder_write(dir, "conf.d/30-c.yml", "not: read\n", 0644);
	folder_write(dir, "conf.d/.h.yaml", "not: read\n", 0644);
	assert_int_equal(RUN("-c", dir, "true"), 0);
	assert_int_equal(c.fail_on, SEV_HIGH);
	assert_string_equal(c.gate, "mmap");
	assert_int_equal(c.n_own, 3);
	assert_string_equal(c.own[1].key, "2");
	config_free(&c);
	folder_write(dir, "conf.d/10-a.yaml", "\nfail_at: high\n", 0644);
	assert_int_equal(RUN("-c", dir, "true"), 125);
	assert_non_null(strstr(said, "/conf.d/10-a.yaml:2: unknown key \"fail_at\""));
	folder_write(dir, "conf.d/10-a.yaml", "fail_on: high\n", 0664);
	assert_int_equal(RUN("-c", dir, "true"), 125);
	assert_non_null(strstr(said, "/conf.d/10-a.yaml:1: can be written by others"));
	chmod(sub, 0777);
	assert_int_equal(RUN("-c", dir, "true"), 125);
	assert_non_null(strstr(said, "/conf.d: can be written by others"));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(file, sizeof(file), "%s/%s", dir, names[i]);
		unlink(file);
	}
	assert_int_equal(rmdir(sub), 0);
	assert_int_equal(RUN("-c", dir, "true"), 0);
	chmod(dir, 0777);
	assert_int_equal(RUN("-c", dir, "true"), 125);
	rmdir(dir);
}

static void the_daemon_believes_root_alone(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	config_write("fail_on: high\n", 0644);
	assert_int_equal(config_read(path, true, &c), 0);
	assert_int_equal(chown(path, 1000, 0), 0);
	setenv("SUDO_UID", "1000", 1);
	assert_int_equal(config_read(path, false, &c), 0);
	assert_int_equal(config_read(path, true, &c), -1);
}

#else
static void without_libyaml_it_is_said(void **state)
{
	(void)state;
	config_write("fail_on: high\n", 0600);
	assert_int_equal(RUN("-c", path, "true"), 125);
	assert_non_null(strstr(said, "libyaml was not there"));
}
#endif

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(command_begins_at_the_first_word_that_is_no_option),
		T(two_dashes_end_the_options),
		T(two_files_of_one_name_are_refused),
		T(an_output_is_a_file),
		T(an_unknown_option_is_named),
		T(options_of_later_versions_are_refused_and_said),
		T(a_missing_command_is_an_error),
		T(replay_takes_options_behind_its_operand),
		T(a_wrong_word_is_named),
		T(selectors_are_read),
		T(help_is_printed),
		T(the_environment_stands_behind_the_command_line),
		T(replay_does_not_read_the_environment),
		T(under_sudo_the_environment_names_no_files),
		T(the_gate_serves_environment_reads_alone),
#ifdef HAVE_YAML
		T(the_file_stands_behind_both),
		T(what_the_file_gets_wrong_is_named_with_its_line),
		T(a_file_that_others_can_write_is_refused),
		T(a_later_file_stands_over_an_earlier_one_and_adds_to_its_lists),
		T(the_daemon_believes_root_alone),
#else
		T(without_libyaml_it_is_said),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
