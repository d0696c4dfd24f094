/* option.c: the one table of options, and what a value does to the configuration; the help is printed from its rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config_key.h"
#include "option_row.h"

const struct option options[] = {
#define AT(member) offsetof(struct config, member)
	{ "output", "FILE", NULL, "the event stream, JSON Lines; - is standard output", AT(output),
	  TEXT, BOTH, 'o', true },
	{ "output", "FILE", NULL, "each run's event stream; {run} in it becomes the run's id",
	  AT(output), TEXT, DAEMON, 'o', true },
	{ "socket", "PATH", NULL, "the daemon's: else /run/invigil/invigil.sock", AT(socket), TEXT,
	  RUN | DAEMON | STATUS, 0, true },
	{ "metrics", "ADDRESS", NULL, "where /metrics answers: unix:PATH or 127.0.0.1:PORT",
	  AT(metrics), ADDRESS, DAEMON, 0, true },
	{ "check-config", NULL, NULL, "read the configuration, say what is wrong with it, and end",
	  AT(check_config), FLAG, DAEMON, 0, false },
	{ "format", "SCHEMA", " ecs ocsf ", "the stream's schema: ecs", AT(format), CHOICE, RUN,
	  'f', false },
	{ "format", "FORMAT", " text json markdown mdoc ", "text, json, markdown or mdoc",
	  AT(format), CHOICE, RISKS_CMD, 'f', false },
	{ "format", "FORMAT", " text json ", "text or json", AT(format), CHOICE, CHECK | STATUS,
	  'f', false },
	{ "alerts-only", NULL, NULL, "only alerts, the run's start and end, and health events",
	  AT(alerts_only), FLAG, BOTH | DAEMON, 0, false },
	{ "record", "FILE", NULL, "keep the scrubbed kernel events for replay", AT(record), TEXT,
	  RUN, 0, true },
	{ "markdown", "FILE", NULL, "a report in Markdown, written at the end of the run",
	  AT(markdown), TEXT, BOTH, 0, true },
	{ "fail-on", "LEVEL", NULL,
	  "low, medium, high, critical or never: exit status 120 from there", AT(fail_on), LEVEL,
	  BOTH, 0, false },
	{ "require-complete", NULL, NULL, "an incomplete run trips the gate too",
	  AT(require_complete), FLAG, BOTH, 0, false },
	{ "own", "SELECTOR", NULL, "id=ID, name=GLOB, label=K[=V] or project=NAME; repeatable",
	  AT(own), OWN, RUN | DAEMON, 0, false },
	{ "env-reads", "WHAT", " off c all ", "off, c or all: which environment reads are watched",
	  AT(env_reads), CHOICE, RUN | DAEMON, 0, false },
	{ "engine-bytes", "HOW", " fexit copy tracepoint syscall ",
	  "fexit, copy, tracepoint or syscall: how the engine's bytes are read, or not at all",
	  AT(engine_bytes), CHOICE, RUN | DAEMON | CHECK, 0, true },
	{ "failed-execs", NULL, NULL,
	  "tell each failed exec with the kernel's answer, which costs every exec",
	  AT(failed_execs), FLAG, RUN | DAEMON, 0, false },
	{ "btf", "FILE", NULL, "the kernel's types, where it does not show them", AT(btf), TEXT,
	  RUN | DAEMON | CHECK, 0, true },
	{ "gate", "WHAT", " exec mmap off ",
	  "exec, mmap or off: where programs are held until probes are attached", AT(gate), CHOICE,
	  RUN, 0, false },
	{ "config", "PATH", NULL, "a file, or a folder as " DEFAULT_CONFIG ", which is the default",
	  AT(config_file), TEXT, BOTH | DAEMON, 'c', true },
	{ "user", "USER", NULL, "run COMMAND as USER", AT(user), TEXT, RUN, 'u', true },
	{ NULL, NULL, NULL, "no summary", AT(quiet), FLAG, BOTH, 'q', false },
	{ NULL, NULL, NULL, "more detail", AT(verbose), FLAG, BOTH, 'v', false },
	{ "report", "FILE", NULL, NULL, 0, LATER, BOTH, 0, true },
	{ "sarif", "FILE", NULL, NULL, 0, LATER, BOTH, 0, true },
	{ "junit", "FILE", NULL, NULL, 0, LATER, BOTH, 0, true },
	{ "attestation", "FILE", NULL, NULL, 0, LATER, BOTH, 0, true },
	{ "policy", "FILE", NULL, NULL, 0, LATER, BOTH, 0, true },
#undef AT
};
const size_t n_options = ARRAY_SIZE(options);

const struct config config_defaults = { .fail_on = -1, .env_reads = "all", .gate = "exec" };

unsigned command_bit(const char *name)
{
	static const struct {
		const char *name;
		unsigned bit;
	} bits[] = {
		{ "run", RUN },     { "replay", REPLAY }, { "risks", RISKS_CMD },
		{ "check", CHECK }, { "daemon", DAEMON }, { "status", STATUS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (!strcmp(bits[i].name, name))
			return bits[i].bit;
	return 0;
}

struct said option_said(const struct option *o)
{
	struct said s;

	if (o->name)
		snprintf(s.text, sizeof(s.text), "--%s", o->name);
	else
		snprintf(s.text, sizeof(s.text), "-%c", o->letter);
	return s;
}

bool choice_has(const char *choices, const char *word)
{
	char padded[32];

	if (!*word || strchr(word, ' ') || strlen(word) > 20)
		return false;
	snprintf(padded, sizeof(padded), " %s ", word);
	return strstr(choices, padded) != NULL;
}

int option_set(const struct option *o, const char *what, const char *value, struct config *c)
{
	void *at = (char *)c + o->offset;
	int level;

	switch (o->kind) {
	case FLAG:
		*(bool *)at = true;
		return 0;
	case TEXT:
		if (!*value) {
			fprintf(stderr, "invigil: %s: empty\n", what);
			return 125;
		}
		*(const char **)at = value;
		return 0;
	case ADDRESS:
		if (!metrics_address_valid(value)) {
			fprintf(stderr,
				"invigil: %s: neither unix:/PATH nor 127.0.0.1:PORT: \"%s\"\n",
				what, value);
			return 125;
		}
		*(const char **)at = value;
		return 0;
	case CHOICE:
		if (!choice_has(o->choices, value)) {
			fprintf(stderr, "invigil: %s: unknown word \"%s\" (one of%.*s)\n", what,
				value, (int)strlen(o->choices) - 1, o->choices);
			return 125;
		}
		if (!strcmp(value, "ocsf")) {
			fprintf(stderr, "invigil: %s: ocsf is not in this version\n", what);
			return 125;
		}
		*(const char **)at = value;
		return 0;
	case LEVEL:
		level = strcmp(value, "never") ? severity_parse(value) : -1;
		if (strcmp(value, "never") && (level < SEV_LOW || level > SEV_CRITICAL)) {
			fprintf(stderr,
				"invigil: %s: unknown level \"%s\" (low, medium, high, "
				"critical or never)\n",
				what, value);
			return 125;
		}
		*(int *)at = level;
		return 0;
	case OWN:
		if (config_own_add(c, value))
			return 0;
		fprintf(stderr,
			"invigil: %s: unknown selector \"%s\" (id=, name=, label= or project=)\n",
			what, value);
		return 125;
	case LATER:
		fprintf(stderr, "invigil: option %s is not in this version\n", what);
		return 125;
	}
	return 125;
}

const struct option *option_find(unsigned command, const char *name, size_t n, char letter)
{
	for (const struct option *o = options; o < options + n_options; o++) {
		if (!(o->commands & command))
			continue;
		if (letter ? o->letter == letter
			   : o->name && strlen(o->name) == n && !memcmp(o->name, name, n))
			return o;
	}
	return NULL;
}

void command_help(const struct command *cmd)
{
	unsigned bit = command_bit(cmd->name);

	printf("usage: invigil %s\n%s\n", cmd->usage, cmd->purpose);
	for (const struct option *o = options; o < options + n_options; o++) {
		char left[40];

		if (!(o->commands & bit) || !o->purpose)
			continue;
		if (!o->name)
			snprintf(left, sizeof(left), "-%c", o->letter);
		else
			snprintf(left, sizeof(left), "%c%c%s--%s%s%s", o->letter ? '-' : ' ',
				 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
				 o->operand ? " " : "", o->operand ? o->operand : "");
		printf("  %-26s %s\n", left, o->purpose);
	}
}

enum gate config_gate(const struct config *c)
{
	if (!strcmp(c->env_reads, "off") || !strcmp(c->gate, "off"))
		return GATE_OFF;
	return strcmp(c->gate, "mmap") ? GATE_EXEC : GATE_MMAP;
}

void config_use(const struct config *c)
{
	rules_configure(c->severities);
}

static void list_free(char **list)
{
	for (char **p = list; p && *p; p++)
		free(*p);
	free(list);
}

void config_free(struct config *c)
{
	for (unsigned i = 0; i < c->n_own; i++) {
		free(c->own[i].key);
		free(c->own[i].value);
	}
	free(c->own);
	c->own = NULL;
	c->n_own = 0;
	list_free(c->secret_names);
	list_free(c->log_patterns);
	for (unsigned i = 0; i < c->n_runs; i++) {
		free(c->runs[i].program);
		free(c->runs[i].argument);
		free(c->runs[i].user);
		free(c->runs[i].cgroup);
		free(c->runs[i].directory);
		free(c->runs[i].parent);
	}
	free(c->runs);
	c->runs = NULL;
	c->n_runs = 0;
	list_free(c->callers);
	list_free(c->owned);
	c->secret_names = c->log_patterns = c->callers = c->owned = NULL;
	for (unsigned i = 0; i < c->n_outputs; i++)
		free(c->outputs[i].path);
	free(c->outputs);
	c->outputs = NULL;
	c->n_outputs = 0;
	free(c->severities);
	c->severities = NULL;
	free(c->line);
	c->line = NULL;
}
