#!/bin/bash
# clients.sh: other makes of client and engine: dockerode, docker over ssh, and podman's Docker-compatible socket.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
base=invigil/base:1
sock=$engine/docker.sock
log=$engine/dockerd.log
docker=/usr/bin/docker
children=
groups_gone() {
	find /sys/fs/cgroup -depth -type d -path '*/libpod_parent*' -exec rmdir {} \; 2>/dev/null
	[ -z "$(find /sys/fs/cgroup -type d -name libpod_parent)" ]
}
monitors_end() { # podman's monitor of an exec stays for five minutes
	local p
	for p in $(pgrep -x conmon); do
		! grep -qaF "$work/podman" "/proc/$p/cmdline" 2>/dev/null || kill "$p"
	done
}
at_end() {
	# shellcheck disable=SC2086
	[ -z "$children" ] || kill $children 2>/dev/null
	monitors_end
	until_true 5 groups_gone
	cleanup
}
trap at_end EXIT

# ---- dockerode ----
test_begin "dockerode"
mkdir "$work/npm"
if ! command -v node npm >/dev/null; then
	skip "no node, or no npm"
elif ! (cd "$work/npm" && timeout 60 npm install --ignore-scripts --no-audit --no-fund dockerode@4 >"$work/why" 2>&1); then
	skip "the registry does not give it: $(tail -n 1 "$work/why")"
else
	cat >"$work/npm/use.js" <<'JS'
const Docker = require("dockerode");
(async () => {
	const d = new Docker({ socketPath: process.argv[2] });
	await d.ping();
	const c = await d.createContainer({ Image: process.argv[3], name: "ode1", Cmd: ["sleep", "30"],
		HostConfig: { CapAdd: ["SYS_ADMIN"], NetworkMode: "none" } });
	await c.start();
	const s = await (await c.exec({ Cmd: ["echo", "word-ode"], AttachStdout: true })).start({});
	await new Promise((done) => { s.on("end", done); s.resume(); });
	await c.inspect();
	await c.remove({ force: true });
})().catch((e) => { console.error(e); process.exit(1); });
JS
	from=$(log_size)
	check "dockerode" run -q -- node "$work/npm/use.js" "$sock" $base
	check "dockerode: its calls are what the engine logged" /usr/bin/python3 -B tests/e2e/engine_log.py "$log" "$from" "$(log_size)" --least 7 --least-bodies 2 "$ev"
	see "dockerode: SYS_ADMIN (R6.5), and what it executes in its container" \
		'alerts("R6.5") and [e for e in execs("busybox") + execs("echo") if "word-ode" in get(e, "process.args") and get(e, "container.name") == "ode1"]'
fi

# ---- docker -H ssh:// : an sshd of the test's own, `docker system dial-stdio` outside the run ----
ssh=$work/ssh
mkdir -p "$ssh/bin" /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$ssh/host" && ssh-keygen -q -t ed25519 -N '' -f "$ssh/user"
port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$ssh/config" <<CONFIG
Port $port
ListenAddress 127.0.0.1
HostKey $ssh/host
AuthorizedKeysFile $ssh/user.pub
PidFile $ssh/pid
StrictModes no
PermitRootLogin yes
UsePAM no
SetEnv DOCKER_HOST=unix://$sock
CONFIG
/usr/sbin/sshd -D -f "$ssh/config" -E "$ssh/log" &
children="$children $!"
cat >"$ssh/bin/ssh" <<SH
#!/bin/sh
exec /usr/bin/ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -i $ssh/user "\$@"
SH
chmod 755 "$ssh/bin/ssh"
remote="$docker -H ssh://root@127.0.0.1:$port"
until_true 10 sh -c "PATH=$ssh/bin:\$PATH $remote version"
check "docker by ssh" run -q --record "$work/rec" -- env PATH="$ssh/bin:$PATH" sh -c \
	"$remote create --privileged -e DB_PASSWORD=geheim-und-lang-77 --name far $base true && $remote inspect far >/dev/null && $remote rm far"
cp "$ev" "$work/ssh.ev"
see "by ssh: each call is decoded, with its answer" \
	'[(get(e, "http.request.method"), get(e, "url.path").split("/", 2)[2], get(e, "http.response.status_code")) for e in ev if get(e, "event.category") == ["api"] and get(e, "event.kind") == "event" and get(e, "event.action") != "engine-ping"] == [("POST", "containers/create", 201), ("GET", "containers/far/json", 200), ("DELETE", "containers/far", 204)]'
