/* test_lives.c: whether a process is there, by its number and its start. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "lives.h"

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static pid_t child_of_name(const char *name)
{
	int ready[2];
	char c = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NAME, name);
		if (write(ready[1], &c, 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void another_one_of_its_number_is_not_the_process(void **state)
{
	/* A name can look like the fields behind it. */
	static const char *const names[] = { "plain", "a) Z 1 1 1", "((", ") 1 2 3 4 5 6" };
	enum { TICKS = 30000000 }; /* three, of 10 ms */

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t before = now();
		pid_t pid = child_of_name(names[i]);

		assert_true(process_lives(pid, now()));
		assert_true(process_lives(pid, 0));
		/* What began so long before it has ended, and left its number. */
		assert_false(process_lives(pid, before - TICKS));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_false(process_lives(pid, now()));
		assert_false(process_lives(pid, 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_one_of_its_number_is_not_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
