/* test_container_config.c: R6, each rule with a hit and its nearest miss. */
#define CASE_DETECTOR detect_container_config
#include "docker_case.h"

#define CREATE         "POST /v1.43/containers/create?name=web"
#define BUILD          "POST /v1.43/build?t=x"
#define UPDATE         "POST /containers/web/update"
#define EXEC           "POST /containers/web/exec"
#define VOLUME         "POST /volumes/create"
#define HOST(members)  "{\"HostConfig\":{" members "}}"
#define BIND(text)     HOST("\"Binds\":[\"" text "\"]")
#define MOUNT(members) HOST("\"Mounts\":[{" members "}]")
#define PORT(members)  HOST("\"PortBindings\":{\"80/tcp\":[" members "]}")
#define OPT(text)      HOST("\"SecurityOpt\":[\"" text "\"]")
#define LOCAL(o, device)                                                                           \
	"{\"Driver\":\"local\",\"DriverOpts\":{\"device\":\"" device "\",\"o\":\"" o               \
	"\",\"type\":\"none\"}}"
#define KEY     "-----BEGIN PRIVATE KEY-----"
#define KEY_HEX "\\x2d\\x2d\\x2d\\x2d\\x2dBEGIN PRIVATE \\x4b\\x45Y\\x2d\\x2d\\x2d\\x2d\\x2d"

