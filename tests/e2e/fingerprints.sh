#!/bin/bash
# fingerprints.sh: a value that a variable held at an exec is found wherever it goes, under any name (R1.8, R3.4, R5.3,
# R6.9, R7.3), by its fingerprint alone: its bytes are in the memory of no process of ours.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
base=invigil/base:1
python3 tests/lib/sink.py >"$work/port" 2>/dev/null &
sink=$!
until_true 10 test -s "$work/port"
port=$(cat "$work/port")

# OWN is invigil's own variable, too; RUN is one that only a child gets.
export OWN_API_TOKEN=planted-Own7-secret-value-$$
planted='planted-Own7-secret\|planted-Run8-secret'
cat >"$work/places.sh" <<'SH2'
umask 077
v=$OWN_API_TOKEN
[ "$1" = whole ] || v=${v%?} # all but the last byte
/bin/true "x$v"
echo "$v" >"$2/own.log"
curl -s --data "x=$v" "http://127.0.0.1:$3/" >/dev/null
docker create -e "GREETING=$v" "$4" true >/dev/null
docker create --name "n-$v" "$4" true >/dev/null
t=$(echo planted-Run8 | sed 's/$/-secret-value-456/')
RUN_API_TOKEN=$t /bin/true
[ "$1" = whole ] || t=${t%?}
echo "y $t" >"$2/run.log"
[ "$1" != whole ] || { : >"$2/up"; read -r _ <"$2/go"; }
SH2
places() { run -- sh "$work/places.sh" "$1" "$work" "$port" "$base" >"$work/out"; }
none() { see "$1, near miss: all but its last byte" "not alerts('$1')"; }
places part
check "(the places are reached)" test -s "$work/own.log" -a "$(docker ps -aq | wc -l)" = 2
for r in R1.8 R3.4 R5.3 R6.9 R7.3; do none $r; done
see "near miss: few secrets are not too many" 'not gap("secrets were too many")'

mkfifo "$work/go"
exec 8<>"$work/go"
places whole 8>&- &
pid=$!
until_true 60 test -e "$work/up"
until_true 20 grep -q 'RUN_API_TOKEN is written' "$ev" # it is the last, and the run is quiet now
memory() { # PID...: how many of them hold one of the values
	local p n=0
	for p; do
		gcore -o "$work/core" "$p" >"$work/gcore" 2>&1 || cat "$work/gcore"
		! grep -qa "$planted" "$work/core.$p" || n=$((n + 1))
		rm -f "$work/core.$p"
	done
	echo $n
}
ours=$("$root/tests/lib/ours.sh" "$ev" invigil-monitor invigil-attach invigil-guard)
check "monitor, attacher and guardian are there" test "$(wc -w <<<"$ours")" = 3
# shellcheck disable=SC2046
check "the shell of the run holds the values" test "$(memory $(pgrep -f "^sh $work/places.sh whole"))" = 1
# shellcheck disable=SC2086
check "none of ours does" test "$(memory $ours)" = 0
echo >&8
wait $pid
see "R3.4: in an argument" 'any("OWN_API_TOKEN" in get(e, "invigil.evidence") for e in alerts("R3.4"))'
see "R5.3: in a log" 'any("OWN_API_TOKEN" in get(e, "invigil.evidence") and "own.log" in get(e, "invigil.evidence") for e in alerts("R5.3"))'
see "R5.3: that of a variable which one child got" 'any("RUN_API_TOKEN" in get(e, "invigil.evidence") and "run.log" in get(e, "invigil.evidence") for e in alerts("R5.3"))'
see "R1.8: sent" 'any("OWN_API_TOKEN" in get(e, "invigil.evidence") for e in alerts("R1.8"))'
see "R6.9: in a container's variable of another name" 'any("Env" in get(e, "invigil.evidence") for e in alerts("R6.9"))'
see "R7.3: in a container's name" 'any("OWN_API_TOKEN" in get(e, "invigil.evidence") for e in alerts("R7.3"))'
check "the values are not in the stream" bash -c "! grep -q '$planted' '$ev' '$work/err'"

# ---- there is a bound, and it is said ----
many=()
for i in $(seq 1000); do many+=("IVG_${i}_TOKEN=planted-many-$i-secret"); done
# shellcheck disable=SC2016
run -- env "${many[@]}" sh -c 'umask 077; echo "$IVG_1_TOKEN" >"$1/first.log"; /bin/true "$IVG_1000_TOKEN"' sh "$work"
see "1000 secrets in ten forms each are more than are told apart: said" 'gap("secrets were too many") and ended()'
see "the first is found" 'any("IVG_1_TOKEN" in get(e, "invigil.evidence") for e in alerts("R5.3"))'
check "and none of them is in the stream" bash -c "! grep -q 'planted-many-[0-9]*-secret' '$ev'"
kill $sink
finish