see "by ssh: the client asks, not ssh" '{get(e, "process.name") for e in action("container-create") + action("container-remove")} == {"docker"}'
see "by ssh: where to is told, and it is no way that is unprotected" \
	'all(get(e, "destination.address") == "ssh://127.0.0.1" for e in action("docker-socket-connect")) and len(action("docker-socket-connect")) > 2 and not said("R8.6")'
see "by ssh: privileged (R6.1), and its own removal (R9.1)" 'alerts("R6.1") and alerts("R6.9") and evidence("R9.1")'
check "by ssh: the password is nowhere" bash -c "! grep -q geheim-und '$ev' '$work/rec'"
check "by ssh: replay gives the same stream" sh -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$work/ssh.ev'"

# ---- podman's socket ----
pod=$work/podman
mkdir -p "$pod"
cat >"$pod/containers.conf" <<CONFIG
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONFIG
export CONTAINERS_CONF=$pod/containers.conf
podman --root "$pod/root" --runroot "$pod/run" --storage-driver vfs --log-level info system service -t 0 "unix://$pod/podman.sock" >"$pod/log" 2>&1 &
children="$children $!"
until_true 20 test -S "$pod/podman.sock"
check "podman has the image" "$root/tests/lib/base-image.sh" "$pod/podman.sock" $base
from=$(stat -c %s "$pod/log")
check "docker to podman" run -q -- sh -c "export DOCKER_HOST=unix://$pod/podman.sock
	$docker run -d --name pod1 --network host $base sleep 60 && $docker exec pod1 echo word-pod; $docker inspect pod1 >/dev/null; $docker rm -f pod1"
# What its access log has between: METHOD PATH of each request. It is written behind an answer, of the last one maybe a little later.
q "$ev" '[print(*k) for k, n in calls().items() for _ in range(n)]' | sort >"$work/seen"
as_logged() {
	tail -c +$((from + 1)) "$pod/log" | sed -n 's/^@ - - .*"\([A-Z]*\) \([^ ?]*\)[^"]* HTTP\/1.1" .*/\1 \2/p' | sort >"$work/logged"
	diff "$work/logged" "$work/seen"
}
until_true 5 as_logged
check "podman: the calls are what it logged" as_logged
check "(which is something)" grep -q containers/create "$work/seen"
see "podman: the connect is told, and the listener" 'all(get(e, "invigil.docker.listener_name") == "podman" for e in action("docker-socket-connect")) and action("docker-socket-connect")'
see "podman: R6.4, the host's network; R8.6, near miss" 'alerts("R6.4") and not said("R8.6")'
see "podman: what its containers execute belongs to the run" \
	'[e for e in execs() if get(e, "process.args") == ["sleep", "60"] and get(e, "container.name") == "pod1"] and [e for e in execs() if get(e, "process.args") == ["echo", "word-pod"] and len(get(e, "container.id", "")) == 64]'
see "podman: removing its own is R9.1" 'evidence("R9.1") and not alerts("R9.2")'
own_calls() { # METHOD PATH...: of podman's own API
	run -q -- sh -c "curl -s --unix-socket '$pod/podman.sock' -X $1 http://d/v4.0.0/libpod/$2; DOCKER_HOST=unix://$pod/podman.sock $docker volume rm pod-v" >"$work/out" 2>&1
	grep -q pod-v "$work/out"
}
check "podman: a call of its own makes a volume" own_calls POST "volumes/create -H 'Content-Type: application/json' -d '{\"Name\":\"pod-v\"}'"
see "it is said that such a call is not decoded, and whose the volume is cannot be known" \
	'[e for e in action("coverage-gap") if "not of the Docker Engine API" in get(e, "invigil.gap.reason", "")] and [get(e, "invigil.docker.owner") for e in action("volume-remove")] == ["unknown"]'
DOCKER_HOST=unix://$pod/podman.sock docker volume create pod-v >"$work/out"
check "podman: a call of its own reads" own_calls GET volumes/json
see "near miss: nothing is said, and the volume is foreign" \
	'not [e for e in action("coverage-gap") if "not of the Docker Engine API" in get(e, "invigil.gap.reason", "")] and alerts("R9.2")'
finish
