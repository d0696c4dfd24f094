/* job.h: which CI job a process that begins a ticket belongs to. Pure. */
#ifndef INVIGIL_JOB_H
#define INVIGIL_JOB_H

#include "ci.h"
#include "option.h"
#include "record.h"

/*
 * Two processes are of one job when provider, the parts that name job and attempt, user and agent (the
 * process that started them) are the same: an identity alone can be copied by anybody.
 */
struct job_identity {
	const struct ci_provider *ci; /* NULL: begun by a selector of the configuration */
	uint64_t digest[2]; /* of the provider's fields; keyed, so that nobody can aim at one */
	uint32_t uid;
	uint32_t agent_pid;
	uint64_t agent_start;
};

/*
 * Of an exec record that was not scrubbed yet. envp: the record's own environment as strings (env_strings()).
 * False: neither a job nor selected.
 */
bool job_identify(const struct record *exec, char *const *envp, const struct config *c,
		  const uint64_t key[2], struct job_identity *out);
bool job_same(const struct job_identity *a, const struct job_identity *b);

/* The NUL separated strings of a block as a NULL ended list; the caller frees the list alone. */
char **strings_of(char *block, size_t len);

#endif
