#!/bin/bash
# container.sh: processes of the run's containers are its members however they come there; those of others are not.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
base=invigil/base:1
unified=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
check "the helper builds" gcc -O2 -Wall -Wextra -Werror -o "$work/into" tests/e2e/into_cgroup.c
docker run -d --name others --network none $base sleep 600 >/dev/null
inside() { # WORD: an exec of `echo WORD` is in the stream, with a container
	see "$1 ${2:-}" '[e for e in execs() if "'"$1"'" in " ".join(get(e, "process.args", [])) and get(e, "container.id")]'
}
cat >"$work/all" <<SH2
set -e
id=\$(docker run -d --name mine --network none --health-cmd 'echo word-health' --health-interval 1s $base sh -c 'echo word-init; sleep 600')
docker exec mine echo word-exec
docker restart -t 0 mine >/dev/null
docker exec others echo word-foreign
docker kill others >/dev/null
echo \$id >"$work/id"
for i in \$(seq 600); do [ -e "$work/go" ] && break; sleep 0.1; done
for i in \$(seq 300); do [ "\$(docker inspect -f '{{len .State.Health.Log}}' mine)" = 0 ] || break; sleep 0.1; done
docker rm -f mine >/dev/null
SH2
(
	until_true 30 test -s "$work/id"
	# Not a process of the run: what runc of another make does.
	dir=$(find "$unified" -type d -name "*$(cat "$work/id")*" 2>/dev/null | head -1)
	if [ -n "$dir" ]; then
		"$work/into" "$dir" /bin/echo word-into >"$work/into.out" 2>&1
		echo $? >"$work/into.status"
		"$work/into" "$dir" "$work/into" = /bin/echo word-again >"$work/again.out" 2>&1
		mkdir -p "$dir/below" 2>/dev/null && "$work/into" "$dir/below" /bin/echo word-below >/dev/null 2>&1
		rmdir "$dir/below" 2>/dev/null
	fi
	touch "$work/go"
) &
check "containers of the run" run -q -- sh "$work/all"
wait
inside word-init "(init)"
see "each is counted as a process of the run, and none twice" \
	'len({get(e, "process.entity_id") for e in execs()}) <= get(ev[-1], "invigil.run.counts.processes") <= get(ev[-1], "invigil.run.counts.records.fork") + len(execs())'
see "the init of a restarted container is one, too" 'len([e for e in execs() if "echo word-init; sleep 600" in get(e, "process.args", []) and get(e, "container.id")]) == 2'
inside word-exec "(docker exec)"
inside word-health "(health check)"
see "an exec in a container of others is none of the run's" 'not [e for e in execs() if "word-foreign" in get(e, "process.args", []) and get(e, "process.name") != "docker"] and alerts("R8.3")'
if [ "$(cat "$work/into.status" 2>/dev/null)" = 0 ]; then
	inside word-into "(clone3 into the cgroup)"
	inside word-below "(a cgroup below it)"
	inside word-again "(out of a program that executes itself twice first)"
	see "these two are the runtime's own, outside of the container's mounts" \
		'[get(e, "process.args") for e in execs() if "word-again" in get(e, "process.args", [])] == [["/bin/echo", "word-again"]]'
	check "and they were executed" grep -qx word-again "$work/again.out"
else
	test_begin "clone3 into the cgroup"
	skip "no unified hierarchy with the container, or no clone3"
fi
see "each is told with its container's id, name and image" 'all(len(get(e, "container.id")) == 64 and get(e, "container.name") == "mine" and get(e, "container.image.name") == "'$base'" for e in execs() if get(e, "container"))'
see "nothing is left behind" 'not get(ev[-1], "invigil.run.left_behind.objects")'

