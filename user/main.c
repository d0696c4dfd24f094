/* main.c: the table of subcommands, used for dispatch and usage. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "command.h"
#include "option.h"

const struct command commands[] = {
	{ "run", "run [OPTIONS] [--] COMMAND [ARG...]",
	  "trace one test run, print a summary, pass its exit status on", cmd_run },
	{ "daemon", "daemon [OPTIONS]", "monitor every test run on this CI runner", cmd_daemon },
	{ "status", "status [--socket PATH]", "the daemon's runs, rates and losses", cmd_status },
	{ "replay", "replay [OPTIONS] RECORDING",
	  "run a recording made by --record through the same pipeline", cmd_replay },
	{ "risks", "risks [--format text|json|markdown|mdoc]",
	  "the catalogue: categories, rules, severities, references", cmd_risks },
	{ "check", "check [--format text|json]",
	  "what this kernel allows: each hook, and what cannot be seen", cmd_check },
	{ "version", "version", "print the version", cmd_version },
	{ "help", "help [COMMAND]", "print what a command takes", cmd_help },
	{ 0 },
};

/* No file of ours may become standard output or error: the summary would go into it. COMMAND finds them closed. */
static void standard_descriptors_take(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "help";
	struct config c = config_defaults;
	int status;

	standard_descriptors_take();
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version"))
		name = "version";
	for (const struct command *cmd = commands; cmd->name; cmd++) {
		if (strcmp(cmd->name, name))
			continue;
		status = options_parse(cmd, argc > 1 ? argc - 2 : 0, argv + (argc > 1 ? 2 : 1), &c);
		if (!status) {
			config_use(&c);
			status = cmd->main(&c);
		}
		config_free(&c);
		return status < 0 ? 0 : status;
	}
	fprintf(stderr, "invigil: unknown command \"%s\" (see invigil help)\n", name);
	return 125;
}
