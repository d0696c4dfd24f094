/* take_test.c: the test case that a process runs, for all that happens in it and in what it starts. */
#include "pipeline_state.h"

void take_test(struct pipeline *p, const struct record *r)
{
	const struct ev_test *e = r->body;
	struct process *process = process_of(p, r);
	struct test_case *test = test_case_new(TEST_PYTEST, (struct span){ r->tail, r->h->len });

	/* A variable is told at first sight in each test case. */
	if (!test_case_same(test, process->test))
		process_reads_forget(process);
	test_case_drop(process->test);
	process->test = test;
	if (e->failed || r->h->want > r->h->len)
		health_emit(p, HEALTH_CUT, process, SPAN("test case"),
			    SPAN("its name was not read whole"), SPAN("invigil.test.name"), 1, NULL,
			    false);
}
