/* test_stream.c: all kinds of lines hold known fields and allowed values, and count without holes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "process_table.h"
#include "stream.h"

/* ---- the schema ---- */

static struct buf fields, values; /* the two tables as text, each line begun by '\n' */

static void table_read(const char *name, struct buf *out)
{
	const char *dir = getenv("INVIGIL_TEST_DATA");
	char path[4096], piece[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "tests/unit/data", name);
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	buf_byte(out, '\n');
	while ((n = fread(piece, 1, sizeof(piece), f)))
		buf_add(out, piece, n);
	fclose(f);
}

static const char *row(const struct buf *table, const char *a, const char *b)
{
	char key[512];

	snprintf(key, sizeof(key), "\n%s\t%s%s", a, b ? b : "", b ? "\t" : "");
	return strstr(table->ptr, key);
}

/* Does the word stand in the comma separated rest of the row? */
static bool row_lists(const char *at, const char *word)
{
	size_t n = strlen(word);

	at = strrchr(strndupa(at + 1, strcspn(at + 1, "\n")), '\t') + 1;
	for (; *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == n && !strncmp(at, word, n))
			return true;
	return false;
}

/* ---- a line as a flat list ---- */

struct member {
	char *path, *value; /* dotted; a string's text or the token as it stands */
	bool array, text;
};

struct line {
	struct member at[512];
	unsigned n;
};

static const char *string_read(const char *p, struct buf *out)
{
	assert_int_equal(*p, '"');
	for (p++; *p != '"'; p++) {
		assert_true((unsigned char)*p >= ' ');
		buf_byte(out, *p);
		if (*p == '\\')
			buf_byte(out, *++p);
	}
	return p + 1;
}

static const char *value_read(struct line *l, const char *path, bool array, const char *p)
{
	struct buf b = { 0 };
	bool text = *p == '"';

	if (*p == '{' || *p == '[') {
		bool object = *p++ == '{';

		while (*p != '}' && *p != ']') {
			struct buf inner = { 0 };

			buf_str(&inner, path);
			if (object) {
				struct buf seen = { 0 };

				if (inner.len)
					buf_byte(&inner, '.');
				p = string_read(p, &inner) + 1;
				buf_fmt(&seen, "%s.", inner.ptr);
				/* A key twice in one object would be lost by most readers. */
				for (unsigned i = 0; !array && i < l->n; i++)
					if (!l->at[i].array &&
					    (!strcmp(l->at[i].path, inner.ptr) ||
					     !strncmp(l->at[i].path, seen.ptr, seen.len)))
						fail_msg("%s stands twice", inner.ptr);
				buf_free(&seen);
			}
			p = value_read(l, inner.ptr, array || !object, p);
			buf_free(&inner);
			if (*p == ',')
				p++;
		}
		return p + 1;
	}
	if (text)
		p = string_read(p, &b);
	else
		for (; !strchr(",}]", *p); p++)
			buf_byte(&b, *p);
	assert_true(l->n < ARRAY_SIZE(l->at));
	l->at[l->n++] = (struct member){ strdup(path), strdup(b.len ? b.ptr : ""), array, text };
	buf_free(&b);
	return p;
}

static void line_free(struct line *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		free(l->at[i].path);
		free(l->at[i].value);
	}
	l->n = 0;
}

static const char *get(const struct line *l, const char *path)
{
	for (unsigned i = 0; i < l->n; i++)
		if (!strcmp(l->at[i].path, path))
			return l->at[i].value;
	return "(absent)";
}

static void member_check(const struct member *m)
{
	static const char *const own[] = { "invigil.", "cicd.", "vcs." };
	const char *r, *type;

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!strncmp(m->path, own[i], strlen(own[i])))
			return;
	r = row(&fields, m->path, NULL);
	if (!r)
		fail_msg("%s is no ECS field", m->path);
	type = strchr(r, '\t') + 1;
	if (m->array != (strncmp(type + strcspn(type, "\t\n"), "\tarray", 6) == 0))
		fail_msg("%s: array or not", m->path);
	if (m->text != (strncmp(type, "long", 4) && strncmp(type, "boolean", 7)))
		fail_msg("%s: wrong JSON type for %.10s", m->path, type);
	if (row(&values, m->path, NULL) && !row(&values, m->path, m->value))
		fail_msg("%s: %s is not allowed", m->path, m->value);
}

