/* test_log_exposure.c: R5, each rule with a hit and the nearest miss. */
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
		cmocka_unit_test(a_device_is_no_log),
	};

	return FACT_TESTS(tests);
}
