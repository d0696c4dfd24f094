/* take_peek.c: a process of the run looks into another: its environment or its memory. */
#include <fnmatch.h>
#include <string.h>
#include "pipeline_state.h"

/* Programs of CI services that hold the job's credentials; a name in the kernel has 15 bytes. */
static const char *const agents[] = {
	"Runner.Listener", "Runner.Worker",   "Agent.Listener",
	"Agent.Worker",    "gitlab-runner*",  "buildkite-agent",
	"circleci-agent*", "circleci-runner", "drone-runner*",
	"drone-agent",     "woodpecker-agen", "act_runner",
	"forgejo-runner",  "gitea-runner",    "teamcity-agent*",
	"jenkins-agent*",  "concourse",       "tkn",
	"semaphore-agen",  "bamboo-agent*",
};

static bool is_agent(const char *comm)
{
	for (size_t i = 0; i < ARRAY_SIZE(agents); i++)
		if (!fnmatch(agents[i], comm, 0))
			return true;
	return false;
}

void take_peek(struct pipeline *p, const struct record *r)
{
	const struct ev_peek *e = r->body;
	struct process *process = process_of(p, r);
	struct fact f = { .kind = FACT_PEEK, .time = wall(p, r->h->time), .process = process };
	char comm[EV_COMM_MAX + 1] = { 0 };
	struct buf once = { 0 };
	bool first;

	memcpy(comm, e->target_comm, sizeof(e->target_comm));
	/* A path is no variable's name: the same set of things seen serves both. */
	if (process->roles & ROLE_LISTING) /* looks at them all: said once */
		buf_fmt(&once, "/proc/%u", e->how);
	else
		buf_fmt(&once, "/proc/%u/%llu/%u", e->target_pid,
			(unsigned long long)e->target_start, e->how);
	first = process_first_read(process, (struct span){ once.ptr, once.len });
	buf_free(&once);
	if (!first)
		return;
	f.peek.how = e->how;
	f.peek.target_pid = e->target_pid;
	f.peek.target_comm = comm;
	f.peek.agent = is_agent(comm);
	f.peek.target = table_known(p->table, e->target_pid, e->target_start);
	if (f.peek.target == process)
		f.peek.relation = RELATION_SELF;
	else if (f.peek.target && process_descends(f.peek.target, process))
		f.peek.relation = RELATION_DESCENDANT;
	else
		f.peek.relation = f.peek.target ? RELATION_MEMBER : RELATION_OUTSIDE;
	fact_emit(p, &f);
}
