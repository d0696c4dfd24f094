#!/bin/bash
# attack.sh: R0.5, what the run does to the monitor's own processes.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

attack() { # NAME SHELL: $p is the process
	run -- bash -c 'p=$("$1" "$2" "invigil-$3"); [ "$p" ] || exit 9; '"$2" attack "$root/tests/lib/ours.sh" "$ev" "$1"
}
said_of() { echo "any('$1' in get(e, 'invigil.evidence', '') and '$2' in get(e, 'invigil.evidence', '') for e in alerts('R0.5'))"; }

for w in monitor guard attach; do
	role=$w
	[ $w != guard ] || role=guardian
	[ $w != attach ] || role=attacher
	check "SIGUSR1 to the $role changes nothing" status_is 0 attack $w 'kill -USR1 $p'
	see "and is R0.5" "$(said_of "$role" "signal 10")"
	see "which is critical and makes the run incomplete" \
		'all(get(e, "invigil.severity") == "critical" for e in alerts("R0.5")) and not get(ev[-1], "invigil.run.complete")'
	check "near miss: signal 0 to the $role" status_is 0 attack $w 'kill -0 $p'
	see "is no attack" 'ended() and not alerts("R0.5")'
done
# As gdb does it, without the seconds that gdb takes to start.
cat >"$work/tracer.py" <<'PY'
import ctypes, os, sys
ATTACH, DETACH, WALL = 16, 17, 0x40000000
ptrace, pid = ctypes.CDLL(None).ptrace, int(sys.argv[1])
if ptrace(ATTACH, pid, None, None):
    sys.exit(3)
os.waitpid(pid, WALL)
ptrace(DETACH, pid, None, None)
PY
check "a tracer of the guardian" status_is 0 attack guard "python3 $work/tracer.py \$p"
see "is R0.5" "$(said_of guardian tracer)"
check "near miss: a tracer of the run's own process" status_is 0 attack guard "sleep 9 & python3 $work/tracer.py \$! && kill \$!"
see "is no attack" 'ended() and not alerts("R0.5")'
check "near miss: a signal to COMMAND's parent" status_is 0 attack guard 'kill -CONT $PPID'
see "is no attack" 'ended() and not alerts("R0.5")'
check "kill -9 of the attacher leaves the run as it is" status_is 0 attack attach 'kill -9 $p; for i in {1..20}; do /bin/true || exit 4; sleep 0.02; done'
see "and is R0.5" "$(said_of attacher "signal 9")"
see "and what is not seen from there on is said" \
	'any("attaches probes" in str(get(e, "invigil.gap.reason")) or "let go" in str(get(e, "invigil.gap.reason")) for e in ev)'
cat >"$work/first.sh" <<'SH'
first=$("$1" "$2" invigil-attach)
kill -9 "$first"
for i in {1..200}; do
	p=$("$1" "$2" invigil-attach)
	[ -n "$p" ] && [ "$p" != "$first" ] && break
	sleep 0.05
done
for i in {1..200}; do # until it has its first probes
	IVG_AGAIN=1 bash -c ': $IVG_AGAIN'
	grep -q '"IVG_AGAIN"' "$2" && break
	sleep 0.05
done
SH
check "killed while a run lives" status_is 0 run -- bash "$work/first.sh" "$root/tests/lib/ours.sh" "$ev"
see "another attacher takes its place, and reads are seen again" 'reads("IVG_AGAIN") and gap("attaches probes ended")'
check "kill -9 of the guardian: no program starts any more" status_is 126 attack guard 'kill -9 $p; sleep 0.1'
see "which is R0.5" "$(said_of guardian "signal 9")"
see "and said" 'any("guardian is gone" in str(get(e, "invigil.gap.reason")) for e in ev)'
kill_from_outside() {
	rm -f "$work/up" "$work/go"
	run -- bash -c ": >'$work/up'; until [ -e '$work/go' ]; do sleep 0.05; done" &
	until_true 30 test -e "$work/up" || return 1
	kill -USR1 "$("$root/tests/lib/ours.sh" "$ev" invigil-guard)"
	: >"$work/go"
	wait $!
}
check "near miss: a signal from outside the run" kill_from_outside
see "is no attack" 'ended() and not alerts("R0.5")'
finish
