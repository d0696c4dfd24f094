/* facts.h: facts of an invented run for tests of detectors. */
#ifndef INVIGIL_TEST_FACTS_H
#define INVIGIL_TEST_FACTS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "detect.h"

static struct run run = { .uid = 1000, .user = "builder" };
static struct process parent = { .pid = 10,
				 .name = "python3",
				 .script = "test_server.py",
				 .executed = true,
				 .uid = 1000,
				 .gid = 1000,
				 .roles = ROLE_TEST | ROLE_INTERPRETER };
static struct process process;
static struct report report;
static char args[16384];

static inline int facts_setup(void **state)
{
	static const uint8_t seed[32] = { 1, 2, 3 };

	(void)state;
	masker_init(&run.masker, seed);
	return 0;
}

static inline int facts_end(void **state)
{
	(void)state;
	masker_free(&run.masker);
	report_free(&report);
	return 0;
}

/* A process with the arguments given, NULL ended; scrubbed as the pipeline does. */
static inline struct process *process_new(const char *name, unsigned roles, const char *const *argv)
{
	size_t n = 0;

	memset(&process, 0, sizeof(process));
	process.pid = 11;
	process.ppid = parent.pid;
	process.parent = &parent;
	process.uid = process.gid = 1000;
	process.executed = true;
	process.name = (char *)name;
	process.roles = roles;
	for (; *argv; argv++, process.argc++) {
		size_t len = strlen(*argv) + 1;

		assert_true(n + len < sizeof(args));
		memcpy(args + n, *argv, len);
		n += len;
	}
	process.args = args;
	process.args_len = process.args_want = n;
	scrub_arguments(&run.masker, args, n);
	return &process;
}

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

static inline void exec_look(const struct detector *d, const struct process *p)
{
	struct fact f = { .kind = FACT_EXEC, .run = &run, .process = p };

	report_reset(&report);
	d->look(&f, &report);
}

static inline void docker_look(const struct detector *d, const char *path, const char *body,
			       const char *query, const char *dockerfile)
{
	struct fact f = { .kind = FACT_DOCKER, .run = &run, .process = &parent };
	struct span name, endpoint;

	f.docker.route = docker_route(SPAN("POST"), span_of(path), &name, &endpoint);
	f.docker.body = span_of(body);
	f.docker.query = span_of(query);
	f.docker.dockerfile = span_of(dockerfile);
	report_reset(&report);
	d->look(&f, &report);
}

static inline const struct finding *found(const char *id)
{
	for (unsigned i = 0; i < report.n; i++)
		if (!strcmp(report.at[i].rule->id, id))
			return &report.at[i];
	return NULL;
}

#define check_hit(id)     assert_non_null(found(id))
#define check_miss(id)    assert_null(found(id))
#define FACT_TESTS(tests) cmocka_run_group_tests(tests, facts_setup, facts_end)

#endif
