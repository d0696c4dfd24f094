/* catalogue.c: the one table of risk categories and rules, and the configured severities. */
#include <string.h>
#include "buf.h"
#include "catalogue.h"
#include "technique.h"

const struct category categories[RISKS] = {
	[RISK_HEALTH] = {
		"R0", "monitor-health",
		"not one of the nine: what the monitor itself could not see",
		"events lost, hooks that are missing, records cut, processes whose start was "
		"missed, attempts "
		"to stop the monitor",
	},
	[RISK_ENVIRONMENT_READ] = {
		"R1", "environment-read",
		"os.environ.get('TESTSERVER_BIND_LOCAL') may expose sensitive information",
		"which process of the run read which variable, by name, through which interface; "
		"copies and dumps "
		"of whole environments; reads of another process's environment or memory",
	},
	[RISK_ENCODED_PAYLOAD] = {
		"R2", "encoded-payload",
		"str_encode_hex() may smuggle malicious code",
		"hex, base64, octal, percent or unicode-escaped data in command lines, file names, "
		"container "
		"commands and Dockerfiles; decoders feeding an interpreter or a file that is made "
		"executable",
	},
	[RISK_COMMAND_EXECUTION] = {
		"R3", "command-execution",
		"check_call()/check_output() may run arbitrary commands",
		"every program the run executes, with argv, and whether it should trouble anyone: "
		"where the file "
		"lies, who can change it, how it was found, what its arguments give away",
	},
	[RISK_PIPED_SHELL] = {
		"R4", "piped-shell",
		"Popen() may run a shell and capture its output",
		"shells given command strings, processes whose stdin, stdout or stderr are pipes "
		"or sockets held "
		"by the test process",
	},
	[RISK_LOG_EXPOSURE] = {
		"R5", "log-exposure",
		"log files must be protected from unauthorised access",
		"log files others can read or write, logs in shared directories or reached through "
		"links, secrets "
		"written to a log or to the build output, logs truncated or removed",
	},
	[RISK_CONTAINER_CONFIG] = {
		"R6", "container-config",
		"DockerConfig may hold vulnerable settings",
		"the configuration actually sent to the Docker Engine for every container and "
		"build",
	},
	[RISK_NAME_DISCLOSURE] = {
		"R7", "name-disclosure",
		"get_image_name()/get_server_name()/get_host_name() may give away user names or "
		"passwords",
		"image, container, host and network names and labels that carry the runner's host "
		"name, a user "
		"name, a registry credential or a secret; enumeration of objects that are not the "
		"run's own",
	},
	[RISK_DOCKER_CONTROL] = {
		"R8", "docker-control",
		"docker_build()/docker_run()/docker_exec() may run arbitrary commands",
		"every image built, container run and command executed through the Docker API, "
		"whoever the client is",
	},
	[RISK_DOCKER_REMOVAL] = {
		"R9", "docker-removal",
		"docker_rm()/docker_rmi() may remove sensitive containers or images",
		"every removal, and whether this very run had created the object it removes",
	},
};

#define BUILT     true
#define NOT_BUILT false

const struct rule rules[] = {
#include "rules.def"
};
const size_t n_rules = ARRAY_SIZE(rules);

/* Severity + 1 as configured; 0: the rule's own. */
static unsigned char changed[ARRAY_SIZE(rules)];

static const char *const severities[] = { "info", "low", "medium", "high", "critical", "off" };

const struct rule *rule_find(const char *id)
{
	for (size_t i = 0; i < n_rules; i++)
		if (!strcmp(rules[i].id, id))
			return &rules[i];
	return NULL;
}

const char *severity_text(enum severity s)
{
	return (unsigned)s < ARRAY_SIZE(severities) ? severities[s] : "unknown";
}

int severity_parse(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(severities); i++)
		if (!strcmp(severities[i], word))
			return (int)i;
	return -1;
}

int severity_ecs(enum severity s)
{
	static const int numbers[SEVERITIES] = { 0, 21, 47, 73, 99 };

	return (unsigned)s < SEVERITIES ? numbers[s] : 0;
}

enum severity rule_severity(const struct rule *r)
{
	unsigned char c = changed[r - rules];

	return c ? (enum severity)(c - 1) : r->severity;
}

bool rule_set_severity(const char *id, enum severity s)
{
	const struct rule *r = rule_find(id);

	if (!r)
		return false;
	changed[r - rules] = (unsigned char)(s + 1);
	return true;
}

void rules_configure(const unsigned char *to)
{
	if (to)
		memcpy(changed, to, sizeof(changed));
	else
		memset(changed, 0, sizeof(changed));
}
