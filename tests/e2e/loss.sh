#!/bin/bash
# loss.sh: a monitor that is held up loses records; the run goes on, and the loss is counted and said everywhere.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
execs=2000 # each record is several KiB, the ring is 4 MiB

# COMMAND waits in pipes, and executes nothing that is not counted.
mkfifo "$work"/{go,end,child}
let_go() { timeout 60 bash -c 'echo >"$1"' - "$work/$1"; }
held() { # COMMAND...: run with a monitor that stands still while it works; it waits for go and for end, and ends with 6
	local pid monitor
	rm -f "$ev" "$work"/{up,over}
	timeout 250 "$invigil" run -o "$ev" -- "$@" 2>"$work/err" &
	pid=$!
	until_true 30 test -e "$work/up"
	monitor=$("$root/tests/lib/ours.sh" "$ev" invigil-monitor)
	check "the monitor is there" test -n "$monitor"
	kill -STOP "$monitor"
	let_go go
	check "the run does not wait for a monitor that stands still" until_true 120 test -e "$work/over"
	kill -CONT "$monitor"
	check "what was lost is said while the run goes on" until_true 60 grep -q '"events-lost"' "$ev"
	let_go end
	wait $pid
}
cat >"$work/many.sh" <<SH
: >"$work/up"
read -r _ <"$work/go"
i=0
while [ \$i -lt $execs ]; do /bin/true; i=\$((i + 1)); done
(read -r _ <"$work/child"; /bin/true of a process whose start was lost; :) &
: >"$work/over"
read -r _ <"$work/end"
echo >"$work/child"
wait
exit 6
SH
held sh "$work/many.sh"
check "COMMAND's status is its own" test $? = 6
see "events-lost says how many and of which type" 'any(get(e, "invigil.lost.type") == "exec" and get(e, "invigil.lost.count") > 0 for e in action("events-lost"))'
see "exactly: told and lost are all" \
	"len(execs('true')) + sum(get(e, 'invigil.lost.count') for e in action('events-lost') if get(e, 'invigil.lost.type') == 'exec' and get(e, 'event.kind') == 'metric') == $execs + 1"
see "from the first on, not at the end: before what was executed after it" \
	'(lambda at: at("events-lost") < at("exec", "true", "of"))(lambda action, *args: [i for i, e in enumerate(ev) if get(e, "event.action") == action and set(args) <= set(" ".join(get(e, "process.args", [])).replace("/", " ").split())][0])'
see "R0.1 is an alert" 'alerts("R0.1")'
see "and R0.4, of a process whose start was lost" 'alerts("R0.4") and action("process-missed")'
see "the run is incomplete, its stream whole" 'get(ev[-1], "invigil.run.complete") is False and ended() and gapless()'
check "the summary says so" grep -qi 'lost' "$work/err"

# Stacks give up before what they belong to does: then there is no line, never that of a call whose own record was lost.
cat >"$work/asks.py" <<'PY'
import os, socket, sys
def ask(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect_ex(path)
def one():
    ask("one/docker.sock")
def two():
    ask("two/docker.sock")
os.chdir(sys.argv[1])
open("up", "w").close()
open("go").read()
for i in range(6000):
    one()
    two()
open("over", "w").close()
open("end").read()
for i in range(200):
    two()
    one()
PY
held /usr/bin/python3 "$work/asks.py" "$work"
see "stacks are lost while connects are not" \
	'[get(e, "invigil.lost.type") for e in action("events-lost")].count("stack") and len([e for e in action("docker-socket-connect") if not get(e, "invigil.source")]) > 100'
see "no connect has another one's stack" \
	'(lambda told: len(told) > 1000 and not [t for t in told if not t[1].startswith(t[0])])([(get(e, "invigil.source.stack")[1]["function"], get(e, "invigil.docker.asked_path")) for e in action("docker-socket-connect") if get(e, "invigil.source")])'
check "an incomplete run trips --require-complete only: near miss, nothing lost" status_is 0 run --require-complete -- true
finish
