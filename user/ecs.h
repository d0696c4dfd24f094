/* ecs.h: parts of a stream line as ECS field sets: process, container, rule, engine call, file.
 * Pure. */
#ifndef INVIGIL_ECS_H
#define INVIGIL_ECS_H

#include "alert.h"
#include "jsonw.h"

enum detail {
	DETAIL_WHOLE, /* every argument: the exec line */
	DETAIL_BRIEF, /* at most ECS_BRIEF bytes of arguments */
	DETAILS
};

#define ECS_BRIEF    4096u  /* bytes of arguments where a process is context, not subject */
#define ECS_CONFIG   16384u /* bytes of a request body in invigil.docker.config */
#define ANCESTRY_MAX 16

/* "process": {...}, its parent inside. NULL writes nothing. */
void ecs_process(struct jsonw *j, const struct process *p, const struct run *run,
		 enum detail detail);
/* "invigil.exec" and "invigil.cut"; j stands in the invigil object. */
void ecs_exec(struct jsonw *j, const struct process *p);
/* The test case inside which it happened; nothing for NULL. */
void ecs_test(struct jsonw *j, const struct test_case *t);
/* "invigil.source", DETAIL_BRIEF without the stack, which is most of its text; NULL writes nothing. */
void ecs_source(struct jsonw *j, const struct source *s, enum detail detail);
void ecs_ancestry(struct jsonw *j, const struct process *p);
int ecs_exit_code(int status); /* of a wait(2) status: 128+N when signal N ended it */

/* Top level members of a fact that are neither event nor process nor invigil. */
void ecs_fact(struct jsonw *j, const struct fact *f);
/* Its members of the invigil object; whole: also what only its own line carries. */
void ecs_fact_invigil(struct jsonw *j, const struct fact *f, bool whole);
/* event.action and event.type of what was done to a file. */
const char *ecs_file_action(unsigned action, bool log);
const char *ecs_file_type(unsigned action);
void ecs_container(struct jsonw *j, struct span id, struct span name, struct span image);
void ecs_rule(struct jsonw *j, const struct rule *r);
void ecs_threat(struct jsonw *j, const struct rule *r);

/* cicd.* and vcs.* of the run's CI job; nothing without one. */
void ecs_job(struct jsonw *j, const struct run *run);

#endif
