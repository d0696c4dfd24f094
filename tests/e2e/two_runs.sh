#!/bin/bash
# two_runs.sh: what two runs could both mean, steps of builds first, is said and guessed by neither; a container whose id comes late.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
engine2=/run/invigil-two-runs-$$ # which is /var/run, too
trap 'engine_stop "$engine2"; rm -rf "$engine2"; cleanup' EXIT
base=invigil/base:1
ev2=$work/ev2
LIMIT=150 # they wait for each other

# ---- two runs that build at the same time ----
# The first step waits, so that both build when the second one comes.
context() { # NAME WORD
	mkdir "$work/$1"
	printf 'FROM %s\nRUN : %s; trap "exit 0" USR1; sleep 1000 & wait\nRUN echo word-%s\n' $base "$2" "$2" >"$work/$1/Dockerfile"
}
context both both
context one one
context two two
engines=$DOCKER_HOST # of the first build, and of the second
apart=()             # what the second run is started by
containers() { for e in $(printf '%s\n' $engines | sort -u); do docker -H "$e" "$@"; done; }
steps_wait() { [ "$(containers ps -q | wc -l)" = 2 ]; }
both_say() { grep -q "another run builds" "$ev" && grep -q "another run builds" "$ev2"; }
# A shell that has not come to its trap yet is asked again.
steps_end() {
	for e in $engines; do docker -H "$e" ps -q | xargs -r docker -H "$e" kill -s USR1; done
	! containers ps -q | grep -q .
}
steps_go() { until_true 30 steps_end; }
two_builds() { # UNTIL OPTIONS FIRST SECOND: of these contexts; the first steps end when UNTIL is true
	# shellcheck disable=SC2086
	local other helper
	rm -f "$ev" "$ev2"
	timeout -k 5 $LIMIT "${apart[@]}" "$invigil" run -q -o "$ev2" -- docker -H "${engines##* }" build $2 --no-cache -t second:1 "$work/$4" >/dev/null 2>&1 &
	other=$!
	(until_true 30 steps_wait && until_true 30 "$1" && steps_go) &
	helper=$!
	check "one build" run -q -- docker build $2 --no-cache -t first:1 "$work/$3"
	check "and another at the same time" wait $other
	check "both were at their first step at one time" wait $helper
}
inside() { # WORD: the containers in which a step with it was executed
	echo "[get(e, 'container.id') for e in execs() if get(e, 'process.args', [])[-1:] == ['echo word-$1'] and get(e, 'container.id')]"
}
neither() { # WHERE: two quiet builds of the same step
	two_builds both_say -q both both
	for s in "$ev" "$ev2"; do
		see "the same step$1, and nobody says whose: it is in neither stream" "$(inside both) == []" "$s"
		see "both say so, at the time" 'gap("another run builds the same step") and alerts("R0.2") and ended()' "$s"
		see "and that a container was there that may be theirs" 'gap("another run") and gap("during a build a container executed")' "$s"
	done
}
neither ""
# Neither shares the other's /run.
apart=(unshare -m sh -c 'mount -t tmpfs none /run && exec "$@"' -)
neither " in another mount namespace"
apart=()
# What a container executes does not tell which engine made it.
mkdir "$engine2"
if engine_start "$engine2" && "$root/tests/lib/base-image.sh" "$engine2/docker.sock" $base; then
	engines="$DOCKER_HOST unix://$engine2/docker.sock"
	neither " on another engine"
	engines=$DOCKER_HOST
	# ---- by which path an engine is reached (R8.6), where there are two ----
	run -q -- docker -H "unix:///var$engine2/docker.sock" version >/dev/null
	see "R8.6, near miss: /var/run is /run" 'len(calls()) > 0 and not said("R8.6")'
	instead() { # PATH: by which the first engine is reached, in a mount namespace of its own
		run -q -- unshare -m sh -c "mount --bind '$engine/docker.sock' '$1' && docker -H 'unix://$1' version" >/dev/null
	}
	instead "$engine2/docker.sock"
	see "R8.6, near miss: another path that an engine itself has bound" 'len(calls()) > 0 and evidence("R8.1") and not alerts("R8.6")'
	touch "$engine2/none.sock"
	instead "$engine2/none.sock"
	see "R8.6: a path beside it that none has bound" 'len(calls()) > 0 and len(alerts("R8.6")) == 1'