static void line_check(const struct line *l)
{
	static const char *const always[] = {
		"@timestamp",        "ecs.version",    "event.kind",       "event.category",
		"event.type",        "event.action",   "event.dataset",    "event.module",
		"event.id",          "event.sequence", "host.name",        "host.id",
		"host.architecture", "host.os.type",   "host.os.kernel",   "observer.vendor",
		"observer.product",  "observer.type",  "observer.version", "invigil.run.id",
	};
	const char *category = row(&values, "event.category", get(l, "event.category"));

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		if (!strcmp(get(l, always[i]), "(absent)"))
			fail_msg("no %s", always[i]);
	for (unsigned i = 0; i < l->n; i++) {
		member_check(&l->at[i]);
		if (!strcmp(l->at[i].path, "event.type") && !row_lists(category, l->at[i].value))
			fail_msg("type %s with category %s", l->at[i].value,
				 get(l, "event.category"));
	}
}

/* ---- a run to speak of ---- */

#define BOOT 1000000000ull
static struct span command[] = { { "pytest", 6 }, { "a\xff", 2 } };
static struct run run = {
	.id = "01890a5d-ac96-774b-bcce-b302099a8057",
	.wall_offset = 1700000000000000000ull,
	.command = command,
	.commands = 2,
	.cwd = (char *)"/w",
	.uid = 1000,
	.user = (char *)"ci",
	.host_name = (char *)"h",
	.host_fqdn = (char *)"h.x",
	.host_id = (char *)"i",
	.host_arch = (char *)"x86_64",
	.host_kernel = (char *)"6.18",
	.boot_id = (char *)"0123456789",
	.domain = (char *)"x",
	.complete = true,
	.began = 5,
	.ended = 9,
	.status = -1,
};
static struct process_table *table;
static struct process *child;
static struct buf got;
static int sink_error;

static int sink(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	buf_add(&got, text, len);
	return sink_error;
}

static int setup(void **state)
{
	const char tail[] = "python3\0t.py\0x\xfe\0HOME\0TOKEN!";
	struct ev_exec e = { .args_len = 16,
			     .args_want = 99,
			     .env_len = 12,
			     .env_want = 12,
			     .uid = 1000,
			     .flags = EXEC_MEMFD,
			     .comm = "python3" };
	struct ev_hdr h = {
		.pid = 10, .start = BOOT, .len = sizeof(tail), .want = sizeof(tail) + 83
	};
	struct ev_fork f = { .child_pid = 11, .child_start = BOOT + 1, .child_vpid = 3 };

	(void)state;
	if (!fields.len) {
		table_read("ecs-fields.tsv", &fields);
		table_read("ecs-allowed-values.tsv", &values);
	}
	buf_reset(&got);
	sink_error = 0;
	table = table_new();
	table_exec(table, &h, &e, tail, &run);
	child = table_fork(table, table_exec(table, &h, &e, tail, &run), &f, &run);
	h.pid = 11;
	h.start = BOOT + 1;
	e.fd[1] = (struct ev_fd){ .kind = FD_PIPE, .peer_pid = 10 };
	table_exec(table, &h, &e, tail, &run);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	table_free(table);
	return 0;
}

static struct fact fact_of(enum fact_kind kind)
{
	static struct path_step step;
	struct fact f = { .kind = kind, .time = 1700000001000000000ull, .run = &run };
	struct span name, endpoint;

