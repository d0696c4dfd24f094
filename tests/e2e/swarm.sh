#!/bin/bash
# swarm.sh: services, secrets and configs of a real swarm: names (R7), configurations (R6), whose they are (R7.4, R9), what is kept of a secret.
# A swarm listens on all addresses, and makes a bridge: in a private network.
if [ "$(id -u)" = 0 ] && [ -z "${SWARM_PRIVATE:-}" ]; then
	SWARM_PRIVATE=1 exec unshare -n "$0" "$@"
fi
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
ip link set lo up
engine_up
base=invigil/base:1
docker=/usr/bin/docker
secret=salamander-in-the-swarm-9
printf %s "$secret" >"$work/secret"
if ! $docker swarm init --advertise-addr 127.0.0.1 >"$work/why" 2>&1; then
	test_begin "a swarm"
	fail "$work/why"
	finish
fi
service() { # OPTIONS: one service of the run, which it removes
	run -q -- sh -c "$docker service create -q -d --name web $* $base sleep 60 && $docker service rm web" >"$work/out" 2>&1
	see "a service with $*: it was made" '[get(e, "http.response.status_code") for e in action("service-create")] == [201]'
}

# ---- what its containers are given (R6) ----
service --network host
see "R6.4: a service on the host's network, which the client names by its id" \
	'["the network of that id" in get(e, "invigil.evidence") for e in alerts("R6.4")] == [True]'
see "R7.4, near miss: the client asks for that network, which every engine has" \
	'[get(e, "url.path").split("/")[-1] for e in action("network-inspect")] == ["host"] and not alerts("R7.4")'
service --hostname db01.corp --label by=nobody --mount type=bind,source=/etc,target=/e --cap-add SYS_ADMIN --user root
see "R6.4, near miss: on no such network" 'not alerts("R6.4")'
see "R6.3, R6.5, R8.8: a service's mount, capability and user" 'alerts("R6.3") and alerts("R6.5") and alerts("R8.8")'
see "R7.1, R7.5: the names of a service and of its containers' host" \
	'{f["evidence"] for e in evidence("R7.1") for f in get(e, "invigil.findings")} >= {"service web", "host name db01.corp"} and len(alerts("R7.5")) == 1'
service --hostname db01.corporate --mount type=bind,source=/etc,target=/e,readonly --cap-add CHOWN --user www
see "R6.3, R6.5, R7.5, R8.8, near miss" 'alerts("R6.14") and not alerts("R6.3") and not alerts("R6.5") and not alerts("R7.5") and not alerts("R8.8")'
see "its containers are the engine's: that what they execute is not seen is said" 'gap("the containers of a service")'
see "its own service is removed: R9.1" 'evidence("R9.1") and not alerts("R9.2") and [get(e, "invigil.docker.owner") for e in action("service-remove")] == ["own"]'

# ---- secrets and configs ----
objects() { # COMMANDS: with $D
	run -q --record "$work/rec" -- sh -c "$*" >"$work/out" 2>&1
}
objects "$docker secret create mine '$work/secret' && $docker secret inspect mine && $docker secret rm mine && $docker config create setting /etc/hostname && $docker config rm setting"
see "R7.1: the names of a secret and of a config" \
	'{f["evidence"] for e in evidence("R7.1") for f in get(e, "invigil.findings")} >= {"swarm secret mine", "config setting"}'
see "R7.4, R9.2, near miss: its own secret and config" \
	'[get(e, "http.response.status_code") for e in action("secret-remove") + action("config-remove")] == [204, 204] and evidence("R9.1") and not alerts("R7.4") and not alerts("R9.2")'
check "what the swarm is to keep is nowhere, in no coding that it was sent in" \
	bash -c "! grep -qaE '$secret|$(printf %s "$secret" | base64 -w0 | cut -c1-20)' '$ev' '$work/rec'"
check "near miss: the config is in the recording" grep -qaF "$(base64 -w0 /etc/hostname | cut -c1-8)" "$work/rec"
check "replay gives the same stream" sh -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$ev'"
printf x | $docker secret create others-s - >/dev/null
$docker config create others-c /etc/hostname >/dev/null
$docker service create -q -d --name others $base sleep 60 >/dev/null 2>&1
objects "$docker secret inspect others-s"
see "R7.4: a secret of others" '["others-s" in get(e, "invigil.evidence") for e in alerts("R7.4")] == [True]'
objects "$docker secret ls; $docker config inspect others-c; $docker service inspect others"
see "R7.4, near miss: a list of secrets; a config and a service" 'action("secret-list") and action("config-inspect") and action("service-inspect") and not alerts("R7.4")'
objects "$docker secret rm others-s; $docker config rm others-c; $docker service rm others"
see "R9.2: a secret, a config and a service of others" \
	'sorted(get(e, "invigil.evidence").split()[0] for e in alerts("R9.2")) == ["config-remove", "secret-remove", "service-remove"]'
$docker swarm leave -f >/dev/null
finish
