/* command_line.c: what steers a command: configuration file, INVIGIL_ variables and its words, the last wins. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "config_key.h"
#include "option_row.h"

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
	for (const struct option *o = options; o < options + n_options; o++) {
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

/* By whatever names. A device or a pipe is none: it takes what comes. */
static bool same_file(const char *a, const char *b)
{
	struct stat x, y;
	bool is_there = !stat(a, &x), same = !strcmp(a, b);

	if (is_there && !stat(b, &y))
		same = x.st_dev == y.st_dev && x.st_ino == y.st_ino;
	return same && !(is_there && !S_ISREG(x.st_mode));
}

/* Else the recording would be replaced by its own stream, or a report by the other at the end of the run. */
static int files_differ(const struct config *c, const char *recording)
{
	const struct {
		const char *what, *path;
	} files[] = {
		{ "--output", c->output },
		{ "--record", c->record },
		{ "--markdown", c->markdown },
		{ "RECORDING", recording },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		for (size_t k = i + 1; k < ARRAY_SIZE(files); k++)
			if (files[i].path && files[k].path &&
			    same_file(files[i].path, files[k].path)) {
				fprintf(stderr, "invigil: %s and %s name one file: \"%s\"\n",
					files[i].what, files[k].what, files[i].path);
				return 125;
			}
	if (c->output && strstr(c->output, "://")) {
		fprintf(stderr,
			"invigil: --output: outputs other than files are not in this version: \"%s\"\n",
			c->output);
		return 125;
	}
	return 0;
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
	return bit & BOTH ? files_differ(c, bit == REPLAY ? c->argv[0] : NULL) : 0;
}
