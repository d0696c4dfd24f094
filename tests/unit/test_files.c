/* test_files.c: R3.9 and R7.6, and what the pipeline remembers of files. */
#include <sys/stat.h>
#include "facts.h"
#include "file_table.h"

static void changed(const char *name, unsigned action, uint32_t mode, int old_mode, bool created)
{
	struct process who = { .pid = 12, .name = (char *)name };
	struct fact f = { .kind = FACT_FILE, .run = &run, .process = &who };

	f.file.path.text = (char *)"/src/tool";
	f.file.action = action;
	f.file.mode = S_IFREG | mode;
	f.file.before = old_mode >= 0;
	f.file.old_mode = (uint32_t)old_mode;
	f.file.created = created;
	report_reset(&report);
	detect_privilege_bits.look(&f, &report);
}

static void set_id_bits_that_were_not_there(void **s)
{
	(void)s;
	changed("chmod", FILE_CHMOD, 04755, -1, false);
	check_hit("R3.9");
	changed("chmod", FILE_CHMOD, 02755, 0755, false);
	check_hit("R3.9");
	changed("chmod", FILE_CHMOD, 01755, -1, false);
	assert_int_equal(report.n, 0);
	changed("chmod", FILE_CHMOD, 0755, 04755, false);
	assert_int_equal(report.n, 0);
	changed("chmod", FILE_CHMOD, 04700, 04755, false);
	assert_int_equal(report.n, 0);
	changed("chmod", FILE_CHMOD, 06755, 04755, false);
	check_hit("R3.9");
}

static void a_file_may_be_born_with_them(void **s)
{
	(void)s;
	changed("tool", FILE_OPEN, 04755, -1, true);
	check_hit("R3.9");
	changed("tool", FILE_OPEN, 04755, -1, false);
	assert_int_equal(report.n, 0);
}

static void capabilities_and_who_gives_them(void **s)
{
	(void)s;
	changed("setcap", FILE_SETCAP, 0755, -1, false);
	check_hit("R3.9");
	changed("dpkg", FILE_SETCAP, 0755, -1, false);
	assert_int_equal(report.n, 0);
}

/* The environment of who reads, and of what made him; each ends with its NUL. */
static struct span env, env_above;

static void read_by(const char *name, const char *script, unsigned libraries, const char *path)
{
	struct path cwd = { .text = (char *)"/src" };
	struct process up = {
		.pid = 11, .cwd = cwd, .env = (char *)env_above.ptr, .env_len = env_above.len
	};
	struct process who = { .pid = 12,
			       .name = (char *)name,
			       .script = (char *)script,
			       .cwd = cwd,
			       .parent = &up,
			       .env = (char *)env.ptr,
			       .env_len = env.len };
	struct fact f = { .kind = FACT_FILE, .run = &run, .process = &who };

	who.libraries = libraries;
	f.file.path.text = (char *)path;
	f.file.action = FILE_READ;
	f.file.mode = S_IFREG | 0600;
	report_reset(&report);
	detect_credential_store.look(&f, &report);
}

static void a_credential_store_has_its_own_clients(void **s)
{
	static const struct {
		const char *path, *client, *stranger;
		unsigned library;
	} rows[] = {
		{ "/home/u/.docker/config.json", "docker", "cat", LIBRARY_DOCKER },
		{ "/home/u/.aws/credentials", "aws", "docker", LIBRARY_AWS },
		{ "/home/u/.aws/config", "terraform", "grep", LIBRARY_AWS },
		{ "/home/u/.netrc", "curl", "sh", LIBRARY_REQUESTS },
		{ "/home/u/.git-credentials", "git-credential-store", "python3", 0 },
		{ "/home/u/.ssh/id_ed25519", "ssh", "tar", LIBRARY_SSH },
		{ "/home/u/.kube/config", "kubectl", "curl", LIBRARY_KUBERNETES },
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		read_by(rows[i].stranger, NULL, 0, rows[i].path);
		check_hit("R7.6");
		read_by(rows[i].client, NULL, 0, rows[i].path);
		check_miss("R7.6");
		read_by("python3", rows[i].client, 0, rows[i].path);
		check_miss("R7.6");
		if (!rows[i].library)
			continue;
		read_by("python3", "test.py", rows[i].library, rows[i].path);
		check_miss("R7.6");
		read_by("python3", "test.py", ~rows[i].library, rows[i].path);
		check_hit("R7.6");
	}
}

