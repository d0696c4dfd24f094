#!/bin/bash
# session.sh: 200 and more API calls by every client, and clients in parallel, against the engine's own log: recall and precision 1.
# alone: eight clients and the engine take both processors; a monitor that gets none loses records, and says so.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
base=invigil/base:1
log=$engine/dockerd.log
sock=$engine/docker.sock
raw="/usr/bin/python3 -B $root/tests/e2e/raw_client.py"
export base sock raw work root
mark() { from=$(log_size); }
agrees() { # NAME [--least N] STREAM...: nobody but the runs talks to the engine between mark and this
	local what=$1
	shift
	check "$what" /usr/bin/python3 -B tests/e2e/engine_log.py "$log" "$from" "$(log_size)" "$@"
	cat "$work/why"
}

mkdir "$work/context" "$work/compose"
printf 'FROM %s\nARG BA\nLABEL a=b\nRUN echo built >/x\n' $base >"$work/context/Dockerfile"
printf 'FROM %s\nRUN true\n' $base >"$work/context/Other"
cat >"$work/compose/docker-compose.yml" <<YML
version: "3"
services:
  one:
    image: $base
    command: sleep 600
    networks: [front]
networks:
  front: {}
YML
cat >"$work/sdk.py" <<'PY'
import docker, io, os, tarfile
base = os.environ["base"]
c = docker.DockerClient(base_url="unix://" + os.environ["sock"], version="1.41")
c.ping(), c.images.list(), c.info(), c.df()
k = c.containers.create(base, ["sleep", "30"], name="sdk1", hostname="ci-host", privileged=True, network_mode="none",
    pid_mode="host", cap_add=["SYS_ADMIN"], environment={"FOO": "y", "U": "\u00fc\u4e2d"}, labels={"k": "v"},
    volumes={"/etc": {"bind": "/host-etc", "mode": "ro"}}, ports={"80/tcp": ("127.0.0.1", 8080)})
k.remove()
k = c.containers.run(base, ["sleep", "30"], name="sdk2", network_mode="none", detach=True)
k.exec_run(["echo", "from-exec"], environment={"E": "1"})
k.reload(); k.logs(); k.stats(stream=False); k.diff(); k.top()
archive = io.BytesIO()
with tarfile.open(fileobj=archive, mode="w") as t:
    t.add("/etc/hostname", "hostname")
k.put_archive("/", archive.getvalue())
k.get_archive("/hostname")
k.rename("sdk3"); k.update(mem_limit="32m", memswap_limit="64m"); k.pause(); k.unpause()
k.commit("sdkcommit", "1"); c.images.remove("sdkcommit:1")
k.kill(); k.remove(force=True)
n = c.networks.create("sdknet", labels={"a": "b"}); n.reload(); n.remove()
v = c.volumes.create("sdkvol"); v.reload(); v.remove()
try:
    c.images.pull("localhost:1/none", tag="1")
except docker.errors.APIError:
    pass
try:
    c.containers.get("never was")
except (docker.errors.NotFound, docker.errors.APIError):
    pass
c.close()
PY
cat >"$work/cli.sh" <<'SH2'
# D: the docker client to use; t: what tells its objects from the other's
$D version >/dev/null; $D info >/dev/null; $D ps -a >/dev/null; $D images -q >/dev/null; $D system df >/dev/null
$D create --name p$t --hostname h$t --privileged --network host --pid host --cap-add NET_ADMIN -e PLAIN=s3 \
	-v /var/run/docker.sock:/var/run/docker.sock $base true >/dev/null