# ---- a container that was there before the run, and is its own by --own alone ----
docker run -d --name given --network none $base sh -c ': word-again; sleep 300' >/dev/null
docker start others >/dev/null
given_id=$(docker inspect -f '{{.Id}}' given)
executed() { # WORD CONTAINER
	echo "[get(e, 'container.name') for e in execs() if get(e, 'process.args') == ['echo', '$1'] and get(e, 'container.id')] == ['$2']"
}
cat >"$work/given" <<SH2
docker exec given echo word-given
docker exec others echo word-not-given
docker restart -t 0 given >/dev/null
given_sleeps() { docker top given | grep -q 'sleep 300'; }
until_true 30 given_sleeps
SH2
run -q --own 'name=giv*' -- sh "$work/given" >"$work/out" 2>&1
see "--own: what is executed in it is the run's, with id, name and image" \
	"$(executed word-given given) and {get(e, 'container.id') for e in execs() if get(e, 'container.id')} == {'$given_id'} and {get(e, 'container.image.name') for e in execs() if get(e, 'container.id')} == {'$base'}"
see "it is started again: its init, too" "[e for e in execs() if ': word-again' in ' '.join(get(e, 'process.args', [])) and get(e, 'container.id')]"
see "that it was there before is said, and the run is complete all the same" 'gap("programs ran in a container that was there before") and get(ev[-1], "invigil.run.complete") is True'
see "near miss: a container of others: R8.3, and its exec is not seen, which is said" \
	'not [e for e in execs() if get(e, "process.args") == ["echo", "word-not-given"] and get(e, "container.id")] and len(alerts("R8.3")) == 1 and gap("a command was started in a container that the run did not create")'
