/* test_log_exposure.c: R5, each rule with a hit and the nearest miss. */
#include <fcntl.h>
#include <sys/stat.h>
#include "facts.h"

struct log {
	const char *path;
	uint32_t mode, uid, gid, dir_mode, dir_uid, dir_gid;
	bool is_log;
};

static void opened(struct log l)
{
	struct fact f = { .kind = FACT_FILE, .run = &run, .process = &parent };

	f.file.path.text = (char *)l.path;
	f.file.mode = S_IFREG | l.mode;
	f.file.uid = l.uid;
	f.file.gid = l.gid;
	f.file.dir_mode = S_IFDIR | l.dir_mode;
	f.file.dir_uid = l.dir_uid;
	f.file.dir_gid = l.dir_gid;
	f.file.is_log = l.is_log;
	report_reset(&report);
	detect_log_exposure.look(&f, &report);
}

static const struct log good = { "/src/out/t.log", 0600, 1000, 1000, 0755, 1000, 1000, true };

static void a_private_log_is_no_finding(void **s)
{
	(void)s;
	opened(good);
	assert_int_equal(report.n, 0);
}

static void a_log_that_others_can_write(void **s)
{
	struct log l = good;

	(void)s;
	l.mode = 0666;
	opened(l);
	check_hit("R5.1");
	l.is_log = false;
	opened(l);
	assert_int_equal(report.n, 0);
	l = good;
	l.mode = 0660;
	opened(l);
	check_miss("R5.1");
	l.gid = 50;
	opened(l);
	check_hit("R5.1");
}

static void a_log_in_a_directory_that_others_can_change(void **s)
{
	struct log l = good;

	(void)s;
	l.dir_mode = 0777;
	opened(l);
	check_hit("R5.1");
	l.dir_mode = 01777;
	l.dir_uid = l.dir_gid = 0;
	opened(l);
	check_miss("R5.1");
	l.dir_uid = 1001;
	opened(l);
	check_hit("R5.1");
	l.dir_uid = 0;
	l.uid = 1001;
	opened(l);
	check_hit("R5.1");
}

static void a_log_that_others_can_read_once_a_directory(void **s)
{
	struct log l = good;

	(void)s;
	l.mode = 0644;
	opened(l);
	check_hit("R5.2");
	check_miss("R5.1");
	assert_string_equal(found("R5.2")->subject.ptr, "/src/out");
	l.mode = 0640;
	l.uid = 0;
	opened(l);
	check_miss("R5.2");
	l.gid = 4;
	opened(l);
	check_hit("R5.2");
}

/* /tmp, pytest's own folder, a folder of the test, the log: only what the second lets in matters. */
static void stepped(uint32_t second, uint32_t second_uid, uint32_t log)
{
	struct path_step step[] = {
		{ S_IFDIR | 01777, 0, 0 },
		{ S_IFDIR | second, second_uid, second_uid },
		{ S_IFDIR | 0777, 1000, 1000 },
		{ S_IFREG | log, 1000, 1000 },
	};
	struct fact f = { .kind = FACT_FILE, .run = &run, .process = &parent };

	f.file.path = (struct path){ (char *)"/tmp/p/t/t.log", step, ARRAY_SIZE(step), false };
	f.file.action = FILE_CHMOD;
	f.file.mode = step[3].mode;
	f.file.uid = f.file.gid = f.file.old_uid = f.file.old_gid = 1000;
	f.file.before = f.file.secret = f.file.is_log = true;
	f.file.old_mode = S_IFREG | 0600;
	f.file.dir_mode = step[2].mode;
	f.file.dir_uid = f.file.dir_gid = 1000;
	report_reset(&report);
	detect_log_exposure.look(&f, &report);
}

static void nobody_else_reaches_what_lies_in_a_closed_directory(void **s)
{
	(void)s;
	stepped(0700, 1000, 0666);
	assert_int_equal(report.n, 0);
	stepped(0750, 1000, 0644); /* the user's private group */
	assert_int_equal(report.n, 0);
	stepped(0700, 0, 0600);
	check_miss("R5.1");
	stepped(0711, 1000, 0666); /* who knows the name gets in */
	check_hit("R5.1");
	check_hit("R5.2");
	check_hit("R5.6");
	stepped(0711, 1000, 0600);
	check_hit("R5.1"); /* the last directory */
	check_miss("R5.2");
	stepped(0700, 1001, 0666); /* its owner is one of the others */
	check_hit("R5.1");
	stepped(0750, 50, 0666);
	check_hit("R5.1");
}