$D rm p$t >/dev/null
$D run -d --name r$t --network none -e A=1 -v /etc:/e:ro --mount type=bind,source=/tmp,target=/t $base sleep 600 >/dev/null
$D exec -e TOK=1 r$t echo exec-out
echo in | $D exec -i r$t cat
$D inspect r$t >/dev/null; $D logs r$t; $D cp /etc/hostname r$t:/x; $D cp r$t:/x - >/dev/null; $D top r$t >/dev/null
$D rename r$t s$t; $D pause s$t >/dev/null; $D unpause s$t >/dev/null; $D update --memory 32m --memory-swap 64m s$t >/dev/null
$D commit s$t commit$t:1 >/dev/null; $D history commit$t:1 >/dev/null; $D rmi commit$t:1 >/dev/null
$D stop -t 0 s$t >/dev/null; $D start s$t >/dev/null; $D restart -t 0 s$t >/dev/null; $D kill s$t >/dev/null; $D rm -f s$t >/dev/null
$D run --rm --network none $base echo attached
echo "through" | $D run --rm -i --network none $base cat
$D network create n$t >/dev/null; $D network ls >/dev/null; $D network inspect n$t >/dev/null; $D network rm n$t >/dev/null
$D volume create v$t >/dev/null; $D volume inspect v$t >/dev/null; $D volume ls >/dev/null; $D volume rm v$t >/dev/null
$D tag $base tag$t:y; $D save tag$t:y -o "$work/save.tar"; $D rmi tag$t:y >/dev/null; $D load -i "$work/save.tar" >/dev/null; $D rmi tag$t:y >/dev/null
$D rmi none:1; $D rm -f none; $D inspect none >/dev/null; $D pull localhost:1/none:1
DOCKER_BUILDKIT=0 $D build -q -t built$t:x --build-arg BA=1 "$work/context" >/dev/null
DOCKER_BUILDKIT=0 $D build -q -t built$t:y -f "$work/context/Other" "$work/context" >/dev/null
DOCKER_BUILDKIT=0 $D build -q -t built$t:z - <"$work/context/Other" >/dev/null
$D rmi built$t:x built$t:y built$t:z >/dev/null
$D container prune -f >/dev/null; $D image prune -f >/dev/null
SH2
cat >"$work/curl.sh" <<'SH2'
C="curl -sS --unix-socket $sock"
J='Content-Type: application/json'
u=http://localhost/v1.41
$C http://localhost/_ping; $C "$u/containers/json?all=1&filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D" >/dev/null
$C -H "$J" -d '{"Image":"'$base'","Cmd":["sleep","5"],"HostConfig":{"Privileged":true,"Binds":["/:/host"],"NetworkMode":"none"}}' "$u/containers/create?name=curl1" >/dev/null
$C -X POST $u/containers/curl1/start; $C -X DELETE "$u/containers/curl1?force=1&v=1"
printf '{"Image":"%s","Cmd":["true"],"HostConfig":{"CapAdd":["SYS_PTRACE"]}}' $base |
	$C -H "$J" -H 'Transfer-Encoding: chunked' -H 'Expect:' --data-binary @- "$u/containers/create?name=curl2" >/dev/null
$C $u/info -o /dev/null $u/version -o /dev/null $u/images/json -o /dev/null
$C -X DELETE $u/containers/curl2
$C -H "$J" -H 'Expect: 100-continue' -d '{"Image":"'$base'","Cmd":["true"],"HostConfig":{"PidMode":"host"}}' "$u/containers/create?name=curl3" >/dev/null
$C -X DELETE $u/containers/curl3
$C -I http://localhost/_ping >/dev/null
SH2
cat >"$work/node.js" <<'JS'
const http = require("http");
const agent = new http.Agent({ keepAlive: true, maxSockets: 3 });
const ask = (method, path, body) => new Promise((done, fail) => {
	const r = http.request({ socketPath: process.env.sock, agent, method, path: "/v1.41" + path,
		headers: body ? { "Content-Type": "application/json" } : {} }, (a) => {
		let text = ""; a.on("data", (d) => text += d); a.on("end", () => done([a.statusCode, text])); });
	r.on("error", fail); if (body) r.write(JSON.stringify(body)); r.end();
});
(async () => {
	await Promise.all([...Array(12).keys()].map((i) => ask("GET", "/containers/json?node=" + i)));
	const [status] = await ask("POST", "/containers/create?name=node1", { Image: process.env.base, Cmd: ["true"], Labels: { n: "1" } });
	await ask("DELETE", "/containers/node1?force=1");
	process.exit(status == 201 ? 0 : 1);
})();
JS
cat >"$work/session" <<'SH2'
export DOCKER_HOST=unix://$sock
D=/usr/bin/docker t=1
. "$work/cli.sh"
if [ -x /usr/local/bin/docker ]; then
	D=/usr/local/bin/docker t=2
	. "$work/cli.sh"
fi
/usr/bin/python3 "$work/sdk.py" || exit 11
. "$work/curl.sh"
$raw "$sock" framing $base || exit 12
$raw "$sock" environment $base || exit 13
if command -v node >/dev/null; then node "$work/node.js" || exit 14; fi
if command -v docker-compose >/dev/null; then
	(cd "$work/compose" && COMPOSE_API_VERSION=1.41 docker-compose -p ivg up -d && docker-compose -p ivg ps && docker-compose -p ivg down -t 0) || exit 15
