#!/bin/bash
# attacks.sh: each known attack line of tests/attacks/attacks.tsv raises the categories it must, in a private network.
# ATTACKS="H01 D02" runs only these; ACC_PRUNE=1 lets R03 prune the whole (private) engine.
if [ "$(id -u)" = 0 ] && [ -z "${ATTACKS_PRIVATE:-}" ]; then
	ATTACKS_PRIVATE=1 exec unshare -n "$0" "$@"
fi
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
ip link set lo up
only=${ATTACKS:-}
list=$root/tests/attacks/attacks.tsv
[ -z "${ATTACKS_LIST:-}" ] || list=$root/tests/attacks/$(basename "$ATTACKS_LIST")

python3 tests/lib/sink.py >"$work/port" 2>/dev/null &
sink_pid=$!
trap 'kill $sink_pid 2>/dev/null; cleanup' EXIT
until_true 20 test -s "$work/port"
SINK=http://127.0.0.1:$(cat "$work/port") D=docker ACC=$work/scratch
export SINK D ACC
mkdir -p "$ACC/attack/fakeroot"

image_up() { # alpine and ubuntu by name only: Debian's busybox, and bash with its libraries
	local id
	id=$(docker create invigil/base:1 true) || return 1
	# shellcheck disable=SC2046
	tar -chf - /bin/bash $(ldd /bin/bash | grep -o '/[^ ]*') 2>/dev/null | docker cp - "$id:/" || return 1
	mkdir -p "$work/root/var/log"
	tar -C "$work/root" -cf - var | docker cp - "$id:/" || return 1
	docker commit "$id" ubuntu:latest >/dev/null || return 1
	docker rm "$id" >/dev/null
	docker tag ubuntu:latest ubuntu:18.04
	docker tag invigil/base:1 alpine:latest
}
if grep -q '\$D\b\|	ctr	' "$list"; then # $D, not $DEPLOY_TOKEN
	engine_up
	ln "$engine/docker.sock" "$ACC/d.sock"
	check "images of the names that the attacks use" image_up
fi

verdict() { # WANTED: over $ev
	python3 - "$ev" "$1" <<'PY'
import json
import sys

alerts, evidence, rules, loud = set(), set(), set(), set()
for line in open(sys.argv[1], encoding="utf-8"):
    event = json.loads(line)
    if event["event"]["kind"] == "alert":
        alerts.add(event["rule"]["id"].split(".")[0][1:])
        rules.add(event["rule"]["id"])
        if event["event"]["severity"] >= 47 and event["rule"]["id"][1] in "2345":
            loud.add(event["rule"]["id"])
    evidence |= {f["rule"].split(".")[0][1:] for f in event.get("invigil", {}).get("findings", [])}
wrong = []
for want in sys.argv[2].split(","):
    if want == "-":
        wrong += sorted(loud)
        continue
    category, _, rule = want.partition("~")
    if want[0] in "!R":
        if (want.lstrip("!") in rules) == (want[0] == "!"):
            wrong.append(f"{want} does not hold")
        continue
    if rule and rule in rules:
        wrong.append(f"{rule} is detected now: take the mark away")
    elif want.endswith("i"):
        if want[:-1] in alerts:
            wrong.append(f"an alert of R{want[:-1]}, evidence was wanted")
        if want[:-1] not in evidence:
            wrong.append(f"no evidence of R{want[:-1]}")
    elif not rule and category not in alerts:
        wrong.append(f"no alert of R{category}")
print(*wrong, "alerts:", *sorted(rules), sep="\n")
sys.exit(bool(wrong))
PY
}

# What one attack leaves in $1: why it failed, or nothing. The engine's rows one after the other (they prune), the rest
# beside them; without an engine each lane has half of them.
lane() { # DIR PATTERN
	local id mode wanted command row=0
	ev=$1/ev
	export W=$1/home
	mkdir -p "$1"
	while IFS=$'\t' read -r id mode wanted command <&9; do
		case $id in '#'*) continue ;; esac
		[ -z "$only" ] || [[ " $only " == *" $id "* ]] || continue
		[[ ! $command =~ \$D([^A-Za-z_]|$) ]] || mode=ctr
		row=$((row + 1))
		[ -n "$engine" ] || [ $((row % 2)) = 0 ] || mode=ctr
		[ "$mode" = "$2" ] || continue
		rm -rf "$W"
		mkdir -p "$W"
		FOREIGN=''
		export LOG=$1/before.log
		echo "line" >"$LOG"
		[ "$id" != R01 ] || FOREIGN=$(docker run -d alpine:latest sleep 300)
		(cd "$W" && HOME=$W FOREIGN=$FOREIGN DEPLOY_TOKEN=acceptance-dummy-value-7 run -- bash -c "$command") \
			</dev/null >"$1/out" 2>&1
		verdict "$wanted" >"$work/results/$id" 2>&1 && : >"$work/results/$id"
	done 9<"$list"
}
mkdir "$work/results"
lane "$work/host" host &
host_lane=$!
lane "$work/ctr" ctr
wait $host_lane
while IFS=$'\t' read -r id _ wanted command; do
	case $id in '#'*) continue ;; esac
	[ -z "$only" ] || [[ " $only " == *" $id "* ]] || continue
	test_begin "$id ($wanted): ${command:0:60}"
	if [ -f "$work/results/$id" ] && [ ! -s "$work/results/$id" ]; then ok; else fail "$work/results/$id"; fi
done <"$list"
finish
