#!/bin/bash
# transports.sh: TCP with and without TLS, relays inside and outside the run, other paths (R8.6), BuildKit, the socket in a container.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
ENGINE_TCP=yes engine_up
base=invigil/base:1
sock=$engine/docker.sock
port=$(cat "$engine/port")
log=$engine/dockerd.log
client="/usr/bin/python3 -B $root/tests/e2e/raw_client.py"
docker=/usr/bin/docker
children=
at_end() {
	# shellcheck disable=SC2086
	[ -z "$children" ] || kill $children 2>/dev/null
	cleanup
}
trap at_end EXIT
mark() { from=$(log_size); }
agrees() { check "$1: its calls are what the engine logged" /usr/bin/python3 -B tests/e2e/engine_log.py "$log" "$from" "$(log_size)" "$ev"; }
relayed() { [ -S "$1" ]; }

# ---- the path that was bound, and others ----
run -q -- $docker -H "unix://$sock" version >/dev/null
see "the bound path is none of R8.6's, whoever connects" 'len(calls()) > 0 and not said("R8.6")'
see "the listener is named" 'all(get(e, "invigil.docker.listener_name") == "dockerd" for e in action("docker-socket-connect"))'
run -q -- $docker -H "unix://${sock%/*}/../engine//docker.sock" version >/dev/null
see "R8.6, near miss: the same path in other words" 'len(calls()) > 0 and not said("R8.6")'
run -q -- sh -c "cd '$engine' && DOCKER_HOST=unix://docker.sock $docker version" >/dev/null
see "R8.6, near miss: the same path from its directory" 'len(calls()) > 0 and not said("R8.6")'
ln -s "$sock" "$work/sym"
run -q -- $docker -H "unix://$work/sym" version >/dev/null
see "R8.6: a symbolic link" 'len(alerts("R8.6")) == 1 and "'"$work/sym"'" in get(alerts("R8.6")[0], "invigil.evidence")'
ln "$sock" "$engine/hard"
run -q -- $docker -H "unix://$engine/hard" version >/dev/null
see "R8.6: a hard link" 'len(alerts("R8.6")) == 1 and len(calls()) > 0'
rm "$engine/hard"
run -q -- unshare -m sh -c "touch '$work/bound' && mount --bind '$sock' '$work/bound' && $docker -H 'unix://$work/bound' version" >/dev/null
see "R8.6: a bind mount in another mount namespace" 'len(alerts("R8.6")) == 1 and len(calls()) > 0'

# ---- TCP ----
mark
run -q -- sh -c "$docker -H tcp://127.0.0.1:$port create --privileged --name tcp1 $base true && $docker -H tcp://127.0.0.1:$port rm tcp1" >/dev/null
agrees "TCP without TLS"
see "R8.6: TCP without TLS" '[e for e in alerts("R8.6") if "127.0.0.1:'"$port"'" in get(e, "invigil.evidence")] and alerts("R6.1")'
mark
run -q -- $client "127.0.0.1:$port" framing $base
agrees "TCP, framed in odd ways"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
cat "$work/key.pem" "$work/cert.pem" >"$work/both.pem"
socat "OPENSSL-LISTEN:$((port + 100)),bind=127.0.0.1,reuseaddr,fork,cert=$work/both.pem,verify=0" "UNIX-CONNECT:$sock" 2>/dev/null &
children="$children $!"
until_true 30 sh -c "curl -sk https://127.0.0.1:$((port + 100))/_ping"
cp "$work/cert.pem" "$work/ca.pem"
check "a client by TLS" run -q -- curl -s --cacert "$work/cert.pem" "https://localhost:$((port + 100))/v1.41/version" -o /dev/null
see "R8.6, near miss: TCP with TLS; its calls cannot be seen" 'not said("R8.6") and not calls()'
# The engine's own TLS port is known: there the connect is told, and that nothing more is seen.
socat "OPENSSL-LISTEN:2376,bind=127.0.0.1,reuseaddr,fork,cert=$work/both.pem,verify=0" "UNIX-CONNECT:$sock" 2>/dev/null &
tls=$!
children="$children $tls"
if until_true 5 sh -c "curl -sk https://127.0.0.1:2376/_ping" && kill -0 $tls 2>/dev/null; then
	run -q -- curl -s --cacert "$work/cert.pem" "https://localhost:2376/v1.41/version" -o /dev/null
	see "TLS: connect and port are told, and that the calls are not seen" \
		'any(get(e, "destination.port") == 2376 for e in action("docker-socket-connect")) and any(get(e, "invigil.gap.reason") == "TLS" for e in action("stream-cut")) and not said("R8.6")'
