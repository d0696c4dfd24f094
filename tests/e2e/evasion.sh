#!/bin/bash
# evasion.sh: the engine's socket reached, and bytes handed to it, in ways that are easily overlooked: all are decoded.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
sock=$engine/docker.sock
log=$engine/dockerd.log
check "the client builds" gcc -O2 -Wall -Wextra -Werror -pthread -o "$work/evade" tests/e2e/evade.c
ways=$("$work/evade")
from=$(log_size)
# One run a way would cost a second each; the query tells them apart.
cat >"$work/all" <<SH2
for w in $(echo $ways); do
	"$work/evade" "$sock" \$w
	case \$? in 0) ;; 77) echo "\$w" >>"$work/refused" ;; *) echo "\$w" >>"$work/broken" ;; esac
done
true
SH2
touch "$work/refused" "$work/broken"
check "every way works" run -q --record "$work/rec" -- sh "$work/all"
check "none failed" test ! -s "$work/broken"
# The engine may take bytes before they are looked at: then exactly that is said.
decoded=0 said=0
for w in $ways; do
	test_begin "$w: its requests are decoded, with their answers"
	if grep -qx "$w" "$work/refused"; then
		skip "this kernel refuses it"
		continue
	fi
	if [ "$w" = taken ]; then # by no system call that names a buffer, nor by a copy: trampolines count it
		see "$w: its request is decoded, with an unknown outcome: its answer is not seen" \
			'[get(e, "event.outcome") for e in action("engine-ping") if get(e, "url.query") == "way=taken"] == ["unknown"]'
		continue
	fi
	n=1
	[ "$w" = mixed ] && n=3
	if q "$ev" '[get(e, "http.response.status_code") for e in action("engine-ping") if get(e, "url.query") == "way='"$w"'"] == [200] * '$n >"$work/why"; then
		decoded=$((decoded + 1))
		ok
		continue
	fi
	said=$((said + 1))
	case $w in
	sendfile | splice | sendmmsg | mixed | int80 | uring | sqpoll)
		see "$w: was not readable, and that is said" \
			'[e for e in action("stream-cut") if get(e, "process.args", [])[2:] == ["'"$w"'"] and "not readable" in get(e, "invigil.gap.reason", "")]'
		;;
	*) fail "$work/why" ;;
	esac
done
echo "$decoded ways decoded, $said said"
see "who asks is told, and not who connected: by an inherited descriptor, one that was sent, one that was taken" \
	'(lambda by: {w: {p for e in action("engine-ping") if get(e, "url.query") == "way=" + w for p in [get(e, "process.pid")]} == by(w) for w in ("inherit", "rights", "pidfd")})(lambda w: {get(e, "process.pid") for e in action("docker-socket-connect") if get(e, "process.args")[-1] == w}) == {"inherit": False, "rights": False, "pidfd": True}'
test_begin "most are decoded"
if [ $said -le 3 ]; then ok; else fail "$said were not"; fi
[ $said != 0 ] || check "and equal to the engine's log" /usr/bin/python3 -B tests/e2e/engine_log.py "$log" "$from" "$(log_size)" "$ev"
check "replay gives the same stream" sh -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$ev'"

# ---- an engine that never sleeps takes some bytes before anybody can look at them: nothing of that is passed over ----
mkdir "$work/eager"
/usr/bin/python3 -B tests/e2e/eager_engine.py "$work/eager/docker.sock" >"$work/eager/ready" &
eager=$!
until_true 20 test -s "$work/eager/ready"
cat >"$work/often" <<SH2
for w in sendfile splice sendmmsg uring; do
	grep -qx \$w "$work/refused" && continue
	for i in \$(seq 30); do "$work/evade" "$work/eager/docker.sock" \$w; done
done
true
SH2
check "requests to an engine that takes them at once" run -q -- sh "$work/often"
kill $eager
see "each is decoded, or it is said that its bytes were not readable" \
	'len(execs("evade")) >= 60 and {get(e, "process.pid") for e in execs("evade")} == {get(e, "process.pid") for e in action("engine-ping") + action("stream-cut") if get(e, "event.action") == "engine-ping" or "not readable" in get(e, "invigil.gap.reason", "")}'
q "$ev" 'print(len(action("engine-ping")), "decoded,", len({get(e, "process.pid") for e in action("stream-cut")}), "said") or True'
finish
