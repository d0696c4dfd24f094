#!/bin/bash
# loss.sh: a monitor that is held up loses records; the run goes on, and the loss is counted and said everywhere.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
execs=2000 # each record is several KiB, the ring is 4 MiB

cat >"$work/many.sh" <<SH
touch "$work/up"
until [ -e "$work/go" ]; do sleep 0.05; done
i=0
while [ \$i -lt $execs ]; do /bin/true; i=\$((i + 1)); done
touch "$work/over"
until [ -e "$work/end" ]; do sleep 0.05; done
exit 6
SH
rm -f "$ev"
timeout 120 "$invigil" run -o "$ev" -- sh "$work/many.sh" 2>"$work/err" &
pid=$!
until_true 20 test -e "$work/up"
monitor=
for p in $(pgrep -x invigil-monitor); do
	tr '\0' '\n' <"/proc/$p/cmdline" | grep -qxF "$ev" && monitor=$p
done
check "the monitor is there" test -n "$monitor"
kill -STOP "$monitor"
touch "$work/go"
check "the run does not wait for a monitor that stands still" until_true 60 test -e "$work/over"
kill -CONT "$monitor"
touch "$work/end"
wait $pid
check "COMMAND's status is its own" test $? = 6
see "events-lost says how many and of which type" 'any(get(e, "invigil.lost.type") == "exec" and get(e, "invigil.lost.count") > 0 for e in action("events-lost"))'
see "exactly: told and lost are all" \
	"len(execs('true')) + sum(get(e, 'invigil.lost.count') for e in action('events-lost') if get(e, 'invigil.lost.type') == 'exec' and get(e, 'event.kind') == 'metric') - $execs in range(0, 60)"
see "R0.1 is an alert" 'alerts("R0.1")'
see "the run is incomplete, its stream whole" 'get(ev[-1], "invigil.run.complete") is False and ended() and gapless()'
check "the summary says so" grep -qi 'lost' "$work/err"
rm -f "$work/up" "$work/over" "$work/go" "$work/end"
check "an incomplete run trips --require-complete only: near miss, nothing lost" status_is 0 run --require-complete -- true
finish
