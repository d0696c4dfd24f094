/* cmd_help.c: invigil help and invigil version. */
#include <stdio.h>
#include <string.h>
#include "command.h"
#include "event.h"
#include "option.h"

/* Unit tests and fuzzers link this file without main.c and never call it. */
extern const struct command commands[] __attribute__((weak));

int cmd_help(struct config *c)
{
	if (c->argc > 0) {
		for (const struct command *cmd = commands; cmd->name; cmd++) {
			if (!strcmp(cmd->name, c->argv[0])) {
				command_help(cmd);
				return 0;
			}
		}
		fprintf(stderr, "invigil: unknown command \"%s\" (see invigil help)\n", c->argv[0]);
		return 125;
	}
	printf("usage: invigil COMMAND ...\n");
	for (const struct command *cmd = commands; cmd->name; cmd++)
		printf("  %-10s %s\n", cmd->name, cmd->purpose);
	printf("invigil help COMMAND tells what it takes; invigil(8) is the manual.\n");
	return 0;
}

int cmd_version(struct config *c)
{
	(void)c;
	printf("invigil 0.1.0\nABI %d\n", EV_ABI);
	return 0;
}