fi
printf 'GET /_ping?dial=1 HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n' | /usr/bin/docker system dial-stdio || exit 16
SH2
missing() { # PROGRAM: is told
	test_begin "a session by $1"
	skip "it is not installed"
}
[ -x /usr/local/bin/docker ] || missing /usr/local/bin/docker
command -v node >/dev/null || missing node
command -v docker-compose >/dev/null || missing docker-compose
mark
export LIMIT=170
check "every client ends well" run -q --record "$work/rec" -- sh "$work/session"
agrees "the session is what the engine logged, call by call and field by field" --least 200 --least-bodies 30 "$ev"
see "nothing was lost or cut" 'get(ev[-1], "invigil.run.complete") is True and not action("events-lost") and not [g for g in action("coverage-gap") if "engine" in get(g, "invigil.gap.hook", "")]'
see "600 variables in one send are decoded to the last" '[e for e in alerts("R6.9") if "DB_PASSWORD" in e["invigil"]["evidence"]]'
# The docker client does not stay for the end of a wait.
see "every request has its answer" 'not [e for e in ev if get(e, "event.category") == ["api"] and get(e, "event.kind") == "event" and not get(e, "http.response.status_code") and get(e, "event.action") != "container-wait"]'
agents="['Docker-Client/20.10', 'docker-sdk-python', 'curl/', 'raw'"
[ ! -x /usr/local/bin/docker ] || agents="$agents, 'Docker-Client/28'"
! command -v docker-compose >/dev/null || agents="$agents, 'docker-compose/'"
see "each make of client has asked, as it says itself: $agents]" \
	"not [a for a in $agents] if not any(get(e, 'user_agent.original', '').startswith(a) for e in ev)]"
see "each client is named" '{"docker", "python3.11", "curl"} <= {get(e, "process.name") for e in ev if get(e, "event.category") == ["api"]}'
check "replay gives the same stream" sh -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$ev'"

check "an endpoint that no engine has" run -q -- curl -sS --unix-socket "$sock" -X POST "http://localhost/v1.41/no/such?x=%2F%20y"
see "is a docker-request" '[get(e, "http.response.status_code") for e in action("docker-request")] == [404]'

# ---- eight clients at once ----
per=${PER_CLIENT:-500}
mark
check "8 parallel clients with $per requests each" run -q -- sh -c "for i in 1 2 3 4 5 6 7 8; do \$raw \$sock many $per c\$i & done; wait"
agrees "none of their records is lost" --parallel --least $((8 * per)) "$ev"
see "the run is complete" 'get(ev[-1], "invigil.run.complete") is True'

# ---- two runs on one engine, by many clients of several makes each ----
cat >"$work/mixed" <<'SH2'
for i in 1 2 3 4; do $raw $sock many 100 $1 & done
(for i in $(seq 10); do /usr/bin/docker -H unix://$sock inspect none-$1-$i; done) >/dev/null 2>&1 &
for i in 1 2; do
	curl -sS --unix-socket $sock "http://localhost/v1.41/images/json?tag=$1.[1-30]" >/dev/null &
done
SOURCE=$1 /usr/bin/python3 "$work/mixed.py" &
wait
SH2
cat >"$work/mixed.py" <<'PY'
import docker, os
c = docker.APIClient(base_url="unix://" + os.environ["sock"], version="1.41")
for i in range(30):
    c.containers(filters={"name": "%s.%d" % (os.environ["SOURCE"], i)})
c.close()
PY
mark
ev2=$work/ev2
timeout -k 5 170 "$invigil" run -q -o "$ev2" -- sh "$work/mixed" two &
other=$!
check "one run" run -q -- sh "$work/mixed" one
check "and another at the same time" wait $other
agrees "all their requests are in one of them" --parallel --least 1000 "$ev" "$ev2"
see "each client has asked in both" '{"docker", "python3.11", "curl"} <= {get(e, "process.name") for e in ev if get(e, "event.category") == ["api"]} and len({get(e, "process.pid") for e in ev if get(e, "event.category") == ["api"]}) >= 17'
see "the first has only its own" 'len(calls()) > 1 and not [e for e in ev if "two." in get(e, "url.query", "") or "none-two" in get(e, "url.path", "")]'
see "the second, too" 'len(calls()) > 1 and not [e for e in ev if "one." in get(e, "url.query", "") or "none-one" in get(e, "url.path", "")]' "$ev2"
finish
