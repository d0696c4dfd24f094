/* cmd_check.c: `invigil check`: each hook, how this kernel covers it, and what cannot be seen. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "command.h"
#include "jsonw.h"
#include "kernel_btf.h"
#include "loader.h"
#include "option.h"
#include "probe.h"

static void print_text(bool loads)
{
	struct utsname u;

	uname(&u);
	printf("kernel %s %s\n", u.release, u.machine);
	for (size_t i = 0; i < n_needs; i++) {
		const struct tier *t = need_tier(&needs[i]);

		printf("%-26s %s%s\n", needs[i].name, t ? t->name : "not covered",
		       needs[i].required ? " (required)" : "");
		if (!t)
			printf("%26s cannot be seen: %s\n", "", needs[i].effect);
		for (int k = 0; t && k < 2; k++) {
			const char *unseen = k ? needs[i].limit : t->lacks;

			if (unseen)
				printf("%26s not seen: %s\n", "", unseen);
		}
	}
	for (int f = FEAT_NONE + 1; f < FEATURES; f++)
		printf("  feature %-30s %s\n", feature_name(f), feature_why(f));
	printf("all programs load and attach: %s\n", loads ? "yes" : "no");
}

static void program_add(void *json, const char *name, uint32_t verified)
{
	struct jsonw *j = json;

	jsonw_obj(j, NULL);
	jsonw_str(j, "name", name);
	jsonw_u64(j, "verified_instructions", verified);
	jsonw_close(j);
}

/* l: NULL when not all programs load. */
static void print_json(const struct loader *l)
{
	struct jsonw j = { 0 };
	struct buf out = { 0 };
	struct utsname u;

	uname(&u);
	jsonw_begin(&j, &out, NULL);
	jsonw_str(&j, "kernel", u.release);
	jsonw_str(&j, "architecture", u.machine);
	jsonw_bool(&j, "loads", l != NULL);
	jsonw_arr(&j, "hooks");
	for (size_t i = 0; i < n_needs; i++) {
		const struct tier *t = need_tier(&needs[i]);

		jsonw_obj(&j, NULL);
		jsonw_str(&j, "name", needs[i].name);
		jsonw_str(&j, "tier", t ? t->name : "none");
		jsonw_bool(&j, "required", needs[i].required);
		jsonw_bool(&j, "covered", t != NULL);
		jsonw_str(&j, "effect", needs[i].effect);
		jsonw_str(&j, "lacks", t ? t->lacks : needs[i].effect);
		jsonw_str(&j, "limit", needs[i].limit);
		jsonw_close(&j);
	}
	jsonw_close(&j);
	jsonw_arr(&j, "features");
	for (int f = FEAT_NONE + 1; f < FEATURES; f++) {
		jsonw_obj(&j, NULL);
		jsonw_str(&j, "name", feature_name(f));
		jsonw_bool(&j, "works", feature_works(f));
		jsonw_str(&j, "reason", feature_why(f));
		jsonw_close(&j);
	}
	jsonw_close(&j);
	if (l) {
		jsonw_u64(&j, "load_cpu_us", loader_load_time(l) / 1000);
		jsonw_arr(&j, "programs");
		loader_programs(l, program_add, &j);
		jsonw_close(&j);
	}
	jsonw_end(&j);
	fwrite(out.ptr, 1, out.len, stdout);
	jsonw_free(&j);
	buf_free(&out);
}

/* 0 full coverage, 1 reduced, 125 cannot trace. */
int cmd_check(struct config *c)
{
	struct loader *l;
	bool reduced = false, loads;

	if (c->format && strcmp(c->format, "text") && strcmp(c->format, "json")) {
		fprintf(stderr, "invigil: check: unknown format \"%s\" (text or json)\n",
			c->format);
		return 125;
	}
	if (geteuid()) {
		fprintf(stderr, "invigil: check needs root: it loads and attaches every hook\n");
		return 125;
	}
	engine_bytes_ask(c->engine_bytes);
	failed_execs_ask(true);
	if (!kernel_btf_use(c->btf))
		return 125;
	/* As the daemon does it: with what `run` has and what that alone has. */
	l = loader_open("all", true, false);
	if (l && !loader_activate(l)) {
		loader_close(l);
		l = NULL;
	}
	loads = l != NULL;
	if (c->format && !strcmp(c->format, "json"))
		print_json(l);
	else
		print_text(loads);
	loader_close(l);
	for (size_t i = 0; i < n_needs; i++) {
		const struct tier *t = need_tier(&needs[i]);

		reduced |= !t || t->lacks;
	}
	return !loads ? 125 : reduced;
}