/* What was done to a log, and what is known of it. */
struct deed {
	unsigned action;
	uint32_t mode, open_flags;
	enum owner owner;
	int old_mode; /* -1 not known */
	const char *path;
	uint64_t old_size, size;
};

static bool secret; /* the run wrote one to it */

static void done(struct deed d, unsigned roles)
{
	struct process who = { .pid = 12, .name = "tool", .uid = 1000, .gid = 1000 };
	struct fact f = { .kind = FACT_FILE, .run = &run, .process = &who };

	who.roles = roles;
	f.file.path.text = (char *)(d.path ? d.path : "/src/out/t.log");
	f.file.action = d.action;
	f.file.mode = S_IFREG | (d.mode ? d.mode : 0600);
	f.file.uid = f.file.gid = f.file.old_uid = f.file.old_gid = 1000;
	f.file.dir_mode = S_IFDIR | 0755;
	f.file.dir_uid = f.file.dir_gid = 1000;
	f.file.open_flags = d.open_flags;
	f.file.owner = d.owner;
	f.file.before = d.old_mode >= 0;
	f.file.old_mode = S_IFREG | (uint32_t)d.old_mode;
	f.file.old_size = d.old_size;
	f.file.size = d.size;
	f.file.secret = secret;
	f.file.is_log = true;
	report_reset(&report);
	detect_log_exposure.look(&f, &report);
}

static void a_foreign_log_that_is_truncated_removed_or_replaced(void **s)
{
	static const unsigned actions[] = { FILE_TRUNCATE, FILE_REMOVE, FILE_RENAME };
	struct deed d = { .old_mode = -1 };

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		d.action = actions[i];
		d.owner = OWNER_FOREIGN;
		done(d, ROLE_TEST);
		check_hit("R5.5");
		done(d, ROLE_BUILD_TOOL);
		check_miss("R5.5");
		d.owner = OWNER_OWN;
		done(d, ROLE_TEST);
		check_miss("R5.5");
		d.owner = OWNER_UNKNOWN;
		done(d, ROLE_TEST);
		check_miss("R5.5");
	}
}

static void a_foreign_log_is_truncated_by_an_open_that_says_so(void **s)
{
	struct deed d = { FILE_OPEN, 0, O_WRONLY | O_TRUNC, OWNER_FOREIGN, -1, NULL, 0, 0 };

	(void)s;
	done(d, ROLE_TEST);
	check_hit("R5.5");
	d.open_flags = O_WRONLY | O_APPEND;
	done(d, ROLE_TEST);
	check_miss("R5.5");
	d.open_flags = O_WRONLY | O_TRUNC;
	d.owner = OWNER_OWN;
	done(d, ROLE_TEST);
	check_miss("R5.5");
}

static void a_truncation_that_takes_nothing_is_none(void **s)
{
	struct deed d = { FILE_OPEN, 0, O_WRONLY | O_TRUNC, OWNER_FOREIGN, 0600, NULL, 0, 0 };

	(void)s;
	done(d, ROLE_TEST); /* it was empty when the run opened it before */
	check_miss("R5.5");
	d.old_size = 7;
	done(d, ROLE_TEST);
	check_hit("R5.5");
	assert_non_null(strstr(found("R5.5")->evidence.ptr, "mode 0600, of 7 bytes)"));
	d.old_mode = -1;
	done(d, ROLE_TEST);
	assert_non_null(strstr(found("R5.5")->evidence.ptr, "size before is not known"));
	d = (struct deed){ FILE_TRUNCATE, 0, 0, OWNER_FOREIGN, 0600, NULL, 7, 100 };
	done(d, ROLE_TEST); /* truncate -s +93 */
	check_miss("R5.5");
	d.size = 6;
	done(d, ROLE_TEST);
	check_hit("R5.5");
}

