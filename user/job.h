/* job.h: which CI job a process that begins a ticket belongs to. Pure. */
#ifndef INVIGIL_JOB_H
#define INVIGIL_JOB_H

#include "ci.h"
#include "option.h"
#include "record.h"

/* Where a process comes from, of a lineage record; {0}: not known. */
struct lineage {
	struct ev_ancestor ancestor[EV_ANCESTORS]; /* parent first */
	unsigned ancestors;
	char *cgroup; /* "/" is the root */
	char *parent; /* its parent's program, or NULL */
	uint32_t was; /* the ticket it had before; 0 none */
};
void lineage_read(const struct record *r, struct lineage *out);
void lineage_free(struct lineage *l);

struct job_identity {
	const struct ci_provider *ci; /* NULL: begun by a selector of the configuration */
	uint64_t digest[2]; /* of the provider's fields; keyed, so that nobody can aim at one */
	uint32_t uid;
	struct ev_ancestor agent; /* what started the job: the parent of its first process */
	uint64_t cgroup[2];       /* digest; 0: the root, or not known */
};

/*
 * Of an exec record that was not scrubbed yet. envp: the record's own environment as strings (env_strings()).
 * False: neither a job nor selected.
 */
bool job_identify(const struct record *exec, char *const *envp, const struct lineage *l,
		  const struct config *c, const uint64_t key[2], struct job_identity *out);

/*
 * The names that an environment carries can be copied by anybody: what has the same is of the same job when it
 * has the same user, too, and descends from the job's agent or is in the control group that the job began in.
 * Otherwise it makes a claim.
 */
enum job_kin { JOB_OTHER, JOB_SAME, JOB_CLAIM };
enum job_kin job_kin(const struct job_identity *job, const struct job_identity *i,
		     const struct lineage *l);

/* Is this process, which has that identity, what the job was thought to be started by? */
bool job_is_agent(const struct job_identity *job, const struct job_identity *i, uint32_t pid,
		  uint64_t start);

/* The NUL separated strings of a block as a NULL ended list; the caller frees the list alone. */
char **strings_of(char *block, size_t len);

#endif