static const struct docker_case cases[] = {
	{ "privileged", "R6.1", CREATE, HOST("\"Privileged\":true") },
	{ "privileged_whatever_the_case_and_the_status", "R6.1", CREATE,
	  "{\"hostconfig\":{\"PRIVILEGED\":true}}", .status = 400 },
	{ "not_privileged", "!R6.1", CREATE, HOST("\"Privileged\":false") },
	{ "null_is_nothing", "!R6.1", CREATE, HOST("\"Privileged\":null") },
	{ "a_key_cannot_forge_a_path", "!R6.1", CREATE, "{\"HostConfig/Privileged\":true}" },
	{ "privileged_twice_says_so", "R6.1", CREATE,
	  HOST("\"Privileged\":true,\"privileged\":false") },
	{ "privileged_the_second_time_says_so", "R6.1", CREATE,
	  HOST("\"privileged\":false,\"Privileged\":true"), .says = "duplicate" },
	{ "privileged_before_a_cut", "R6.1", CREATE, "{\"HostConfig\":{\"Privileged\":true,\"Bin",
	  .cut = true },
	{ "privileged_at_the_start_as_of_old", "R6.1", "POST /v1.23/containers/web/start",
	  "{\"Privileged\":true}" },

	{ "the_socket", "R6.2", CREATE, BIND("/var/run/docker.sock:/s:ro") },
	{ "another_socket", "!R6.2", CREATE, BIND("/var/run/docker.socket:/s:ro") },
	{ "the_socket_by_way_of_dots", "R6.2", CREATE, BIND("/tmp/..//run/./docker.sock:/s") },
	{ "a_socket_under_another_name", "R6.2", CREATE, BIND("/acc/d.sock:/var/run/docker.sock") },
	{ "a_socket_that_stays_unknown", "!R6.2", CREATE, BIND("/acc/d.sock:/var/run/d.sock") },
	{ "the_directory_of_a_socket", "R6.2", CREATE, BIND("/run/containerd:/s") },
	{ "a_directory_beside_it", "!R6.2", CREATE, BIND("/run/containers:/s") },
	{ "the_root_has_sockets", "R6.2", CREATE, BIND("/:/mnt") },
	{ "an_oddly_folded_key", "R6.2", CREATE, HOST("\"Bind\xc5\xbf\":[\"/run/docker.sock:/s\"]"),
	  .says = "folded" },
	{ "a_mount_of_the_socket", "R6.2", CREATE,
	  MOUNT("\"Source\":\"/run/docker.sock\",\"Type\":\"bind\"") },
	{ "a_volume_of_that_name", "!R6.2", CREATE,
	  MOUNT("\"Source\":\"/run/docker.sock\",\"Type\":\"volume\"") },
	{ "the_socket_of_a_rootless_engine", "R6.2", CREATE, BIND("/run/user/1000:/s") },

	{ "etc_writable", "R6.3", CREATE, BIND("/etc:/mnt") },
	{ "etc_is_not_opt", "!R6.3", CREATE, BIND("/opt:/mnt") },
	{ "etc_read_only_is_another_rule", "!R6.3", CREATE, BIND("/etc:/mnt:z,ro") },
	{ "etc_read_only", "R6.14", CREATE, BIND("/etc:/mnt:z,ro") },
	{ "etc_writable_is_not_read_only", "!R6.14", CREATE, BIND("/etc:/mnt:z") },
	{ "a_file_of_etc", "!R6.3", CREATE, BIND("/etc/localtime:/etc/localtime") },
	{ "shadow", "R6.3", CREATE, BIND("/etc/shadow:/s") },
	{ "sudoers", "R6.3", CREATE, BIND("/etc/sudoers.d/x:/s") },
	{ "a_user_s_keys", "R6.3", CREATE, BIND("/home/a/.ssh/id_rsa:/s") },
	{ "a_user_s_other_keys", "!R6.3", CREATE, BIND("/home/a/x.ssh/id_rsa:/s") },
	{ "an_ancestor", "R6.3", CREATE, BIND("/var/lib:/s") },
	{ "a_sibling", "!R6.3", CREATE, BIND("/var/cache:/s") },
	{ "run_is_var_run", "R6.3", CREATE, BIND("/run:/s") },
	{ "a_root_through_proc", "R6.3", CREATE, BIND("/proc/1/root/etc:/s") },
	{ "an_anonymous_volume", "!R6.3", CREATE, BIND("/etc") },
	{ "a_named_volume", "!R6.3", CREATE, BIND("etc:/etc") },
	{ "a_mount_writable", "R6.3", CREATE,
	  MOUNT("\"ReadOnly\":false,\"Type\":\"bind\",\"Source\":\"/root/\"") },
	{ "a_mount_read_only", "R6.14", CREATE,
	  MOUNT("\"ReadOnly\":true,\"Type\":\"bind\",\"Source\":\"/root/\"") },
	{ "the_second_of_two_mounts", "R6.3", CREATE,
	  MOUNT("\"Type\":\"bind\",\"Source\":\"/"
		"x\",\"ReadOnly\":true},{\"Type\":\"bind\",\"Source\":\"/root\"") },
	{ "a_source_given_twice", "R6.3", CREATE,
	  MOUNT("\"Type\":\"bind\",\"Source\":\"/root\",\"source\":\"/x\""), .says = "duplicate" },
	{ "a_local_volume", "R6.3", VOLUME, LOCAL("bind", "/etc") },
	{ "a_local_volume_that_is_no_bind", "!R6.3", VOLUME, LOCAL("addr=h", "/etc") },
	{ "a_local_volume_read_only", "R6.14", VOLUME, LOCAL("bind,ro", "/etc") },
	{ "a_volume_of_a_plugin", "!R6.3", VOLUME,
	  "{\"DriverOpts\":{\"device\":\"/etc\",\"o\":\"bind\"},\"Driver\":\"nfs\"}" },
	{ "a_local_volume_inside_a_mount", "R6.3", CREATE,
	  MOUNT("\"Type\":\"volume\",\"Source\":\"v\",\"VolumeOptions\":{\"DriverConfig\":{"
		"\"Name\":"
		"\"local\",\"Options\":"
		"{\"type\":\"none\",\"o\":\"bind\",\"device\":\"/etc\"}}}") },

	{ "network_host", "R6.4", CREATE, HOST("\"NetworkMode\":\"host\"") },
	{ "network_of_that_name", "!R6.4", CREATE, HOST("\"NetworkMode\":\"hosts\"") },
	{ "pid_host", "R6.4", CREATE, HOST("\"PidMode\":\"host\"") },
	{ "ipc_host", "R6.4", CREATE, HOST("\"IpcMode\":\"host\"") },
	{ "ipc_private", "!R6.4", CREATE, HOST("\"IpcMode\":\"private\"") },
	{ "uts_host", "R6.4", CREATE, HOST("\"UTSMode\":\"host\"") },
	{ "userns_host", "R6.4", CREATE, HOST("\"UsernsMode\":\"host\"") },
	{ "a_container_s_network", "!R6.4", CREATE, HOST("\"NetworkMode\":\"container:x\"") },
	{ "a_build_on_the_host_s_network", "R6.4", BUILD "&networkmode=host" },
	{ "a_build_on_its_own", "!R6.4", BUILD "&networkmode=default" },

	{ "sys_admin", "R6.5", CREATE, HOST("\"CapAdd\":[\"cap_sys_admin\"]") },
	{ "all", "R6.5", CREATE, HOST("\"CapAdd\":[\"ALL\"]") },
	{ "sys_time", "!R6.5", CREATE, HOST("\"CapAdd\":[\"SYS_TIME\"]") },
	{ "sys_admin_dropped", "!R6.5", CREATE, HOST("\"CapDrop\":[\"SYS_ADMIN\"]") },

	{ "seccomp_off", "R6.6", CREATE, OPT("seccomp=unconfined") },
	{ "seccomp_off_as_of_old", "R6.6", CREATE, OPT("seccomp:unconfined") },
	{ "seccomp_by_default", "!R6.6", CREATE, OPT("seccomp=builtin") },
	{ "seccomp_that_allows", "R6.6", CREATE,
	  OPT("seccomp={\\\"defaultAction\\\":\\\"SCMP_ACT_ALLOW\\\"}") },
	{ "seccomp_that_refuses", "!R6.6", CREATE,
	  OPT("seccomp={\\\"defaultAction\\\":\\\"SCMP_ACT_ERRNO\\\"}") },
	{ "apparmor_off", "R6.6", CREATE, OPT("apparmor=unconfined") },
	{ "label_off", "R6.6", CREATE, OPT("label=disable") },
	{ "no_new_privileges", "!R6.6", CREATE, OPT("no-new-privileges") },
	{ "masked_paths_cleared", "R6.6", CREATE, HOST("\"MaskedPaths\":[]") },
	{ "masked_paths_null", "!R6.6", CREATE, HOST("\"MaskedPaths\":null") },
	{ "masked_paths_given", "!R6.6", CREATE,
	  HOST("\"MaskedPaths\":[\"/proc/acpi\",\"/proc/kcore\"]") },
	{ "masked_paths_given_as_nothing", "R6.6", CREATE, HOST("\"MaskedPaths\":[\"/none\"]") },
	{ "read_only_paths_cleared", "R6.6", CREATE, HOST("\"ReadonlyPaths\":[]") },

	{ "a_port_without_address", "R6.7", CREATE, PORT("{\"HostPort\":\"80\"}") },
	{ "an_empty_port", "R6.7", CREATE, PORT("{\"HostIp\":\"\",\"HostPort\":\"\"}") },
	{ "a_port_that_is_null", "R6.7", CREATE, PORT("null") },
	{ "no_port", "!R6.7", CREATE, PORT("") },
	{ "a_port_on_all_of_ipv6", "R6.7", CREATE, PORT("{\"HostIp\":\"0::0\"}") },
	{ "a_port_on_loopback", "!R6.7", CREATE,
	  PORT("{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"80\"}") },
	{ "a_port_on_loopback_is_evidence", "R6.12", CREATE, PORT("{\"HostIp\":\"127.0.0.1\"}"),
	  .says = "loopback" },
	{ "the_second_of_two_ports", "R6.7", CREATE,
	  PORT("{\"HostIp\":\"127.0.0.1\"},{\"HostPort\":\"80\"}") },
	{ "all_ports", "R6.7", CREATE, HOST("\"PublishAllPorts\":true") },
	{ "not_all_ports", "!R6.7", CREATE, HOST("\"PublishAllPorts\":false") },

	{ "a_device", "R6.8", CREATE, HOST("\"Devices\":[{\"PathOnHost\":\"/dev/vda\"}]"),
	  .says = "/dev/vda" },
	{ "no_device", "!R6.8", CREATE, HOST("\"Devices\":[]") },
	{ "a_cgroup_rule", "R6.8", CREATE, HOST("\"DeviceCgroupRules\":[\"a *:* rwm\"]") },
	{ "a_gpu", "!R6.8", CREATE, HOST("\"DeviceRequests\":[{\"Driver\":\"nvidia\"}]") },
	{ "a_disk_as_a_volume", "R6.8", VOLUME, LOCAL("", "/dev/sda1") },

	{ "a_secret_in_env", "R6.9", CREATE,
	  "{\"Env\":[\"AWS_SECRET_ACCESS_KEY=AKIAACCEPTDUMMY\"]}", .hides = "AKIAACC" },
	{ "a_short_secret_in_env", "R6.9", CREATE, "{\"Env\":[\"DB_PASSWORD=abc\"]}",
	  .hides = "abc" },
	{ "an_empty_secret_in_env", "!R6.9", CREATE, "{\"Env\":[\"DB_PASSWORD=\"]}" },
	{ "a_name_in_env_only", "!R6.9", CREATE, "{\"Env\":[\"DB_PASSWORD\"]}" },
	{ "a_region_in_env", "!R6.9", CREATE, "{\"Env\":[\"AWS_REGION=eu-west-1-and-more\"]}" },
	{ "a_secret_in_the_env_of_an_exec", "R6.9", EXEC, "{\"Env\":[\"DB_PASSWORD=abcdefgh1\"]}" },
	{ "a_secret_in_the_command", "R6.9", CREATE,
	  "{\"Cmd\":[\"ghp_16C7e42F292c6912E7710c838347Ae178B4a\"]}" },
	{ "a_word_in_the_command", "!R6.9", CREATE,
	  "{\"Cmd\":[\"abc_16C7e42F292c6912E7710c838347Ae178B4a\"]}" },
	{ "a_secret_in_a_label", "R6.9", CREATE, "{\"Labels\":{\"api_token\":\"x7\"}}" },
	{ "a_word_in_a_label", "!R6.9", CREATE, "{\"Labels\":{\"api_version\":\"x7\"}}" },
	{ "a_build_argument", "R6.9", BUILD "&buildargs=%7B%22NPM_TOKEN%22%3A%22x7y%22%7D",
	  .hides = "x7y" },
	{ "a_build_argument_from_nowhere", "!R6.9",
	  BUILD "&buildargs=%7B%22NPM_TOKEN%22%3Anull%7D" },
	{ "a_secret_in_a_dockerfile", "R6.9", BUILD,
	  .dockerfile = "FROM a:1\nENV A=1 \\\n  # x\n  DB_PASSWORD=xyz\n", .hides = "xyz" },
	{ "a_secret_in_a_dockerfile_as_of_old", "R6.9", BUILD,
	  .dockerfile = "FROM a:1\nENV DB_PASSWORD xyz\n" },
	{ "an_argument_without_default", "!R6.9", BUILD,
	  .dockerfile = "FROM a:1\nARG DB_PASSWORD\n" },
	{ "a_variable_in_a_dockerfile", "!R6.9", BUILD,
	  .dockerfile = "FROM a:1\nENV DB_PASSWORD=${P}\n" },
	{ "a_key_in_a_dockerfile", "R6.9", BUILD,
	  .dockerfile = "FROM a:1\nRUN echo '" KEY "' > /k\n" },
	{ "an_escaped_key_in_a_dockerfile", "R6.9", BUILD,
	  .dockerfile =
		  "FROM a:1\nRUN echo \"'" KEY_HEX "'\" | xargs echo -e > /k;chmod 600 /k\n" },
	{ "a_certificate_in_a_dockerfile", "!R6.9", BUILD,
	  .dockerfile = "FROM a:1\nRUN echo '-----BEGIN CERTIFICATE-----\\x2d' > /k\n" },

	{ "a_link", "R6.10", CREATE, HOST("\"Links\":[\"a:b\"]") },
	{ "no_link", "!R6.10", CREATE, HOST("\"Links\":[]") },

	{ "latest", "R6.11", CREATE, "{\"Image\":\"r:5000/a:latest\"}" },
	{ "no_tag", "R6.11", CREATE, "{\"Image\":\"r:5000/a\"}" },
	{ "a_tag", "!R6.11", CREATE, "{\"Image\":\"r:5000/a:1\"}" },
	{ "a_digest", "!R6.11", CREATE, "{\"Image\":\"a@sha256:00\"}" },
	{ "an_id", "!R6.11", CREATE, "{\"Image\":\"0123456789ab\"}" },
	{ "latest_of_the_run", "!R6.11", CREATE, "{\"Image\":\"a:latest\"}", .image_own = true },
	{ "a_base_image", "R6.11", BUILD, .dockerfile = "from --platform=x a as b\n" },
	{ "an_earlier_stage", "!R6.11", BUILD,
	  .dockerfile = "FROM a:1 AS b\nFROM B\nFROM scratch\nFROM $X\n" },

	{ "no_limits", "R6.12", CREATE, "{}", .says = "memory or pid" },
	{ "limits", "!R6.12", CREATE, HOST("\"Memory\":1000000,\"PidsLimit\":100") },
	{ "limits_of_zero", "R6.12", CREATE, HOST("\"Memory\":0,\"PidsLimit\":-1") },

	{ "a_cut_request", "R6.13", CREATE, "{}", .cut = true },
	{ "a_whole_request", "!R6.13", CREATE, "{}" },
	{ "a_body_that_ends_early", "R6.13", CREATE, "{\"Image\":" },
	{ "a_body_that_is_not_json", "R6.13", UPDATE, "Privileged" },
	{ "a_cut_exec", "R6.13", EXEC, "{}", .cut = true },
	{ "a_start_without_body", "!R6.13", "POST /containers/web/start", "", .cut = true },
	{ "a_buildkit_build", "R6.13", BUILD "&version=2&remote=client-session" },
	{ "a_classic_build", "!R6.13", BUILD "&version=1", .dockerfile = "FROM a:1\n" },
	{ "a_build_that_was_cut", "R6.13", BUILD, .dockerfile = "FROM a:1\n", .cut = true },
	{ "a_build_whose_dockerfile_is_missing", "R6.13", BUILD },

	{ "a_shared_bind", "R6.15", CREATE, BIND("/x:/y:ro,rshared") },
	{ "a_private_bind", "!R6.15", CREATE, BIND("/x:/y:ro,rprivate") },
	{ "a_shared_mount", "R6.15", CREATE,
	  MOUNT("\"BindOptions\":{\"Propagation\":\"shared\"},\"Type\":\"bind\",\"Source\":\"/"
		"x\"") },
	{ "a_slave_mount", "!R6.15", CREATE,
	  MOUNT("\"BindOptions\":{\"Propagation\":\"rslave\"},\"Type\":\"bind\",\"Source\":\"/"
		"x\"") },
	{ "an_update_that_loosens", "R6.15", UPDATE, "{\"Memory\":-1}" },
	{ "an_update_of_pids", "R6.15", UPDATE, "{\"PidsLimit\":0}" },
	{ "an_update_that_leaves_the_memory", "!R6.15", UPDATE, "{\"Memory\":0,\"CpuQuota\":0}" },
	{ "an_update_of_the_restart_policy", "!R6.15", UPDATE,
	  "{\"RestartPolicy\":{\"Name\":\"no\"}}" },
};

int main(void)
{
	return case_all(cases, ARRAY_SIZE(cases));
}
