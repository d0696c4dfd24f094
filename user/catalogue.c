/* catalogue.c: the one table of risk categories and rules, and the configured severities. */
#include <string.h>
#include "buf.h"
#include "catalogue.h"

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

/*
 * ATT&CK Enterprise 19.2 (tests/unit/data/catalogues.tsv): TA0005 is called Stealth, TA0112 Defense Impairment was split from it, and
 * T1070.002 became T1685.006.
 */
#define STEALTH    "TA0005", "Stealth"
#define IMPAIRMENT "TA0112", "Defense Impairment"
#define EXECUTION  "TA0002", "Execution"
#define ESCALATION "TA0004", "Privilege Escalation"
#define CREDENTIAL "TA0006", "Credential Access"
#define DISCOVERY  "TA0007", "Discovery"
#define CONTROL    "TA0011", "Command and Control"
#define IMPACT     "TA0040", "Impact"

/* clang-format off */
#define T_NONE { NULL, NULL, NULL, NULL, NULL, NULL }
#define T_UNSECURED { CREDENTIAL, "T1552", "Unsecured Credentials", NULL, NULL }
#define T_IN_FILES \
	{ CREDENTIAL, "T1552", "Unsecured Credentials", \
	  "T1552.001", "Credentials In Files" }
#define T_PROC { CREDENTIAL, "T1003", "OS Credential Dumping", "T1003.007", "Proc Filesystem" }
#define T_SYSTEM_INFO { DISCOVERY, "T1082", "System Information Discovery", NULL, NULL }
#define T_OBFUSCATION \
	{ STEALTH, "T1027", "Obfuscated Files or Information", "T1027.010", "Command Obfuscation" }
#define T_DECODE { STEALTH, "T1140", "Deobfuscate/Decode Files or Information", NULL, NULL }
#define T_REFLECTIVE { STEALTH, "T1620", "Reflective Code Loading", NULL, NULL }
#define T_INTERPRETER { EXECUTION, "T1059", "Command and Scripting Interpreter", NULL, NULL }
#define T_SHELL \
	{ EXECUTION, "T1059", "Command and Scripting Interpreter", \
	  "T1059.004", "Unix Shell" }
#define T_PATH \
	{ EXECUTION, "T1574", "Hijack Execution Flow", "T1574.007", \
	  "Path Interception by PATH Environment Variable" }
#define T_LINKER \
	{ EXECUTION, "T1574", "Hijack Execution Flow", \
	  "T1574.006", "Dynamic Linker Hijacking" }
#define T_SETUID \
	{ ESCALATION, "T1548", "Abuse Elevation Control Mechanism", \
	  "T1548.001", "Setuid and Setgid" }
#define T_TRANSFER { CONTROL, "T1105", "Ingress Tool Transfer", NULL, NULL }
#define T_CLEAR_LOGS \
	{ IMPAIRMENT, "T1685", "Disable or Modify Tools", \
	  "T1685.006", "Clear Linux or Mac System Logs" }
#define T_TOOLS { IMPAIRMENT, "T1685", "Disable or Modify Tools", NULL, NULL }
#define T_DEPLOY { EXECUTION, "T1610", "Deploy Container", NULL, NULL }
#define T_ESCAPE { ESCALATION, "T1611", "Escape to Host", NULL, NULL }
#define T_ADMINISTRATION { EXECUTION, "T1609", "Container Administration Command", NULL, NULL }
#define T_BUILD_IMAGE { STEALTH, "T1612", "Build Image on Host", NULL, NULL }
#define T_RESOURCES { DISCOVERY, "T1613", "Container and Resource Discovery", NULL, NULL }
#define T_DESTRUCTION { IMPACT, "T1485", "Data Destruction", NULL, NULL }

#define BUILT true
#define NOT_BUILT false

