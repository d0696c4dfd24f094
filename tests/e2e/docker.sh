#!/bin/bash
# docker.sh: what the run asks a real engine for, by three clients, equals the engine's own log; and which rules it fires.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
base=invigil/base:1
log=$engine/dockerd.log
sock=$engine/docker.sock
planted='planted-Vb64-secret-value-21'

mark() { from=$(log_size); }
# Nothing but the run talks to the engine between mark and this.
agrees() {
	see "$1: every request is in the stream as the engine logged it" \
		'same(calls(), engine_log("'"$log"'", '"$from"', '"$(log_size)"')) and sum(calls().values()) > 0'
}

# ---- three clients ----
mark
check "the docker client" run -- sh -c "docker version >/dev/null && docker create --name cli-1 $base true >/dev/null &&
	docker start cli-1 >/dev/null && docker wait cli-1 >/dev/null && docker inspect cli-1 >/dev/null &&
	docker logs cli-1 && docker ps -a >/dev/null && docker rm cli-1 >/dev/null"
agrees "the docker client"
see "its connects are there, to this engine" \
	'action("docker-socket-connect") and all(get(e, "destination.address") == "'"$sock"'" for e in action("docker-socket-connect"))'
see "create has name and id" 'any("cli-1" in (get(e, "container.name"), get(e, "invigil.docker.target")) and get(e, "http.response.status_code") == 201 and (get(e, "container.id") or get(e, "invigil.docker.created_id")) for e in action("container-create"))'
see "its line has method, path, query, status and client" 'any(get(e, "http.request.method") == "POST" and get(e, "url.path").endswith("/containers/create") and "name=cli-1" in get(e, "url.query") and "Docker-Client" in get(e, "user_agent.original") for e in action("container-create"))'
see "the life of the container is there" 'all(action("container-" + a) for a in ("create", "start", "inspect", "logs", "list", "remove"))'
see "removing one's own is evidence (R9.1), no alert" 'evidence("R9.1") and not alerts("R9.2") and not alerts("R9.4")'
see "R8.1 is evidence" 'len(evidence("R8.1")) > 0'
see "R8.7, near miss: the docker client" 'not alerts("R8.7")'

mark
check "curl --unix-socket" run -- curl -sf --unix-socket "$sock" http://localhost/v1.41/containers/json -o /dev/null
agrees "curl"
see "R8.7: curl talks to the engine directly" 'len(alerts("R8.7")) > 0'
mark
check "curl with a body" run -- curl -sf --unix-socket "$sock" -H 'Content-Type: application/json' \
	-d '{"Image":"'$base'","hostconfig":{"PRIVILEGED":true}}' 'http://localhost/v1.41/containers/create?name=curl%2D1' -o "$work/created"
agrees "curl with a body"
see "R6.1 whatever the case of its key" 'len(alerts("R6.1")) > 0'
docker rm curl-1 >/dev/null
mark
check "curl in chunks, behind 100-continue" run -- curl -sf --unix-socket "$sock" -H 'Transfer-Encoding: chunked' -H 'Expect: 100-continue' \
	-H 'Content-Type: application/json' -d '{"Image":"'$base'","HostConfig":{"PidMode":"host"}}' 'http://localhost/v1.41/containers/create?name=curl-2' -o "$work/created"
agrees "curl in chunks"
see "R6.4 in a chunked body" 'len(alerts("R6.4")) > 0'
# No swarm is here, but it is asked for.
service() { # TYPE
	run -- curl -s -o "$work/out" --unix-socket "$sock" -X POST -H 'Content-Type: application/json' -d '{"Name":"s","TaskTemplate":{"ContainerSpec":{"Image":"x:1","CapabilityAdd":["CAP_SYS_ADMIN"],"Mounts":[{"Type":"'"$1"'","Source":"/etc","Target":"/e"}]}}}' http://localhost/v1.41/services/create
}
service bind
see "a service's containers are told as others are" '[get(e, "http.response.status_code") for e in action("service-create")] == [503] and alerts("R6.3") and alerts("R6.5") and any("run service s" in get(e, "invigil.evidence") for e in alerts("R8.2"))'
service tmpfs
see "near miss: a service's tmpfs at such a place" 'action("service-create") and not alerts("R6.3") and alerts("R6.5")'
docker rm curl-2 >/dev/null

