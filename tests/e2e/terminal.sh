#!/bin/bash
# terminal.sh: on a terminal COMMAND hears, stops, goes on and ends as it does bare; make's job server passes through.
# alone: a terminal that answers late beside another job is no fault of invigil
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

as_bare() { # NAME WHAT
	rm -f "$ev"
	check "$1" env WORK="$work" timeout 120 python3 tests/e2e/terminal.py "$2" "$invigil" run -q -o "$ev" --
	see "the record of it is whole" 'ended() and gapless()'
}
as_bare "Ctrl-C and Ctrl-\\ reach COMMAND once each, input goes through" keys
as_bare "COMMAND that Ctrl-C ends: 130" ctrl_c
see "and that is its end in the stream" 'get(ev[-1], "process.exit_code") == 130'
as_bare "the terminal's new size" size
as_bare "the terminal goes away" hangup
as_bare "in a shell: Ctrl-Z, fg, kill %1 heard once, status" shell_jobs
as_bare "a shell with job control as COMMAND" shell_inside

# A signal to the whole group is heard once, one to invigil alone too.
cat >"$work/once.py" <<PY
import signal, sys, time
heard = []
signal.signal(signal.SIGTERM, lambda *a: heard.append(1))
open("$work/up", "w").close()
until = time.time() + 20
while not heard and time.time() < until: time.sleep(0.01)
time.sleep(0.3)
sys.exit(len(heard))
PY
for to in group one; do
	rm -f "$work/up" "$ev"
	setsid "$invigil" run -q -o "$ev" -- /usr/bin/python3 "$work/once.py" &
	pid=$!
	until_true 30 test -e "$work/up"
	if [ $to = group ]; then kill -TERM -- -$pid; else kill -TERM $pid; fi
	wait $pid
	got=$?
	check "SIGTERM to $to is heard once" test $got = 1
done

printf 'all:\n\t+%s run -q -o %s -- $(MAKE) -f %s inner\ninner: a b\na b:\n\t@echo made $@\n' "$invigil" "$ev" "$work/Makefile" >"$work/Makefile"
check "make's job server reaches a make under invigil" \
	bash -c "make -s -j2 -f '$work/Makefile' all >'$work/out' 2>&1 && grep -qx 'made b' '$work/out' && ! grep -i jobserver '$work/out'"
finish
