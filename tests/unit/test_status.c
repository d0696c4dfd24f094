/* test_status.c: the daemon's state as people and programs read it. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "jsonr.h"
#include "status.h"

static struct status_run runs[] = {
	{ .id = "0190-a",
	  .user = "ci",
	  .ci = "gitlab",
	  .age_ns = 5500000000,
	  .programs = 21,
	  .engine_calls = 3,
	  .lines = 40,
	  .findings = { [SEV_INFO] = 9, [SEV_LOW] = 2, [SEV_HIGH] = 1 } },
	{ .id = "0190-b", .user = "a\"b", .ci = "asked for", .not_looked_at = 4 },
};
static struct status_hook hooks[] = {
	{ .name = "exec", .how = "tp_btf", .when = "always", .programs = 2 },
	{ .name = "files", .how = "fexit", .when = "while a run is active" },
	{ .name = "peeks", .how = "raw_tp", .why = "Device or resource busy", .when = "always" },
	{ .name = "writes", .when = "always" },
};
static struct status_output outputs[] = {
	{ .path = "/var/log/a.jsonl", .lines = { 10, 7, 1, 2 }, .error = -ENOSPC },
};

static struct status example(void)
{
	return (struct status){ .up_ns = 61000000000,
				.active = 3,
				.ended = 7,
				.refused = 1,
				.now = { .records = 1000, .programs = 130, .lines = 60 },
				.before = { .records = 400, .programs = 130, .lines = 45 },
				.window_ns = 60000000000,
				.lost = { [EV_UNKNOWN] = 2, [EV_EXEC] = 5 },
				.not_looked_at = 4,
				.sum = { 20, 16, 1, 3 },
				.runs = runs,
				.n_runs = ARRAY_SIZE(runs),
				.hooks = hooks,
				.n_hooks = ARRAY_SIZE(hooks),
				.outputs = outputs,
				.n_outputs = ARRAY_SIZE(outputs) };
}

static char *text_of(const struct status *s, void (*write)(const struct status *, struct buf *))
{
	struct buf b = { 0 };

	write(s, &b);
	buf_byte(&b, 0);
	return b.ptr;
}

static void assert_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	if (!at || (at != text && at[-1] != '\n') || at[strlen(line)] != '\n')
		fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void each_thing_is_a_line(void **state)
{
	struct status s = example();
	char *t = text_of(&s, status_text);

	(void)state;
	assert_line(t, "up 61 s, 3 runs active, 7 ended, 1 refused, 1000 records");
	assert_line(
		t,
		"rates: 10.0 records/s, 0.0 programs/s, 0.0 engine calls/s, 0.2 lines/s in the last 60 s");
	assert_line(t, "lost membership 2");
	assert_line(t, "lost exec 5");
	assert_line(t, "lost: 4 programs were not looked into in time");
	assert_line(t, "lost: 1 lines were not taken by an output");
	assert_line(
		t,
		"run 0190-a gitlab: user ci, for 5 s, 21 programs, 3 engine calls, 40 lines, 1 high, 2 low");
	assert_line(
		t,
		"run 0190-b asked for: user a\"b, for 0 s, 0 programs, 0 engine calls, 0 lines, 4 programs not looked into");
	assert_line(t, "hook exec: 2 attached, tp_btf, always");
	assert_line(t, "hook files: not attached, fexit, while a run is active");
	assert_line(t, "hook peeks: not attached: Device or resource busy");
	assert_line(t, "hook writes: no way on this kernel");
	assert_line(
		t,
		"output /var/log/a.jsonl: No space left on device; 10 lines seen, 7 delivered, 1 dropped, 2 waiting");
	assert_line(t, "outputs: 20 lines seen, 16 delivered, 1 dropped, 3 waiting");
	free(t);
}

static void what_was_not_lost_is_not_said(void **state)
{
	struct status s = { .window_ns = 0 };
	char *t = text_of(&s, status_text);

	(void)state;
	assert_null(strstr(t, "lost"));
	assert_null(strstr(t, "run "));
	assert_line(
		t,
		"rates: 0.0 records/s, 0.0 programs/s, 0.0 engine calls/s, 0.0 lines/s in the last 0 s");
	free(t);
}

struct wanted {
	const char *path, *value;
	bool seen;
};

static void on_value(void *ctx, const struct json_value *v)
{
	for (struct wanted *w = ctx; w->path; w++)
		if (json_path_is(v, w->path) && v->text.len == strlen(w->value) &&
		    !memcmp(v->text.ptr, w->value, v->text.len))
			w->seen = true;
}

static void programs_read_the_same(void **state)
{
	static struct wanted wanted[] = {
		{ "/active", "3", false },
		{ "/ended", "7", false },
		{ "/refused", "1", false },
		{ "/records", "1000", false },
		{ "/last/ns", "60000000000", false },
		{ "/last/records", "600", false },
		{ "/last/lines", "15", false },
		{ "/losses/records/membership", "2", false },
		{ "/losses/records/exec", "5", false },
		{ "/losses/programs_not_looked_at", "4", false },
		{ "/losses/lines_dropped", "1", false },
		{ "/losses/alerts_dropped", "0", false },
		{ "/runs/*/id", "0190-a", false },
		{ "/runs/*/user", "a\"b", false },
		{ "/runs/*/findings/high", "1", false },
		{ "/runs/*/lines", "40", false },
		{ "/hooks/*/how", "tp_btf", false },
		{ "/hooks/*/attached", "2", false },
		{ "/hooks/*/failed", "Device or resource busy", false },
		{ "/hooks/*/failed", "no way on this kernel", false },
		{ "/outputs/*/path", "/var/log/a.jsonl", false },
		{ "/outputs/*/error", "No space left on device", false },
		{ "/outputs/*/waiting", "2", false },
		{ "/lines/seen", "20", false },
		{ "/lines/delivered", "16", false },
		{ NULL, NULL, false },
	};
	struct status s = example();
	char *t = text_of(&s, status_json);

	(void)state;
	assert_int_equal(json_walk(span_of(t), on_value, wanted, NULL), JSON_OK);
	assert_ptr_equal(strchr(t, '\n'), t + strlen(t) - 1);
	for (const struct wanted *w = wanted; w->path; w++)
		if (!w->seen)
			fail_msg("%s is not %s in %s", w->path, w->value, t);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_thing_is_a_line),
		cmocka_unit_test(what_was_not_lost_is_not_said),
		cmocka_unit_test(programs_read_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
