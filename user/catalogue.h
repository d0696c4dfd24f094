/* catalogue.h: the one table of categories and rules; detectors, the stream and `invigil risks` read it. */
#ifndef INVIGIL_CATALOGUE_H
#define INVIGIL_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

enum severity { SEV_INFO, SEV_LOW, SEV_MEDIUM, SEV_HIGH, SEV_CRITICAL, SEV_OFF };
#define SEVERITIES 5

enum risk {
	RISK_HEALTH,
	RISK_ENVIRONMENT_READ,
	RISK_ENCODED_PAYLOAD,
	RISK_COMMAND_EXECUTION,
	RISK_PIPED_SHELL,
	RISK_LOG_EXPOSURE,
	RISK_CONTAINER_CONFIG,
	RISK_NAME_DISCLOSURE,
	RISK_DOCKER_CONTROL,
	RISK_DOCKER_REMOVAL,
	RISKS
};

struct category {
	const char *id;       /* "R1" */
	const char *name;     /* "environment-read" */
	const char *says;     /* what the review says */
	const char *observes; /* what invigil observes */
};

struct technique { /* ATT&CK */
	const char *tactic_id, *tactic;
	const char *id, *name;
	const char *sub_id, *sub_name; /* NULL: none */
};

struct rule {
	const char *id;   /* "R6.1" */
	const char *name; /* permanent kebab-case */
	enum risk risk;
	enum severity severity;  /* default; see rule_severity() */
	const char *description; /* one sentence */
	const char *remedy;
	const char *references; /* space separated: "CWE-250 CIS-Docker-1.6:5.5 OWASP-CICD-SEC-6" */
	struct technique technique; /* id NULL: none */
	bool built; /* false: in the catalogue, not detected by this version; said by `risks` */
};

extern const struct category categories[RISKS];
extern const struct rule rules[];
extern const size_t n_rules;

const struct rule *rule_find(const char *id); /* NULL when there is none */
const char *severity_text(enum severity s);
/* -1 when the word is none of low, medium, high, critical, info, off. */
int severity_parse(const char *word);
int severity_ecs(enum severity s); /* event.severity: 21, 47, 73, 99; 0 for info */

/* What the configuration changed; index as in rules[]. */
enum severity rule_severity(const struct rule *r);
bool rule_set_severity(const char *id, enum severity s); /* false: no such rule */
/* All of them at once: severity + 1, or 0 for the rule's own; NULL: all are their own. */
void rules_configure(const unsigned char *to);

#endif