const struct rule rules[] = {
	/* ---- R0 ---- */
	{ "R0.1", "events-lost", RISK_HEALTH, SEV_HIGH,
	  "Events of the run were lost, so that it was not seen whole.",
	  "Give the monitor more processor time or a larger ring, and run again.",
	  "CWE-778 OWASP-CICD-SEC-10", T_NONE, BUILT },
	{ "R0.2", "coverage-gap", RISK_HEALTH, SEV_LOW,
	  "A hook could not be attached, and what it covers is not seen.",
	  "Run `invigil check` and use a kernel or privileges that allow the hook.",
	  "CWE-778 OWASP-CICD-SEC-10", T_NONE, BUILT },
	{ "R0.3", "record-cut", RISK_HEALTH, SEV_MEDIUM,
	  "A record or a stream was longer than what is kept and was cut.",
	  "Look at the process named here by hand; its arguments or requests are unusually long.",
	  "CWE-778 OWASP-CICD-SEC-10", T_NONE, BUILT },
	{ "R0.4", "start-missed", RISK_HEALTH, SEV_LOW,
	  "The start of a process was missed, or probes came too late for its first reads.",
	  "Start the run under the monitor from its very first process.",
	  "CWE-778 OWASP-CICD-SEC-10", T_NONE, BUILT },
	{ "R0.5", "monitor-attacked", RISK_HEALTH, SEV_CRITICAL,
	  "The run signals, traces or kills the monitor or its guardian, or detaches its hooks.",
	  "Treat the run as hostile: stop it, and do not trust what it reported after this moment.",
	  "CWE-693 OWASP-CICD-SEC-10 T1685", T_TOOLS, BUILT },
	{ "R0.6", "identity-claimed", RISK_HEALTH, SEV_HIGH,
	  "The run carries the identity of another run's CI job, but is of another user, or comes "
	  "from another agent: one of the two pretends to be what it is not.",
	  "Find out who started it; do not read its events as those of the job that it names.",
	  "CWE-290 OWASP-CICD-SEC-2", T_NONE, BUILT },

	/* ---- R1 ---- */
	{ "R1.1", "variable-read", RISK_ENVIRONMENT_READ, SEV_INFO,
	  "A variable is read by name and is neither well known nor a sensitive or exposing one.",
	  "Nothing to do: this is evidence of what the run depends on.",
	  "CWE-526 OWASP-CICD-SEC-6 T1552", T_UNSECURED, BUILT },
	{ "R1.2", "exposure-variable-read", RISK_ENVIRONMENT_READ, SEV_LOW,
	  "The test process's own code, not a library, reads a variable that changes what a test "
	  "exposes or where it talks to.",
	  "Set the variable in the job's definition, or make the safe choice the default in the "
	  "script.",
	  "CWE-526 OWASP-CICD-SEC-6 T1552", T_UNSECURED, BUILT },
	{ "R1.3", "sensitive-variable-read", RISK_ENVIRONMENT_READ, SEV_MEDIUM,
	  "A variable with a sensitive name is read and was set.",
	  "Give the secret only to the step that needs it, as a short-lived credential or a file.",
	  "CWE-526 OWASP-CICD-SEC-6 T1552", T_UNSECURED, BUILT },
	{ "R1.4", "environment-copy", RISK_ENVIRONMENT_READ, SEV_INFO,
	  "A process copies or walks its own whole environment.",
	  "Nothing to do: libraries and run-times do so; pass explicit environments to children.",
	  "CWE-526 OWASP-CICD-SEC-6 T1552 T1082", T_SYSTEM_INFO, BUILT },
	{ "R1.5", "foreign-environment-read", RISK_ENVIRONMENT_READ, SEV_HIGH,
	  "The environment of a process that is not the reader's child is read from /proc.",
	  "Find out what the program wants there; run jobs under different users or with hidepid.",
	  "CWE-526 OWASP-CICD-SEC-6 T1003.007 T1552", T_PROC, BUILT },
	{ "R1.6", "environment-listing", RISK_ENVIRONMENT_READ, SEV_LOW,
	  "A listing tool of the distribution reads other processes' environments.",
	  "Call the tool without the option that shows environments.",
	  "CWE-526 OWASP-CICD-SEC-6 T1003.007 T1552", T_PROC, BUILT },
	{ "R1.7", "environment-dump", RISK_ENVIRONMENT_READ, SEV_MEDIUM,
	  "A program prints the environment while a sensitive variable is set.",
	  "Print the variables that are wanted by name, or unset the secrets before.",
	  "CWE-526 OWASP-CICD-SEC-6 T1082 T1552", T_SYSTEM_INFO, BUILT },
	{ "R1.8", "secret-sent", RISK_ENVIRONMENT_READ, SEV_HIGH,
	  "Values of sensitive variables are seen in bytes sent to the network or to a network "
	  "client.",
	  "Check that the receiver may have the secret; otherwise revoke it and remove the code "
	  "that sends it.",
	  "CWE-526 OWASP-CICD-SEC-6 T1552", T_UNSECURED, BUILT },
	{ "R1.9", "foreign-memory-read", RISK_ENVIRONMENT_READ, SEV_CRITICAL,
	  "The memory of a process that is no descendant, or a CI agent's environment, is read.",
	  "Treat the job's and the agent's credentials as stolen: revoke them and examine the run.",
	  "CWE-526 OWASP-CICD-SEC-6 T1003.007 T1552", T_PROC, BUILT },
	{ "R1.10", "descendant-memory-read", RISK_ENVIRONMENT_READ, SEV_MEDIUM,
	  "The memory of a descendant is read as a debugger does.",
	  "Keep debuggers and tracers out of test runs that hold secrets.",
	  "CWE-526 OWASP-CICD-SEC-6 T1003.007 T1552", T_PROC, BUILT },
	{ "R1.11", "sensitive-variable-passed", RISK_ENVIRONMENT_READ, SEV_INFO,
	  "A child or a container receives variables with sensitive names.",
	  "Pass an explicit environment without the secrets that the child does not need.",
	  "CWE-526 OWASP-CICD-SEC-6 T1552", T_UNSECURED, BUILT },

	/* ---- R2 ---- */
	{ "R2.1", "encoded-data", RISK_ENCODED_PAYLOAD, SEV_LOW,
	  "An argument, container command or Dockerfile line carries encoded data that decodes to "
	  "text or a "
	  "known file type.",
	  "Copy the file into the build context or a mount, where a reviewer can read it.",
	  "CWE-116 CWE-506 T1027.010", T_OBFUSCATION, BUILT },
	{ "R2.2", "encoded-executable", RISK_ENCODED_PAYLOAD, SEV_HIGH,
	  "Encoded data decodes to executable content.",
	  "Find out who put it there; ship programs as files that are reviewed and signed.",
	  "CWE-116 CWE-506 T1027.010 T1140", T_OBFUSCATION, BUILT },
	{ "R2.3", "decoder-to-interpreter", RISK_ENCODED_PAYLOAD, SEV_HIGH,
	  "The output of a decoder reaches an interpreter.",
	  "Keep the script as a file under review and execute that.",
	  "CWE-116 CWE-506 CWE-94 T1140 T1027.010", T_DECODE, BUILT },
	{ "R2.4", "decoded-file-executable", RISK_ENCODED_PAYLOAD, SEV_MEDIUM,
	  "Decoded content is written to a file that is then made executable or executed.",
	  "Use COPY with --chmod from the build context instead of decoding in a RUN line.",
	  "CWE-116 CWE-506 T1140 T1027.010", T_DECODE, BUILT },
	{ "R2.5", "encoded-name", RISK_ENCODED_PAYLOAD, SEV_MEDIUM,
	  "A file or object name is encoded, holds control bytes or invalid UTF-8, or decodes to a "
	  "climbing path.",
	  "Refuse such names where they come in; build names from letters, digits, dot and dash.",
	  "CWE-116 CWE-506 CWE-22 T1027.010", T_OBFUSCATION, BUILT },

	/* ---- R3 ---- */
	{ "R3.1", "program-executed", RISK_COMMAND_EXECUTION, SEV_INFO,
	  "A program is executed by the run.",
	  "Nothing to do: this is evidence of what the run executes.",
	  "CWE-78 T1059", T_INTERPRETER, BUILT },
	{ "R3.2", "program-changeable", RISK_COMMAND_EXECUTION, SEV_HIGH,
	  "The file executed, or a directory on its way, can be changed by others.",
	  "Take the write permission from group and others, or install the program where only root "
	  "can write.",
	  "CWE-78 CWE-732 T1059", T_INTERPRETER, BUILT },
	{ "R3.3", "unsafe-path-search", RISK_COMMAND_EXECUTION, SEV_MEDIUM,
	  "The program was found through a PATH entry that is relative or that others can write.",
	  "Call it by its absolute path, or remove the entry from PATH.",
	  "CWE-78 CWE-427 T1574.007 T1059", T_PATH, BUILT },
	{ "R3.4", "secret-in-arguments", RISK_COMMAND_EXECUTION, SEV_HIGH,
	  "An argument holds a secret or is the value of an option named like one.",
	  "Pass the secret on standard input, in a file of mode 0600 or through a credential "
	  "helper.",
	  "CWE-214 CWE-78 OWASP-CICD-SEC-6 T1552 T1059", T_UNSECURED, BUILT },
	{ "R3.5", "privilege-gained", RISK_COMMAND_EXECUTION, SEV_MEDIUM,
	  "The process gains privilege by executing the program.",
	  "Run the test without privilege, or allow the one command that needs it.",
	  "CWE-250 CWE-78 T1548.001 T1548.003 T1059", T_SETUID, BUILT },
	{ "R3.6", "downloaded-program", RISK_COMMAND_EXECUTION, SEV_HIGH,
	  "The file executed had been received over the network by the run, other than by a "
	  "package manager.",
	  "Pin the version, verify its checksum or signature, or install it from a package.",
	  "CWE-494 CWE-78 OWASP-CICD-SEC-9 T1105 T1059", T_TRANSFER, BUILT },
	{ "R3.7", "program-outside-policy", RISK_COMMAND_EXECUTION, SEV_MEDIUM,
	  "A policy is in force and the program is not in it.",
	  "Add the program to the policy when it belongs to the test; otherwise find out who "
	  "called it.",
	  "CWE-78 T1059", T_INTERPRETER, NOT_BUILT },
	{ "R3.8", "loader-hijack", RISK_COMMAND_EXECUTION, SEV_HIGH,
	  "A loader or interpreter start-up variable points at a file that the run wrote or that "
	  "others can change.",
	  "Unset the variable, or point it at a file of root's or of the working tree.",
	  "CWE-78 CWE-427 T1574.006 T1059", T_LINKER, BUILT },
	{ "R3.9", "privilege-bits-set", RISK_COMMAND_EXECUTION, SEV_MEDIUM,
	  "The run sets set-id bits or file capabilities on a file.",
	  "Remove them; give the privilege to the one call through the job's definition.",
	  "CWE-250 CWE-78 T1548.001 T1059", T_SETUID, BUILT },
	{ "R3.10", "fileless-execution", RISK_COMMAND_EXECUTION, SEV_HIGH,
	  "The file executed is anonymous or was deleted.",
	  "Find out what wrote it; programs of a test run have files that can be examined.",
	  "CWE-78 T1620 T1059", T_REFLECTIVE, BUILT },

	/* ---- R4 ---- */
	{ "R4.1", "child-piped", RISK_PIPED_SHELL, SEV_INFO,
	  "A child's stdin, stdout or stderr is a pipe held by its parent.",
	  "Nothing to do: this is evidence of whose output is captured.",
	  "CWE-78 CWE-77 T1059.004", T_SHELL, BUILT },
	{ "R4.2", "shell-command-string", RISK_PIPED_SHELL, SEV_LOW,
	  "The test process gives a shell a command string.",
	  "Pass an argument list without a shell (shell=False).",
	  "CWE-78 CWE-77 T1059.004", T_SHELL, BUILT },
	{ "R4.3", "shell-control-string", RISK_PIPED_SHELL, SEV_MEDIUM,
	  "The test process gives a shell a command string that uses shell control.",
	  "Connect the processes with pipes from the script, or quote every part that is not "
	  "constant.",
	  "CWE-78 CWE-77 T1059.004", T_SHELL, BUILT },
	{ "R4.4", "download-piped-to-interpreter", RISK_PIPED_SHELL, SEV_HIGH,
	  "A download is piped into an interpreter.",
	  "Download to a file, verify its checksum, then execute it.",
	  "CWE-78 CWE-77 CWE-494 OWASP-CICD-SEC-9 T1105 T1059.004", T_TRANSFER, BUILT },
	{ "R4.5", "shell-on-socket", RISK_PIPED_SHELL, SEV_CRITICAL,
	  "A shell feeds on a network connection.",
	  "Treat the machine as taken over: isolate it, and find out who answers at the other end.",
	  "CWE-78 CWE-77 T1059.004", T_SHELL, BUILT },
	{ "R4.6", "interpreter-starts-shell", RISK_PIPED_SHELL, SEV_MEDIUM,
	  "Another interpreter is used to start a shell.",
	  "Call the program that is wanted directly.",
	  "CWE-78 CWE-77 T1059.004", T_SHELL, BUILT },

	/* ---- R5 ---- */
	{ "R5.1", "log-writable", RISK_LOG_EXPOSURE, SEV_MEDIUM,
	  "A log of the run can be written by others, or lies in a directory that they can change.",
	  "Create logs with mode 0640 in a directory of the run's own; set the umask to 027.",
	  "CWE-532 CWE-732 CWE-276 T1552.001", T_IN_FILES, BUILT },
	{ "R5.2", "log-readable", RISK_LOG_EXPOSURE, SEV_LOW,
	  "A log of the run can be read by others.",
	  "Create logs with mode 0600 or 0640, or in a directory that others cannot enter.",
	  "CWE-532 CWE-732 CWE-276 T1552.001", T_IN_FILES, BUILT },
	{ "R5.3", "secret-logged", RISK_LOG_EXPOSURE, SEV_HIGH,
	  "A secret is written to a log, to the run's output or to the output of a build.",
	  "Revoke the secret, mask it where the line is made, and delete the log.",
	  "CWE-532 OWASP-CICD-SEC-6 T1552.001", T_IN_FILES, BUILT },
	{ "R5.4", "log-through-link", RISK_LOG_EXPOSURE, SEV_MEDIUM,
	  "A log is opened through a symbolic link in a shared directory.",
	  "Open it with O_NOFOLLOW in a directory of the run's own.",
	  "CWE-532 CWE-59 T1552.001", T_IN_FILES, BUILT },
	{ "R5.5", "log-tampered", RISK_LOG_EXPOSURE, SEV_MEDIUM,
	  "A log that the run did not create is truncated, removed or loosened.",
	  "Let tests write and clean up only logs of their own.",
	  "CWE-532 CWE-732 OWASP-CICD-SEC-10 T1070.004 T1685.006", T_CLEAR_LOGS, BUILT },
	{ "R5.6", "secret-log-loosened", RISK_LOG_EXPOSURE, SEV_HIGH,
	  "A log is loosened after secrets were written to it.",
	  "Revoke the secrets, and keep the log's mode at 0600.",
	  "CWE-532 CWE-732 CWE-276 T1552.001", T_IN_FILES, BUILT },

	/* ---- R6 ---- */
	{ "R6.1", "privileged-container", RISK_CONTAINER_CONFIG, SEV_CRITICAL,
	  "A privileged container is asked for.",
	  "Drop --privileged and add the one capability or device that is needed.",
	  "CWE-250 CIS-Docker-1.6:5.5 T1611 T1610", T_ESCAPE, BUILT },
	{ "R6.2", "engine-socket-mounted", RISK_CONTAINER_CONFIG, SEV_CRITICAL,
	  "A container engine's socket, or a directory that contains it, is mounted.",
	  "Do not hand the engine to a container; use a rootless engine or a filtering proxy.",
	  "CWE-250 CWE-668 CIS-Docker-1.6:5.32 T1611 T1610", T_ESCAPE, BUILT },
	{ "R6.3", "host-path-writable", RISK_CONTAINER_CONFIG, SEV_HIGH,
	  "A sensitive path of the host is mounted writable.",
	  "Mount the one directory that is needed, read-only, or use a named volume.",
	  "CWE-668 CWE-732 CIS-Docker-1.6:5.6 T1611 T1610", T_ESCAPE, BUILT },
	{ "R6.4", "namespace-shared", RISK_CONTAINER_CONFIG, SEV_HIGH,
	  "A namespace of the host or of a foreign container, or its volumes, is shared.",
	  "Use a network of the run's own and leave the namespaces private.",
	  "CWE-668 CIS-Docker-1.6:5.10 CIS-Docker-1.6:5.16 CIS-Docker-1.6:5.17 CIS-Docker-1.6:5.21 "
	  "CIS-Docker-1.6:5.31 T1611 T1610", T_ESCAPE, BUILT },
	{ "R6.5", "capability-added", RISK_CONTAINER_CONFIG, SEV_HIGH,
	  "Capabilities that give the host away are added.",
	  "Drop all capabilities and add only harmless ones such as NET_BIND_SERVICE.",
	  "CWE-250 CIS-Docker-1.6:5.4 T1611 T1610", T_ESCAPE, BUILT },
	{ "R6.6", "confinement-off", RISK_CONTAINER_CONFIG, SEV_HIGH,
	  "Seccomp, AppArmor or SELinux confinement is switched off, or masked paths are cleared.",
	  "Keep the default profiles, or give a profile that allows the one call that is needed.",
	  "CWE-250 CIS-Docker-1.6:5.22 CIS-Docker-1.6:5.2 CIS-Docker-1.6:5.3 T1611 "
	  "T1610", T_ESCAPE, BUILT },
	{ "R6.7", "port-on-all-interfaces", RISK_CONTAINER_CONFIG, SEV_MEDIUM,
	  "A port is published on all interfaces.",
	  "Publish on loopback: -p 127.0.0.1:PORT:PORT.",
	  "CWE-668 CIS-Docker-1.6:5.14 T1610", T_DEPLOY, BUILT },
	{ "R6.8", "host-device", RISK_CONTAINER_CONFIG, SEV_HIGH,
	  "Devices of the host are handed in, or device cgroup rules are opened.",
	  "Leave devices out, or hand in the one that is needed without the right to make nodes.",
	  "CWE-250 CWE-668 CIS-Docker-1.6:5.18 T1611 T1610", T_ESCAPE, BUILT },
	{ "R6.9", "secret-in-configuration", RISK_CONTAINER_CONFIG, SEV_MEDIUM,
	  "A secret is passed in Env, build arguments, labels, the command or a Dockerfile.",
	  "Use a secret mount (RUN --mount=type=secret, or a file) and revoke what went into an "
	  "image.",
	  "CWE-668 CWE-522 CIS-Docker-1.6:4.10 OWASP-CICD-SEC-6 T1552 T1610", T_UNSECURED, BUILT },
	{ "R6.10", "legacy-link", RISK_CONTAINER_CONFIG, SEV_LOW,
	  "Containers are connected by a legacy --link.",
	  "Create a network for the run and let the containers find each other by name.",
	  "CWE-668 T1610", T_DEPLOY, BUILT },
	{ "R6.11", "mutable-tag", RISK_CONTAINER_CONFIG, SEV_LOW,
	  "An image that the run did not build is named by a mutable tag.",
	  "Name the image by its digest, or at least by a full version.",
	  "CWE-668 OWASP-CICD-SEC-3 T1610", T_DEPLOY, BUILT },
	{ "R6.12", "no-limits", RISK_CONTAINER_CONFIG, SEV_INFO,
	  "A container has no memory or pid limit, or publishes a port on loopback.",
	  "Give --memory and --pids-limit.",
	  "CWE-668 CWE-770 CIS-Docker-1.6:5.11 CIS-Docker-1.6:5.29 T1610", T_DEPLOY, BUILT },
	{ "R6.13", "configuration-not-seen", RISK_CONTAINER_CONFIG, SEV_MEDIUM,
	  "The configuration of a container or build could not be seen whole.",
	  "Look at the object by hand (docker inspect); the request was cut or not readable.",
	  "CWE-668 T1610", T_DEPLOY, BUILT },
	{ "R6.14", "host-path-read-only", RISK_CONTAINER_CONFIG, SEV_MEDIUM,
	  "A sensitive path of the host is mounted read-only.",
	  "Mount the one file that is needed instead of the directory.",
	  "CWE-668 CWE-732 CIS-Docker-1.6:5.6 T1611 T1610", T_ESCAPE, BUILT },
	{ "R6.15", "running-container-loosened", RISK_CONTAINER_CONFIG, SEV_HIGH,
	  "Mount propagation is shared, or an update loosens a running container.",
	  "Use private propagation, and make a new container instead of updating one.",
	  "CWE-668 CWE-732 CIS-Docker-1.6:5.20 T1611 T1610", T_ESCAPE, BUILT },

	/* ---- R7 ---- */
	{ "R7.1", "name-chosen", RISK_NAME_DISCLOSURE, SEV_INFO,
	  "A name is chosen for an image, container, host, network or volume.",
	  "Nothing to do: this is evidence of the names the run gives.",
	  "CWE-200 CWE-497", T_NONE, BUILT },
	{ "R7.2", "host-or-user-name", RISK_NAME_DISCLOSURE, SEV_LOW,
	  "A name, label or alias carries the runner's host name or a user's name.",
	  "Build names from the job's id or from a random word.",
	  "CWE-200 CWE-497", T_NONE, BUILT },
	{ "R7.3", "credential-in-name", RISK_NAME_DISCLOSURE, SEV_HIGH,
	  "A name, label or image reference carries a credential or a secret.",
	  "Revoke the credential and log in with docker login --password-stdin.",
	  "CWE-200 CWE-522 OWASP-CICD-SEC-6 T1552", T_UNSECURED, BUILT },
	{ "R7.4", "foreign-object-inspected", RISK_NAME_DISCLOSURE, SEV_LOW,
	  "The run inspects a container, volume, swarm secret or network that is foreign.",
	  "Inspect only objects of the run, or name the shared ones with --own.",
	  "CWE-200 CWE-497 T1613", T_RESOURCES, BUILT },
	{ "R7.5", "internal-domain", RISK_NAME_DISCLOSURE, SEV_LOW,
	  "A name carries an internal domain.",
	  "Use names under .test or .example for containers.",
	  "CWE-200 CWE-497", T_NONE, BUILT },
	{ "R7.6", "credential-store-read", RISK_NAME_DISCLOSURE, SEV_MEDIUM,
	  "A credential store is read by other than its own client.",
	  "Find out what the program wants there; give the run a home directory without "
	  "credentials.",
	  "CWE-200 CWE-522 OWASP-CICD-SEC-6 T1552.001", T_IN_FILES, BUILT },

	/* ---- R8 ---- */
	{ "R8.1", "engine-connection", RISK_DOCKER_CONTROL, SEV_INFO,
	  "The run connects to a container engine.",
	  "Nothing to do: this is evidence of who talks to the engine.",
	  "CWE-78 CWE-250 T1609", T_ADMINISTRATION, BUILT },
	{ "R8.2", "docker-operation", RISK_DOCKER_CONTROL, SEV_LOW,
	  "An image is built, a container is run, or a command is executed in a container of this "
	  "run.",
	  "Check that the test means to do so; use a rootless engine for test runs.",
	  "CWE-78 CWE-250 T1610 T1609 T1612", T_DEPLOY, BUILT },
	{ "R8.3", "foreign-container-entered", RISK_DOCKER_CONTROL, SEV_HIGH,
	  "A command is executed in, or a file is copied into or out of, a foreign container.",
	  "Address containers by the id that their creation returned; name shared ones with --own.",
	  "CWE-78 CWE-250 T1609", T_ADMINISTRATION, BUILT },
	{ "R8.4", "privileged-exec", RISK_DOCKER_CONTROL, SEV_HIGH,
	  "A command is executed in a container with all privileges.",
	  "Drop --privileged from docker exec.",
	  "CWE-250 CIS-Docker-1.6:5.23 T1609 T1611", T_ADMINISTRATION, BUILT },
	{ "R8.5", "registry-not-allowed", RISK_DOCKER_CONTROL, SEV_MEDIUM,
	  "An image comes from a registry that is not allowed, or a build takes its context from a "
	  "URL.",
	  "Mirror the image to an allowed registry, and build from a local context.",
	  "CWE-78 CWE-494 CIS-Docker-1.6:4.2 OWASP-CICD-SEC-3 T1612 T1610", T_BUILD_IMAGE, BUILT },
	{ "R8.6", "engine-unprotected", RISK_DOCKER_CONTROL, SEV_HIGH,
	  "The engine is reached over TCP without TLS, through a relay, or by a path that it did "
	  "not bind.",
	  "Use the engine's own socket, or TCP with client certificates.",
	  "CWE-319 CWE-306 CIS-Docker-1.6:2.7 T1609", T_ADMINISTRATION, BUILT },
	{ "R8.7", "raw-engine-client", RISK_DOCKER_CONTROL, SEV_MEDIUM,
	  "A general tool or an inline program talks to the engine directly.",
	  "Use the docker client or a reviewed library.",
	  "CWE-78 CWE-250 T1609", T_ADMINISTRATION, BUILT },
	{ "R8.8", "explicit-root", RISK_DOCKER_CONTROL, SEV_LOW,
	  "An exec or a container asks for root explicitly, or the entry point is replaced by a "
	  "shell.",
	  "Name an unprivileged user, and keep the image's entry point.",
	  "CWE-250 CIS-Docker-1.6:5.24 T1609 T1610", T_ADMINISTRATION, BUILT },

	/* ---- R9 ---- */
	{ "R9.1", "own-object-removed", RISK_DOCKER_REMOVAL, SEV_INFO,
	  "The run removes, kills or stops its own object, or one that did not exist.",
	  "Nothing to do: this is evidence that the run cleans up.",
	  "CWE-862 T1485 T1489", T_DESTRUCTION, BUILT },
	{ "R9.2", "foreign-object-removed", RISK_DOCKER_REMOVAL, SEV_HIGH,
	  "The run removes, kills or stops an object that is foreign.",
	  "Remove by the id that the creation returned; name shared objects with --own.",
	  "CWE-862 T1485 T1489", T_DESTRUCTION, BUILT },
	{ "R9.3", "foreign-object-pruned", RISK_DOCKER_REMOVAL, SEV_HIGH,
	  "The run prunes, and the response names an object that is not its own or cannot be read.",
	  "Prune with a label filter of the run's own, or remove the objects one by one.",
	  "CWE-862 T1485", T_DESTRUCTION, BUILT },
	{ "R9.4", "unknown-object-forced", RISK_DOCKER_REMOVAL, SEV_MEDIUM,
	  "The run removes by force an object of unknown origin.",
	  "Give names that no other run can have, and remove without force.",
	  "CWE-862 T1485 T1489", T_DESTRUCTION, BUILT },
	{ "R9.5", "removal-refused", RISK_DOCKER_REMOVAL, SEV_LOW,
	  "The engine refused a removal, or a prune removed only own objects.",
	  "Stop the container or remove what depends on it first; remove own objects by id.",
	  "CWE-862 T1485", T_DESTRUCTION, BUILT },
};

/* clang-format on */
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