cat >"$work/sdk.py" <<'PY'
import docker, sys
client = docker.DockerClient(base_url="unix://" + sys.argv[1], version="1.41")
box = client.containers.run(sys.argv[2], ["sleep", "60"], name="sdk-1", network_mode="host", detach=True)
assert box.exec_run(["echo", "from the sdk"]).output == b"from the sdk\n"
box.reload()
box.remove(force=True)
client.close()
PY
if /usr/bin/python3 -c 'import docker' 2>/dev/null; then
	mark
	check "python3-docker" run -- /usr/bin/python3 "$work/sdk.py" "$sock" $base
	agrees "python3-docker"
	see "its exec is there" 'action("exec-create") and action("exec-start")'
	see "R9.1 for its forced removal" 'evidence("R9.1") and not alerts("R9.2")'
	see "what runs in the container belongs to the run" 'any(get(e, "process.args") == ["echo", "from the sdk"] and get(e, "container.id") for e in execs())'
	see "R6.4: its network_mode" 'len(alerts("R6.4")) > 0'
else
	test_begin "python3-docker"
	skip "not installed"
fi

mark
run -- sh -c 'docker rm -f never-was; docker inspect never-was; docker rm never-was; true' >/dev/null
agrees "what does not exist"
see "404 is evidence (R9.1) and no alert" 'evidence("R9.1") and not alerts("R9.2") and not alerts("R9.4") and any(get(e, "http.response.status_code") == 404 for e in action("container-remove"))'

# ---- builds ----
mark
check "a build on a pipe" run -- sh -c "printf 'FROM $base\nRUN echo hello >/x\n' | docker build - --quiet -t ivgbuilt:1 && docker rmi ivgbuilt:1"
agrees "a build on a pipe"
see "image-build and image-remove" 'action("image-build") and action("image-remove")'
see "removing the image it built is its own business" 'not alerts("R9.2") and not alerts("R9.4")'
hex=$(printf '#!/bin/sh\nexec /usr/bin/some-server --listen 0.0.0.0 --port 8080\n' | od -An -v -tx1 | tr -d ' \n' | sed 's/../\\x&/g')
cat >"$work/Dockerfile" <<DOCKERFILE
FROM $base
RUN echo "'$hex'" | xargs echo -e > /server.sh;chmod 755 /server.sh
DOCKERFILE
run -- sh -c "docker build - --quiet -t ivgbuilt:2 <'$work/Dockerfile'" >/dev/null
see "R2.1 or R2.2, and R2.4: a hex-escaped file, made executable" '(alerts("R2.1") or alerts("R2.2")) and alerts("R2.4")'
mkdir "$work/context"
printf '#!/bin/sh\nexec /usr/bin/some-server --listen 0.0.0.0 --port 8080\n' >"$work/context/server.sh"
printf 'FROM %s\nCOPY server.sh /server.sh\nRUN chmod 755 /server.sh\n' $base >"$work/context/Dockerfile"
run -- docker build --quiet -t ivgbuilt:2 "$work/context" >/dev/null
see "R2, near miss: the same file by COPY" 'action("image-build") and not alerts("R2.1") and not alerts("R2.2") and not alerts("R2.4")'
docker rmi -f ivgbuilt:2 >/dev/null 2>&1

# ---- a build on the host's network: what its step sees tells whether it was ----
printf 'FROM %s\nRUN /bin/busybox readlink /proc/self/ns/net\n' $base >"$work/Dockerfile"
network_build() { # OPTIONS: what it says is in $work/out (BuildKit: $work/err)
	# shellcheck disable=SC2086
	run -- /usr/bin/docker build --no-cache $1 - <"$work/Dockerfile" >"$work/out" 2>&1
}
on_host() { grep -hqF "$(readlink /proc/self/ns/net)" "$work/out" "$work/err"; }
network_build "--network host"
check "a build's step is on the host's network" on_host
see "R6.4: a build with networkmode=host" '["build on the host" in get(e, "invigil.evidence") for e in alerts("R6.4")] == [True] and "networkmode=host" in get(action("image-build")[0], "url.query")'
for mode in default none; do
	network_build "--network $mode"
	check "near miss: with $mode it is not" eval '! on_host && grep -q "net:\[" "$work/out"'
	see "R6.4, near miss: networkmode=$mode" '[get(e, "http.response.status_code") for e in action("image-build")] == [200] and not alerts("R6.4")'
