/* test_container_leaf.c: a container's id in the path of its cgroup, as drivers and versions of cgroups form it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "container_leaf.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct place {
	const char *path;
	int holds; /* 1: the last step is that container's group */
};

/* As /proc/PID/cgroup has them; what stands before is who recorded it. */
static const struct place places[] = {
	/* dockerd 20.10, cgroupfs: v2, then v1's memory and pids */
	{ "/docker/" ID, 1 },
	{ "/system.slice/docker.service/docker/" ID, 1 },
	/* dockerd, systemd driver, v2 and hybrid */
	{ "/system.slice/docker-" ID ".scope", 1 },
	/* rootless */
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID ".scope", 1 },
	/* --cgroup-parent */
	{ "/jobs/one/" ID, 1 },
	{ "/jobs.slice/docker-" ID ".scope", 1 },
	/* podman, systemd and cgroupfs */
	{ "/machine.slice/libpod-" ID ".scope", 1 },
	{ "/libpod_parent/libpod-" ID, 1 },
	/* podman's monitor is no process of the container; nor is what only looks like it */
	{ "/machine.slice/libpod-conmon-" ID ".scope", 0 },
	{ "/machine.slice/libpod_pod_" ID, 0 },
	{ "/docker/x" ID, 0 },
	{ "/docker/" ID "/below", 0 },
	{ "/docker", 0 },
	{ "/", 0 },
};

static void the_last_step_of_a_group_s_path_holds_the_id(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		/* As the kernel side copies it: zeroes behind what fits. */
		char leaf[CONTAINER_SCOPE + 64 + 1] = { 0 };
		const char *name = strrchr(places[i].path, '/') + 1;
		size_t n = strlen(name);

		memcpy(leaf, name, n < sizeof(leaf) - 1 ? n : sizeof(leaf) - 1);
		n = container_leaf_scoped(leaf) ? CONTAINER_SCOPE : 0;
		if (places[i].holds != (memcmp(leaf + n, ID, 64) == 0))
			fail_msg("%s", places[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_step_of_a_group_s_path_holds_the_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
