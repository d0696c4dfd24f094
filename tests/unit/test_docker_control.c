/* test_docker_control.c: R8, each rule with a hit and its nearest miss. */
#define CASE_DETECTOR detect_docker_control
#include "docker_case.h"

#define EXEC "POST /v1.43/containers/web/exec"
#define CREATE "POST /v1.43/containers/create?name=web"
#define PULL "POST /images/create?tag=1&fromImage="

static const struct docker_case cases[] = {
	{ "a_connection_is_evidence", "R8.1", "", .connect = true },
	{ "a_call_is_no_connection", "!R8.1", "GET /_ping" },
	{ "an_unverified_connection_says_so", "R8.1", "", .connect = true, .not_verified = true,
	  .says = "not verified" },
	{ "a_container_is_run", "R8.2", CREATE, "{}" },
	{ "a_container_is_started_once_only", "!R8.2", "POST /containers/web/start" },
	{ "an_image_is_built", "R8.2", "POST /build?t=x" },
	{ "an_own_exec", "R8.2", EXEC, "{}", .owner = OWNER_OWN },
	{ "a_foreign_exec_is_not_of_this_run", "!R8.2", EXEC, "{}", .owner = OWNER_FOREIGN },
	{ "an_exec_of_unknown_origin_says_so", "R8.2", EXEC, "{}", .owner = OWNER_UNKNOWN, .says = "origin unknown" },
	{ "a_foreign_exec", "R8.3", EXEC, "{}", .owner = OWNER_FOREIGN },
	{ "an_own_exec_is_not_foreign", "!R8.3", EXEC, "{}", .owner = OWNER_OWN },
	{ "a_refused_foreign_exec", "!R8.3", EXEC, "{}", .owner = OWNER_FOREIGN, .status = 409 },
	{ "a_foreign_copy_in", "R8.3", "PUT /containers/web/archive?path=/", .owner = OWNER_FOREIGN, .status = 200 },
	{ "a_foreign_copy_out", "R8.3", "GET /containers/web/archive?path=/", .owner = OWNER_FOREIGN, .status = 200 },
	{ "a_foreign_stat", "!R8.3", "HEAD /containers/web/archive?path=/", .owner = OWNER_FOREIGN, .status = 200 },
	{ "a_privileged_exec", "R8.4", EXEC, "{\"privileged\":true}" },
	{ "an_exec_that_says_false", "!R8.4", EXEC, "{\"Privileged\":false}" },
	{ "a_key_cannot_forge_a_path", "!R8.4", EXEC, "{\"/Privileged\":true,\"a\":{\"Privileged\":true}}" },
	{ "a_foreign_registry", "R8.5", PULL "reg.example.com%2Fx" },
	{ "a_registry_with_a_port", "R8.5", PULL "reg:5000/x" },
	{ "docker_io_by_name", "!R8.5", PULL "docker.io/library/x" },
	{ "a_user_of_the_hub", "!R8.5", PULL "reg/x" },
	{ "a_dot_in_the_name_only", "!R8.5", PULL "x.y" },
	{ "a_registry_on_loopback", "!R8.5", PULL "127.0.0.1:5000/x" },
	{ "a_registry_that_looks_like_loopback", "R8.5", PULL "127.0.0.1.example.com/x" },
	{ "a_registry_of_a_password_is_shown_without", "R8.5", PULL "joe:hunter2@reg.example.com/x",
	  .hides = "hunter2" },
	{ "a_build_from_a_url", "R8.5", "POST /build?remote=https%3A%2F%2Fjoe%3Ahunter2%40x.org%2Fa.git",
	  .hides = "hunter2" },
	{ "a_build_from_the_session", "!R8.5", "POST /build?remote=client-session&version=2" },
	{ "a_base_image_from_a_registry", "R8.5", "POST /build?t=x", .dockerfile = "FROM reg.example.com/x:1\n" },
	{ "a_base_image_from_the_hub", "!R8.5", "POST /build?t=x", .dockerfile = "FROM x:1\n" },
	{ "an_import_from_a_url", "R8.5", "POST /images/create?fromSrc=http://x.org/a.tar" },
	{ "an_import_from_standard_input", "!R8.5", "POST /images/create?fromSrc=-" },
	{ "curl_talks", "R8.7", "GET /info", .process = "curl" },
	{ "docker_talks", "!R8.7", "GET /info", .process = "docker", .roles = ROLE_CONTAINER_CLIENT },
	{ "curl_connects", "R8.7", "", .connect = true, .process = "curl" },
	{ "curl_connects_to_who_knows", "!R8.7", "", .connect = true, .process = "curl", .not_verified = true },
	{ "a_shell_talks", "R8.7", "GET /info", .process = "bash", .roles = ROLE_SHELL },
	{ "python_with_its_program", "R8.7", "GET /info", .process = "python3.11", .roles = ROLE_INTERPRETER,
	  .args = "python3\0-W\0ignore\0-Ic\0import os\0" },
	{ "python_with_a_script", "!R8.7", "GET /info", .process = "python3.11", .roles = ROLE_INTERPRETER,
	  .args = "python3\0x.py\0-c\0a\0" },
	{ "python_with_a_module", "!R8.7", "GET /info", .process = "python3.11", .roles = ROLE_INTERPRETER,
	  .args = "python3\0-m\0pytest\0-c\0a\0" },
	{ "perl_with_its_program", "R8.7", "GET /info", .process = "perl", .roles = ROLE_INTERPRETER,
	  .args = "perl\0-MSocket\0-e\0print\0" },
	{ "perl_with_a_module_and_a_script", "!R8.7", "GET /info", .process = "perl", .roles = ROLE_INTERPRETER,
	  .args = "perl\0-MJSON::e\0x.pl\0" },
	{ "an_exec_as_root", "R8.8", EXEC, "{\"User\":\"0:0\"}" },
	{ "an_exec_as_a_user", "!R8.8", EXEC, "{\"User\":\"10:0\"}" },
	{ "a_container_as_root_in_other_digits", "R8.8", CREATE, "{\"User\":\"+00\"}" },
	{ "a_container_as_its_image_says", "!R8.8", CREATE, "{\"User\":\"\"}" },
	{ "a_shell_as_entry_point", "R8.8", CREATE, "{\"Entrypoint\":[\"/bin/sh\",\"-c\"]}" },
	{ "a_shell_as_entry_point_in_one_string", "R8.8", CREATE, "{\"Entrypoint\":\"bash\"}" },
	{ "a_shell_as_command", "!R8.8", CREATE, "{\"Entrypoint\":null,\"Cmd\":[\"sh\"]}" },
	{ "a_script_as_entry_point", "!R8.8", CREATE, "{\"Entrypoint\":[\"/entry.sh\"]}" },
};

int main(void)
{
	return case_all(cases, ARRAY_SIZE(cases));
}
