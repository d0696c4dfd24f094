/* command.h: the subcommands; each takes its parsed options and returns the exit status. */
#ifndef INVIGIL_COMMAND_H
#define INVIGIL_COMMAND_H

struct config;

int cmd_run(struct config *c);
int cmd_daemon(struct config *c);
int cmd_status(struct config *c);
int cmd_replay(struct config *c);
int cmd_check(struct config *c);
int cmd_risks(struct config *c);
int cmd_help(struct config *c);
int cmd_version(struct config *c);

#endif
