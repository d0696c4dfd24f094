/* technique.h: the techniques of ATT&CK that rules name, each with the tactic that it serves here. */
#ifndef INVIGIL_TECHNIQUE_H
#define INVIGIL_TECHNIQUE_H

/*
 * ATT&CK Enterprise 19.2 (tests/unit/data/catalogues.tsv): TA0005 is called Stealth, TA0112 Defense Impairment was split from it, and
 * T1070.002 became T1685.006.
 */
/* clang-format off */
#define STEALTH    "TA0005", "Stealth"
#define IMPAIRMENT "TA0112", "Defense Impairment"
#define EXECUTION  "TA0002", "Execution"
#define ESCALATION "TA0004", "Privilege Escalation"
#define CREDENTIAL "TA0006", "Credential Access"
#define DISCOVERY  "TA0007", "Discovery"
#define CONTROL    "TA0011", "Command and Control"
#define IMPACT     "TA0040", "Impact"

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
/* clang-format on */

#endif
