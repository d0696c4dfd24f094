/* option_row.h: a row of the table of options, for those who go through it. */
#ifndef INVIGIL_OPTION_ROW_H
#define INVIGIL_OPTION_ROW_H

#include <stddef.h>
#include "option.h"

#define DEFAULT_CONFIG "/etc/invigil"

/* The commands that have it, as bits. */
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

struct option {
	const char *name;
	const char *operand; /* as the help calls it; NULL: none */
	const char *choices; /* " a b c " */
	const char *purpose;
	size_t offset;
	enum kind kind;
	unsigned commands;
	char letter; /* 0: none */
	bool steers; /* under sudo its INVIGIL_ variable is refused */
};

extern const struct option options[];
extern const size_t n_options;

unsigned command_bit(const char *name); /* 0: it has no options */
/* letter: or 0, and the n bytes of its name. NULL: the command has no such option. */
const struct option *option_find(unsigned command, const char *name, size_t n, char letter);
/* what: how the user said it. 0, or 125 after a message. */
int option_set(const struct option *o, const char *what, const char *value, struct config *c);
/* choices: " a b c " */
bool choice_has(const char *choices, const char *word);

/* The name as the user knows it: --fail-on, -q, INVIGIL_FAIL_ON. */
struct said {
	char text[64];
};

struct said option_said(const struct option *o);

#endif