	if (kind & (FACT_EXEC | FACT_EXIT | FACT_ENV | FACT_CONNECT | FACT_DOCKER | FACT_FILE))
		f.process = child;
	switch (kind) {
	case FACT_ENV:
		f.env.name = SPAN("TOKEN");
		f.env.found = 1;
		f.env.sensitive = true;
		break;
	case FACT_CONNECT:
		f.connect.address = SPAN("/run/docker.sock");
		f.connect.asked = SPAN("/tmp/d\xfe.sock");
		f.connect.family = AF_UNIX;
		f.connect.error = ECONNREFUSED;
		f.connect.listener_pid = 4;
		f.connect.listener_name = "dockerd";
		break;
	case FACT_DOCKER:
		f.docker.path = SPAN("/containers/create");
		f.docker.method = SPAN("POST");
		f.docker.route = docker_route(f.docker.method, f.docker.path, &name, &endpoint);
		f.docker.endpoint = f.docker.path;
		f.docker.query = SPAN("name=x");
		f.docker.user_agent = SPAN("curl/8");
		f.docker.body = SPAN("{\"Image\":\"a\"}");
		f.docker.status = 201;
		f.docker.duration = 7;
		f.docker.owner = OWNER_OWN;
		f.docker.container_id = SPAN("abc");
		f.docker.container_name = SPAN("x");
		f.docker.image_name = SPAN("a");
		f.docker.pruned_own = 1;
		break;
	case FACT_FILE:
		f.file.path = (struct path){ (char *)"/w/a.log", &step, 1, false };
		f.file.mode = 0100644;
		f.file.uid = 1000;
		f.file.ino = 77;
		f.file.is_log = true;
		break;
	case FACT_HEALTH:
		f.health.what = HEALTH_LOST;
		f.health.hook = SPAN("ring");
		f.health.reason = SPAN("dropped");
		f.health.effect = SPAN("less");
		f.health.count = 3;
		f.health.type = "exec";
		break;
	default:
		break;
	}
	return f;
}

static struct alert alert_of(struct rule *r)
{
	*r = (struct rule){ "R6.1",
			    "privileged-container",
			    RISK_CONTAINER_CONFIG,
			    SEV_HIGH,
			    "says",
			    "do",
			    "CWE-250 CIS-Docker-1.6:5.5",
			    { "TA0004", "Privilege Escalation", "T1548", "Abuse", "T1548.001",
			      "Setuid" },
			    true };
	return (struct alert){ .rule = r,
			       .severity = SEV_HIGH,
			       .fingerprint = "00112233445566778899aabbccddeeff",
			       .count = 2,
			       .first = 1,
			       .last = 2,
			       .subject = { (char *)"s", 1, 0 },
			       .evidence = { (char *)"e\xff", 2, 0 } };
}

static void all_lines(struct stream *s)
{
	struct fact f;
	struct rule r;
	struct alert a = alert_of(&r);
	struct alerts alerts = { .at = &a, .n = 1 };
	struct span left = SPAN("container abc");
	struct run_result result = { "passed", "high", &alerts,
				     &left,    1,      (const struct process **)&child,
				     1 };

	child->ended = 0;
	child->status = 0;
	for (unsigned kind = FACT_RUN_START; kind <= FACT_HEALTH; kind <<= 1) {
		if (kind == FACT_RUN_END)
			continue;
		f = fact_of(kind);
		stream_fact(s, &f, NULL);
		stream_alert(s, &a, &f, false);
	}
	for (unsigned what = HEALTH_GAP; what <= HEALTH_MISSED; what++) {
		f = fact_of(FACT_HEALTH);
		f.health.what = what;
		f.process = child;
		stream_fact(s, &f, NULL);
	}
	f = fact_of(FACT_CONNECT);
	f.connect.family = AF_INET;
	f.connect.port = 2375;
	stream_fact(s, &f, NULL);
	child->ended = BOOT + 50;
	child->status = 9;
	f = fact_of(FACT_EXIT);
	stream_fact(s, &f, NULL);
	f = fact_of(FACT_RUN_END);
	f.process = child;
	stream_alert(s, &a, &f, true);
	f.end.status = 256;
	stream_run_end(s, &f, &result);
}

