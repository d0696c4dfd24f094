/* test_catalogue.c: the table of rules is whole, consistent and says what RISKS.md says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "catalogue.h"

static const char *const names[RISKS] = {
	"monitor-health", "environment-read", "encoded-payload",  "command-execution",
	"piped-shell",    "log-exposure",     "container-config", "name-disclosure",
	"docker-control", "docker-removal",
};

/* Severities of R<i>.1, R<i>.2 ... : i info, l low, m medium, h high, c critical. */
static const char *const severities[RISKS] = {
	"hlmlch", "ilmihlmhcmi",     "lhhmm",  "ihmhmhmhmh", "ilmhcm",
	"mlhmmh", "cchhhhmhmllimmh", "ilhllm", "ilhhmhml",   "ihhml",
};

/* y: detected by this version. */
static const char *const detected[RISKS] = {
	"yyyyyy", "yyyyyyyyyyy",     "yyyyy",  "yyyyyynyyy", "yyyyyy",
	"yyyyyy", "yyyyyyyyyyyyyyy", "yyyyyy", "yyyyyyyy",   "yyyyy",
};

static void the_ids_names_and_order_of_the_categories_are_fixed(void **state)
{
	(void)state;
	for (int i = 0; i < RISKS; i++) {
		char id[16];

		snprintf(id, sizeof(id), "R%d", i);
		assert_string_equal(categories[i].id, id);
		assert_string_equal(categories[i].name, names[i]);
		assert_true(strlen(categories[i].says) > 0 && strlen(categories[i].observes) > 0);
		assert_true(strlen(categories[i].name) <= 17);
	}
}

static void every_rule_of_the_contract_is_there_with_its_severity(void **state)
{
	size_t total = 0;

	(void)state;
	for (int i = 0; i < RISKS; i++) {
		for (size_t k = 0; k < strlen(severities[i]); k++, total++) {
			char id[40];
			const struct rule *r;

			snprintf(id, sizeof(id), "R%d.%zu", i, k + 1);
			r = rule_find(id);
			assert_non_null(r);
			assert_int_equal(r->risk, i);
			assert_int_equal(severity_text(r->severity)[0], severities[i][k]);
			assert_int_equal(r->built, detected[i][k] == 'y');
			assert_ptr_equal(r, &rules[total]);
		}
	}
	assert_int_equal(total, n_rules);
}

static void an_id_that_does_not_exist_is_not_found(void **state)
{
	(void)state;
	assert_null(rule_find("R6.16"));
	assert_null(rule_find("R6"));
	assert_null(rule_find("R6.1 "));
	assert_null(rule_find("r6.1"));
	assert_null(rule_find(""));
}

static void names_are_kebab_case_and_used_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_rules; i++) {
		const char *n = rules[i].name;

		assert_true(*n >= 'a' && *n <= 'z');
		assert_int_equal(strspn(n, "abcdefghijklmnopqrstuvwxyz-"), strlen(n));
		assert_null(strstr(n, "--"));
		assert_true(n[strlen(n) - 1] != '-');
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(n, rules[k].name);
	}
}

