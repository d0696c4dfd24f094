/* option.c: the one table of options: command line, environment and help text come from its rows.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config_key.h"

#define DEFAULT_CONFIG "/etc/invigil"

enum {
	RUN = 1,
	REPLAY = 2,
	RISKS_CMD = 4,
	CHECK = 8,
	DAEMON = 16,
	STATUS = 32,
	BOTH = RUN | REPLAY
};

enum kind {
	FLAG,    /* bool */
	TEXT,    /* const char * */
	CHOICE,  /* const char *, one of choices */
	LEVEL,   /* int, severity */
	OWN,     /* adds a selector */
	ADDRESS, /* const char *, of metrics */
	LATER,   /* known, not built; takes an operand */
};

static const struct option {
	const char *name;
	const char *operand; /* as the help calls it; NULL: none */
	const char *choices; /* " a b c " */
	const char *purpose;
	size_t offset;
	enum kind kind;
	unsigned commands;
	char letter; /* 0: none */
	bool steers; /* under sudo its INVIGIL_ variable is refused */
} options[] = {
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

const struct config config_defaults = { .fail_on = -1, .env_reads = "all", .gate = "exec" };

static unsigned command_bit(const char *name)
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

/* The name as the user knows it: --fail-on, -q, INVIGIL_FAIL_ON. */
struct said {
	char text[64];
};

static struct said option_said(const struct option *o)
{
	struct said s;

	if (o->name)
		snprintf(s.text, sizeof(s.text), "--%s", o->name);
	else
		snprintf(s.text, sizeof(s.text), "-%c", o->letter);
	return s;
}

static struct said variable_said(const struct option *o)
{
	struct said s;

	snprintf(s.text, sizeof(s.text), "INVIGIL_%s",
		 o->name            ? o->name
		 : o->letter == 'q' ? "QUIET"
				    : "VERBOSE");
	for (char *p = s.text; *p; p++)
		*p = *p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
	return s;
}

static bool choice_has(const char *choices, const char *word)
{
	char padded[32];

	if (!*word || strchr(word, ' ') || strlen(word) > 20)
		return false;
	snprintf(padded, sizeof(padded), " %s ", word);
	return strstr(choices, padded) != NULL;
}

/* what: how the user said it. 0, or 125 after a message. */
static int option_set(const struct option *o, const char *what, const char *value, struct config *c)
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
			fprintf(stderr, "invigil: %s: unknown word \"%s\" (one of%s)\n", what,
				value, o->choices);
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

static bool is_sudo(void)
{
	return geteuid() == 0 && getenv("SUDO_UID");
}

/* INVIGIL_OWN holds several selectors, separated by white space. */
static int own_words(const char *what, const char *value, struct config *c)
{
	char *copy = xstrdup(value), *rest = copy, *word;
	int err = 0;

	while (!err && (word = strsep(&rest, " \t\n"))) {
		if (*word && !config_own_add(c, word)) {
			fprintf(stderr, "invigil: %s: unknown selector \"%s\"\n", what, word);
			err = 125;
		}
	}
	free(copy);
	return err;
}

static int environment_apply(unsigned command, struct config *c)
{
	for (const struct option *o = options; o < options + ARRAY_SIZE(options); o++) {
		struct said s = variable_said(o);
		const char *value = getenv(s.text);
		int err;

		if (!(o->commands & command) || !value || !*value)
			continue;
		if (o->steers && is_sudo()) {
			fprintf(stderr,
				"invigil: %s is refused under sudo: give the option %s instead\n",
				s.text, option_said(o).text);
			return 125;
		}
		if (o->kind == FLAG) {
			if (choice_has(" 0 no false off ", value))
				continue;
			if (!choice_has(" 1 yes true on ", value)) {
				fprintf(stderr, "invigil: %s: unknown word \"%s\" (1 or 0)\n",
					s.text, value);
				return 125;
			}
		}
		err = o->kind == OWN ? own_words(s.text, value, c)
				     : option_set(o, s.text, value, c);
		if (err)
			return err;
	}
	return 0;
}

static const struct option *option_find(unsigned command, const char *name, size_t n, char letter)
{
	for (const struct option *o = options; o < options + ARRAY_SIZE(options); o++) {
		if (!(o->commands & command))
			continue;
		if (letter ? o->letter == letter
			   : o->name && strlen(o->name) == n && !memcmp(o->name, name, n))
			return o;
	}
	return NULL;
}

static int unknown(const struct command *cmd, const char *word)
{
	fprintf(stderr, "invigil: unknown option \"%s\" (see invigil help %s)\n", word, cmd->name);
	return 125;
}

/*
 * Goes through the command line and, unless c is NULL, sets what it says. operands: where COMMAND
 * begins or, but for run, the operands alone, moved together and NULL ended (when c is given).
 * file: the last -c.
 */
static int line_walk(const struct command *cmd, unsigned bit, int argc, char **argv,
		     struct config *c, const char **file, bool *help)
{
	int kept = 0, i;

	for (i = 0; i < argc; i++) {
		char *word = argv[i];
		const struct option *o;
		const char *value = NULL;
		int err;

		if (word[0] != '-' || !word[1]) {
			if (bit == RUN)
				break;
			if (c)
				argv[kept++] = word;
			continue;
		}
		if (!strcmp(word, "--")) {
			i++;
			break;
		}
		if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
			*help = true;
			return 0;
		}
		if (word[1] == '-') {
			size_t n = strcspn(word + 2, "=");

			o = option_find(bit, word + 2, n, 0);
			if (!o)
				return unknown(cmd, word);
			if (word[2 + n])
				value = word + 2 + n + 1;
			if (value && !o->operand) {
				fprintf(stderr, "invigil: option --%s takes no operand: \"%s\"\n",
					o->name, value);
				return 125;
			}
		} else {
			/* -qv are two; -oFILE is one with its operand. */
			for (word++;
			     (o = option_find(bit, NULL, 0, *word)) && !o->operand && word[1];
			     word++)
				if (c)
					option_set(o, option_said(o).text, NULL, c);
			if (!o)
				return unknown(cmd, argv[i]);
			if (word[1])
				value = word + 1;
		}
		if (o->kind == LATER) {
			return option_set(o, option_said(o).text, value, c);
		}
		if (o->operand && !value) {
			if (i + 1 >= argc) {
				fprintf(stderr, "invigil: option %s needs %s\n",
					option_said(o).text, o->operand);
				return 125;
			}
			value = argv[++i];
		}
		if (o->offset == offsetof(struct config, config_file))
			*file = value;
		if (c && (err = option_set(o, option_said(o).text, value, c)))
			return err;
	}
	if (!c)
		return 0;
	if (bit == RUN) {
		c->argv = argv + i;
		c->argc = argc - i;
		return 0;
	}
	while (i < argc)
		argv[kept++] = argv[i++];
	/* Without a gap argv[argc] is the NULL that was there. */
	if (kept < argc)
		argv[kept] = NULL;
	c->argv = argv;
	c->argc = kept;
	return 0;
}

