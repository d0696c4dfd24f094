/* ci.c: the table of CI providers. */
#include <fnmatch.h>
#include <string.h>
#include "ci.h"

#define NAME     "cicd.pipeline.name"
#define RUN_ID   "cicd.pipeline.run.id"
#define RUN_URL  "cicd.pipeline.run.url.full"
#define TASK     "cicd.pipeline.task.name"
#define TASK_ID  "cicd.pipeline.task.run.id"
#define TASK_URL "cicd.pipeline.task.run.url.full"
#define WORKER   "cicd.worker.name"
#define BRANCH   "vcs.ref.head.name"
#define COMMIT   "vcs.ref.head.revision"
#define REPO     "vcs.repository.name"
#define REPO_URL "vcs.repository.url.full"

/* Forks of GitHub's runner set its variables too: they stand before it. Tekton sets none of its own. */
const struct ci_provider ci_providers[] = {
	/* https://forgejo.org/docs/latest/user/actions/reference */
	{ "forgejo",
	  "FORGEJO_ACTIONS",
	  "true",
	  { "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB" },
	  { { NAME, "GITHUB_WORKFLOW" },
	    { RUN_ID, "GITHUB_RUN_ID" },
	    { TASK, "GITHUB_JOB" },
	    { BRANCH, "GITHUB_REF_NAME" },
	    { COMMIT, "GITHUB_SHA" },
	    { REPO, "GITHUB_REPOSITORY" } } },
	/* https://docs.gitea.com/usage/actions/actions-variables */
	{ "gitea",
	  "GITEA_ACTIONS",
	  "true",
	  { "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB" },
	  { { NAME, "GITHUB_WORKFLOW" },
	    { RUN_ID, "GITHUB_RUN_ID" },
	    { TASK, "GITHUB_JOB" },
	    { BRANCH, "GITHUB_REF_NAME" },
	    { COMMIT, "GITHUB_SHA" },
	    { REPO, "GITHUB_REPOSITORY" } } },
	/* https://docs.github.com/actions/reference/workflows-and-actions/variables */
	{ "github_actions",
	  "GITHUB_ACTIONS",
	  "true",
	  { "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB" },
	  { { NAME, "GITHUB_WORKFLOW" },
	    { RUN_ID, "GITHUB_RUN_ID" },
	    { TASK, "GITHUB_JOB" },
	    { WORKER, "RUNNER_NAME" },
	    { BRANCH, "GITHUB_REF_NAME" },
	    { COMMIT, "GITHUB_SHA" },
	    { REPO, "GITHUB_REPOSITORY" } } },
	/* https://docs.gitlab.com/ci/variables/predefined_variables */
	{ "gitlab",
	  "GITLAB_CI",
	  "true",
	  { "CI_JOB_ID" },
	  { { NAME, "CI_PIPELINE_NAME" },
	    { RUN_ID, "CI_PIPELINE_ID" },
	    { RUN_URL, "CI_PIPELINE_URL" },
	    { TASK, "CI_JOB_NAME" },
	    { TASK_ID, "CI_JOB_ID" },
	    { TASK_URL, "CI_JOB_URL" },
	    { BRANCH, "CI_COMMIT_REF_NAME" },
	    { COMMIT, "CI_COMMIT_SHA" },
	    { REPO, "CI_PROJECT_PATH" },
	    { REPO_URL, "CI_PROJECT_URL" } } },
	/* https://www.jenkins.io/doc/book/pipeline/jenkinsfile */
	{ "jenkins",
	  "BUILD_TAG",
	  "jenkins-*",
	  { "BUILD_TAG" },
	  { { NAME, "JOB_NAME" },
	    { RUN_ID, "BUILD_ID" },
	    { RUN_URL, "BUILD_URL" },
	    { TASK, "STAGE_NAME" },
	    { WORKER, "NODE_NAME" },
	    { BRANCH, "GIT_BRANCH" },
	    { COMMIT, "GIT_COMMIT" },
	    { REPO_URL, "GIT_URL" } } },
	/* https://buildkite.com/docs/pipelines/configure/environment-variables */
	{ "buildkite",
	  "BUILDKITE",
	  "true",
	  { "BUILDKITE_JOB_ID" },
	  { { NAME, "BUILDKITE_PIPELINE_SLUG" },
	    { RUN_ID, "BUILDKITE_BUILD_ID" },
	    { RUN_URL, "BUILDKITE_BUILD_URL" },
	    { TASK, "BUILDKITE_LABEL" },
	    { TASK_ID, "BUILDKITE_JOB_ID" },
	    { WORKER, "BUILDKITE_AGENT_NAME" },
	    { BRANCH, "BUILDKITE_BRANCH" },
	    { COMMIT, "BUILDKITE_COMMIT" },
	    { REPO_URL, "BUILDKITE_REPO" } } },
	/* https://circleci.com/docs/reference/variables */
	{ "circleci",
	  "CIRCLECI",
	  "true",
	  { "CIRCLE_WORKFLOW_JOB_ID" },
	  { { RUN_ID, "CIRCLE_WORKFLOW_ID" },
	    { TASK, "CIRCLE_JOB" },
	    { TASK_ID, "CIRCLE_WORKFLOW_JOB_ID" },
	    { TASK_URL, "CIRCLE_BUILD_URL" },
	    { BRANCH, "CIRCLE_BRANCH" },
	    { COMMIT, "CIRCLE_SHA1" },
	    { REPO, "CIRCLE_PROJECT_REPONAME" },
	    { REPO_URL, "CIRCLE_REPOSITORY_URL" } } },
	/* https://learn.microsoft.com/azure/devops/pipelines/build/variables */
	{ "azure_pipelines",
	  "TF_BUILD",
	  "[Tt]rue",
	  { "BUILD_BUILDID", "SYSTEM_JOBID" },
	  { { NAME, "BUILD_DEFINITIONNAME" },
	    { RUN_ID, "BUILD_BUILDID" },
	    { TASK, "SYSTEM_JOBNAME" },
	    { TASK_ID, "SYSTEM_JOBID" },
	    { WORKER, "AGENT_NAME" },
	    { BRANCH, "BUILD_SOURCEBRANCHNAME" },
	    { COMMIT, "BUILD_SOURCEVERSION" },
	    { REPO, "BUILD_REPOSITORY_NAME" },
	    { REPO_URL, "BUILD_REPOSITORY_URI" } } },
	/* https://woodpecker-ci.org/docs/usage/environment */
	{ "woodpecker",
	  "CI",
	  "woodpecker",
	  { "CI_REPO", "CI_PIPELINE_NUMBER", "CI_WORKFLOW_NAME" },
	  { { NAME, "CI_WORKFLOW_NAME" },
	    { RUN_ID, "CI_PIPELINE_NUMBER" },
	    { RUN_URL, "CI_PIPELINE_URL" },
	    { TASK, "CI_STEP_NAME" },
	    { BRANCH, "CI_COMMIT_BRANCH" },
	    { COMMIT, "CI_COMMIT_SHA" },
	    { REPO, "CI_REPO" },
	    { REPO_URL, "CI_REPO_URL" } } },
	/* https://docs.drone.io/pipeline/environment/reference */
	{ "drone",
	  "DRONE",
	  "true",
	  { "DRONE_REPO", "DRONE_BUILD_NUMBER", "DRONE_STAGE_NUMBER" },
	  { { NAME, "DRONE_STAGE_NAME" },
	    { RUN_ID, "DRONE_BUILD_NUMBER" },
	    { RUN_URL, "DRONE_BUILD_LINK" },
	    { TASK, "DRONE_STEP_NAME" },
	    { WORKER, "DRONE_STAGE_MACHINE" },
	    { BRANCH, "DRONE_COMMIT_BRANCH" },
	    { COMMIT, "DRONE_COMMIT_SHA" },
	    { REPO, "DRONE_REPO" },
	    { REPO_URL, "DRONE_REPO_LINK" } } },
	/* https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html */
	{ "teamcity",
	  "TEAMCITY_VERSION",
	  "?*",
	  { "TEAMCITY_PROJECT_NAME", "TEAMCITY_BUILDCONF_NAME", "BUILD_NUMBER" },
	  { { NAME, "TEAMCITY_BUILDCONF_NAME" },
	    { RUN_ID, "BUILD_NUMBER" },
	    { RUN_URL, "BUILD_URL" },
	    { COMMIT, "BUILD_VCS_NUMBER" },
	    { REPO, "TEAMCITY_PROJECT_NAME" } } },
};
const unsigned n_ci_providers = ARRAY_SIZE(ci_providers);

const struct ci_provider *ci_named(const char *name)
{
	for (unsigned i = 0; i < n_ci_providers; i++)
		if (!strcmp(ci_providers[i].name, name))
			return &ci_providers[i];
	return NULL;
}

const char *env_lookup(char *const *envp, const char *name)
{
	size_t n = strlen(name);

	for (; *envp; envp++)
		if (!strncmp(*envp, name, n) && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}

const struct ci_provider *ci_find(char *const *envp)
{
	for (unsigned i = 0; i < n_ci_providers; i++) {
		const char *value = env_lookup(envp, ci_providers[i].marker);

		if (value && !fnmatch(ci_providers[i].value, value, 0))
			return &ci_providers[i];
	}
	return NULL;
}