/* Parses the next line of got at *at into l; false at the end. */
static bool line_next(const char **at, struct line *l)
{
	line_free(l);
	if (!**at)
		return false;
	*at = value_read(l, "", false, *at);
	assert_int_equal(**at, '\n');
	++*at;
	return true;
}

static void every_line_is_ecs_and_counts_without_holes(void **state)
{
	static struct line l;
	struct stream s = { 0 };
	const char *at;
	unsigned n = 0;

	(void)state;
	stream_init(&s, &run, false, sink, NULL);
	all_lines(&s);
	for (at = got.ptr; line_next(&at, &l);) {
		char id[80];

		line_check(&l);
		assert_int_equal(atoi(get(&l, "event.sequence")), ++n);
		snprintf(id, sizeof(id), "%s:%u", run.id, n);
		assert_string_equal(get(&l, "event.id"), id);
	}
	assert_int_equal(n, s.sequence);
	assert_int_equal(n, s.written);
	stream_free(&s);
}

static void a_reduced_stream_has_its_own_numbers_and_says_so(void **state)
{
	static struct line l;
	struct stream s = { 0 };
	const char *at;
	unsigned n = 0, full;

	(void)state;
	stream_init(&s, &run, false, NULL, NULL);
	all_lines(&s);
	full = s.sequence;
	stream_free(&s);
	stream_init(&s, &run, true, sink, NULL);
	all_lines(&s);
	for (at = got.ptr; line_next(&at, &l);) {
		line_check(&l);
		assert_string_equal(get(&l, "invigil.output.reduced"), "true");
		assert_int_equal(atoi(get(&l, "invigil.output.sequence")), ++n);
		if (!strcmp(get(&l, "event.kind"), "event"))
			fail_msg("%s in a reduced stream", get(&l, "event.action"));
	}
	assert_int_equal(s.sequence, full);
	assert_true(n < full);
	stream_free(&s);
}

static void the_same_facts_give_the_same_bytes(void **state)
{
	struct buf first = { 0 };
	struct stream s = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		stream_init(&s, &run, false, sink, NULL);
		all_lines(&s);
		stream_free(&s);
		if (!i)
			buf_add(&first, got.ptr, got.len);
		if (!i)
			buf_reset(&got);
	}
	assert_string_equal(first.ptr, got.ptr);
	buf_free(&first);
}

static void fact_line(const struct fact *f, const struct report *findings, struct line *l)
{
	struct stream s = { 0 };
	const char *at;

	buf_reset(&got);
	stream_init(&s, &run, false, sink, NULL);
	stream_fact(&s, f, findings);
	at = got.ptr;
	assert_true(line_next(&at, l));
	stream_free(&s);
}

static void an_exec_says_what_was_executed_and_what_was_cut(void **state)
{
	static struct line l;
	struct fact f = fact_of(FACT_EXEC);

	(void)state;
	fact_line(&f, NULL, &l);
	assert_string_equal(get(&l, "event.action"), "exec");
	assert_string_equal(get(&l, "process.pid"), "11");
	assert_string_equal(get(&l, "process.args_count"), "3");
	assert_string_equal(get(&l, "process.entity_id"), "01234567-11-1000000001");
	assert_string_equal(get(&l, "process.start"), "2023-11-14T22:13:21.000000001Z");
	assert_string_equal(get(&l, "process.parent.pid"), "10");
	assert_string_equal(get(&l, "process.real_user.name"), "ci");
	assert_string_equal(get(&l, "invigil.exec.stdout.kind"), "pipe");
	assert_string_equal(get(&l, "invigil.exec.stdout.peer_pid"), "10");
	assert_string_equal(get(&l, "invigil.exec.flags"), "memfd");
	assert_string_equal(get(&l, "invigil.exec.env_sensitive"), "TOKEN");
	assert_string_equal(get(&l, "invigil.exec.args_wanted"), "99");
	assert_string_equal(get(&l, "invigil.cut"), "process.args");
	assert_string_not_equal(get(&l, "invigil.raw.base64"), "(absent)");
	line_free(&l);
}