else
	test_begin "a second engine"
	fail "$engine2/dockerd.log"
fi
engine_stop "$engine2"
two_builds true -q one two
see "near miss: other steps at the same time: each has its own" "len($(inside one)) == 1 and $(inside two) == []"
see "the second, too" "len($(inside two)) == 1 and $(inside one) == []" "$ev2"
for s in "$ev" "$ev2"; do
	see "and nothing is said of another run" 'ended() and not gap("another run builds")' "$s"
done
# The builder tells the containers of a build that is not quiet: then there is nothing to guess.
two_builds both_say "" both both
q "$ev" "print($(inside both))" >"$work/in1"
q "$ev2" "print($(inside both))" >"$work/in2"
for s in "$ev" "$ev2"; do
	see "the same step, in containers that the builder names: each has its own" \
		"len($(inside both)) == 1 or gap('before its id was known')" "$s"
done
check "which is not the other's" bash -c "! cmp -s '$work/in1' '$work/in2'"
docker rmi -f first:1 second:1 >/dev/null 2>&1

# ---- one run that builds the same twice is sure whose it is ----
cat >"$work/twice" <<SH
docker build -q --no-cache -t first:1 "$work/both" >/dev/null &
docker build -q --no-cache -t second:1 "$work/both" >/dev/null
wait
SH
(until_true 30 steps_wait && steps_go) &
helper=$!
check "one run builds it twice at once" run -q -- sh "$work/twice"
wait $helper
see "near miss: both are its own" "len(set($(inside both))) == 2 and not gap('another run builds')"
docker rmi -f first:1 second:1 >/dev/null 2>&1

# ---- a container that was started before its id was known: the monitor was stopped meanwhile ----
docker run -d --name others --network none $base sleep 1000 >/dev/null
cat >"$work/late" <<SH
touch "$work/up"
until [ -e "$work/go" ]; do sleep 0.1; done
docker run -d --name late --network none $base sh -c 'echo word-before; until [ -e /over ]; do sleep 0.1; done; echo word-at-last' >/dev/null
touch "$work/started"
until [ -e "$work/on" ]; do sleep 0.1; done
docker exec late touch /over
docker wait late >/dev/null
docker rm late >/dev/null
SH
(
	until_true 30 test -e "$work/up"
	pid=$("$root/tests/lib/ours.sh" "$ev" invigil-monitor)
	kill -STOP "$pid"
	touch "$work/go"
	until_true 30 test -e "$work/started"
	kill -CONT "$pid"
	until_true 30 grep -q "before its id was known" "$ev"
	docker exec others true
	touch "$work/on"
) &
helper=$!
check "a run with a container, whose monitor stands still meanwhile" run -q --gate off -- sh "$work/late"
wait $helper
see "that something was executed there before is said, and the run is not complete" \
	'gap("programs ran in a container before its id was known") and get(ev[-1], "invigil.run.complete") is False'
see "what is executed there from then on is told, with the container" \
	'[e for e in execs() if get(e, "process.args") == ["touch", "/over"] and get(e, "container.name") == "late"]'
see "the process that was there before is a member now: its fork, too" \
	'len([e for e in execs() if get(e, "process.args") == ["sleep", "0.1"] and get(e, "container.name") == "late"]) > 0'
see "near miss: a container of others is none of the run's" \
	'not [e for e in execs() if get(e, "container.id") and get(e, "container.name") != "late"]'
finish