done
DOCKER_BUILDKIT=1 network_build "--progress plain --network host"
check "BuildKit's step, too" on_host
see "R6.4: BuildKit with networkmode=host" '["build on the host" in get(e, "invigil.evidence") for e in alerts("R6.4")] == [True]'

# ---- R6, and the same command with the one property changed ----
docker tag $base invigil/float:latest
mkdir "$work/plain"
touch "$work/plain/file"
docker create --name linked $base true >/dev/null
# Many creates in one run, then one look a rule: a run costs more than a create.
creates() { # FILE: lines of options; every one is answered with 201
	local n=0 options script=$work/creates.sh
	echo 'set -e' >"$script"
	while read -r options; do
		n=$((n + 1))
		echo "docker create --name many-$n $options >/dev/null" >>"$script"
	done <"$1"
	run -- sh "$script"
	see "$n creates, each answered with 201" \
		"[get(e, 'http.response.status_code') for e in action('container-create')] == [201] * $n"
	# shellcheck disable=SC2046
	docker rm -f $(docker ps -aq --filter name=many-) >/dev/null
}
cat >"$work/fires" <<OPTIONS
--privileged $base true
-v $sock:/s $base true
-v /etc:/h $base true
--network host $base true
--security-opt seccomp=unconfined $base true
--device /dev/null:/dev/x $base true
--cap-add SYS_ADMIN $base true
-p 18455:80 $base true
-e DB_PASSWORD=$planted $base true
--link linked:alias $base true
invigil/float true
--label url=https://bob:hunter2-is-long@registry.example.org/x $base true
-h db.corp $base true
OPTIONS
creates "$work/fires"
for r in R6.1 R6.2 R6.3 R6.4 R6.5 R6.6 R6.7 R6.8 R6.9 R6.10 R6.11 R7.3 R7.5; do
	see "$r fires" "len(alerts('$r')) > 0"
done
see "R6.12 is evidence where there is no limit" 'len(evidence("R6.12")) > 0'
see "R6.14, near miss: /etc writable is R6.3" 'not alerts("R6.14")'
check "the container's password is nowhere" bash -c "! grep -q planted-Vb64 '$ev'"
check "nor is the one in the label" bash -c "! grep -q hunter2-is-long '$ev'"

# The same commands, with the one property changed.
cat >"$work/misses" <<OPTIONS
--privileged=false --memory 64m --pids-limit 64 $base true
-v $work/plain/file:/s --memory 64m --pids-limit 64 $base true
-v $work/plain:/h --memory 64m --pids-limit 64 $base true
-v $work/plain:/h:ro --memory 64m --pids-limit 64 $base true
-v $work/docker.sock.d:/s --memory 64m --pids-limit 64 $base true
--security-opt no-new-privileges --memory 64m --pids-limit 64 $base true
--network none --memory 64m --pids-limit 64 $base true
--network bridge --memory 64m --pids-limit 64 $base true
--cap-add CHOWN --memory 64m --pids-limit 64 $base true
-e GREETING=good-morning-to-all --memory 64m --pids-limit 64 $base true
--add-host alias:127.0.0.1 --memory 64m --pids-limit 64 $base true
--label url=https://registry.example.org/x --memory 64m --pids-limit 64 $base true
-h internals --memory 64m --pids-limit 64 $base true
-h db.example.org --memory 64m --pids-limit 64 $base true
OPTIONS
creates "$work/misses"
see "R6.12, near miss: both limits" 'not evidence("R6.12")'
echo "-p 127.0.0.1:18455:80 $base true" >>"$work/misses"
creates "$work/misses"
see "R6.12: a port on loopback is evidence" 'len(evidence("R6.12")) == 1'
for r in R6.1 R6.2 R6.3 R6.4 R6.5 R6.6 R6.7 R6.8 R6.9 R6.10 R6.11 R6.14 R7.3 R7.5; do
	see "$r, near miss" "not alerts('$r')"