static void a_docker_call_says_what_was_asked_and_answered(void **state)
{
	static struct line l;
	struct fact f = fact_of(FACT_DOCKER);

	(void)state;
	fact_line(&f, NULL, &l);
	assert_string_equal(get(&l, "event.action"), "container-create");
	assert_string_equal(get(&l, "event.type"), "creation");
	assert_string_equal(get(&l, "event.outcome"), "success");
	assert_string_equal(get(&l, "http.response.status_code"), "201");
	assert_string_equal(get(&l, "invigil.docker.owner"), "own");
	assert_string_equal(get(&l, "container.image.name"), "a");
	f.docker.status = 0;
	fact_line(&f, NULL, &l);
	assert_string_equal(get(&l, "event.outcome"), "unknown");
	line_free(&l);
}

static void a_file_that_is_no_log_has_no_line(void **state)
{
	struct fact f = fact_of(FACT_FILE);
	static struct line l;
	struct stream s = { 0 };

	(void)state;
	f.file.is_log = false;
	stream_init(&s, &run, false, sink, NULL);
	stream_fact(&s, &f, NULL);
	assert_int_equal(s.sequence, 0);
	assert_int_equal(got.len, 0);
	stream_free(&s);
	f.file.is_log = true;
	fact_line(&f, NULL, &l);
	assert_string_equal(get(&l, "file.mode"), "0644");
	assert_string_equal(get(&l, "file.owner"), "ci");
	line_free(&l);
}

static void an_info_finding_stands_in_the_line_of_its_event(void **state)
{
	static struct report report;
	static struct line l;
	struct fact f = fact_of(FACT_EXEC);
	const struct rule *info = NULL, *loud = NULL;

	(void)state;
	for (size_t i = 0; i < n_rules; i++)
		if (rule_severity(&rules[i]) == SEV_INFO)
			info = &rules[i];
		else
			loud = &rules[i];
	if (!info || !loud)
		skip();
	report.n = 2;
	report.at[0].rule = loud;
	report.at[1].rule = info;
	report.at[1].evidence = (struct buf){ (char *)"why", 3, 0 };
	fact_line(&f, &report, &l);
	assert_string_equal(get(&l, "invigil.findings.rule"), info->id);
	assert_string_equal(get(&l, "invigil.findings.evidence"), "why");
	line_free(&l);
}

static void an_alert_names_rule_technique_and_ancestors(void **state)
{
	static struct line l;
	struct stream s = { 0 };
	struct fact f = fact_of(FACT_DOCKER);
	struct rule r;
	struct alert a = alert_of(&r);
	const char *at;

	(void)state;
	stream_init(&s, &run, false, sink, NULL);
	stream_alert(&s, &a, &f, false);
	at = got.ptr;
	assert_true(line_next(&at, &l));
	assert_string_equal(get(&l, "event.kind"), "alert");
	assert_string_equal(get(&l, "event.severity"), "73");
	assert_string_equal(get(&l, "event.action"), "privileged-container");
	assert_string_equal(get(&l, "rule.category"), "container-config");
	assert_string_equal(get(&l, "rule.reference"),
			    "https://attack.mitre.org/techniques/T1548/001/");
	assert_string_equal(get(&l, "threat.technique.subtechnique.id"), "T1548.001");
	assert_string_equal(get(&l, "invigil.references"), "CWE-250");
	assert_string_equal(get(&l, "invigil.ancestry.pid"), "10");
	assert_string_equal(get(&l, "container.id"), "abc");
	line_free(&l);
	stream_free(&s);
}