static void a_public_key_and_a_namesake_are_no_credentials(void **s)
{
	(void)s;
	read_by("cat", NULL, 0, "/home/u/.ssh/id_ed25519.pub");
	assert_int_equal(report.n, 0);
	read_by("cat", NULL, 0, "/home/u/.vscode/config.json");
	assert_int_equal(report.n, 0);
}

#define ENV(text) ((struct span){ text, sizeof(text) })

static void credentials_lie_where_DOCKER_CONFIG_says(void **s)
{
	static const char *const there[] = { "/ci/cfg", "/ci/x/../cfg/", "/ci//cfg" };
	static const char *const elsewhere[] = { "/ci/cfg2", "/ci", "" };
	char text[64];

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(there); i++) {
		env = (struct span){
			text, snprintf(text, sizeof(text), "DOCKER_CONFIG=%s", there[i]) + 1
		};
		read_by("cat", NULL, 0, "/ci/cfg/config.json");
		check_hit("R7.6");
		read_by("docker", NULL, 0, "/ci/cfg/config.json");
		check_miss("R7.6");
		read_by("python3", "test.py", LIBRARY_DOCKER, "/ci/cfg/config.json");
		check_miss("R7.6");
		read_by("cat", NULL, 0, "/ci/cfg/other.json");
		check_miss("R7.6");
	}
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		env = (struct span){
			text, snprintf(text, sizeof(text), "DOCKER_CONFIG=%s", elsewhere[i]) + 1
		};
		read_by("cat", NULL, 0, "/ci/cfg/config.json");
		check_miss("R7.6");
	}
	env = ENV("PATH\0DOCKER_CONFIG=cfg"); /* from where it stands */
	read_by("cat", NULL, 0, "/src/cfg/config.json");
	check_hit("R7.6");
	/* What made it had the variable, and it has not, or another one. */
	env_above = ENV("DOCKER_CONFIG=/ci/cfg");
	env = ENV("PATH");
	read_by("cat", NULL, 0, "/ci/cfg/config.json");
	check_hit("R7.6");
	env = ENV("DOCKER_CONFIG=/tmp/mine");
	read_by("cat", NULL, 0, "/ci/cfg/config.json");
	check_hit("R7.6");
	env_above = env = (struct span){ NULL, 0 };
	read_by("cat", NULL, 0, "/ci/cfg/config.json");
	check_miss("R7.6");
}

static void the_table_of_files_is_bounded_and_says_when_it_is_full(void **s)
{
	struct file_table t = { 0 };

	(void)s;
	for (unsigned i = 0; i < FILES_MAX; i++)
		assert_non_null(file_note(&t, 1, i));
	assert_false(t.full);
	assert_non_null(file_note(&t, 1, 7));
	assert_null(file_find(&t, 2, 7));
	assert_null(file_note(&t, 2, 7));
	assert_true(t.full);
	file_forget(&t, 1, 7);
	assert_null(file_find(&t, 1, 7));
	assert_non_null(file_note(&t, 2, 7));
	file_table_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_id_bits_that_were_not_there),
		cmocka_unit_test(a_file_may_be_born_with_them),
		cmocka_unit_test(capabilities_and_who_gives_them),
		cmocka_unit_test(a_credential_store_has_its_own_clients),
		cmocka_unit_test(a_public_key_and_a_namesake_are_no_credentials),
		cmocka_unit_test(credentials_lie_where_DOCKER_CONFIG_says),
		cmocka_unit_test(the_table_of_files_is_bounded_and_says_when_it_is_full),
	};

	return FACT_TESTS(tests);
}