static void every_rule_has_a_sentence_a_remedy_and_a_weakness(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_rules; i++) {
		const struct rule *r = &rules[i];

		assert_int_equal(r->description[strlen(r->description) - 1], '.');
		assert_int_equal(r->remedy[strlen(r->remedy) - 1], '.');
		assert_non_null(strstr(r->references, "CWE-"));
		assert_null(strstr(r->references, "  "));
	}
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; (p = strstr(p, word)); p += n)
		if ((p == words || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

static void a_technique_is_whole_and_stands_among_the_references_too(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_rules; i++) {
		const struct technique *t = &rules[i].technique;

		assert_int_equal(!t->id, !t->name);
		assert_int_equal(!t->id, !t->tactic_id);
		assert_int_equal(!t->tactic_id, !t->tactic);
		assert_int_equal(!t->sub_id, !t->sub_name);
		if (t->sub_id) {
			assert_memory_equal(t->sub_id, t->id, strlen(t->id));
			assert_int_equal(t->sub_id[strlen(t->id)], '.');
		}
		if (t->id && !has_word(rules[i].references, t->sub_id ? t->sub_id : t->id))
			fail_msg("%s lacks its technique among its references", rules[i].id);
		assert_null(strstr(rules[i].references, "T1070.002"));
	}
}

/* ---- the catalogues' own words ---- */

static char table[16384];

static void table_read(void)
{
	const char *dir = getenv("INVIGIL_TEST_DATA");
	char path[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/catalogues.tsv", dir ? dir : "tests/unit/data");
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s cannot be opened", path);
	table[0] = '\n';
	n = fread(table + 1, 1, sizeof(table) - 2, f);
	table[1 + n] = 0;
	assert_true(n > 0 && feof(f));
	fclose(f);
}

/* The column (0 id, 1 name, 2 state or tactics) of this id's row; empty: it has none. */
static const char *column(const char *id, size_t len, int which)
{
	static char text[256];
	char key[64];
	const char *at;

	text[0] = 0;
	snprintf(key, sizeof(key), "\n%.*s\t", (int)len, id);
	at = strstr(table, key);
	if (!at)
		return text;
	for (at++; which; which--)
		at = strchr(at, '\t') + 1;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(at, "\t\n"), at);
	return text;
}

static void every_id_of_cwe_and_attack_is_a_current_one(void **state)
{
	(void)state;
	table_read();
	for (size_t i = 0; i < n_rules; i++)
		for (const char *w = rules[i].references; *w; w += strspn(w, " ")) {
			size_t n = strcspn(w, " ");
			const char *is = column(w, n, 2);

			if ((!strncmp(w, "CWE-", 4) || (w[0] == 'T' && w[1] == '1')) &&
			    (!*is || strstr(is, "deprecated") || strstr(is, "revoked")))
				fail_msg("%s: %.*s is %s", rules[i].id, (int)n, w,
					 *is ? is : "not in the table");
			w += n;
		}
	assert_string_equal(column("T1070.002", 9, 2), "revoked: T1685.006");
	assert_string_equal(column("CWE-53", 6, 2), "");
}

static void techniques_and_tactics_are_called_as_attack_calls_them(void **state)
{
	(void)state;
	table_read();
	for (size_t i = 0; i < n_rules; i++) {
		const struct technique *t = &rules[i].technique;
		const char *id = t->sub_id ? t->sub_id : t->id;

		if (!t->id)
			continue;
		assert_string_equal(column(t->id, strlen(t->id), 1), t->name);
		assert_string_equal(column(t->tactic_id, strlen(t->tactic_id), 1), t->tactic);
		if (t->sub_id)
			assert_string_equal(column(t->sub_id, strlen(t->sub_id), 1), t->sub_name);
		if (!strstr(column(id, strlen(id), 2), t->tactic))
			fail_msg("%s: %s does not belong to %s", rules[i].id, id, t->tactic);
	}
}

static void docker_benchmark_sections_stand_where_they_belong(void **state)
{
	static const char *const pairs[][2] = {
		{ "R6.1", "CIS-Docker-1.6:5.5" },  { "R6.2", "CIS-Docker-1.6:5.32" },
		{ "R6.3", "CIS-Docker-1.6:5.6" },  { "R6.4", "CIS-Docker-1.6:5.31" },
		{ "R6.5", "CIS-Docker-1.6:5.4" },  { "R6.6", "CIS-Docker-1.6:5.22" },
		{ "R6.7", "CIS-Docker-1.6:5.14" }, { "R6.8", "CIS-Docker-1.6:5.18" },
		{ "R6.9", "CIS-Docker-1.6:4.10" }, { "R6.15", "CIS-Docker-1.6:5.20" },
		{ "R8.4", "CIS-Docker-1.6:5.23" }, { "R8.8", "CIS-Docker-1.6:5.24" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_true(has_word(rule_find(pairs[i][0])->references, pairs[i][1]));
}

static void severities_have_words_and_ecs_numbers(void **state)
{
	static const int numbers[] = { 0, 21, 47, 73, 99, 0 };

	(void)state;
	for (int s = SEV_INFO; s <= SEV_OFF; s++) {
		assert_int_equal(severity_parse(severity_text((enum severity)s)), s);
		assert_int_equal(severity_ecs((enum severity)s), numbers[s]);
	}
	assert_int_equal(severity_parse("High"), -1);
	assert_int_equal(severity_parse(""), -1);
	assert_int_equal(severity_parse("lowest"), -1);
}

static void a_configured_severity_replaces_the_default_of_one_rule_alone(void **state)
{
	(void)state;
	assert_int_equal(rule_severity(rule_find("R6.7")), SEV_MEDIUM);
	assert_true(rule_set_severity("R6.7", SEV_INFO));
	assert_int_equal(rule_severity(rule_find("R6.7")), SEV_INFO);
	assert_int_equal(rule_find("R6.7")->severity, SEV_MEDIUM);
	assert_int_equal(rule_severity(rule_find("R6.8")), SEV_HIGH);
	assert_true(rule_set_severity("R6.7", SEV_MEDIUM));
	assert_false(rule_set_severity("R6.70", SEV_OFF));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ids_names_and_order_of_the_categories_are_fixed),
		cmocka_unit_test(every_rule_of_the_contract_is_there_with_its_severity),
		cmocka_unit_test(an_id_that_does_not_exist_is_not_found),
		cmocka_unit_test(names_are_kebab_case_and_used_once),
		cmocka_unit_test(every_rule_has_a_sentence_a_remedy_and_a_weakness),
		cmocka_unit_test(a_technique_is_whole_and_stands_among_the_references_too),
		cmocka_unit_test(every_id_of_cwe_and_attack_is_a_current_one),
		cmocka_unit_test(techniques_and_tactics_are_called_as_attack_calls_them),
		cmocka_unit_test(docker_benchmark_sections_stand_where_they_belong),
		cmocka_unit_test(severities_have_words_and_ecs_numbers),
		cmocka_unit_test(a_configured_severity_replaces_the_default_of_one_rule_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