static void what_no_chmod_or_chown_did_is_not_loosened(void **s)
{
	static const unsigned actions[] = { FILE_OPEN, FILE_READ, FILE_SETCAP };
	struct deed d = { FILE_CHMOD, 0666, 0, OWNER_FOREIGN, 0600, NULL, 0, 0 };

	(void)s;
	done(d, ROLE_TEST);
	check_hit("R5.5");
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		d.action = actions[i];
		done(d, ROLE_TEST);
		check_miss("R5.5");
	}
}

/* The group of a user's own is nobody else's; another process's group may be anybody's. */
static void a_private_group_is_the_runs_own_users(void **s)
{
	struct process who = { .pid = 12, .name = "tool", .uid = 1000, .gid = 1002 };
	struct fact f = { .kind = FACT_FILE, .run = &run, .process = &who };

	(void)s;
	f.file.path.text = (char *)"/src/out/t.log";
	f.file.action = FILE_OPEN;
	f.file.mode = S_IFREG | 0660;
	f.file.uid = 1000;
	f.file.gid = 1002;
	f.file.dir_mode = S_IFDIR | 0755;
	f.file.dir_uid = f.file.dir_gid = 1000;
	f.file.is_log = true;
	report_reset(&report);
	detect_log_exposure.look(&f, &report);
	check_miss("R5.1");
	who.uid = 1001; /* of another user of the run, with the same group */
	report_reset(&report);
	detect_log_exposure.look(&f, &report);
	check_hit("R5.1");
	who.uid = 1000;
	who.gid = 1003;
	report_reset(&report);
	detect_log_exposure.look(&f, &report);
	check_hit("R5.1");
}

static void a_foreign_log_that_is_loosened(void **s)
{
	struct deed d = { FILE_CHMOD, 0644, 0, OWNER_FOREIGN, 0640, NULL, 0, 0 };

	(void)s;
	done(d, ROLE_TEST);
	check_hit("R5.5");
	d.old_mode = 0666; /* tightened */
	done(d, ROLE_TEST);
	check_miss("R5.5");
	d.old_mode = -1;
	done(d, ROLE_TEST);
	check_hit("R5.5");
	d.mode = 0640;
	done(d, ROLE_TEST);
	check_miss("R5.5");
	d.mode = 0644;
	d.owner = OWNER_OWN;
	done(d, ROLE_TEST);
	check_miss("R5.5");
}

static void a_log_of_the_system_is_nobodys_to_remove(void **s)
{
	struct deed d = { FILE_REMOVE, 0, 0, OWNER_OWN, -1, "/var/log/messages", 0, 0 };

	(void)s;
	done(d, ROLE_TEST);
	check_hit("R5.5");
	d.path = "/var/log/mytest.log";
	done(d, ROLE_TEST);
	check_miss("R5.5");
	d.path = "/var/lib/docker/containers/0/0-json.log";
	done(d, ROLE_TEST);
	check_hit("R5.5");
	d.path = "/opt/runner/_diag/Worker_1.log";
	done(d, ROLE_TEST);
	check_hit("R5.5");
}

static void a_changed_mode_counts_as_that_of_an_open(void **s)
{
	struct deed d = { FILE_CHMOD, 0666, 0, OWNER_OWN, 0600, NULL, 0, 0 };

	(void)s;
	done(d, ROLE_TEST);
	check_hit("R5.1");
	check_hit("R5.2");
	d.mode = 0600;
	done(d, ROLE_TEST);
	assert_int_equal(report.n, 0);
	d.mode = 0666;
	d.action = FILE_REMOVE;
	done(d, ROLE_TEST);
	assert_int_equal(report.n, 0);
}

static void a_link_in_a_shared_directory(void **s)
{
	struct fact f = { .kind = FACT_FILE, .run = &run, .process = &parent };

	(void)s;
	f.file.action = FILE_LINK;
	f.file.path.text = (char *)"/tmp/x.log";
	f.file.mode = 0777;
	f.file.dir_mode = S_IFDIR | 01777;
	f.file.is_log = true;
	report_reset(&report);
	detect_log_exposure.look(&f, &report);
	check_hit("R5.4");
	check_miss("R5.1");
	f.file.dir_mode = S_IFDIR | 0755;
	report_reset(&report);
	detect_log_exposure.look(&f, &report);
	assert_int_equal(report.n, 0);
}

