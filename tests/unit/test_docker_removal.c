/* test_docker_removal.c: R9, each rule with a hit and its nearest miss. */
#define CASE_DETECTOR detect_docker_removal
#include "docker_case.h"

#define RM "DELETE /v1.43/containers/web"

static const struct docker_case cases[] = {
	{ "an_own_container_is_evidence", "R9.1", RM "?force=1", .owner = OWNER_OWN,
	  .status = 204 },
	{ "an_own_container_is_no_alert", "!R9.4", RM "?force=1", .owner = OWNER_OWN,
	  .status = 204 },
	{ "none_there_is_evidence", "R9.1", RM "?force=1", .owner = OWNER_FOREIGN, .status = 404 },
	{ "none_there_is_not_foreign", "!R9.2", RM "?force=1", .owner = OWNER_FOREIGN,
	  .status = 404 },
	{ "a_foreign_container_is_high", "R9.2", RM, .owner = OWNER_FOREIGN, .status = 204 },
	{ "a_foreign_container_may_have_no_answer", "R9.2", RM, .owner = OWNER_FOREIGN,
	  .status = -1, .says = "no answer seen" },
	{ "a_failed_removal_removes_nothing", "!R9.2", RM, .owner = OWNER_FOREIGN, .status = 500 },
	{ "a_foreign_container_is_killed", "R9.2", "POST /containers/web/kill",
	  .owner = OWNER_FOREIGN, .status = 204 },
	{ "a_foreign_container_is_stopped", "R9.2", "POST /containers/web/stop",
	  .owner = OWNER_FOREIGN, .status = 204 },
	{ "a_foreign_container_is_started", "!R9.2", "POST /containers/web/start",
	  .owner = OWNER_FOREIGN, .status = 204 },
	{ "an_own_stopped_one_is_stopped", "R9.1", "POST /containers/web/stop", .owner = OWNER_OWN,
	  .status = 304 },
	{ "a_foreign_secret_goes", "R9.2", "DELETE /secrets/s1", .owner = OWNER_FOREIGN,
	  .status = 204 },
	{ "a_foreign_secret_is_looked_at", "!R9.2", "GET /secrets/s1", .owner = OWNER_FOREIGN,
	  .status = 200 },
	{ "an_own_image_takes_a_foreign_tag_away", "R9.2", "DELETE /images/i:1", .owner = OWNER_OWN,
	  .status = 200, .removed_names_foreign = true },
	{ "an_own_image_takes_its_tag_away", "!R9.2", "DELETE /images/i:1", .owner = OWNER_OWN,
	  .status = 200 },
	{ "a_foreign_volume", "R9.2", "DELETE /volumes/v", .owner = OWNER_FOREIGN, .status = 204 },
	{ "a_foreign_network", "R9.2", "DELETE /networks/v", .owner = OWNER_FOREIGN,
	  .status = 204 },
	{ "unknown_by_force", "R9.4", RM "?v=1&force=true", .owner = OWNER_UNKNOWN, .status = 204 },
	{ "unknown_without_force", "!R9.4", RM "?v=1&force=false", .owner = OWNER_UNKNOWN,
	  .status = 204 },
	{ "unknown_without_force_is_said", "R9.1", RM, .owner = OWNER_UNKNOWN, .status = 204,
	  .says = "origin unknown" },
	{ "refused_409", "R9.5", RM, .owner = OWNER_FOREIGN, .status = 409 },
	{ "refused_403", "R9.5", RM, .owner = OWNER_FOREIGN, .status = 403 },
	{ "done_is_not_refused", "!R9.5", RM, .owner = OWNER_FOREIGN, .status = 204 },
	{ "a_prune_of_others", "R9.3", "POST /containers/prune", .status = 200, .pruned_own = 2,
	  .pruned_other = 1 },
	{ "a_prune_of_own", "!R9.3", "POST /containers/prune", .status = 200, .pruned_own = 2 },
	{ "a_prune_of_own_is_low", "R9.5", "POST /containers/prune", .status = 200,
	  .pruned_own = 2 },
	{ "a_prune_that_cannot_be_read", "R9.3", "POST /images/prune", .status = 200,
	  .pruned_unreadable = true },
	{ "a_prune_without_an_answer", "R9.3", "POST /volumes/prune", .status = -1,
	  .says = "no answer" },
	{ "a_prune_of_the_build_cache", "R9.3", "POST /build/prune", .status = 200,
	  .pruned_other = 1 },
	{ "a_prune_that_failed", "!R9.3", "POST /volumes/prune", .status = 500 },
};

int main(void)
{
	return case_all(cases, ARRAY_SIZE(cases));
}