static void a_failing_sink_is_counted_and_the_stream_goes_on(void **state)
{
	struct stream s = { 0 };

	(void)state;
	sink_error = -ENOSPC;
	stream_init(&s, &run, false, sink, NULL);
	all_lines(&s);
	assert_int_equal(s.error, -ENOSPC);
	assert_int_equal(s.failed, s.sequence);
	assert_int_equal(s.written, 0);
	stream_free(&s);
}

static void env_line(struct stream *s, const struct process *p, struct line *l)
{
	struct fact f = fact_of(FACT_ENV);
	const char *at;

	f.process = p;
	buf_reset(&got);
	stream_fact(s, &f, NULL);
	at = got.ptr;
	assert_true(line_next(&at, l));
}

static void child_exec(const char *name, uint32_t euid)
{
	struct ev_exec e = {
		.args_len = strlen(name) + 1, .args_want = strlen(name) + 1, .uid = 7, .euid = euid
	};
	struct ev_hdr h = {
		.pid = 11, .start = BOOT + 1, .len = strlen(name) + 1, .want = strlen(name) + 1
	};

	strcpy(e.comm, name);
	table_exec(table, &h, &e, name, &run);
}

/* What is written of a process is kept until it changes. */
static void a_process_is_told_as_it_is_now(void **state)
{
	static struct line l;
	struct ev_fork fork = { .child_pid = 12, .child_start = BOOT + 2, .child_vpid = 4 };
	struct stream s = { 0 };
	struct process *grandchild;

	(void)state;
	stream_init(&s, &run, false, sink, NULL);
	child_exec("sh", 7);
	grandchild = table_fork(table, child, &fork, &run);
	for (int again = 0; again < 2; again++) {
		env_line(&s, grandchild, &l);
		assert_string_equal(get(&l, "process.command_line"), "sh");
		assert_string_equal(get(&l, "process.vpid"), "4");
		assert_string_equal(get(&l, "process.exit_code"), "(absent)");
		assert_string_equal(get(&l, "process.parent.name"), "sh");
		assert_string_equal(get(&l, "process.parent.real_user.id"), "(absent)");
	}
	child_exec("ls", 8);
	grandchild->ended = BOOT + 9;
	for (int again = 0; again < 2; again++) {
		env_line(&s, grandchild, &l);
		assert_string_equal(get(&l, "process.name"), "sh");
		assert_string_equal(get(&l, "process.exit_code"), "0");
		assert_string_equal(get(&l, "process.parent.name"), "ls");
		assert_string_equal(get(&l, "process.parent.command_line"), "ls");
		assert_string_equal(get(&l, "process.parent.user.id"), "8");
		assert_string_equal(get(&l, "process.parent.real_user.id"), "7");
		env_line(&s, child, &l);
		assert_string_equal(get(&l, "process.name"), "ls");
		assert_string_equal(get(&l, "process.exit_code"), "(absent)");
	}
	grandchild->ended = 0;
	fork.child_vpid = 5;
	table_fork(table, child, &fork, &run);
	env_line(&s, grandchild, &l);
	assert_string_equal(get(&l, "process.vpid"), "5");
	assert_string_equal(get(&l, "process.exit_code"), "(absent)");
	line_free(&l);
	stream_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_line_is_ecs_and_counts_without_holes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_reduced_stream_has_its_own_numbers_and_says_so,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_facts_give_the_same_bytes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_exec_says_what_was_executed_and_what_was_cut,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_docker_call_says_what_was_asked_and_answered,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_is_no_log_has_no_line, setup, teardown),
		cmocka_unit_test_setup_teardown(a_process_is_told_as_it_is_now, setup, teardown),
		cmocka_unit_test_setup_teardown(an_info_finding_stands_in_the_line_of_its_event,
						setup, teardown),
		cmocka_unit_test_setup_teardown(an_alert_names_rule_technique_and_ancestors, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_failing_sink_is_counted_and_the_stream_goes_on,
						setup, teardown),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_free(&fields);
	buf_free(&values);
	buf_free(&got);
	return failed;
}
