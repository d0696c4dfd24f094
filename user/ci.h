/* ci.h: the CI job that an environment names: one row a provider, by its public documentation. Pure. */
#ifndef INVIGIL_CI_H
#define INVIGIL_CI_H

#include <stdbool.h>
#include "buf.h"

#define CI_FIELDS 10

/* A public part of the job, under OpenTelemetry's name (semantic conventions for CI/CD and VCS). */
struct ci_field {
	const char *path; /* "cicd.pipeline.run.id" */
	const char *variable;
};

struct ci_provider {
	const char *name;
	const char *marker;      /* a variable that this provider alone sets ... */
	const char *value;       /* ... to this glob */
	const char *identity[3]; /* variables that tell one job (and attempt) from any other */
	/* In the order in which they nest: rows that share an object stand together. */
	struct ci_field fields[CI_FIELDS];
};

extern const struct ci_provider ci_providers[];
extern const unsigned n_ci_providers;

/* Row with that name, or NULL. */
const struct ci_provider *ci_named(const char *name);
/* The first row whose marker is in envp ("NAME=value" strings, NULL ended), or NULL. */
const struct ci_provider *ci_find(char *const *envp);
/* Value of a variable in envp, or NULL. */
const char *env_lookup(char *const *envp, const char *name);

#endif
