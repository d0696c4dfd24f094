#!/bin/bash
# dialogue.sh: a real Docker Engine: every API call as its own debug log has it, and R2, R4-R9 with near misses.
# alone: the reviewed workload's published ports are fixed.
set -u
cd "$(dirname "$0")/../.." || exit 1
invigil=$PWD/build/invigil
work=$(mktemp -d)
chmod 755 "$work"
passed=0 failed=0
cleanup() {
	tests/lib/engine.sh stop "$work/engine"
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
tests/lib/engine.sh start "$work/engine" >"$work/why" 2>&1 || { cat "$work/why"; echo "FAIL the private engine did not start"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
export DOCKER_HOST=unix://$work/engine/docker.sock DOCKER_BUILDKIT=0 DOCKER_CONFIG=$work/config BASE_IMAGE=invigil/base:1
socket=$work/engine/docker.sock
tests/lib/base-image.sh "$DOCKER_HOST" $BASE_IMAGE

check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$work/why" 2>&1; then
		passed=$((passed + 1))
		echo "ok   $name"
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		head -c 1500 "$work/why"
	fi
}
run() { "$invigil" run -q -u root -o "$work/ev" "$@" >"$work/out" 2>&1; }
found() { # EXPRESSION over: ev, alerts (ids), info (ids), rule(id) -> evidence texts
	python3 -c '
import json, sys
ev = [json.loads(l) for l in open(sys.argv[1])]
alerts = [e["rule"]["id"] for e in ev if e["event"]["kind"] == "alert"]
info = [f["rule"] for e in ev for f in e.get("invigil", {}).get("findings", []) if isinstance(f, dict)]
def rule(i): return [e["invigil"]["evidence"] for e in ev if e.get("rule", {}).get("id") == i]
def action(a): return [e for e in ev if e["event"]["action"] == a]
sys.exit(0 if eval(sys.argv[2]) else "alerts %s info %s" % (sorted(set(alerts)), sorted(set(info))))' "$work/ev" "$1"
}
create() { run -- docker create "$@" $BASE_IMAGE true; docker rm -f "$(docker ps -alq)" >/dev/null 2>&1; }

docker create --name foreign-one $BASE_IMAGE sleep 60 >/dev/null
docker start foreign-one >/dev/null

create --name p1 --privileged
check "a privileged container is critical (R6.1)" found '"R6.1" in alerts'
create --name p2
check "a plain one is not; it has no limits (R6.12)" found '"R6.1" not in alerts and "R6.12" in info and not [a for a in alerts if a.startswith("R6")]'
create -v /var/run/docker.sock:/s
check "the engine's socket mounted (R6.2)" found '"R6.2" in alerts'
create -v /var/tmp/docker.sock.d:/s
check "a path that only looks like it is not" found '"R6.2" not in alerts and "R6.3" not in alerts'
create -v /etc:/e
check "/etc writable (R6.3)" found '"R6.3" in alerts and "R6.14" not in alerts'
create -v /etc:/e:ro
check "/etc read-only (R6.14)" found '"R6.14" in alerts and "R6.3" not in alerts'
create --mount type=bind,source=/root/../etc//ssh,target=/e,readonly
check "the same through Mounts and an unclean path" found '"R6.14" in alerts'
create --network host --pid host
check "host namespaces (R6.4)" found 'len(rule("R6.4")) == 2'
create --network none
check "no network is no host network" found '"R6.4" not in alerts'
create --cap-add SYS_ADMIN
check "a capability that gives the host away (R6.5)" found '"R6.5" in alerts'
create --cap-add CHOWN
check "a harmless one does not" found '"R6.5" not in alerts'
create --security-opt seccomp=unconfined
check "seccomp off (R6.6)" found '"R6.6" in alerts'
create -p 8080:80
check "a port on all interfaces (R6.7)" found '"R6.7" in alerts'
create -p 127.0.0.1:8080:80
check "a port on loopback is evidence (R6.12)" found '"R6.7" not in alerts and "R6.12" in info'
create --device /dev/null:/dev/x
check "a device (R6.8)" found '"R6.8" in alerts'
create -e DB_PASSWORD=geheim-und-lang-77
check "a sensitive variable's value (R6.9), which stays out of the stream" bash -c "grep -q 'R6.9' $work/ev && ! grep -q geheim-und $work/ev"
create -e GREETING=geheim-und-lang-77
check "an ordinary variable is none" found '"R6.9" not in alerts'
create --link foreign-one:db
check "a legacy link (R6.10)" found '"R6.10" in alerts'
docker tag $BASE_IMAGE invigil/base:latest
run -- docker create --name lat invigil/base:latest true
docker rm lat >/dev/null
check "a mutable tag that the run did not build (R6.11)" found '"R6.11" in alerts'
create --name fixed
check "a fixed tag is none" found '"R6.11" not in alerts'
check "the call's own line has method, path, status and user agent" found \
	'[e for e in action("container-create") if e["http"]["request"]["method"] == "POST" and e["url"]["path"].endswith("/containers/create") and e["http"]["response"]["status_code"] == 201 and "Docker-Client" in e["user_agent"]["original"]]'

host=$(uname -n)
create --name "t-$host-x" --hostname db.prod.internal
check "an internal domain in a host name (R7.5)" found '"R7.5" in alerts and "R7.1" in info'
create --name internals --hostname internals
check "a word that only begins like it is none" found '"R7.5" not in alerts'

run -- docker exec foreign-one true
check "exec in a foreign container (R8.3)" found '"R8.3" in alerts'
# shellcheck disable=SC2016
run -- sh -c 'docker run -d --name mine '$BASE_IMAGE' sleep 60 && docker exec mine cat /etc/passwd; docker rm -f mine'
check "exec in an own one is low (R8.2), its removal evidence (R9.1)" found '"R8.3" not in alerts and "R8.2" in alerts and "R9.1" in info and "R9.2" not in alerts'
check "what the container executes belongs to the run" found \
	'[e for e in action("exec") if e.get("container", {}).get("id") and e["process"]["args"][:1] == ["cat"]]'
run -- docker exec --privileged foreign-one true
check "a privileged exec (R8.4)" found '"R8.4" in alerts'
check "the connect is seen, with the listener's own path (R8.1)" found \
	'"R8.1" in info and action("docker-socket-connect")[0]["destination"]["address"].endswith("/docker.sock")'

run -- docker rm -f foreign-one
check "removal of a foreign container (R9.2)" found '"R9.2" in alerts'
run -- docker rm -f never-was
check "what did not exist is evidence (404)" found '"R9.2" not in alerts and "R9.1" in info'
docker create --name stopped $BASE_IMAGE true >/dev/null
run -- docker container prune -f
check "a prune that hits others' objects (R9.3)" found '"R9.3" in alerts'
run -- sh -c "docker create --name own1 $BASE_IMAGE true; docker container prune -f"
check "a prune of only own objects is low (R9.5)" found '"R9.3" not in alerts and "R9.5" in alerts'

hex=$(printf '#!/bin/sh\necho ready for the test servers now\n' | od -An -tx1 -v | tr -d ' \n' | sed 's/../\\x&/g')
printf 'FROM %s\nRUN echo "'"'%s'"'" | xargs echo -e > /x.sh;chmod 755 /x.sh\n' "$BASE_IMAGE" "$hex" >"$work/Dockerfile"
run -- sh -c "docker build - --quiet -t hexed:1 <$work/Dockerfile; docker rmi -f hexed:1"
check "the reviewed script's own hex in a Dockerfile (R2.1, R2.4)" found '"R2.1" in alerts and "R2.4" in alerts and "R9.2" not in alerts'
printf 'FROM %s\nRUN echo ready for the test servers now > /x.sh\n' "$BASE_IMAGE" >"$work/Dockerfile"
run -- sh -c "docker build - --quiet -t plain:1 <$work/Dockerfile; docker rmi -f plain:1"
check "plain text is none" found '"R2.1" not in alerts and "R2.4" not in alerts'

run -- curl -s --unix-socket "$socket" -H 'Content-Type: application/json' -d '{"image":"'$BASE_IMAGE'","hostconfig":{"PRIVILEGED":true}}' "http://x/v1.41/containers/create?name=curled"
docker rm curled >/dev/null
check "curl with folded keys: privileged is seen, and that curl did it (R8.7)" found '"R6.1" in alerts and "R8.7" in alerts'
run -- curl -s --unix-socket "$socket" -H 'Transfer-Encoding: chunked' -H 'Expect: 100-continue' -H 'Content-Type: application/json' -d '{"Image":"'$BASE_IMAGE'","HostConfig":{"PidMode":"host"}}' "http://x/v1.41/containers/create?name=curled"
docker rm curled >/dev/null
check "chunked with 100-continue is decoded" found '"R6.4" in alerts'
cat >"$work/sdk.py" <<PY
import docker
c = docker.from_env()
x = c.containers.create("$BASE_IMAGE", ["true"], name="sdk1", network_mode="host")
x.remove()
PY
run -- /usr/bin/python3 "$work/sdk.py"
check "docker-py is decoded; its own object's removal is evidence" found '"R6.4" in alerts and "R9.1" in info and "R9.2" not in alerts'

log=$(ls "$work"/engine/*.log | head -1)
cat >"$work/session.sh" <<'SH'
docker ps -a; docker version >/dev/null; docker images -q; docker info >/dev/null
for i in 1 2 3; do
	docker run -d --name s$i $BASE_IMAGE sleep 60; docker exec s$i true; docker inspect s$i >/dev/null; docker logs s$i
	docker cp /etc/hostname s$i:/x; docker top s$i >/dev/null; docker rename s$i r$i; docker stop -t 0 r$i; docker rm -f r$i
done
docker volume create v1; docker volume rm v1; docker network ls; docker tag $BASE_IMAGE other:1; docker rmi other:1
docker rmi nosuch:1; docker rm -f nosuch
printf 'FROM %s\nRUN true\n' "$BASE_IMAGE" | docker build --quiet -t b:1 -; docker rmi b:1
SH
lines=$(wc -l <"$log")
run -- sh "$work/session.sh"
tail -n +$((lines + 1)) "$log" | sed -n 's/.*Calling \([A-Z]*\) \([^ "?]*\).*/\1 \2/p' | sort >"$work/truth"
python3 - "$work/ev" >"$work/mine" <<'PY'
import json, sys
for l in open(sys.argv[1]):
    e = json.loads(l)
    if e["event"]["category"] == ["api"]:
        print(e["http"]["request"]["method"], e["url"]["path"])
PY
sort -o "$work/mine" "$work/mine"
n=$(wc -l <"$work/truth")
check "a session of $n API calls equals the engine's own log exactly" bash -c "[ $n -gt 60 ] && diff $work/truth $work/mine"
check "the run was complete" found 'ev[-1]["invigil"]["run"]["complete"] is True'

export TESTSERVER_API_TOKEN=planted-0Kq71-secret-value TESTSERVER_BIND_LOCAL=1
"$invigil" run -q -u root -o "$work/ev" --record "$work/rec" -- /usr/bin/python3 -B -m pytest -q -p no:cacheprovider tests/workloads/reviewed >"$work/out" 2>&1
check "the reviewed workload passes under invigil" test $? = 0
check "it shows all nine categories" found '{r.split(".")[0] for r in alerts + info} >= {"R%d" % i for i in range(1, 10)}'
check "its TESTSERVER_BIND_LOCAL read is there (R1.2)" found 'rule("R1.2")'
check "its token is in neither stream nor recording" bash -c "! grep -qa planted-0Kq71 $work/ev $work/rec"
check "replay gives the same stream" bash -c "$invigil replay -q -o - $work/rec | cmp - $work/ev"
unset TESTSERVER_API_TOKEN TESTSERVER_BIND_LOCAL
run -- /usr/bin/python3 -B -m pytest -q -p no:cacheprovider tests/workloads/harmless
check "the harmless workload passes" test $? = 0
check "and raises nothing from medium up" found 'not [e for e in ev if e["event"]["kind"] == "alert" and e["event"]["severity"] >= 47]'
perf stat -e sched:sched_process_exec -o "$work/perf" true 2>/dev/null
"$invigil" run -q -u root -o "$work/ev" -- perf stat -e sched:sched_process_exec -x, -o "$work/perf" /usr/bin/python3 -B -m pytest -q -p no:cacheprovider tests/workloads/harmless >/dev/null 2>&1
count=$(grep -o '^[0-9]*' "$work/perf" | tail -1)
# perf counts its child's tree, not itself
check "executions of the host's tree equal perf's count (${count:-none})" found \
	"len([e for e in action('exec') if 'container' not in e]) - 1 == ${count:--1}"

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
