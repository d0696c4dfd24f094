/* docker_case.h: one Docker call as a table row: which rule must fire on it, and which must not. */
#ifndef TESTS_DOCKER_CASE_H
#define TESTS_DOCKER_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "detect.h"

/* A row says only what matters to it. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct docker_case {
	const char *sentence; /* name of the test */
	const char *rule;     /* "R6.1" has to fire, "!R6.1" must not */
	const char *request;  /* "POST /containers/create?name=x" */
	const char *body;
	enum owner owner;
	int status; /* 0: 201; -1: none seen */
	const char *dockerfile;
	const char *process; /* name of the client; NULL: docker */
	const char *args;    /* NUL separated, NUL NUL ended */
	unsigned roles;
	unsigned pruned_own, pruned_other;
	bool cut, image_own, pruned_unreadable, removed_names_foreign, connect, not_verified;
	enum docker_way way;
	const char *says;  /* words of the evidence */
	const char *about; /* the finding's subject */
	const char *container_name;
	const char *image;  /* of a container that is created */
	const char *fqdn;   /* of the host; "": none; NULL: lonestar-7.lab.example.net */
	const char *user;   /* of the run; NULL: annabel */
	const char *hides;  /* must stand nowhere */
	const char *shares; /* NUL separated, NUL NUL ended */
};

static struct report case_report;

static void case_find(const struct docker_case *c)
{
	bool no = c->rule[0] == '!', found = false;

	for (unsigned i = 0; i < case_report.n; i++) {
		const struct finding *f = &case_report.at[i];

		if (c->hides) {
			assert_null(strstr(f->evidence.ptr, c->hides));
			assert_true(!f->subject.len || !strstr(f->subject.ptr, c->hides));
		}
		if (strcmp(f->rule->id, c->rule + no))
			continue;
		found |= (!c->says || strstr(f->evidence.ptr, c->says)) &&
			 (!c->about ||
			  span_eq((struct span){ f->subject.ptr, f->subject.len }, c->about));
		if (no == found)
			print_message("%s: %s\n", f->rule->id, f->evidence.ptr);
	}
	assert_int_equal(found, !no);
}

/* A host lonestar-7.lab.example.net, on which annabel runs and bertram may log in. */
static void case_run(struct run *r, struct user users[2])
{
	static const uint8_t seed[32] = { 7 };

	memset(r, 0, sizeof(*r));
	masker_init(&r->masker, seed);
	r->host_name = (char *)"lonestar-7";
	r->host_fqdn = (char *)"lonestar-7.lab.example.net";
	r->domain = (char *)"lab.example.net";
	r->user = (char *)"annabel";
	users[0] = (struct user){ 1001, (char *)"bertram", true };
	users[1] = (struct user){ 33, (char *)"printing", false };
	r->users = users;
	r->n_users = 2;
}

/* The bytes as the scrubber leaves them; what the table gives stays as it is. */
static struct span case_bytes(struct run *r, const char *text, struct buf *b)
{
	buf_str(b, text ? text : "");
	if (b->len)
		scrub_bytes(&r->masker, b->ptr, b->len);
	return (struct span){ b->ptr, b->len };
}

static void case_check(void **state)
{
	const struct docker_case *c = *state;
	struct user users[2];
	struct run run;
	struct process p = { .name = (char *)(c->process ? c->process : "docker"),
			     .roles = c->roles };
	struct fact f = { .kind = c->connect ? FACT_CONNECT : FACT_DOCKER,
			  .run = &run,
			  .process = &p };
	struct buf body = { 0 }, file = { 0 }, name = { 0 }, query = { 0 };
	const char *path, *mark;

	case_run(&run, users);
	if (c->fqdn)
		run.host_fqdn = *c->fqdn ? (char *)c->fqdn : NULL;
	if (c->user)
		run.user = (char *)c->user;
	for (const char *a = c->args; a && *a; a += strlen(a) + 1) {
		p.argc++;
		p.args_len += strlen(a) + 1;
	}
	p.args = (char *)c->args;
	p.args_want = p.args_len;
	if (c->connect) {
		f.connect.address = SPAN("/var/run/docker.sock");
		f.connect.verified = !c->not_verified;
		f.connect.asked = SPAN("/tmp/link.sock");
		f.connect.way = c->way;
	} else {
		struct docker_call *d = &f.docker;

		path = strchr(c->request, ' ') + 1;
		mark = strchr(path, '?');
		d->method = (struct span){ c->request, (size_t)(path - c->request - 1) };
		d->path = (struct span){ path, mark ? (size_t)(mark - path) : strlen(path) };
		d->query = case_bytes(&run, mark ? mark + 1 : NULL, &query);
		d->route = docker_route(d->method, d->path, &d->target, &d->endpoint);
		d->body = case_bytes(&run, c->body, &body);
		d->request_complete = !c->cut;
		d->status = c->status < 0 ? 0 : c->status ? c->status : 201;
		d->owner = c->owner;
		d->way = c->way;
		d->peer = SPAN("127.0.0.1:2375");
		d->dockerfile = case_bytes(&run, c->dockerfile, &file);
		d->dockerfile_complete = true;
		d->image_own = c->image_own;
		d->image_name = span_of(c->image ? c->image : "");
		for (const char *s = c->shares; s && *s; s += strlen(s) + 1)
			d->shares =
				(struct span){ c->shares, (size_t)(s + strlen(s) + 1 - c->shares) };
		d->container_name = span_of(c->container_name);
		if (docker_query(d->query, "name", 0, &name))
			d->target = (struct span){ name.ptr, name.len };
		d->pruned_own = c->pruned_own;
		d->pruned_other = c->pruned_other;
		d->pruned_unreadable = c->pruned_unreadable;
		d->removed_names_foreign = c->removed_names_foreign;
	}
	CASE_DETECTOR.look(&f, &case_report);
	buf_free(&body);
	buf_free(&file);
	buf_free(&name);
	buf_free(&query);
	masker_free(&run.masker);
	case_find(c);
}

static int case_end(void **state)
{
	(void)state;
	report_free(&case_report);
	return 0;
}

static int case_all(const struct docker_case *at, size_t n)
{
	struct CMUnitTest *tests = xcalloc(n, sizeof(*tests));
	int failed;

	for (size_t i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){ at[i].sentence, case_check, NULL, case_end,
						(void *)&at[i] };
	failed = _cmocka_run_group_tests("cases", tests, n, NULL, NULL);
	free(tests);
	return failed;
}

#endif