else
	test_begin "TLS: connect and port are told"
	skip "port 2376 is in use"
fi

# ---- relays ----
socat "UNIX-LISTEN:$work/relay.sock,fork" "UNIX-CONNECT:$sock" 2>/dev/null &
children="$children $!"
until_true 30 relayed "$work/relay.sock"
mark
run -q -- $docker -H "unix://$work/relay.sock" ps >/dev/null
agrees "a relay outside the run (socat)"
see "R8.6: a relay" '[e for e in alerts("R8.6") if "relay" in get(e, "invigil.evidence")]'
mark
run -q -- sh -c "sleep 20 | $client '$sock' relay @ivg-relay-$$ >'$work/ready' & until grep -q ready '$work/ready'; do sleep 0.1; done; $client @ivg-relay-$$ framing $base"
see "a relay inside the run, abstract: the client's calls are decoded" 'len([e for e in action("container-create") if get(e, "process.args", [])[-2:-1] == ["framing"]]) == 3 and alerts("R8.6")'
see "what the relay itself sends is told as its own" 'len([e for e in action("container-create") if "relay" in get(e, "process.args", [])]) == 3'

# A server of the test's own answers as an engine would.
cat >"$work/fake.py" <<'PY'
"""fake.py SOCKET WHO: asks a server that listens in this process, or in a child of it."""
import os
import socket
import sys
import threading


def serve(ready):
    listener.listen(4)
    ready()
    client, _ = listener.accept()
    with client:
        client.recv(4096)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]")


listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
up, said = os.pipe()
if sys.argv[2] == "itself":
    threading.Thread(target=serve, args=[lambda: os.write(said, b"x")]).start()
elif not os.fork():
    serve(lambda: os.write(said, b"x"))
    os._exit(0)
os.read(up, 1)
with socket.socket(socket.AF_UNIX) as s:
    s.connect(sys.argv[1])
    s.sendall(b"GET /v1.41/containers/json?fake=1 HTTP/1.1\r\nHost: d\r\n\r\n")
    assert s.recv(4096).startswith(b"HTTP/1.1 200")
PY
run -q -- /usr/bin/python3 -B "$work/fake.py" "$work/fake1.sock" child
see "R8.6: what listens is no engine" 'len(calls()) == 1 and "relay" in get(alerts("R8.6")[0], "invigil.evidence")'
run -q -- /usr/bin/python3 -B "$work/fake.py" "$work/fake2.sock" itself
see "R8.6, near miss: it is the client itself, which reaches no engine" 'len(calls()) == 1 and not said("R8.6") and evidence("R8.1")'

# ---- a container of the run that has the socket ----
gcc -O2 -static -pthread -o "$work/evade" tests/e2e/evade.c
chmod 755 "$work/evade"
mark
check "a container of the run asks" run -q -- $docker -H "unix://$sock" run --rm -v "$sock:/run/inner.sock" -v "$work/evade:/evade" $base /evade /run/inner.sock plain
agrees "the container's own call"
see "the socket mounted into a container: R6.2" 'alerts("R6.2")'
see "its call is told with the container, and by another path (R8.6)" \
	'[e for e in action("engine-ping") if get(e, "url.query") == "way=plain" and get(e, "process.name") == "evade"] and alerts("R8.6")'

# ---- a volume that was there before ----
docker volume create older >/dev/null
until_true 10 sh -c "[ \$(($(date +%s) + 4)) -lt \$(date +%s) ]"
run -q -- sh -c "$docker -H unix://$sock volume create older && $docker -H unix://$sock volume create newer && $docker -H unix://$sock volume rm older newer" >/dev/null
see "creating it again does not make it the run's own (R9.2)" '[e for e in alerts("R9.2") if "older" in get(e, "invigil.evidence")] and not [e for e in alerts("R9.2") if "newer" in get(e, "invigil.evidence")]'