/* The parser moves operands together in the words that it is given. */
static char **words_copy(char **words, int n)
{
	char **copy = xcalloc((size_t)n + 1, sizeof(*copy));

	for (int i = 0; i < n; i++)
		copy[i] = words[i];
	return copy;
}

int options_again(const struct config *old, struct config *c)
{
	char **words = words_copy(old->line, old->n_line);
	int err = options_parse(old->command, old->n_line, words, c);

	free(words);
	c->argv = NULL;
	return err;
}

int options_parse(const struct command *cmd, int argc, char **argv, struct config *c)
{
	unsigned bit = command_bit(cmd->name);
	const char *file = NULL;
	bool help = false;
	int err;

	if (argc < 0)
		argc = 0;
	c->command = cmd;
	free(c->line);
	c->line = words_copy(argv, argc);
	c->n_line = argc;
	err = line_walk(cmd, bit, argc, argv, NULL, &file, &help);
	if (err)
		return err;
	if (help) {
		command_help(cmd);
		return -1;
	}
	if (bit & (BOTH | DAEMON)) {
		if (!file && bit == RUN && !is_sudo())
			file = getenv("INVIGIL_CONFIG");
		if (file && !*file)
			file = NULL;
		/* Without root the daemon's configuration is in force. */
		if (!file && (bit != RUN || !geteuid()) && !access(DEFAULT_CONFIG, F_OK))
			file = DEFAULT_CONFIG;
		if (file && config_read(file, bit == DAEMON, c))
			return 125;
		c->config_file = file;
	}
	if (bit == RUN && (err = environment_apply(bit, c)))
		return err;
	err = line_walk(cmd, bit, argc, argv, c, &file, &help);
	if (err)
		return err;
	if (bit == RUN && !c->argc) {
		fprintf(stderr, "invigil: run: COMMAND is missing (see invigil help run)\n");
		return 125;
	}
	if (bit == REPLAY && c->argc != 1) {
		if (c->argc)
			fprintf(stderr, "invigil: replay: one RECORDING only: \"%s\"\n",
				c->argv[1]);
		else
			fprintf(stderr,
				"invigil: replay: RECORDING is missing (see invigil help replay)\n");
		return 125;
	}
	if ((bit & (RISKS_CMD | CHECK | DAEMON | STATUS)) && c->argc) {
		fprintf(stderr, "invigil: %s: unexpected word \"%s\"\n", cmd->name, c->argv[0]);
		return 125;
	}
	return 0;
}

void command_help(const struct command *cmd)
{
	unsigned bit = command_bit(cmd->name);

	printf("usage: invigil %s\n%s\n", cmd->usage, cmd->purpose);
	for (const struct option *o = options; o < options + ARRAY_SIZE(options); o++) {
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