run -q --own "id=${given_id:0:20}" -- docker exec given echo word-by-id >"$work/out" 2>&1
see "--own by the beginning of its id: the same" "$(executed word-by-id given) and not alerts('R8.3') and not alerts('R7.4') and [get(e, 'invigil.docker.owner') for e in action('exec-start')] == ['own']"
exec_by_name() { # two requests, neither of which tells an id of the container
	cat <<SH2
x=\$(curl -s --unix-socket $engine/docker.sock -H 'Content-Type: application/json' -d '{"Cmd":["echo","word-by-name"]}' http://localhost/containers/given/exec | cut -d'"' -f4)
curl -s --unix-socket $engine/docker.sock -H 'Content-Type: application/json' -d '{}' http://localhost/exec/\$x/start
SH2
}
run -q --own name=given -- sh -c "$(exec_by_name)" >"$work/out" 2>&1
see "where no answer tells its id, that is said" \
	'[get(e, "http.response.status_code") for e in action("exec-start")] == [200] and gap("whose id no answer told") and not alerts("R8.3") and not [e for e in execs() if get(e, "container.id")]'
run -q -- sh -c "$(exec_by_name)" >"$work/out" 2>&1
see "near miss: without --own it is a foreign one (R8.3)" 'alerts("R8.3") and not gap("whose id no answer told") and [get(e, "container.id") for e in action("exec-start")] == [None]'
docker rm -f given >/dev/null

# ---- two runs that execute commands in each other's containers ----
crossing() { # MINE OTHER
	cat <<SH2
set -e
docker run -d --name cross-$1 --network none $base sleep 600 >/dev/null
touch "$work/$1.up"
for i in \$(seq 600); do [ ! -e "$work/$2.up" ] || break; sleep 0.1; done
docker exec cross-$2 echo word-by-$1
touch "$work/$1.over"
for i in \$(seq 600); do [ ! -e "$work/$2.over" ] || break; sleep 0.1; done
docker rm -f cross-$1 >/dev/null
SH2
}
crossing one two >"$work/one"
crossing two one >"$work/two"
timeout -k 5 120 "$invigil" run -q -o "$work/ev2" -- sh "$work/two" >/dev/null 2>"$work/err2" &
other=$!
check "one run" run -q -- sh "$work/one"
check "and another on the same engine" wait $other
crossed() { # MINE OTHER STREAM: what runs in a container is told by the run whose container it is, and by it alone
	see "what the run $2 executes in the container of $1 is told there, with the container" \
		'[get(e, "container.name") for e in execs() if get(e, "process.args") == ["echo", "word-by-'"$2"'"]] == ["cross-'"$1"'"]' "$3"
	see "and not what $1 executes in that of $2; that is R8.3, an exec in a foreign container" \
		'not [e for e in execs() if get(e, "process.args") == ["echo", "word-by-'"$1"'"]] and [get(e, "invigil.docker.owner") for e in action("exec-start")] == ["foreign"] and len(alerts("R8.3")) == 1' "$3"
	see "and it is said that what is executed there is not seen here" 'gap("a command was started in a container that the run did not create")' "$3"
}
crossed one two "$ev"
crossed two one "$work/ev2"

# ---- the steps of a classic build ----
# (Their texts are this test's alone: what another run of the machine builds as well is told by neither.)
mkdir "$work/context"
cat >"$work/context/Dockerfile" <<DOCKERFILE
FROM $base
RUN echo word-step-one $$; /bin/busybox true
ENV A=b
RUN ["/bin/busybox", "echo", "word-step-two", "$$"]
DOCKERFILE
run -q -- docker build --no-cache -t steps:1 "$work/context" >/dev/null
see "the steps of a build are members, with container and image" \
	'all(len([e for e in execs() if w in " ".join(get(e, "process.args", [])) and len(get(e, "container.id", "")) == 64 and get(e, "container.image.name")]) == 1 for w in ("word-step-one", "word-step-two"))'
see "the first of them on the image that FROM names" \
	'[get(e, "container.image.name") for e in execs() if "word-step-one" in " ".join(get(e, "process.args", []))] == ["'$base'"]'
see "what a step executes is one, too" '[e for e in execs() if get(e, "process.args") == ["/bin/busybox", "true"] and get(e, "container.id")]'
see "the containers of its steps are not left behind" '[o for o in get(ev[-1], "invigil.run.left_behind.objects") or [] if "container" in str(o)] == []'
docker rmi -f steps:1 >/dev/null

# ---- the steps of a build that does not tell its containers ----
# (A container of another test's engine may be told as a stranger.)
told_by() { # HOW: both steps of the last run, each with a container
	see "$1: its steps are members, by what they execute" \
		'all(len([e for e in execs() if w in " ".join(get(e, "process.args", [])) and get(e, "container.id") and get(e, "process.name") != "docker"]) == 1 for w in ("word-step-one", "word-step-two")) and not gap("Dockerfile")'
}
run -q -- docker build -q --no-cache -t steps:1 "$work/context" >/dev/null
told_by "a quiet build"
head -c 300000 /dev/urandom >"$work/context/long" # more than is read of a request
run -q -- docker build -q --no-cache -t steps:1 "$work/context" >/dev/null
told_by "a quiet build of a long context"
rm "$work/context/long"
printf 'FROM %s\nSHELL ["/bin/busybox", "sh", "-ec"]\n' $base | docker build -q -t shelled:1 - >/dev/null
cat >"$work/context/Dockerfile" <<DOCKERFILE
FROM shelled:1
RUN echo word-step-one $$
RUN echo word-step-two $$; STEP_TOKEN=geheim-und-lang-81 /bin/busybox true
DOCKERFILE
run -q -- docker build -q --no-cache -t steps:1 "$work/context" >/dev/null
told_by "a quiet build on an image with a shell of its own, and with a secret in a step"
see "its shell is the image's, and the secret is in no output" \
	'all(get(e, "process.args")[:3] == ["/bin/busybox", "sh", "-ec"] for e in execs() if "word-step" in " ".join(get(e, "process.args", [])) and get(e, "container.id")) and "geheim-und" not in json.dumps(ev)'
cat >"$work/context/Dockerfile" <<DOCKERFILE
FROM $base
RUN echo word-step-long $$; sleep 100
DOCKERFILE
step() { docker ps --no-trunc --format '{{.ID}} {{.Command}}' | sed -n 's/ .*word-step-long.*//p' | grep .; }
(
	until_true 30 step
	step=$(step)
	docker run --rm --network none $base echo word-stranger >/dev/null
	docker kill "$step" >/dev/null
) &
run -q -- docker build -q --no-cache -t steps:1 "$work/context" >/dev/null 2>&1
wait
see "what another executes on the engine meanwhile is none of the run's, and it is said that it may be" \
	'not [e for e in execs() if "word-stranger" in get(e, "process.args", [])] and gap("a container executed") and [e for e in execs() if "word-step-long" in " ".join(get(e, "process.args", []))]'
finish