static void opened_by_name(uint32_t names, uint32_t dir_mode, enum owner owner)
{
	struct fact f = { .kind = FACT_FILE, .run = &run, .process = &parent };

	f.file.action = FILE_OPEN;
	f.file.path.text = (char *)"/tmp/x.log";
	f.file.mode = S_IFREG | 0600;
	f.file.uid = f.file.gid = 1000;
	f.file.nlink = names;
	f.file.owner = owner;
	f.file.dir_mode = S_IFDIR | dir_mode;
	f.file.is_log = true;
	report_reset(&report);
	detect_log_exposure.look(&f, &report);
}

static void another_name_in_a_shared_directory(void **s)
{
	(void)s;
	opened_by_name(2, 01777, OWNER_FOREIGN);
	check_hit("R5.4");
	opened_by_name(2, 0755, OWNER_FOREIGN);
	check_miss("R5.4");
	opened_by_name(2, 01777, OWNER_OWN);
	check_miss("R5.4");
	opened_by_name(1, 01777, OWNER_FOREIGN);
	check_miss("R5.4");
}

static void a_log_that_holds_a_secret_is_loosened(void **s)
{
	struct deed d = { FILE_CHMOD, 0644, 0, OWNER_OWN, 0600, NULL, 0, 0 };

	(void)s;
	secret = true;
	done(d, ROLE_TEST);
	check_hit("R5.6");
	d.old_mode = 0666; /* tightened */
	done(d, ROLE_TEST);
	check_miss("R5.6");
	secret = false;
	d.old_mode = 0600;
	done(d, ROLE_TEST);
	check_miss("R5.6");
}

static void a_secret_is_told_by_the_rule_of_where_it_went(void **s)
{
	struct secret token = { .kind = SECRET_VARIABLE, .name = "API_TOKEN" };
	struct fact f = { .kind = FACT_LEAK, .run = &run };

	(void)s;
	f.leak.secret = &token;
	f.leak.where = LEAK_LOG;
	f.leak.path = "/src/t.log";
	report_reset(&report);
	detect_log_exposure.look(&f, &report);
	check_hit("R5.3");
	f.leak.where = LEAK_OUTPUT;
	report_reset(&report);
	detect_log_exposure.look(&f, &report);
	check_hit("R5.3");
	f.leak.where = LEAK_NETWORK; /* R1.8's */
	report_reset(&report);
	detect_log_exposure.look(&f, &report);
	check_miss("R5.3");
}

static void a_device_is_no_log(void **s)
{
	struct log l = good;

	(void)s;
	l.mode = 0666;
	l.path = "/dev/null";
	opened(l);
	assert_int_equal(report.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_private_log_is_no_finding),
		cmocka_unit_test(a_log_that_others_can_write),
		cmocka_unit_test(a_log_in_a_directory_that_others_can_change),
		cmocka_unit_test(a_log_that_others_can_read_once_a_directory),
		cmocka_unit_test(nobody_else_reaches_what_lies_in_a_closed_directory),
		cmocka_unit_test(a_foreign_log_that_is_truncated_removed_or_replaced),
		cmocka_unit_test(a_truncation_that_takes_nothing_is_none),
		cmocka_unit_test(a_foreign_log_is_truncated_by_an_open_that_says_so),
		cmocka_unit_test(what_no_chmod_or_chown_did_is_not_loosened),
		cmocka_unit_test(a_private_group_is_the_runs_own_users),
		cmocka_unit_test(a_foreign_log_that_is_loosened),
		cmocka_unit_test(a_log_of_the_system_is_nobodys_to_remove),
		cmocka_unit_test(a_changed_mode_counts_as_that_of_an_open),
		cmocka_unit_test(a_link_in_a_shared_directory),
		cmocka_unit_test(another_name_in_a_shared_directory),
		cmocka_unit_test(a_log_that_holds_a_secret_is_loosened),
		cmocka_unit_test(a_secret_is_told_by_the_rule_of_where_it_went),
		cmocka_unit_test(a_device_is_no_log),
	};

	return FACT_TESTS(tests);
}