done
cat >"$work/fires" <<OPTIONS
-v $engine:/s $base true
-v /etc:/h:ro $base true
--mount type=bind,source=/root/../etc//ssh,target=/h,readonly $base true
--pid host $base true
OPTIONS
creates "$work/fires"
see "R6.14: /etc read-only, by -v and, unclean, by --mount" 'len(alerts("R6.14")) == 2'
see "R6.3, near miss: /etc read-only" 'not any("/etc" in json.dumps(get(e, "invigil.evidence")) for e in alerts("R6.3"))'
see "R6.4: --pid host" 'len(alerts("R6.4")) > 0'
docker rm linked >/dev/null

# ---- foreign and own ----
docker run -d --name foreign-up $base sleep 600 >/dev/null
docker create --name foreign-1 $base true >/dev/null
mark
run -- docker exec foreign-up true
agrees "an exec in a foreign container"
see "R8.3: an exec in a foreign container" 'len(alerts("R8.3")) > 0'
run -- sh -c "docker run -d --name own-up $base sleep 600 && docker exec own-up /bin/busybox true && docker rm -f own-up" >/dev/null
see "R8.3, near miss: in its own" 'not alerts("R8.3") and len(action("exec-start")) == 1 and not gap("a command was started in a container")'
see "R8.2: its own container and command" 'len(alerts("R8.2")) > 0'
see "R8.4, near miss: an exec without --privileged" 'not alerts("R8.4")'
run -- sh -c "docker run -d --name own-up $base sleep 600 && docker exec --privileged own-up true; docker rm -f own-up" >/dev/null 2>&1
see "R8.4: --privileged" 'len(alerts("R8.4")) > 0'
run -- docker rm foreign-1 >/dev/null
see "R9.2: it removes a foreign container" 'len(alerts("R9.2")) == 1 and get(action("container-remove")[0], "invigil.docker.owner") == "foreign"'
run -- sh -c "docker create --name own-1 $base true && docker rm own-1" >/dev/null
see "R9.2, near miss: its own" 'not alerts("R9.2") and get(action("container-remove")[0], "invigil.docker.owner") == "own"'
docker create --name foreign-2 $base true >/dev/null
run --own name=foreign-* -- docker rm foreign-2 >/dev/null
see "R9.2, near miss: foreign, but given by --own" 'not alerts("R9.2") and action("container-remove")'
run -- sh -c "docker run -d --name own-up $base sleep 600 && docker rm own-up; docker rm -f own-up" >/dev/null 2>&1
see "R9.5: a refused removal (409)" 'len(alerts("R9.5")) > 0'
docker create --name foreign-3 $base true >/dev/null
mark
run -- docker container prune -f >/dev/null
agrees "a prune"
see "R9.3: a prune that takes a foreign container" 'len(alerts("R9.3")) > 0'
run -- sh -c "docker create --name own-2 $base true && docker container prune -f" >/dev/null
see "R9.3, near miss: a prune that takes only its own is R9.5" 'not alerts("R9.3") and alerts("R9.5") and action("container-prune")'
docker rm -f foreign-up >/dev/null

# ---- a long session ----
cat >"$work/session.sh" <<SH
docker images -q; docker info >/dev/null
for i in 1 2 3; do
	docker run -d --name s\$i $base sleep 60; docker exec s\$i true; docker cp /etc/hostname s\$i:/x; docker top s\$i >/dev/null
	docker rename s\$i r\$i; docker stop -t 0 r\$i; docker rm -f r\$i
done
docker volume create v1; docker volume rm v1; docker network ls; docker tag $base other:1; docker rmi other:1; docker rmi nosuch:1
SH
mark
run -- sh "$work/session.sh" >/dev/null
agrees "a long session"
see "it is more than 50 calls" 'sum(calls().values()) > 50'
see "the last run is complete" 'get(ev[-1], "invigil.run.complete") is True and gapless()'
finish