# ---- a packed context, its Dockerfile under another name and behind other files ----
mkdir -p "$work/packed/sub"
head -c 20000 /dev/zero >"$work/packed/first"
printf 'FROM %s\nENV DB_PASSWORD=geheim-und-lang-78\n' $base >"$work/packed/sub/Other.file"
tar -C "$work/packed" -czf "$work/context.tgz" first sub
run -q --record "$work/rec" -- sh -c "DOCKER_BUILDKIT=0 $docker -H unix://$sock build -q -f sub/Other.file - <'$work/context.tgz'" >/dev/null
see "the Dockerfile in a gzip'd context is found by its name (R6.9)" '[e for e in alerts("R6.9") if "Dockerfile" in get(e, "invigil.evidence")] and not alerts("R6.13")'
check "its secret is in no output" bash -c "! grep -q geheim-und '$ev'"
check "nor is the packed context in the recording, where nothing could be masked in it" \
	bash -c "! LC_ALL=C grep -qaP '\x1f\x8b\x08' '$work/rec' && LC_ALL=C grep -qa 'ENV DB_PASSWORD' '$work/rec' && ! grep -qa geheim-und '$work/rec'"
check "and replay gives the same stream" sh -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$ev'"
for packer in bzip2 xz; do
	command -v $packer >/dev/null || continue
	tar -C "$work/packed" -c first sub | $packer -c >"$work/context.tgz"
	run -q --record "$work/rec" -- sh -c "DOCKER_BUILDKIT=0 $docker -H unix://$sock build -q -f sub/Other.file - <'$work/context.tgz'" >/dev/null
	see "of a context packed by $packer it is said that it was not read (R6.13)" 'action("image-build") and alerts("R6.13")'
	check "and none of it is in the recording" /usr/bin/python3 -c \
		'import sys; part = open(sys.argv[1], "rb").read()[32:64]; sys.exit(part in open(sys.argv[2], "rb").read())' "$work/context.tgz" "$work/rec"
done

# ---- BuildKit: its session is HTTP/2, by which the Dockerfile goes in clear ----
mkdir "$work/kit"
cat >"$work/kit/Dockerfile" <<DOCKERFILE
FROM $base
ENV DB_PASSWORD=geheim-und-lang-79
RUN echo word-kit-one
COPY file /file
RUN ["/bin/busybox", "echo", "word-kit-two"]
DOCKERFILE
echo "DOCKER_AUTH=geheim-und-lang-80" >"$work/kit/file"
mark
DOCKER_BUILDKIT=1 run -q --record "$work/rec" -- $docker -H "unix://$sock" build -q --no-cache -t kit:1 "$work/kit" >"$work/out" 2>&1
agrees "BuildKit"
see "its Dockerfile is decoded (R6.9), and nothing is said to be missing" '[e for e in alerts("R6.9") if "Dockerfile" in get(e, "invigil.evidence")] and not alerts("R6.13") and not action("stream-cut")'
see "what its steps execute is the run's, with the container" \
	'all(len([e for e in execs() if w in " ".join(get(e, "process.args", [])) and len(get(e, "container.id", "")) == 25]) == 1 for w in ("word-kit-one", "word-kit-two"))'
see "the image it built is the run's own" '[o for o in get(ev[-1], "invigil.run.left_behind.objects") if "kit:1" in str(o)]'
check "other files of its context are not in the recording, nor is the password" bash -c "! grep -qa geheim-und '$work/rec' '$ev'"
check "replay of a BuildKit build gives the same stream" sh -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$ev'"
mv "$work/kit/Dockerfile" "$work/kit/Other"
DOCKER_BUILDKIT=1 run -q -- sh -c "$docker -H unix://$sock build -q --no-cache -f $work/kit/Other $work/kit && $docker -H unix://$sock build -q --no-cache - <$work/kit/Other" >"$work/out" 2>&1
see "so is one of another name; of one on standard input it is decoded or said" \
	'len(action("image-build")) == 2 and len(alerts("R6.9")) > 0 and [e for e in execs() if "word-kit-one" in " ".join(get(e, "process.args", [])) and get(e, "container.id")]'

# ---- buildx: all of it is HTTP/2 behind one request ----
check "a client of BuildKit's own interface, as buildx is" run -q -- $client "$sock" grpc
see "what it asks for is not read, and that is said (R6.13)" \
	'[get(e, "url.path") for e in action("grpc")] == ["/grpc"] and alerts("R6.13") and gap("buildx")'
finish
